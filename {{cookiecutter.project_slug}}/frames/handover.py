"""Columns on their way from the process that reads a file to the one that asked for it.

They are a file of buffers, one after the other, and a description of them in JSON. The
reading process looks into files that strangers send, so its result is not trusted: it
contains no pickle, no compression and no offsets. It can therefore neither run code nor
stand for more bytes than it has, and each array is validated.

The columns are those that ``kinds.prepare`` makes. Buffers are mapped, not copied.
"""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _

from .arrow_types import ZONE, arrow_type
from .exceptions import LimitExceeded
from .formats import grouped
from .object_values import BYTES_OF_A_VALUE, read_objects, write_objects

ALIGNMENT = 64  # Bytes: a cache line, as NumPy and Arrow like their buffers.
MAX_TEXT = 1_000_000  # Characters of one value.
MANY_ROWS = 100_000  # From here on each column keeps the memory that is mapped.

NUMPY = re.compile(r"\|b1|\|[iu]1|<[iu][248]|<f[248]|<c(8|16)|<[mM]8\[(s|ms|us|ns)\]")
MASKED = re.compile(r"U?Int(8|16|32|64)|Float(32|64)|boolean")


MOST = 2**40  # The length of no column.


class HandoverDamaged(Exception):
    """A file and its description do not belong together."""


def write(frame, file):
    """Write the columns of a frame that ``kinds.prepare`` has made.

    Args:
        frame: ``pandas.DataFrame`` with a default index.
        file: a binary file, open for writing.

    Returns:
        dict: their description, for ``read``.

    Raises:
        LimitExceeded: a text is too long.
    """
    written = Written(file)
    return {
        "rows": len(frame),
        "names": list(frame.columns),
        "columns": [written.column(frame.iloc[:, at]) for at in range(frame.shape[1])],
    }


def read(view, described, max_bytes):
    """Return the ``pandas.DataFrame`` of a file.

    Args:
        view: memoryview of the file.
        described: its description, which may be anything that JSON can say.
        max_bytes: int, that Python's objects may take.

    Raises:
        HandoverDamaged: it was not made by ``write``.
        LimitExceeded: a text is too long.
    """
    mapped = Mapped(view, max_bytes)
    try:
        rows, names = described["rows"], described["names"]
        made = {
            at: pd.Series(mapped.column(each, rows))
            for at, each in enumerate(described["columns"])
        }
        _require(len(made) == len(names) and all(type(name) is str for name in names))
        # In one array for each kind, short columns are worked with more quickly.
        frame = pd.DataFrame(made, range(rows), copy=rows < MANY_ROWS)
        return frame.set_axis(names, axis="columns")
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise HandoverDamaged(repr(error)[:1000]) from error


class Written:
    """A file that columns are added to. Each method returns a description (list)."""

    def __init__(self, file):
        self.file = file
        self.end = 0

    def column(self, column):
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
            sides = (self.column(pd.Series(side)) for side in sides)
            return ["intervals", rows, dtype.closed, *sides]
        # A kind of pandas' own that knows missing values.
        nothing = dtype.numpy_dtype.type(0)
        values = self._numpy(column.to_numpy(dtype.numpy_dtype, na_value=nothing))
        return ["masked", rows, dtype.name, values, self._numpy(column.isna())]

    def _numpy(self, values):
        array = np.ascontiguousarray(values)
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        # NumPy gives no buffer of times, but of the integers that they are.
        plain = array.view("int64") if array.dtype.kind in "mM" else array
        return [array.dtype.str, self._add(plain)]

    def _arrow(self, array):
        check_text(array)
        return [str(array.type), [self._chunk(chunk) for chunk in array.chunks]]

    def _chunk(self, chunk):
        if chunk.offset:  # Its buffers have more than is in it.
            chunk = chunk.take(pa.array(np.arange(len(chunk))))
        sizes = [
            None if buffer is None else self._add(buffer) for buffer in chunk.buffers()
        ]
        return [len(chunk), chunk.null_count, sizes]

    def _add(self, buffer):
        """Add bytes (a buffer), and return how many they are."""
        padding = -self.end % ALIGNMENT
        size = memoryview(buffer).nbytes
        self.file.write(b"\0" * padding)
        if size:  # NumPy casts no empty array.
            self.file.write(memoryview(buffer).cast("B"))
        self.end += padding + size
        return size


class Mapped:
    """A file whose columns are taken in the order in which they were written."""

    def __init__(self, view, max_bytes):
        self.view = view
        self.left = max_bytes  # For Python's objects.
        self.end = 0

    def column(self, described, rows=None):
        """Return the values of a description, of this length (int) if it is given."""
        kind, length, *parts = described
        _require(type(length) is int and 0 <= length <= MOST and rows in (None, length))
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
        # Elsewhere NumPy would take another byte than these for both true and false.
        _require(dtype.kind != "b" or not length or array.view("uint8").max() <= 1)
        return array

    def _arrow(self, length, described):
        name, chunks = described
        kind = arrow_type(name)
        array = pa.chunked_array([self._chunk(kind, *each) for each in chunks], kind)
        _require(len(array) == length)
        check_text(array)
        return array

    def _chunk(self, kind, length, null_count, sizes):
        _require(type(length) is int and 0 <= length <= MOST)
        _require(type(null_count) is int and len(sizes) == kind.num_buffers)
        buffers = [
            None if size is None else pa.py_buffer(self._take(size)) for size in sizes
        ]
        array = pa.Array.from_buffers(kind, length, buffers, null_count)
        array.validate(full=True)
        return array

    def _arrow_column(self, length, described):
        return pd.arrays.ArrowExtensionArray(self._arrow(length, described))

    def _text(self, length, storage, is_na, described):
        dtype = pd.StringDtype(storage, pd.NA if is_na else np.nan)
        return dtype.__from_arrow__(self._arrow(length, described))

    def _objects(self, length, tags, texts):
        # Measured before they are made: none takes a byte in the file.
        self.left -= length * BYTES_OF_A_VALUE
        _require(self.left >= 0)
        tags = self._numpy(length, *tags)
        values = read_objects(tags, self._arrow(length, texts))
        return pd.Series(values, dtype=object)  # pandas would make "str" of texts.

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


KINDS = {
    "numpy": Mapped._numpy,
    "objects": Mapped._objects,
    "text": Mapped._text,
    "arrow": Mapped._arrow_column,
    "categories": Mapped._categories,
    "zoned": Mapped._zoned,
    "periods": Mapped._periods,
    "intervals": Mapped._intervals,
    "masked": Mapped._masked,
}


def check_text(array):
    """Refuse an array of Arrow's (``pyarrow.ChunkedArray``) with a text over MAX_TEXT.

    Raises:
        LimitExceeded
    """
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        return
    # The fewest bytes that so many characters have; most texts are far shorter.
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest > MAX_TEXT:
        longest = pc.max(pc.utf8_length(array)).as_py()
    if longest > MAX_TEXT:
        raise LimitExceeded(
            _(
                "A text in this file has %(size)s characters, and may have %(limit)s. "
                "Shorten it, or leave its column out."
            )
            % {"size": grouped(longest), "limit": grouped(MAX_TEXT)}
        )


def _require(is_so):
    if not is_so:
        raise HandoverDamaged("a description does not fit its file")
