"""Figures of the columns of a wide frame, calculated for many columns at once.

For a column with few values, pandas spends far more time on preparing a calculation than
on the calculation itself. So columns of one dtype are calculated together.
"""

from collections import defaultdict

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .dtale_times import milliseconds
from .tables import NULLABLE

CELLS = 1 << 20  # The most that are calculated together: this bounds the memory.
EXACT = 2**53  # A float can be any integer up to this one.
NULLABLE_INTEGERS = set(NULLABLE.values()) - {pd.BooleanDtype()}


def known_columns(frame):
    """Calculate the figures of the columns of a frame.

    Args:
        frame: ``pandas.DataFrame`` whose columns have unique names.

    Returns:
        dict: name -> Known. Columns of a long frame are not in it, nor are those of
        dtypes that are not calculated here.
    """
    known = {}
    at_once = CELLS // max(len(frame), 1)
    if at_once < 2 or not len(frame):
        return known
    for dtype, names in _by_dtype(frame).items():
        figures_of = _calculation(dtype)
        for start in range(0, len(names) if figures_of else 0, at_once):
            part = names[start : start + at_once]
            figures = figures_of(frame[part])
            for at, name in enumerate(part if figures else ()):
                known[name] = Known(frame, name, dtype, figures, at)
    return known


def ranges_together(frame):
    """Return the least and greatest value of each column of numbers.

    Returns:
        dict: name -> {"min": value, "max": value}; for an empty frame, it is empty.
    """
    found = {}
    for dtype, names in _by_dtype(frame if len(frame) else frame[[]]).items():
        if _calculation(dtype) is _of_numbers:
            columns = frame[names]
            least, greatest = columns.min().to_dict(), columns.max().to_dict()
            found |= {n: {"min": least[n], "max": greatest[n]} for n in names}
        elif dtype in NULLABLE_INTEGERS:
            values = frame[names].to_numpy("float64", na_value=np.nan)
            ends = np.fmin.reduce(values), np.fmax.reduce(values)
            for name, *both in zip(names, *ends, strict=True):
                if all(abs(end) < EXACT for end in both):  # NaN is not, either.
                    found[name] = {"min": int(both[0]), "max": int(both[1])}
    return found


def _by_dtype(frame):
    names = defaultdict(list)
    columns = frame.columns.to_numpy(object)  # Arrow's text is slow to iterate over.
    for name, dtype in zip(columns, frame.dtypes, strict=True):
        names[dtype].append(name)
    return names


class Known:
    """A column whose figures are known; for all else, it is the column itself.

    Args:
        frame: ``pandas.DataFrame``.
        name: str, of the column.
        dtype: of the column.
        figures: dict of arrays with a figure for each of several columns.
        at: int, the position of this column among them.
    """

    def __init__(self, frame, name, dtype, figures, at):
        self.frame, self.name, self.dtype = frame, name, dtype
        self.figures, self.at = figures, at

    def __getattr__(self, name):
        return getattr(self.frame[self.name], name)

    def __len__(self):
        return len(self.frame)

    def __lt__(self, value):
        is_known = value == self.figure("lower")
        return (
            Count(self.figure("below")) if is_known else self.frame[self.name] < value
        )

    def __gt__(self, value):
        is_known = value == self.figure("upper")
        return (
            Count(self.figure("above")) if is_known else self.frame[self.name] > value
        )

    def figure(self, name):
        return self.figures[name][self.at]

    def isnull(self):
        return Count(self.figure("missing"), len(self.frame))

    def skew(self):
        return self.figure("skew")

    def kurt(self):
        return self.figure("kurt")


class Count:
    """How many values of a column are true: what a Series of booleans is asked for."""

    def __init__(self, count, of=None):
        self.count, self.of = count, of

    def __or__(self, other):  # Of values below a bound, and above another one.
        return Count(self.count + other.count)

    def sum(self):
        return self.count

    def all(self):
        return self.count == self.of


# Calculations: a DataFrame of columns of one dtype -> a dict of arrays ------------------


def _calculation(dtype):
    if isinstance(dtype, np.dtype):
        return {
            "b": _of_flags,
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
    """Return how many values are missing in each row of an array, and how many differ.

    Args:
        ordered: numpy.ndarray with a row for each column, in ascending order.
        missing: numpy.ndarray of bool, the same for missing values.
    """
    missing = missing.sum(axis=1)
    differ = (ordered[:, 1:] != ordered[:, :-1]).sum(axis=1) + 1
    return {"missing": missing, "unique": differ - missing}


def _of_flags(columns):
    values = columns.to_numpy()
    some_true, some_false = values.any(axis=0), ~values.all(axis=0)
    return {
        "missing": np.zeros(values.shape[1], int),
        "unique": some_true.astype(int) + some_false,
    }


def _of_numbers(columns):
    ordered = np.sort(columns.to_numpy().T, axis=1)
    sorted_columns = pd.DataFrame(ordered.T, copy=False)
    low, high = sorted_columns.quantile([0.25, 0.75]).to_numpy()
    lower, upper = low - 1.5 * (high - low), high + 1.5 * (high - low)
    return {
        # NaN, which is not itself, comes last and differs from each value before it.
        **_counts(ordered, ordered != ordered),
        **_moments(sorted_columns),
        "lower": lower,
        "upper": upper,
        "below": (ordered < lower[:, None]).sum(axis=1),
        "above": (ordered > upper[:, None]).sum(axis=1),
    }


def _of_nullable(columns):
    values = columns.to_numpy("float64", na_value=np.nan)
    ordered = np.sort(values.T, axis=1)
    return _counts(ordered, ordered != ordered)


def _of_nullable_integers(columns):
    """None if a float cannot be each of them."""
    numbers = pd.DataFrame(columns.to_numpy("float64", na_value=np.nan), copy=False)
    return _of_numbers(numbers) if numbers.abs().max(axis=None) < EXACT else None


def _of_times(columns):
    values = columns.to_numpy().T
    ordered = np.sort(values, axis=1)
    counted = milliseconds(pd.Series(np.ascontiguousarray(values).ravel())).to_numpy()
    return {
        **_counts(ordered, np.isnat(ordered)),
        **_moments(pd.DataFrame(counted.reshape(values.shape).T, copy=False)),
    }


def _moments(columns):
    return {"skew": columns.skew().to_numpy(), "kurt": columns.kurt().to_numpy()}


def _of_texts(columns):
    chunks = []
    for _, column in columns.items():
        chunks += pa.chunked_array(column.array.__arrow_array__()).chunks
    encoded = pa.concat_arrays(chunks).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy().reshape(columns.shape[::-1])
    ordered = np.sort(codes, axis=1)
    counts = _counts(ordered, ordered < 0)
    # Here the missing values are all the same one.
    counts["unique"] += np.maximum(counts["missing"] - 1, 0)
    is_blank = pc.equal(pc.utf8_trim_whitespace(encoded.dictionary), "").to_numpy(False)
    blank = is_blank[codes] & (codes >= 0) if is_blank.any() else np.zeros_like(codes)
    return {**counts, "blank": blank.sum(axis=1)}
