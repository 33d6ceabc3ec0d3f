"""Describe columns and find their most frequent values, faster than D-Tale does.

D-Tale sorts all values of a column to show a hundred of them, and scans each row's text
fourteen times. These patches process each distinct value once.
"""

import collections
import functools
import heapq
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from dtale import global_state, views
from dtale.code_export import build_code_export
from dtale.query import load_filterable_data
from dtale.utils import (
    find_dtype,
    get_str_arg,
    grid_columns,
    grid_formatter,
    json_float,
    json_int,
)
from flask import jsonify, request
from pandas.api.types import is_string_dtype

from ...exceptions import InputRefused
from .dtypes import classify_type, is_text
from .fast.columns import value_counts
from .fast.descriptions import DescribedColumn, is_quick
from .text_metrics import in_chunks, string_metrics

MAX_SHOWN = 100
# Sorting up to this many values takes no longer than finding the most frequent ones.
SORT_ALL_LIMIT = 5_000
AGGS = {
    "I": ["sum", "median", "mode", "var", "sem"],
    "F": ["sum", "median", "var", "sem"],
}


def most_frequent(counts: pd.Series, number: int) -> np.ndarray:
    """Return a mask of the most frequent values. Among ties, prefer the smallest.

    Args:
        counts: The number of occurrences of each value, indexed by the value.
        number: The number of values to find.
    """
    times = counts.to_numpy()
    if len(times) <= number:
        return np.ones(len(times), bool)
    least = np.partition(times, -number)[-number]
    found = times > least
    tied = np.flatnonzero(times == least)
    values, wanted = counts.index[tied], number - found.sum()
    if is_string_dtype(values.dtype):
        values = values.to_numpy(object)
        found[tied[values <= heapq.nsmallest(wanted, values)[-1]]] = True
    else:
        found[tied[values.argsort()[:wanted]]] = True
    return found


def describe_empty(column: pd.Series) -> dict[str, Any]:
    """Describe a column that has no values."""
    total = f"{len(column):,}"
    return {
        "count": "0",
        "unique": "0",
        "total_count": total,
        "missing_ct": total,
        "missing_pct": 100.0 if len(column) else 0.0,
    }


def base_description(
    column: pd.Series, counts: pd.Series, aggs: list[str] | None
) -> tuple[dict[str, Any], list[str]]:
    """Return what D-Tale's ``load_describe`` returns for a column with these counts."""
    # Objects and complex numbers have no statistics except counts.
    if column.dtype.kind not in "Oc":
        found = DescribedColumn(column, counts) if is_quick(column) else column
        return views.load_describe(found, aggs)
    description, code = views.load_describe(column.head(1))
    missing = column.isna().sum()
    return description | {
        "count": json_int(len(column) - missing, as_string=True),
        "unique": json_int((counts != 0).sum(), as_string=True),
        "total_count": json_int(len(column), as_string=True),
        "missing_pct": json_float((missing / len(column) * 100).round(2)),
        "missing_ct": json_int(missing, as_string=True),
    }, code


