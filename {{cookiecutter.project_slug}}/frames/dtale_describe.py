"""The description of a column, and its most frequent values, as D-Tale's and quicker.

D-Tale sorts all values of a column to show a hundred of them, and looks through each
row's text fourteen times. Here each distinct value is looked at once.
"""

import collections
import functools
import heapq
import itertools

import numpy as np
import pandas as pd
from dtale import global_state, views
from dtale.code_export import build_code_export
from dtale.column_builders import printable
from dtale.query import load_filterable_data
from dtale.utils import (
    classify_type,
    find_dtype,
    get_str_arg,
    grid_columns,
    grid_formatter,
    json_float,
    json_int,
)
from flask import jsonify, request
from pandas.api.types import is_string_dtype

SHOWN = 100
AGGS = {
    "I": ["sum", "median", "mode", "var", "sem"],
    "F": ["sum", "median", "var", "sem"],
}

# What D-Tale looks for in texts, one character long.
CHARACTERS = {
    "with_space": r"\s",
    "with_accent": "[À-ÖÙ-öù-ÿĀ-žḀ-ỿ]",
    "with_num": r"[\d]",
    "with_upper": "[A-Z]",
    "with_lower": "[a-z]",
    "with_punc": r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]""",
    "with_hidden": f"[^{printable}]+",
}
KINDS = dict(zip(CHARACTERS, 1 << np.arange(7, dtype="uint8"), strict=True))
TWO_SPACES = np.uint8(1 << 7)
SPACE, NEWLINE = map(ord, " \n")
NOT_A_PATTERN = r"[\s]+"  # pandas replaces it by a space where somebody has written it.
CHUNK = 1 << 20  # Characters. More at once are no quicker and take more memory.


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


# Texts --------------------------------------------------------------------------------


def in_chunks(counts):
    """Yield the counts (``Series``) of about CHUNK characters of texts at a time."""
    chunks = counts.index.str.len().to_numpy(dtype="int64").cumsum() // CHUNK
    starts = [0, *(np.flatnonzero(np.diff(chunks)) + 1), len(counts)]
    for start, stop in itertools.pairwise(starts):
        yield counts.iloc[start:stop]


@functools.cache
def metrics_code():
    return views.build_string_metrics(pd.Series(["a"]).str, "")[1][1:]


def as_texts(column, counts):
    """Return the counts (``Series``) of a column's values as those of their texts."""
    if isinstance(column.dtype, pd.CategoricalDtype) or find_dtype(column) == "string":
        counts = counts[counts > 0]
        return counts.set_axis(counts.index.astype("str"))
    if isinstance(column.dtype, pd.StringDtype):
        return counts
    # What is equal need not be written the same: 1 and 1.0, as decimals.
    return column.dropna().astype("str").value_counts()


def string_metrics(counts):
    """Return what D-Tale's ``build_string_metrics`` does.

    Args:
        counts: ``Series`` of how many rows have a text, by text.

    Raises:
        ValueError: there is none.
    """
    times = counts.to_numpy(dtype="int64")
    kinds_of = KindsOfCharacters(counts.index)
    parts = [of_texts(part.index, kinds_of) for part in in_chunks(counts)]
    characters, words, kinds, at_the_first, at_the_end = map(
        np.concatenate, zip(*parts, strict=True)
    )
    found = {name: kinds & kind != 0 for name, kind in KINDS.items()} | {
        "space_at_the_first": at_the_first,
        "space_at_the_end": at_the_end,
        "multi_space_after_each_other": kinds & TWO_SPACES != 0,
    }
    metrics = {name: int(times[which].sum()) for name, which in found.items()}
    for name, each in (("char", characters), ("word", words)):
        lengths = pd.Series(np.repeat(each, times))
        metrics |= {
            f"{name}_min": int(lengths.min()),
            f"{name}_max": int(lengths.max()),
            f"{name}_mean": json_float(lengths.mean()),
            f"{name}_std": json_float(lengths.std()),
        }
    return metrics


class KindsOfCharacters:
    """Which of CHARACTERS a character is: pandas says it, once for each.

    What is a space or a digit depends on how a column keeps its texts.
    """

    def __init__(self, like):
        self.dtype = like.dtype
        self.table = np.zeros(0x110000, "uint8")
        self.known = np.zeros(0x110000, bool)

    def __call__(self, codes):
        """Return the kinds (array of uint8) of code points (array)."""
        new = np.zeros(len(self.known), bool)
        new[codes] = True
        new = np.flatnonzero(new & ~self.known)
        characters = pd.Series([*map(chr, new)], dtype=self.dtype)
        for name, pattern in CHARACTERS.items():
            has = characters.str.count(pattern).to_numpy() > 0
            self.table[new[has]] |= KINDS[name]
        self.known[new] = True
        return self.table[codes]


def of_texts(index, kinds_of):
    """Return five arrays, with an element for each text (``Index``) of some:

    its length, its words, the kinds of its characters, whether a space is the first of
    them, and whether one is the last.
    """
    texts = index.to_numpy(dtype=object)
    lengths = np.fromiter(map(len, texts), "int64", len(texts))
    joined = "".join(texts)
    has_pattern = NOT_A_PATTERN in joined
    words = [
        1 + (text.replace(NOT_A_PATTERN, " ") if has_pattern else text).count(" ")
        for text in texts
    ]
    kinds = np.zeros(len(texts), "uint8")
    at_the_first, at_the_end = np.zeros((2, len(texts)), bool)
    if joined:
        codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), "uint32")
        each = kinds_of(codes)
        filled = np.flatnonzero(lengths)
        ends = lengths[filled].cumsum()
        starts = ends - lengths[filled]
        pairs = (each[:-1] & each[1:] & KINDS["with_space"]) != 0
        pairs[ends[:-1] - 1] = False  # These are of two texts.
        each[:-1][pairs] |= TWO_SPACES
        kinds[filled] = np.bitwise_or.reduceat(each, starts)
        at_the_first[filled] = codes[starts] == SPACE
        # Whether a newline may follow depends on how a column keeps its texts.
        may_end = filled[np.isin(codes[ends - 1], [SPACE, NEWLINE])]
        at_the_end[may_end] = index[may_end].to_series().str.count(" $") > 0
    return lengths, np.array(words), kinds, at_the_first, at_the_end


# Descriptions -------------------------------------------------------------------------


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


def quick_view(describe):
    """D-Tale also looks for the most frequent value where there is none, and fails."""

    @functools.wraps(describe)
    @views.exception_decorator
    def described(data_id):
        name = get_str_arg(request, "col")
        info = global_state.get_dtype_info(data_id, name)
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
        if self.ordinal_col is not None or top <= 0:
            return chart
        # One more, by which D-Tale sees that it does not draw all.
        return chart[among_first(chart["data"], top + 1)]

    return built


def quick_words(build_hist):
    """D-Tale makes a frame as wide as the longest text, of all rows, to count words."""

    @functools.wraps(build_hist)
    def built(self, s, code):
        counts, times = s.value_counts(), collections.Counter()
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
