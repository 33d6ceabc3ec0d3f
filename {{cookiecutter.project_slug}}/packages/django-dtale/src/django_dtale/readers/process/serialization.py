"""Transfer columns from a reader to the process that requested them.

The columns are stored as a file of consecutive buffers and a description in JSON. The
reader parses untrusted files, so its result is not trusted either: it contains no
pickles, no compression and no offsets, and each array is validated. The result can
therefore neither run code nor expand to more bytes than the file has.

The columns are those of ``compat.dtypes.make_displayable``. Buffers are mapped, not
copied.
"""

import re
from collections.abc import Callable
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from ...exceptions import LimitExceeded
from ...formats import format_number
from .arrow_types import ZONE, arrow_type
from .object_values import BYTES_OF_A_VALUE, read_objects, write_objects

ALIGNMENT = 64  # Bytes: NumPy and Arrow align buffers to a cache line.
MAX_TEXT = 1_000_000  # Characters of one value.
MANY_ROWS = 100_000  # From this number of rows, columns stay in the mapped memory.

NUMPY = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(8|16)|<[mM]8\[(s|ms|us|ns)\]")
MASKED = re.compile(r"U?Int(8|16|32|64)|Float(32|64)|boolean")


MAX_LENGTH = 2**40  # Rows of a column.


class CorruptColumns(Exception):
    """A file does not match its description."""


def write(frame: pd.DataFrame, file: IO[bytes]) -> dict[str, Any]:
    """Write the columns of a frame of ``compat.dtypes.make_displayable``.

    Args:
        frame: must have a default index.
        file: a binary file, open for writing.

    Returns:
        The description of the columns, for ``read``.

    Raises:
        LimitExceeded: a text is too long.
    """
    writer = ColumnWriter(file)
    return {
        "rows": len(frame),
        "names": list(frame.columns),
        "columns": [writer.column(frame.iloc[:, at]) for at in range(frame.shape[1])],
    }


def read(view: memoryview, description: Any, max_bytes: int) -> pd.DataFrame:
    """Return the DataFrame in a file.

    Args:
        view: the content of the file.
        description: the description of the file. It is not trusted, and may be any JSON
            value.
        max_bytes: the limit for the memory of Python objects.

    Raises:
        CorruptColumns: ``write`` did not write this file and description.
        LimitExceeded: a text is too long.
    """
    reader = ColumnReader(view, max_bytes)
    try:
        rows, names = description["rows"], description["names"]
        made = {
            at: pd.Series(reader.column(each, rows))
            for at, each in enumerate(description["columns"])
        }
        _require(len(made) == len(names) and all(type(name) is str for name in names))
        # pandas is faster with short columns if those of one dtype share an array.
        frame = pd.DataFrame(made, range(rows), copy=rows < MANY_ROWS)
        return frame.set_axis(names, axis="columns")
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise CorruptColumns(repr(error)[:1000]) from error


