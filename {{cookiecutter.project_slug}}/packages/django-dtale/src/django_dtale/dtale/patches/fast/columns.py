"""Details of a column with many different numbers.

To count the values of a column, pandas puts them into a hash table. If nearly all values
differ, sorting them takes a fraction of the time, and most counts are known.
"""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from dtale import global_state, views
from dtale.query import load_filterable_data
from dtale.utils import get_str_arg, grid_columns, grid_formatter
from flask import jsonify, request
from scipy import stats

from ...assets.patching import Substitution
from ..columns import FEW
from .frequencies import has_negative_zero
from .sources import rebuilt

SHOWN = 100
MANY = 100  # At most one value in a hundred may be repeated.


def value_counts(column: pd.Series) -> pd.Series:
    """Return the number of occurrences of each value, as ``Series.value_counts``."""
    if column.dtype != np.int64:
        return column.value_counts()
    counts = counts_of_many(column.to_numpy())
    if counts is None:
        return column.value_counts()
    counts = counts.rename_axis(column.name).rename("count")
    return counts.sort_values(ascending=False, kind="stable")


def counts_of_many(values: np.ndarray) -> pd.Series | None:
    """Return the counts of many numbers in the order of their first occurrence.

    None of the numbers is NaN. The result is None if there are few of them, or if many
    of them occur more than once.
    """
    if len(values) <= FEW or _repeated(values[:FEW]) is None:
        return None
    repeated = _repeated(values)
    if repeated is None:
        return None
    counts = np.ones(len(values), np.int64)
    if len(repeated):
        ranks = np.searchsorted(repeated, values).clip(max=len(repeated) - 1)
        places = np.flatnonzero(repeated[ranks] == values)
        again = pd.Series(ranks[places]).duplicated().to_numpy()
        first = places[~again]
        counts[first] = np.bincount(ranks[places])[ranks[first]]
        values, counts = (np.delete(each, places[again]) for each in (values, counts))
    return pd.Series(counts, index=values)


def _repeated(values):
    """Return the sorted values that occur more than once; None if there are many."""
    is_ordered = bool((values[1:] >= values[:-1]).all())
    ordered = values if is_ordered else np.sort(values)
    again = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.unique(again) if len(again) <= len(values) // MANY else None


def fast_differences(build_sequential_diffs: Callable) -> Callable:
    """Find the most frequent differences without counting those that occur once."""

    @functools.wraps(build_sequential_diffs)
    def built(
        s: pd.Series, col: str, sort: str | None = None
    ) -> tuple[dict[str, Any], str]:
        if len(s) <= FEW or s.dtype != np.float64 or has_negative_zero(s):
            return build_sequential_diffs(s, col, sort)
        if sort is not None:
            values = np.sort(s.dropna().to_numpy())
            s = pd.Series(values if sort == "ASC" else values[::-1])
        differences = np.diff(s.to_numpy())
        differences = differences[~np.isnan(differences)]
        counts = counts_of_many(differences)
        if counts is None:
            return build_sequential_diffs(s, col)
        values, times = counts.index.to_numpy(), counts.to_numpy()
        if times.max() > 1:
            first = _descending(times, "stable")
            values, times = values[first], times[first]
        # D-Tale sorts the counts once more. Equal counts then have another order.
        first = _descending(times, "quicksort")[:SHOWN]
        shown = pd.DataFrame({"value": values[first], "count": times[first]})
        formatter = grid_formatter(grid_columns(shown), as_string=True)
        [write] = [each[2] for each in formatter.fmts if each[1] == "value"]
        figures = {
            "diffs": {
                "data": formatter.format_dicts(shown.itertuples()),
                "top": len(counts) > SHOWN,
                "total": len(counts),
            },
            "min": write(differences.min(), "N/A"),
            "max": write(differences.max(), "N/A"),
            "avg": write(pd.Series(differences).mean(), "N/A"),
        }
        _, code = build_sequential_diffs(s.head(0), col)
        return figures, code

    return built


def _descending(numbers, kind):
    """Return the positions that ``Series.sort_values(ascending=False)`` finds."""
    return len(numbers) - 1 - numbers[::-1].argsort(kind=kind)[::-1]


PRESENT = Substitution(
    "views.py",
    "With missing values, the results of both tests would be NaN.",
    r"sts\.(jarque_bera|shapiro)\(s\)",
    r"sts.\1(s.dropna())",
    count=4,  # Two of them are in the text for Code Export.
)


def fast_variance(variance: Callable) -> Callable:
    """Answer whether a column varies, without counting values that all differ.

    The tests of normality ignore missing values.
    """
    view = rebuilt(variance, views, [PRESENT])

    @functools.wraps(variance)
    @views.exception_decorator
    def answered(data_id):
        name = get_str_arg(request, "col")
        column = load_filterable_data(data_id, request, columns=[name])[name]
        info = global_state.get_dtype_info(data_id, name)
        if column.dtype != np.float64:
            return view(data_id)
        values = np.sort(column.dropna().to_numpy())  # Shapiro's test sorts them, too.
        counts = counts_of_many(values)
        if counts is None or counts.max() > 1:
            return view(data_id)
        write = views.find_dtype_formatter(info["dtype"])
        bera, shapiro = stats.jarque_bera(values), stats.shapiro(values)
        missing = len(column) - len(values)
        return jsonify(
            check1={
                "unique": len(values),
                "size": len(column),
                "result": False,
            },
            check2={
                "val1": {"val": write(column.dropna().iloc[0]), "ct": 1},
                "val2": {"val": write(column.dropna().iloc[1]), "ct": 1},
                "result": False,
            },
            size=len(column),
            outlierCt=info["hasOutliers"],
            missingCt=missing,
            jarqueBera={"statistic": float(bera[0]), "pvalue": float(bera[1])},
            shapiroWilk={"statistic": float(shapiro[0]), "pvalue": float(shapiro[1])},
            code="\n".join([f"s = df['{name}']", *VARIANCE_CODE]),
        )

    return answered


# D-Tale's text for Code Export.
VARIANCE_CODE = [
    "unique_ct = s.unique().size",
    "s_size = len(s)",
    "check1 = (unique_ct / s_size) < 0.1",
    "check2 = False",
    "if unique_ct > 1:",
    "\tval_counts = s.value_counts()",
    "\tcheck2 = (val_counts.values[0] / val_counts.values[1]) > 20",
    "low_variance = check1 and check2",
    "\nimport scipy.stats as sts\n",
    "jb_stat, jb_p = sts.jarque_bera(s.dropna())",
    "sw_stat, sw_p = sts.shapiro(s.dropna())",
]


def complete_average(load_weighted_average: Callable) -> Callable:
    """Return the weighted average of the rows that have a value and a weight.

    D-Tale's result is NaN if one is missing.
    """

    @functools.wraps(load_weighted_average)
    @views.exception_decorator
    def averaged(data_id, col, weights):
        data = load_filterable_data(data_id, request, columns=[col, weights])
        data = data[[col, weights]].dropna().astype(float)
        values, factors = data.iloc[:, 0].to_numpy(), data.iloc[:, 1].to_numpy()
        total = factors.sum()
        average = float((values * factors).sum() / total) if total else None
        return jsonify(success=True, result=average)

    return averaged


PATCHES = [("dtale.views:build_sequential_diffs", fast_differences)]
VIEWS = [
    ("dtale.load_weighted_average", complete_average),
    ("dtale.variance", fast_variance),
]
