"""The rows of a DataFrame as CSV, written column by column.

pandas formats each cell as a Python object, which takes five times as long. The output is
the same.
"""

import csv
import io
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# pandas formats this many cells at a time. It writes dates without a time if none of
# them has a time, so the output depends on this number.
CELLS = 100_000
MIN_ROWS = 1_000  # For shorter parts, the preparation takes longer than pandas.
# Arrow writes floats between these limits with the same digits as Python.
SMALLEST, LARGEST = 1e-4, 1e10
TEXT = pa.string()
QUOTE = '"'


def csv_rows(part: pd.DataFrame, separator: str) -> memoryview | None:
    """Return the rows of a frame as CSV in UTF-8, or None if pandas has to write them.

    Args:
        part: at most `CELLS` cells.
    """
    if part.shape[1] < 2 or not len(part):  # A row of one empty cell has quotes.
        return None
    columns = []
    for _, column in part.items():
        texts = _texts(column)
        if texts is None:
            return None
        columns.append(texts)
    found = _joined(columns, separator)
    if _needs_quotes(found, part.shape, separator):
        quoted = _quotes(separator)
        for at, dtype in enumerate(part.dtypes):
            if isinstance(dtype, pd.StringDtype | pd.CategoricalDtype):
                columns[at] = quoted(columns[at])
        found = _joined(columns, separator)
    return memoryview(found)


def rows_at_once(frame: pd.DataFrame) -> int | None:
    """Return the number of rows for `csv_rows`; None if pandas is as fast."""
    rows = CELLS // max(1, frame.shape[1])
    return rows if min(rows, len(frame)) >= MIN_ROWS else None


def _joined(columns, separator):
    *first, last = columns
    last = pc.binary_join_element_wise(
        last, "", "\n", null_handling="replace", null_replacement=""
    )
    rows = pc.binary_join_element_wise(
        *first, last, separator, null_handling="replace", null_replacement=""
    )
    _, offsets, data = rows.buffers()
    end = np.frombuffer(offsets, np.int32)[len(rows)]
    return np.frombuffer(data, np.uint8, end)


def _needs_quotes(text, shape, separator):
    """Return whether a cell has a separator, a quote or the end of a line."""
    rows, columns = shape
    counts = {ord(separator): rows * (columns - 1), ord("\n"): rows}
    counts |= {ord(QUOTE): 0, ord("\r"): 0}
    return any(np.count_nonzero(text == each) != n for each, n in counts.items())


def _quotes(separator):
    """Return a function that puts texts in quotes where it is necessary."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(["\r", ""])
    # Before Python 3.13, carriage returns alone do not need quotes.
    special = separator + '"\n' + ("\r" if '"' in line.getvalue() else "")

    def quoted(texts):
        needed = pc.match_substring_regex(texts, f"[{special}]")
        doubled = pc.replace_substring(texts, '"', '""')
        between = pc.binary_join_element_wise(QUOTE, doubled, QUOTE, "")
        return pc.if_else(needed, between, texts)

    return quoted


def _texts(column) -> pa.Array | None:
    """Return the cells of a column as pandas writes them; None for other dtypes."""
    dtype: Any = column.dtype
    if isinstance(dtype, pd.StringDtype):
        return _one(pa.array(column.array).cast(TEXT))
    if isinstance(dtype, pd.CategoricalDtype):
        if not isinstance(dtype.categories.dtype, pd.StringDtype):
            return None
        categories: Any = _texts(column.cat.categories.to_series())
        codes = column.cat.codes.to_numpy()
        return categories.take(pa.array(codes, mask=codes < 0))
    if isinstance(dtype, pd.Int64Dtype | pd.Int32Dtype):
        return _one(pa.array(column.array).cast(TEXT))
    if dtype in (pd.BooleanDtype(), np.dtype(bool)):
        return pc.if_else(_one(pa.array(column.array)), "True", "False")
    if not isinstance(dtype, np.dtype):
        return None
    values = column.to_numpy()
    if dtype.kind in "iu":
        return pa.array(values).cast(TEXT)
    if dtype == np.float64:
        return _floats(values)
    return _times(values) if dtype.kind == "M" else None


def _one(array):
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array


def _floats(values):
    texts = pa.array(values, from_pandas=True).cast(TEXT)
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        is_whole = (values == np.rint(values)) & (size < LARGEST)
    if is_whole.any():
        # Both end in ".0" in Python.
        whole = pc.binary_join_element_wise(texts, "0", ".")
        texts = pc.if_else(pa.array(is_whole), whole, texts)
    others = ((size < SMALLEST) & (values != 0)) | (size >= LARGEST)
    if others.any():
        written = pa.array([repr(each) for each in values[others].tolist()], TEXT)
        texts = pc.replace_with_mask(texts, pa.array(others), written)
    return texts


def _times(values):
    """Return times with as many digits as all of them need; None for distant years."""
    missing = np.isnat(values)
    years = values[~missing].astype("M8[Y]").astype(int) + 1970
    if len(years) and (years.min() < 1 or years.max() > 9999):
        return None
    for unit in ("D", "s", "ms", "us", "ns"):
        shorter = values.astype(f"M8[{unit}]")
        if ((shorter == values) | missing).all():
            break
    kind = pa.date32() if unit == "D" else pa.timestamp(unit)
    return pa.array(shorter, kind, from_pandas=True).cast(TEXT)