class ColumnWriter:
    """Adds columns to a file. Each method returns a description."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.end = 0

    def column(self, column: pd.Series) -> list:
        """Add a Series, without its index."""
        dtype, rows = column.dtype, len(column)
        if isinstance(dtype, np.dtype):
            if dtype.kind != "O":
                return ["numpy", rows, *self._numpy(column.to_numpy())]
            tags, texts = write_objects(column)
            tags = self._numpy(tags)
            return ["objects", rows, tags, self._arrow(pa.chunked_array([texts]))]
        if isinstance(dtype, pd.StringDtype):
            array = pa.chunked_array(column.array.__arrow_array__())
            is_na = dtype.na_value is pd.NA
            return ["text", rows, dtype.storage, is_na, self._arrow(array)]
        if isinstance(dtype, pd.ArrowDtype):
            array = pa.chunked_array(column.array.__arrow_array__())
            return ["arrow", rows, self._arrow(array)]
        if isinstance(dtype, pd.CategoricalDtype):
            codes = self._numpy(column.cat.codes.to_numpy())
            categories = self.column(pd.Series(dtype.categories))
            return ["categories", rows, bool(dtype.ordered), codes, categories]
        if isinstance(dtype, pd.DatetimeTZDtype):
            moments = column.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
            return ["zoned", rows, str(dtype.tz), self._numpy(moments)]
        if isinstance(dtype, pd.PeriodDtype):
            return ["periods", rows, dtype.name, self._numpy(column.array.asi8)]
        if isinstance(dtype, pd.IntervalDtype):
            sides = (column.array.left, column.array.right)
            columns = (self.column(pd.Series(side)) for side in sides)
            return ["intervals", rows, dtype.closed, *columns]
        # All other dtypes are nullable ones of pandas.
        nothing = dtype.numpy_dtype.type(0)
        values = self._numpy(column.to_numpy(dtype.numpy_dtype, na_value=nothing))
        return ["masked", rows, dtype.name, values, self._numpy(column.isna())]

    def _numpy(self, values):
        array = np.ascontiguousarray(values)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        # NumPy exports no buffers of times and durations, only of their integers.
        plain = array.view("int64") if array.dtype.kind in "mM" else array
        return [array.dtype.str, self._add(plain)]

    def _arrow(self, array):
        check_text(array)
        return [str(array.type), [self._chunk(chunk) for chunk in array.chunks]]

    def _chunk(self, chunk):
        if chunk.offset:  # Copy a slice, because its buffers also have other values.
            chunk = chunk.take(pa.array(np.arange(len(chunk))))
        sizes = [
            None if buffer is None else self._add(buffer) for buffer in chunk.buffers()
        ]
        return [len(chunk), chunk.null_count, sizes]

    def _add(self, buffer):
        """Add a buffer, and return its size in bytes."""
        padding = -self.end % ALIGNMENT
        size = memoryview(buffer).nbytes
        self.file.write(b"\0" * padding)
        if size:  # An empty array cannot be cast.
            self.file.write(memoryview(buffer).cast("B"))
        self.end += padding + size
        return size


class ColumnReader:
    """Reads the columns of a file in the order in which they were written."""

    def __init__(self, view: memoryview, max_bytes: int) -> None:
        self.view = view
        self.left = max_bytes  # Memory that Python objects may still take.
        self.end = 0

    def column(self, description: Any, rows: int | None = None) -> Any:
        """Return the next column. Its length must be ``rows``, if that is given."""
        kind, length, *parts = description
        _require(
            type(length) is int and 0 <= length <= MAX_LENGTH and rows in (None, length)
        )
        return KINDS[kind](self, length, *parts)

    def _take(self, size):
        begin = self.end + -self.end % ALIGNMENT
        self.end = begin + size
        _require(type(size) is int and size >= 0 and self.end <= self.view.nbytes)
        return self.view[begin : self.end]

    def _numpy(self, length, kind, size):
        _require(NUMPY.fullmatch(kind))
        dtype = np.dtype(kind)
        _require(size == length * dtype.itemsize)
        array = np.frombuffer(self._take(size), dtype)
        # Booleans are 0 or 1. Some NumPy functions treat other bytes as true, and some
        # as false.
        _require(dtype.kind != "b" or not length or array.view("uint8").max() <= 1)
        return array

    def _arrow(self, length, description):
        name, chunks = description
        kind = arrow_type(name)
        array = pa.chunked_array([self._chunk(kind, *each) for each in chunks], kind)
        _require(len(array) == length)
        check_text(array)
        return array

    def _chunk(self, kind, length, null_count, sizes):
        _require(type(length) is int and 0 <= length <= MAX_LENGTH)
        _require(type(null_count) is int and len(sizes) == kind.num_buffers)
        buffers = [
            None if size is None else pa.py_buffer(self._take(size)) for size in sizes
        ]
        array = pa.Array.from_buffers(kind, length, buffers, null_count)
        array.validate(full=True)
        return array

    def _arrow_column(self, length, description):
        return pd.arrays.ArrowExtensionArray(self._arrow(length, description))

    def _text(self, length, storage, is_na, description):
        dtype = pd.StringDtype(storage, pd.NA if is_na else np.nan)
        return dtype.__from_arrow__(self._arrow(length, description))

    def _objects(self, length, tags, texts):
        # Check the memory before creating the objects: in the file, an object may take
        # only one byte.
        self.left -= length * BYTES_OF_A_VALUE
        _require(self.left >= 0)
        tags = self._numpy(length, *tags)
        values = read_objects(tags, self._arrow(length, texts))
        return pd.Series(values, dtype=object)  # By default, texts would become str.

    def _categories(self, length, ordered, codes, categories):
        codes = self._numpy(length, *codes)
        categories = pd.Index(self.column(categories))
        return pd.Categorical.from_codes(codes, categories, ordered=ordered is True)

    def _zoned(self, length, zone, moments):
        _require(ZONE.fullmatch(zone))
        moments = self._numpy(length, *moments)
        _require(moments.dtype.kind == "M")
        return pd.DatetimeIndex(moments, copy=False).tz_localize("UTC").tz_convert(zone)

    def _periods(self, length, name, ordinals):
        dtype = pd.api.types.pandas_dtype(name)
        _require(isinstance(dtype, pd.PeriodDtype))
        return pd.arrays.PeriodArray(self._numpy(length, *ordinals), dtype)

    def _intervals(self, length, closed, *sides):
        left, right = (self.column(side, length) for side in sides)
        return pd.arrays.IntervalArray.from_arrays(left, right, closed)

    def _masked(self, length, name, values, mask):
        _require(MASKED.fullmatch(name))
        dtype = pd.api.types.pandas_dtype(name)
        values = self._numpy(length, *values)
        mask = self._numpy(length, *mask)
        return dtype.construct_array_type()(values, mask)


KINDS: dict[str, Callable[..., Any]] = {
    "numpy": ColumnReader._numpy,
    "objects": ColumnReader._objects,
    "text": ColumnReader._text,
    "arrow": ColumnReader._arrow_column,
    "categories": ColumnReader._categories,
    "zoned": ColumnReader._zoned,
    "periods": ColumnReader._periods,
    "intervals": ColumnReader._intervals,
    "masked": ColumnReader._masked,
}


def check_text(array: pa.ChunkedArray) -> None:
    """Check the length of the texts in an Arrow array.

    Raises:
        LimitExceeded: a text is longer than MAX_TEXT.
    """
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return
    # A text has at least as many bytes as characters, so first compare the bytes, which
    # are faster to count.
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest > MAX_TEXT:
        longest = pc.max(pc.utf8_length(array)).as_py()
    if longest > MAX_TEXT:
        raise LimitExceeded(
            _(
                "A text in this file has %(size)s characters; the limit is %(limit)s. "
                "Shorten it, or remove its column."
            )
            % {"size": format_number(longest), "limit": format_number(MAX_TEXT)}
        )


def _require(is_so):
    if not is_so:
        raise CorruptColumns("a description does not fit its file")
