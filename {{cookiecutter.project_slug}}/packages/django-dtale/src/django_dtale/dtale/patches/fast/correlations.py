"""Correlations of columns with many rows: of ranks, and over time.

D-Tale leaves ranks to SciPy, which sorts both columns row by row, and creates a DataFrame for
each date.
"""

from collections.abc import Callable
from functools import wraps

import numpy as np
import pandas as pd
from dtale import views

from ...assets.patching import Substitution
from ..columns import FEW, is_number
from .matrices import correlations_of
from .sources import rebuilt

PAIRS = Substitution(
    "views.py",
    "SciPy ranks two columns together, which is slow, and NumPy copies the columns.",
    r's0\.corr\(s1, method="(\w+)"\)',
    r'pair_correlation(s0, s1, "\1")',
    count=2,
)
DATES = Substitution(
    "views.py",
    "pandas creates a frame for each date.",
    r'data\.groupby\(date_col\)\[cols\]\.corr\(method="pearson"\)',
    "correlations_by_date(data, date_col, cols)",
)


def pair_correlation(first: pd.Series, second: pd.Series, method: str) -> float:
    """Return the correlation of two columns without missing values.

    Args:
        method: "pearson" or "spearman", which is Pearson's correlation of the ranks.
    """
    if not (is_number(first.dtype) and is_number(second.dtype)) or len(first) < 3:
        return first.corr(second, method=method)
    values = [each.to_numpy() for each in (first, second)]
    if method == "spearman":
        values = [_ranks(each) for each in values]
    return float(correlations_of(values, is_complete=True)[0, 1])


def _ranks(values):
    """Return the rank of each value. Equal values have the mean of their ranks."""
    if len(np.unique(values[:FEW])) < FEW // 2:  # Sort distinct values.
        codes, distinct = pd.factorize(values)
        order, counts = distinct.argsort(), np.bincount(codes)
        ends = counts[order].cumsum()
        ranks = np.empty(len(distinct))
        ranks[order] = ends - (counts[order] + 1) / 2
        return ranks[codes]
    order = np.argsort(values)
    ordered = values[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    counts = np.diff(starts, append=len(values))
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(starts + (counts - 1) / 2, counts)
    return ranks


def correlations_by_date(
    data: pd.DataFrame, date: str, columns: list[str]
) -> pd.DataFrame:
    """Return Pearson's correlations of two columns for each date.

    The result has a row for each date and column, as that of pandas.
    """
    values = [data[name] for name in dict.fromkeys(columns)]
    if len(values) != 2 or not all(is_number(each.dtype) for each in values):
        return data.groupby(date)[columns].corr(method="pearson")
    codes, dates = pd.factorize(data[date], sort=True)
    x, y = (each.to_numpy(float) for each in values)
    both = ~(np.isnan(x) | np.isnan(y)) & (codes >= 0)
    if not both.all():
        codes, x, y = codes[both], x[both], y[both]
    counts = np.bincount(codes, minlength=len(dates))

    def total(each: np.ndarray) -> np.ndarray:
        return np.bincount(codes, each, len(dates))

    with np.errstate(all="ignore"):
        means = [total(each) / counts for each in (x, y)]
        centered = [
            each - mean[codes] for each, mean in zip((x, y), means, strict=True)
        ]
        covariances = total(centered[0] * centered[1])
        squares = [total(each * each) for each in centered]
        found = covariances / np.sqrt(squares[0] * squares[1])
    # Rounding can leave a small variance of equal values.
    for each, mean, square in zip((x, y), means, squares, strict=True):
        doubtful = (square <= counts * (mean * 1e-6) ** 2)[codes]
        groups = pd.Series(each[doubtful]).groupby(codes[doubtful])
        least, greatest = groups.min(), groups.max()
        found[least.index[least == greatest]] = np.nan
    rows = np.ones((len(dates), 2, 2))
    rows[:, 0, 1] = rows[:, 1, 0] = found.clip(-1, 1)
    index = pd.MultiIndex.from_product([dates, columns], names=[date, None])
    return pd.DataFrame(rows.reshape(-1, 2), index, columns)


def rank_quickly(get_scatter: Callable) -> Callable:
    """Correlate the columns of a scatter chart by themselves. The rest of the view is D-Tale's."""
    view = rebuilt(get_scatter, views, [PAIRS], pair_correlation)
    return wraps(get_scatter)(views.exception_decorator(view))


def correlate_at_once(get_correlations_ts: Callable) -> Callable:
    """Correlate the rows of all dates at once. The rest of the view is D-Tale's."""
    view = rebuilt(get_correlations_ts, views, [DATES], correlations_by_date)
    return wraps(get_correlations_ts)(views.exception_decorator(view))


VIEWS = [
    ("dtale.get_scatter", rank_quickly),
    ("dtale.get_correlations_ts", correlate_at_once),
]
