"""Details of a column with many different numbers.

To count the values of a column, pandas puts them into a hash table. If all values differ,
sorting them takes a fraction of the time, and their counts are known.
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
from .sources import rebuilt

SHOWN = 100
FEW = 10_000  # For fewer values, pandas takes about a millisecond.


def all_differ(values: np.ndarray) -> bool:
    """Return whether no two of many floats are equal. None of them is NaN."""
    if len(values) <= FEW or values.dtype != np.float64:
        return False
    return all(bool(np.diff(np.sort(part)).all()) for part in (values[:FEW], values))


def fast_differences(build_sequential_diffs: Callable) -> Callable:
    """Find the most frequent differences. If none occurs twice, do not count them.

    Many differences of sorted values are equal, so D-Tale counts those.
    """

    @functools.wraps(build_sequential_diffs)
    def built(
        s: pd.Series, col: str, sort: str | None = None
    ) -> tuple[dict[str, Any], str]:
        if len(s) <= FEW or s.dtype != np.float64 or sort is not None:
            return build_sequential_diffs(s, col, sort)
        differences = np.diff(s.to_numpy())
        differences = differences[~np.isnan(differences)]
        if not all_differ(differences):
            return build_sequential_diffs(s, col, sort)
        # The order of equal counts is that of pandas, which is arbitrary.
        counts = pd.Series(np.ones(len(differences), np.int64))
        first = counts.sort_values(ascending=False).index[:SHOWN]
        shown = pd.DataFrame({"value": differences[first], "count": 1})
        formatter = grid_formatter(grid_columns(shown), as_string=True)
        [write] = [each[2] for each in formatter.fmts if each[1] == "value"]
        figures = {
            "diffs": {
                "data": formatter.format_dicts(shown.itertuples()),
                "top": len(differences) > SHOWN,
                "total": len(differences),
            },
            "min": write(differences.min(), "N/A"),
            "max": write(differences.max(), "N/A"),
            "avg": write(pd.Series(differences).mean(), "N/A"),
        }
        _, code = build_sequential_diffs(s.head(0), col)
        return figures, code

    return built


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
        values = column.dropna().to_numpy()
        if column.dtype != np.float64 or not all_differ(values):
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