def describe_frequent(
    counts: pd.Series, name: str
) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return a summary of the most frequent values, a list of them, and the code.

    The code is what D-Tale shows in Code Export.
    """
    shown = counts[most_frequent(counts, MAX_SHOWN)].reset_index()
    shown = shown.sort_values(["count", "value"], ascending=[False, True])
    times = shown["count"].values[0]
    top = shown[shown["count"] == times].head(5)
    texts = grid_formatter(grid_columns(top), as_string=True).format_lists(top)["value"]
    share = json_float(times / counts.sum() * 100, as_string=True)
    dtype = find_dtype(shown["value"])
    shown["value"] = shown["value"].astype("string" if dtype == "string" else "object")
    write = grid_formatter(grid_columns(shown), nan_display=None)
    values = {
        "data": write.format_dicts(shown.itertuples()),
        "total": len(counts),
        "top": len(counts) > MAX_SHOWN,
    }
    code = [
        f"uniq_vals = data['{name}'].value_counts().sort_values(ascending=False)",
        "uniq_vals.index.name = 'value'",
        "uniq_vals.name = 'count'",
        "uniq_vals = uniq_vals.reset_index()",
        f"uniq_vals.loc[:, 'type'] = '{dtype}'",
    ]
    top = {"top": f"{', '.join(texts)} ({share}%)", "freq": int(times)}
    return top, {dtype: values}, code


@functools.cache
def metrics_code() -> list[str]:
    return views.build_string_metrics(pd.Series(["a"]).str, "")[1][1:]


def as_texts(column: pd.Series, counts: pd.Series) -> pd.Series:
    """Convert the counts of a column's values to counts of the values' texts."""
    is_text = isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype)
    if is_text or find_dtype(column) == "string":
        counts = counts[counts > 0]
        if column.head(0).astype("str").dtype != counts.index.dtype:
            counts = counts.set_axis(counts.index.astype("str"))
        return counts
    # Equal values can have different texts, such as the decimals 1 and 1.0.
    return column.dropna().astype("str").value_counts()


def fast_describe(describe: Callable) -> Callable:
    """Describe a column; unlike D-Tale, do not fail if it has no values."""

    @functools.wraps(describe)
    @views.exception_decorator
    def described(data_id):
        name = get_str_arg(request, "col")
        info = global_state.get_dtype_info(data_id, name)
        if info is None:  # D-Tale reports that the column does not exist.
            return describe(data_id)
        kind = classify_type(info["dtype"])
        if kind == "F" or info["dtype"].startswith("mixed"):
            return describe(data_id)
        column = load_filterable_data(data_id, request, columns=[name])[name]
        counts = value_counts(column).rename_axis("value").rename("count")
        if not counts.any():
            return jsonify(
                success=True, describe=describe_empty(column), uniques={}, code=""
            )
        description, code = base_description(column, counts, AGGS.get(kind))
        description |= {p: info[p] for p in ("skew", "kurt") if p in info}
        if "unique_ct" in info:
            description.setdefault(
                "unique", json_int(info["unique_ct"], as_string=True)
            )
        code = [*build_code_export(data_id), *code]
        answer = {"describe": description, "success": True}
        top, answer["uniques"], more = describe_frequent(counts, name)
        description |= top
        code += more
        if kind in ("I", "D"):
            answer["sequential_diffs"], more = views.build_sequential_diffs(
                column, name
            )
            code.append(more)
        if kind == "S":
            answer["string_metrics"] = string_metrics(as_texts(column, counts))
            code += [f"s = data['{name}']", *metrics_code()]
        return jsonify(**answer, code="\n".join(code))

    return described


def fast_value_counts(build_hist: Callable) -> Callable:
    """Keep only the most frequent values, so that D-Tale does not sort all of them."""

    @functools.wraps(build_hist)
    def built(self, s, code):
        chart = build_hist(self, s, code)
        top = MAX_SHOWN if self.top is None else int(self.top)
        if self.ordinal_col is not None or top <= 0 or len(chart) <= SORT_ALL_LIMIT:
            return chart
        # Keep one value more than requested, so that D-Tale knows that others are
        # missing.
        return chart[most_frequent(chart["data"], top + 1)]

    return built


def fast_word_counts(build_hist: Callable) -> Callable:
    """Count the words of each distinct text once.

    D-Tale splits all rows into a frame with as many columns as the longest text has
    words.
    """

    @functools.wraps(build_hist)
    def built(self, s, code):
        if not is_text(s):
            raise InputRefused("Words can be counted only in text columns.")
        counts = s.value_counts()
        times: collections.Counter = collections.Counter()
        # pandas 3.0.0 would split the repr of categories.
        if isinstance(s.dtype, pd.CategoricalDtype):
            counts.index = counts.index.astype(s.dtype.categories.dtype)
        for part in in_chunks(counts):
            split = part.index.to_series().str.split()
            for words, rows in zip(split, part.tolist(), strict=True):
                for word in words if rows else ():
                    times[word] += rows
        chart = pd.Series(times, dtype=counts.dtype).to_frame(name="data")
        if self.ordinal_col is not None:
            chart = chart.sort_index()
        chart["percent"] = (chart["data"] / chart["data"].sum()) * 100
        code += [
            "chart = s.str.split(expand=True).stack().value_counts()",
            "chart = chart.to_frame(name='data').sort_index()",
            "chart['percent'] = (chart['data'] / chart['data'].sum()) * 100",
        ]
        return chart

    return built


ANALYSIS = "dtale.column_analysis"
PATCHES = [
    (f"{ANALYSIS}:ValueCountAnalysis.build_hist", fast_value_counts),
    (f"{ANALYSIS}:WordValueCountAnalysis.build_hist", fast_word_counts),
    (f"{ANALYSIS}:WordValueCountAnalysis.build_hist", fast_value_counts),
]
VIEWS = [("dtale.describe", fast_describe)]
