"""How much the operations on columns would take, told before they are begun.

Each measure is one of the table in ``bounds``.
"""

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from dtale.utils import classify_type, make_list
from pandas.api.types import is_object_dtype
from pandas.tseries.api import guess_datetime_format

from .asked import groups, on_frame
from .costs import (
    BINS,
    CLEANING,
    COLUMN_OF_TEXT,
    CONVERTED,
    DATES,
    GROUPS,
    RANDOM,
    REPLACEMENTS,
    RESULT,
    ROW_PAIRS,
    SIMILARITY,
    TEXT,
    WEIGHTS,
)
from .dtale_kinds import is_text
from .exceptions import InputRefused
from .filter_parts import MAX_PATTERN, as_arrow
from .limits import check_cells

WRITTEN = 32  # Characters of a number or a time, at most.
STRINGS = pd.ArrowDtype(pa.string())
SUMS = "sum", "prod"
REFERENCE = re.compile(r"\\\d")


# Texts --------------------------------------------------------------------------------


def lengths(column):
    """Return the number of characters of each cell, or the most that it can have."""
    if has_texts(column):
        texts = as_arrow(column)
        return pc.utf8_length(texts).fill_null(WRITTEN).to_numpy().astype("int64")
    if is_object_dtype(column):
        return np.array([len(str(each)) for each in column], dtype="int64")
    return np.full(len(column), WRITTEN)


def has_texts(column):
    """Say whether a column has texts, and nothing else; strings are not looked at."""
    dtype = column.dtype
    if is_object_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return is_text(column)
    return isinstance(dtype, pd.StringDtype) or dtype == STRINGS


def check_texts(characters):
    """Refuse texts (an array of their lengths) that are too long, or too much."""
    if len(characters):
        TEXT.check(characters.max())
        COLUMN_OF_TEXT.check(characters.sum(dtype="int64"))


def refuse_sums(frame, names, aggregations):
    """Refuse the sum of texts, which is all of them in one cell, or in each."""
    if any(each in SUMS for each in aggregations):
        for name in make_list(names):
            if has_texts(frame[name]):
                raise InputRefused(
                    _(
                        "%(column)s is a column of text, which has no sum. Choose "
                        "another aggregation, or a column of numbers."
                    )
                    % {"column": name[:50]}
                )


def replaced(column, cfg):
    """Measure texts in which something is replaced by another text."""
    search, text = cfg["search"], cfg["replacement"]
    if not has_texts(column) or len(search) > MAX_PATTERN:
        return  # The builder says why it cannot do that.
    texts = as_arrow(column)
    before = pc.utf8_length(texts).fill_null(0).to_numpy()
    count = pc.count_substring_regex if cfg.get("regex") else pc.count_substring
    options = {"ignore_case": not cfg.get("caseSensitive")}
    try:
        is_everywhere = not search or (
            cfg.get("regex")
            and pc.match_substring_regex(pa.array([""]), search, **options)[0].as_py()
        )
        found = before + 1
        if not is_everywhere:
            found = count(texts, search, **options).fill_null(0).to_numpy()
    except pa.ArrowInvalid:
        return
    references = len(REFERENCE.findall(text)) if cfg.get("regex") else 0
    check_texts(before * (1 + references) + found * len(text))


