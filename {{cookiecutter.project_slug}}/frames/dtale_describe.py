"""The description of a column, and its most frequent values, as D-Tale's and quicker.

D-Tale sorts all values of a column to show a hundred of them, and looks through each
row's text fourteen times. Here each distinct value is looked at once.
"""

import collections
import functools
import heapq

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

from .dtale_kinds import classify_type, is_text
from .exceptions import InputRefused
from .text_metrics import in_chunks, string_metrics

SHOWN = 100
FEW = 5_000  # Values that are sorted as soon as the most frequent of them are found.
AGGS = {
    "I": ["sum", "median", "mode", "var", "sem"],
    "F": ["sum", "median", "var", "sem"],
}


def among_first(counts, number):
    """Find the most frequent values, and of those as frequent the smallest.

    Args:
        counts: ``Series`` of how often each value is there, by value.
        number: int; how many.

    Returns:
        ``numpy.ndarray`` of bool: which of the counts these are.
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


def nothing(column):
    """Describe a column (``Series``) without a value."""
    total = f"{len(column):,}"
    return {
        "count": "0",
        "unique": "0",
        "total_count": total,
        "missing_ct": total,
        "missing_pct": 100.0 if len(column) else 0.0,
    }


def figures(column, counts, aggs):
    """Return what D-Tale's ``load_describe`` does for a column with these counts."""
    if column.dtype.kind not in "Oc":  # Of objects and complex numbers it counts alike.
        return views.load_describe(column, aggs)
    description, code = views.load_describe(column.head(1))
    missing = column.isna().sum()
    return description | {
        "count": json_int(len(column) - missing, as_string=True),
        "unique": json_int((counts != 0).sum(), as_string=True),
        "total_count": json_int(len(column), as_string=True),
        "missing_pct": json_float((missing / len(column) * 100).round(2)),
        "missing_ct": json_int(missing, as_string=True),
    }, code


def frequent(counts, name):
    """Return what is said of the most frequent values, all that are shown, and code."""
    shown = counts[among_first(counts, SHOWN)].reset_index()
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
        "top": len(counts) > SHOWN,
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
def metrics_code():
    return views.build_string_metrics(pd.Series(["a"]).str, "")[1][1:]


def as_texts(column, counts):
    """Return the counts (``Series``) of a column's values as those of their texts."""
    is_text = isinstance(column.dtype, pd.CategoricalDtype | pd.StringDtype)
    if is_text or find_dtype(column) == "string":
        counts = counts[counts > 0]
        if column.head(0).astype("str").dtype != counts.index.dtype:
            counts = counts.set_axis(counts.index.astype("str"))
        return counts
    # What is equal need not be written the same: 1 and 1.0, as decimals.
    return column.dropna().astype("str").value_counts()


def quick_view(describe):
    """D-Tale also looks for the most frequent value where there is none, and fails."""

    @functools.wraps(describe)
    @views.exception_decorator
    def described(data_id):
        name = get_str_arg(request, "col")
        info = global_state.get_dtype_info(data_id, name)
        if info is None:  # D-Tale says that there is no such column.
            return describe(data_id)
        kind = classify_type(info["dtype"])
        if kind == "F" or info["dtype"].startswith("mixed"):
            return describe(data_id)
        column = load_filterable_data(data_id, request, columns=[name])[name]
        counts = column.value_counts().rename_axis("value").rename("count")
        if not counts.any():
            return jsonify(success=True, describe=nothing(column), uniques={}, code="")
        description, code = figures(column, counts, AGGS.get(kind))
        description |= {p: info[p] for p in ("skew", "kurt") if p in info}
        if "unique_ct" in info:
            description.setdefault(
                "unique", json_int(info["unique_ct"], as_string=True)
            )
        code = [*build_code_export(data_id), *code]
        answer = {"describe": description, "success": True}
        top, answer["uniques"], more = frequent(counts, name)
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


def quick_histogram(build_hist):
    """The bars of a column's values: D-Tale sorts them all, to draw a hundred."""

    @functools.wraps(build_hist)
    def built(self, s, code):
        chart = build_hist(self, s, code)
        top = SHOWN if self.top is None else int(self.top)
        if self.ordinal_col is not None or top <= 0 or len(chart) <= FEW:
            return chart
        # One more, by which D-Tale sees that it does not draw all.
        return chart[among_first(chart["data"], top + 1)]

    return built


def quick_words(build_hist):
    """D-Tale makes a frame as wide as the longest text, of all rows, to count words."""

    @functools.wraps(build_hist)
    def built(self, s, code):
        if not is_text(s):
            raise InputRefused("Words are counted in columns of text.")
        counts, times = s.value_counts(), collections.Counter()
        if isinstance(s.dtype, pd.CategoricalDtype):  # pandas 3.0.0 splits their repr.
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
REPLACED = [
    (f"{ANALYSIS}:ValueCountAnalysis.build_hist", quick_histogram),
    (f"{ANALYSIS}:WordValueCountAnalysis.build_hist", quick_words),
    (f"{ANALYSIS}:WordValueCountAnalysis.build_hist", quick_histogram),
]
VIEWS = [("dtale.describe", quick_view)]
