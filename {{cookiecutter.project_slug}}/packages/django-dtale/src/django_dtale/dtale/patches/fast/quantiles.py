"""Quantiles of many numbers, without partitioning all of them.

A sample shows between which two values a quantile lies, so only the few values between
them have to be sorted. With a million numbers, three quantiles take a quarter of the time.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..columns import FEW, is_number
from .frequencies import has_negative_zero

SAMPLE = 2 * FEW


def quantiles(column: pd.Series, shares: Sequence[float]) -> list:
    """Return the same list as ``column.quantile(shares).tolist()``.

    Args:
        column: The values can have any dtype that has quantiles.
        shares: Numbers that are greater than 0 and less than 1.
    """
    dtype = column.dtype
    is_time = isinstance(dtype, np.dtype) and dtype.kind == "M"
    is_exact = is_number(dtype) and (dtype.kind != "f" or dtype == np.float64)
    found = None
    if len(column) > SAMPLE and is_time:
        found = _quantiles(column.dropna().to_numpy().view("int64"), shares)
    elif len(column) > SAMPLE and is_exact:
        found = _quantiles(column.to_numpy(), shares)
    # The order of zeros with different signs is that of NumPy's own calculation.
    if found is None or (0 in found and has_negative_zero(column)):
        return column.quantile(shares).tolist()
    return pd.Series(np.array(found).astype(dtype if is_time else float)).tolist()


def _quantiles(values, shares):
    """Return the quantiles, or None if the sample does not show where they are."""
    count = len(values) - np.count_nonzero(values != values)
    if count <= SAMPLE:
        return None
    # Values at equal distances could all be the same.
    sample = values[np.random.default_rng(0).integers(0, len(values), SAMPLE)]
    sample = np.sort(sample[sample == sample])
    found = []
    for share in shares:
        place = (count - 1) * share
        pair = _neighbours(values, int(place), sample, share)
        if pair is None:
            return None
        found.append(np.quantile(pair, place - int(place)))
    return found


def _neighbours(values, rank, sample, share):
    """Return the values at a rank and at the next one, or None if they are not found.

    All comparisons with NaN are false, so missing values are left out.
    """
    middle, width = share * len(sample), 1.5 * len(sample) ** 0.5
    low = sample[max(int(middle - width), 0)]
    high = sample[min(int(middle + width), len(sample) - 1)]
    below = values < low
    between = values[below ^ (values <= high)]
    start = rank - np.count_nonzero(below)
    if start < 0 or start + 1 >= len(between):
        return None
    if low == high:
        return between[:2]
    return np.partition(between, [start, start + 1])[start : start + 2]