def cleaned(columns, cleaners, stopwords=()):
    """Measure texts that go through cleaners (list of str), each of them once."""
    if len(set(cleaners)) < len(cleaners):
        raise InputRefused(_("A cleaner is chosen twice. Choose each of them once."))
    total = sum(int(lengths(column).sum()) for column in columns)
    # A word, which is compared with each stop word, has about ten characters.
    CLEANING.check(total * len(cleaners) + total // 10 * len(stopwords))


# Builders, by type --------------------------------------------------------------------


@on_frame
def numbers(asked, frame):
    """Texts and lists can be added and multiplied as well, and grow with each time."""
    sides = asked.cfg.get("left"), asked.cfg.get("right")
    for name in (side["col"] for side in sides if "col" in side):
        column = frame[name]
        is_decimal = pd.api.types.infer_dtype(column, skipna=True) == "decimal"
        if is_object_dtype(column) and not is_decimal or has_texts(column):
            raise InputRefused(
                _(
                    "%(column)s is not a column of numbers. To join texts, choose "
                    "Concatenate."
                )
                % {"column": name[:50]}
            )


@on_frame
def joined(asked, frame):
    names, between = asked.cfg["cols"], asked.cfg.get("joinChar") or ""
    RESULT.check(len(frame) * len(names))
    check_texts(sum(lengths(frame[name]) + len(between) for name in names))


@on_frame
def concatenated(asked, frame):
    sides = asked.cfg["left"], asked.cfg["right"]
    check_texts(
        sum(
            lengths(frame[side["col"]])
            if "col" in side
            else np.full(len(frame), len(side["val"]))
            for side in sides
        )
    )


@on_frame
def replacing(asked, frame):
    replaced(frame[asked.cfg.get("col") or asked.get("col")], asked.cfg)


def bins(asked):
    BINS.check(int(asked.cfg["bins"]))


@on_frame
def random_values(asked, frame):
    if asked.cfg.get("type") == "string":
        length = int(asked.cfg.get("length") or 10)
        TEXT.check(length)
        RANDOM.check(len(frame) * length)


@on_frame
def converted(asked, frame):
    cfg = asked.cfg
    column, kind = frame[cfg["col"]], classify_type(cfg["from"])
    if cfg.get("applyAllType"):
        CONVERTED.check(frame.size)
    if kind == "D" and cfg.get("fmt"):
        check_texts(np.full(len(frame), WRITTEN * len(cfg["fmt"])))
    if kind == "S" and cfg["to"] == "date" and not cfg.get("fmt") and has_texts(column):
        first = next(iter(column.dropna()), "")
        if guess_datetime_format(str(first)) is None:
            DATES.check(column.nunique())


@on_frame
def transformed(asked, frame):
    refuse_sums(frame, asked.cfg["col"], [asked.cfg["agg"]])


@on_frame
def winsorized(asked, frame):
    if asked.cfg.get("group"):
        GROUPS.check(groups(frame, asked.cfg["group"]))


@on_frame
def compared(asked, frame):
    left, right = (lengths(frame[asked.cfg[side]]) for side in ("left", "right"))
    if asked.cfg["algo"] == "jaccard":
        k = int(asked.cfg.get("k", 3))
        pairs = (left * np.minimum(left, k) + right * np.minimum(right, k)).sum()
    else:
        pairs = (left * right).sum()
    # What else is done for a row takes as long as some pairs.
    SIMILARITY.check(pairs + 20 * len(frame))


@on_frame
def encoded(asked, frame):
    cfg, rows = asked.cfg, len(frame)
    if cfg["algo"] not in ("one_hot", "feature_hasher"):
        return
    is_hashed = cfg["algo"] == "feature_hasher"
    new = int(cfg["n"]) if is_hashed else frame[cfg["col"]].nunique()
    check_cells(rows, frame.shape[1] + new)
    RESULT.check(rows * new)


@on_frame
def cleaning(asked, frame):
    cfg = asked.cfg
    cleaned([frame[cfg["col"]]], cfg["cleaners"], cfg.get("stopwords") or ())


@on_frame
def rolled(asked, frame):
    if asked.cfg.get("win_type"):
        # The weights themselves are many, however few rows there are.
        WEIGHTS.check(int(asked.cfg["window"]) * max(len(frame), 100))


@on_frame
def summed(asked, frame):
    new = len(asked.cfg["cols"])
    check_cells(len(frame), frame.shape[1] + new)
    RESULT.check(len(frame) * new)


@on_frame
def split(asked, frame):
    column = frame[asked.cfg["col"]]
    if has_texts(column):
        parts = most_parts(column, re.escape(asked.cfg["delimiter"]))
        check_cells(len(frame), frame.shape[1] + parts)
        RESULT.check(len(frame) * parts)


def most_parts(column, separator):
    """Return how many parts the text has (int) that has the most."""
    most = column.str.count(separator).max()
    return 1 if pd.isna(most) else 1 + int(most)


# Replacements, by type ----------------------------------------------------------------


def put_in(value, name):
    """Return a measure of a column in whose cells a text of the configuration is put.

    Args:
        value: the name of that text.
    """

    @on_frame
    def measure(asked, frame):
        text = str(asked.cfg.get(value) or "")
        check_texts(np.maximum(lengths(frame[asked.get("col")]), len(text)))

    measure.__name__ = name
    return measure


spaces, strings = put_in("value", "spaces"), put_in("replace", "strings")


@on_frame
def values(asked, frame):
    column = asked.get("col")
    REPLACEMENTS.check(len(asked.cfg))
    for each in asked.cfg:
        if each.get("type") == "agg":
            refuse_sums(frame, column, [each["replace"]])
        elif each.get("type") != "col":
            text = str(each.get("replace") or "")
            check_texts(np.maximum(lengths(frame[column]), len(text)))


@on_frame
def imputed(asked, frame):
    if asked.cfg["type"] == "knn":
        missing = int(frame[asked.get("col")].isna().sum())
        ROW_PAIRS.check(missing * (len(frame) - missing))
