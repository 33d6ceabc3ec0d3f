"""Statistics of the columns of a frame, calculated for many columns at once.

For a column with few values, pandas spends far more time preparing a calculation than
on the calculation itself. Columns of one dtype are therefore calculated together. Long
columns are calculated one by one, in threads.
"""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ...readers.arrow import NULLABLE
from .timestamps import milliseconds

# The maximum number of cells in a calculation, which limits its use of memory.
CELLS = 1 << 20
LONG = 100_000  # Rows: from this number on, threads save time.
THREADS = 2  # More would need more memory at the same time.
EXACT = 2**53  # A float can represent each integer up to this one.
NULLABLE_INTEGERS = set(NULLABLE.values()) - {pd.BooleanDtype()}


def known_columns(frame: pd.DataFrame) -> dict[str, dict]:
    """Return the statistics of the columns of a frame, keyed by column name.

    Columns whose dtype is not supported here are omitted.

    Args:
        frame: A frame whose columns have unique names.
    """
    known: dict[str, dict] = {}
    if not len(frame):
        return known
    at_once = max(1, CELLS // len(frame))
    parts = [
        (figures_of, names[start : start + at_once])
        for dtype, names in _by_dtype(frame).items()
        if (figures_of := _calculation(dtype))
        for start in range(0, len(names), at_once)
    ]

    def calculate(part):
        figures_of, names = part
        return figures_of(frame[names]) or {}

    with ThreadPoolExecutor(THREADS) as threads:
        calculated = (threads.map if len(frame) >= LONG else map)(calculate, parts)
        for (_, names), figures in zip(parts, calculated, strict=True):
            values = zip(*(each.tolist() for each in figures.values()), strict=True)
            for name, row in zip(names, values, strict=False):
                known[name] = dict(zip(figures, row, strict=True))
    return known


def column_ranges(frame: pd.DataFrame) -> dict[str, dict]:
    """Return the minimum and maximum of each numeric column, keyed by column name.

    Each value is a dict with the keys "min" and "max". The result of an empty frame is
    empty.
    """
    found: dict[str, dict] = {}
    for dtype, names in _by_dtype(frame if len(frame) else frame[[]]).items():
        if _calculation(dtype) is _of_numbers:
            values = frame[names].to_numpy()
            # These functions ignore NaN, unless a column has no other values. The sum of
            # -0.0 and 0 is 0.0.
            nothing = values.dtype.type(0)
            least, greatest = (
                (each.reduce(values) + nothing).tolist() for each in (np.fmin, np.fmax)
            )
            for name, low, high in zip(names, least, greatest, strict=True):
                found[name] = {"min": low, "max": high}
        elif dtype in NULLABLE_INTEGERS:
            values = frame[names].to_numpy("float64", na_value=np.nan)
            ends = np.fmin.reduce(values), np.fmax.reduce(values)
            for name, *both in zip(names, *ends, strict=True):
                if all(abs(end) < EXACT for end in both):  # This is false for NaN.
                    found[name] = {"min": int(both[0]), "max": int(both[1])}
    return found


def _by_dtype(frame):
    names = defaultdict(list)
    columns = frame.columns.to_numpy(object)  # Iterating over Arrow's text is slow.
    for name, dtype in zip(columns, frame.dtypes, strict=True):
        names[dtype].append(name)
    return names


# Calculations, which return arrays by name for columns of one dtype -------------------


def _calculation(dtype):
    if isinstance(dtype, np.dtype):
        return {
            "b": _of_booleans,
            "i": _of_numbers,
            "u": _of_numbers,
            "f": _of_numbers,
            "M": _of_times,
        }.get(dtype.kind)
    if dtype in NULLABLE_INTEGERS:
        return _of_nullable_integers
    if dtype == pd.BooleanDtype():
        return _of_nullable
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        return _of_texts
    return None


def _counts(ordered, missing):
    """Return the numbers of missing and of distinct values in each row of an array.

    Args:
        ordered: An array with a row for each column, in ascending order.
        missing: A mask of its missing values.
    """
    missing = missing.sum(axis=1)
    return {"missing": missing, "unique": _are_first(ordered).sum(axis=1) - missing}


def _sorted(values):
    """Return an array whose rows are in ascending order."""
    is_sorted = len(values) == 1 and (values[:, 1:] >= values[:, :-1]).all()
    return values if is_sorted else np.sort(values, axis=1)


def _are_first(ordered):
    """Return a mask of the values that differ from the one before them in their row."""
    first = np.ones(ordered.shape, bool)
    np.not_equal(ordered[:, 1:], ordered[:, :-1], out=first[:, 1:])
    return first


def _of_booleans(columns):
    values = columns.to_numpy()
    some_true, some_false = values.any(axis=0), ~values.all(axis=0)
    return {
        "missing": np.zeros(values.shape[1], int),
        "unique": some_true.astype(int) + some_false,
    }


def _of_numbers(columns):
    ordered = _sorted(columns.to_numpy().T)
    # NaN is sorted last and differs from every value, including itself.
    counts = _counts(ordered, ordered != ordered)
    low, high = (_quantile(ordered, counts["missing"], each) for each in (0.25, 0.75))
    lower, upper = low - 1.5 * (high - low), high + 1.5 * (high - low)
    return {
        **counts,
        **_moments(pd.DataFrame(ordered.T, copy=False)),
        "lower": lower,
        "upper": upper,
        "outliers": (ordered < lower[:, None]).sum(axis=1)
        + (ordered > upper[:, None]).sum(axis=1),
    }


def _quantile(ordered, missing, share):
    """Return a quantile of each row, interpolated as pandas and NumPy do by default."""
    if ordered.dtype.kind == "f" and ordered.dtype != np.float64:
        return pd.DataFrame(ordered.T, copy=False).quantile(share).to_numpy()
    place = np.maximum(ordered.shape[1] - missing - 1, 0) * share
    before = place.astype(int)[:, None]
    after = np.minimum(before + 1, ordered.shape[1] - 1)
    low, high = (np.take_along_axis(ordered, at, 1)[:, 0] for at in (before, after))
    part = place - before[:, 0]
    with np.errstate(all="ignore"):
        steps = (high - low) * part, (high - low) * (1 - part)
        found = np.where(part < 0.5, low + steps[0], high - steps[1])
    return np.where(part, found, low)  # The next value may be infinite or missing.


def _of_nullable(columns):
    values = columns.to_numpy("float64", na_value=np.nan)
    ordered = np.sort(values.T, axis=1)
    return _counts(ordered, ordered != ordered)


def _of_nullable_integers(columns):
    """Return the statistics, or None if a float cannot represent every value."""
    numbers = pd.DataFrame(columns.to_numpy("float64", na_value=np.nan), copy=False)
    return _of_numbers(numbers) if numbers.abs().max(axis=None) < EXACT else None


def _of_times(columns):
    times = columns.to_numpy().T
    # NumPy sorts integers faster than times.
    ordered = _sorted(times.view("int64")).view(times.dtype)
    # Convert equal times only once.
    first = _are_first(ordered)
    counted = milliseconds(pd.Series(ordered[first])).to_numpy()
    counted = counted[np.cumsum(first) - 1].reshape(ordered.shape)
    return {
        **_counts(ordered, np.isnat(ordered)),
        **_moments(pd.DataFrame(counted.T, copy=False)),
    }


def _moments(columns):
    return {
        "skew": columns.skew().to_numpy().round(2),  # D-Tale also rounds to two digits.
        "kurt": columns.kurt().to_numpy().round(2),
    }


def _of_texts(columns):
    chunks = []
    for _, column in columns.items():
        chunks += pa.chunked_array(column.array.__arrow_array__()).chunks
    encoded = pa.concat_arrays(chunks).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy().reshape(columns.shape[::-1])
    ordered = np.sort(codes, axis=1)
    counts = _counts(ordered, ordered < 0)
    # `_counts` has counted the missing values, which are equal here, as one distinct
    # value, but has subtracted each of them.
    counts["unique"] += np.maximum(counts["missing"] - 1, 0)
    is_blank = pc.equal(pc.utf8_trim_whitespace(encoded.dictionary), "").to_numpy(False)
    blank = is_blank[codes] & (codes >= 0) if is_blank.any() else np.zeros_like(codes)
    return {**counts, "blank": blank.sum(axis=1)}
