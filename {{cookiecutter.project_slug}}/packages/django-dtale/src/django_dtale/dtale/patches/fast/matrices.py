"""Pearson's correlations of all numeric columns, from matrix products.

pandas compares each pair of columns row by row, and NumPy copies the whole frame.
"""

from collections.abc import Callable
from functools import wraps

import numpy as np
import pandas as pd
from dtale import correlations, views

from ...assets.patching import Substitution
from ..columns import is_number
from .sources import rebuilt

CHUNK = 8_192  # The products of so many rows fit into the cache of a processor.
WIDTH = 4  # OpenBLAS multiplies by so few columns faster than by more of them.
SAMPLE = 1_000  # Rows that show about where the center of a column is.
# Sums have about 15 digits. If the variance is at least this part of a sum of squares, the
# correlation has at least 10 digits.
PRECISE = 0.001

DUMMIES = Substitution(
    "views.py",
    "pandas creates 64-bit numbers, and sets them one by one.",
    r"pd\.get_dummies\(data\[\[str_col\]\], columns=\[str_col\], \*\*dummy_kwargs\)",
    "dummy_columns(data[[str_col]])",
)
MATRICES = (
    Substitution(
        "correlations.py",
        "pandas compares columns row by row, and text columns as well.",
        r'data\.corr\(method="pearson"\)',
        "correlation_matrix(data[cols])",
    ),
    Substitution(
        "correlations.py",
        "NumPy copies the whole frame.",
        r'np\.corrcoef\(data\[cols\]\.astype\("float"\)\.values, rowvar=False\)',
        "correlation_matrix(data[cols], is_complete=True).to_numpy()",
    ),
)


def correlation_matrix(data: pd.DataFrame, is_complete: bool = False) -> pd.DataFrame:
    """Return the correlations of all columns, as ``DataFrame.corr``.

    Args:
        data: The columns.
        is_complete: Whether no value is missing. Then an infinite value is not left out,
            as by ``numpy.corrcoef``: the correlations of its column are NaN.
    """
    if data.empty:
        return data.corr()
    columns = [
        each.to_numpy()
        if is_number(each.dtype)
        else each.to_numpy(float, na_value=np.nan)
        for _, each in data.items()
    ]
    found = correlations_of(columns, is_complete)
    return pd.DataFrame(found, data.columns, data.columns)


def correlations_of(columns: list[np.ndarray], is_complete: bool) -> np.ndarray:
    """Return the correlations of columns. See ``correlation_matrix``."""
    with np.errstate(all="ignore"):
        gaps = [number for number, each in enumerate(columns) if _has_gaps(each)]
        found, is_precise = _correlations(columns, gaps)
    undefined = [
        int(number)
        for number in np.flatnonzero(~is_precise.diagonal())
        if _is_constant(columns[number])
    ]
    undefined += gaps if is_complete else []
    for first, second in np.argwhere(~is_precise):
        if first <= second and not {first, second} & {*undefined}:
            pair = pd.DataFrame({1: columns[first], 2: columns[second]}).corr()
            found[[first, second], [second, first]] = pair.iloc[0, 1]
    found[undefined, :] = found[:, undefined] = np.nan
    return found


def _has_gaps(values):
    """Return whether a value is missing or infinite. A sum shows it without a copy."""
    return not (np.isfinite(values.sum()) or np.isfinite(values).all())


def _is_constant(values):
    """Return whether no two finite values differ."""
    values = values[np.isfinite(values)]
    return bool((values == values[:1]).all())


def _correlations(columns, gaps):
    """Return the correlations of columns, and which of them are precise.

    The frame is never copied as a whole. Values that are missing or infinite count as zero,
    and for each of the columns that have such values, there is a row of ones and zeros, whose
    products are the sums of the rows that count. The last row consists of ones.

    Args:
        columns: The values of each column.
        gaps: The positions of the columns with missing or infinite values.
    """
    count, rows = len(columns), len(columns[0])
    centers = []
    for values in columns:
        sample = values[:: max(rows // SAMPLE, 1)]
        sample = sample[np.isfinite(sample)]
        centers.append(sample.mean(dtype=float) if len(sample) else 0.0)
    total = count + len(gaps) + 1
    block, squares = np.ones((total, CHUNK)), np.empty((count, CHUNK))
    products, sums_of_squares = np.zeros((total, total)), np.zeros((count, total))
    for start in range(0, rows, CHUNK):
        if rows - start < CHUNK:
            block, squares = block[:, : rows - start], squares[:, : rows - start]
        for values, center, row in zip(columns, centers, block, strict=False):
            np.subtract(values[start : start + CHUNK], center, out=row, dtype=float)
        for number, is_present in zip(gaps, block[count:], strict=False):
            is_present[:] = np.isfinite(block[number])
            np.putmask(block[number], is_present == 0, 0)
        np.square(block[:count], out=squares)
        for first in range(0, total, WIDTH):
            few = slice(first, first + WIDTH)
            products[:, few] += block @ block[few].T
        for first in range(count, total, WIDTH):
            few = slice(first, first + WIDTH)
            sums_of_squares[:, few] += squares @ block[few].T
    present = np.full(count, total - 1)
    present[gaps] = range(count, total - 1)
    # Each of these has a figure of the first column for the rows that both columns have.
    counts = products[np.ix_(present, present)]
    sums = products[:count, present]
    squared = sums_of_squares[:, present]
    variances = squared - sums * sums / counts
    deviations = np.sqrt(variances)
    covariances = products[:count, :count] - sums * sums.T / counts
    is_precise = variances > squared * PRECISE
    found = (covariances / (deviations * deviations.T)).clip(-1, 1)
    return found, is_precise & is_precise.T


def dummy_columns(data: pd.DataFrame) -> pd.DataFrame:
    """Return a column of ones and zeros for each value of a column."""
    [name] = data
    values = pd.Categorical(data[name])
    names = [f"{name}_{each}" for each in values.categories]
    if len({*names}) < len(names):
        return pd.get_dummies(data, columns=[name], dtype="int")
    dummies = {
        each: (values.codes == code).astype(np.int8) for code, each in enumerate(names)
    }
    return pd.DataFrame(dummies, data.index)


def multiply_columns(build_matrix: Callable) -> Callable:
    """Correlate all columns by matrix products. The rest of the function is D-Tale's."""
    return wraps(build_matrix)(
        rebuilt(build_matrix, correlations, MATRICES, correlation_matrix)
    )


def encode_quickly(build_correlations_matrix: Callable) -> Callable:
    """Encode strings as small numbers. The rest of the function is D-Tale's."""
    return wraps(build_correlations_matrix)(
        rebuilt(build_correlations_matrix, views, [DUMMIES], dummy_columns)
    )


PATCHES = [
    ("dtale.correlations:build_matrix", multiply_columns),
    ("dtale.views:build_correlations_matrix", encode_quickly),
]
