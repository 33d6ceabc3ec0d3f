"""Check the size of the results of column operations before they begin.

The tables in ``endpoint_bounds`` assign these checks to operations.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from dtale.utils import classify_type, make_list
from pandas.api.types import is_object_dtype
from pandas.tseries.api import guess_datetime_format

from ...exceptions import InputRefused
from ...filters.operations import MAX_PATTERN, as_arrow
from ...quotas import check_cells
from ..patches.dtypes import is_text
from .limits import (
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
from .operation import Operation, groups, on_frame

WRITTEN = 32  # The maximum number of characters in the text of a number or a time.
STRINGS = pd.ArrowDtype(pa.string())
SUMS = "sum", "prod"
REFERENCE = re.compile(r"\\\d")


# Texts --------------------------------------------------------------------------------


def lengths(column: pd.Series) -> np.ndarray:
    """Return the number of characters of each cell, or an upper bound."""
    if has_texts(column):
        texts = as_arrow(column)
        return pc.utf8_length(texts).fill_null(WRITTEN).to_numpy().astype("int64")
    if is_object_dtype(column):
        return np.array([len(str(each)) for each in column], dtype="int64")
    return np.full(len(column), WRITTEN)


def has_texts(column: pd.Series) -> bool:
    """Return whether a column contains only texts.

    The values are not inspected if the dtype already decides this.
    """
    dtype = column.dtype
    if is_object_dtype(dtype) or isinstance(dtype, pd.CategoricalDtype):
        return is_text(column)
    return isinstance(dtype, pd.StringDtype) or dtype == STRINGS


def check_texts(characters: np.ndarray) -> None:
    """Check the lengths of texts, individually and in total."""
    if len(characters):
        TEXT.check(characters.max())
        COLUMN_OF_TEXT.check(characters.sum(dtype="int64"))


def refuse_sums(
    frame: pd.DataFrame, names: str | list[str], aggregations: Iterable[str | None]
) -> None:
    """Refuse sums of texts, which would concatenate all of them into a single cell."""
    if any(each in SUMS for each in aggregations):
        for name in make_list(names):
            if has_texts(frame[name]):
                raise InputRefused(
                    _(
                        "%(column)s is a text column and has no sum. Choose another "
                        "aggregation, or a numeric column."
                    )
                    % {"column": name[:50]}
                )


def check_replacement(column: pd.Series, cfg: dict[str, Any]) -> None:
    """Check the lengths of the texts that a replacement would create."""
    search, text = cfg["search"], cfg["replacement"]
    if not has_texts(column) or len(search) > MAX_PATTERN:
        return  # The builder refuses other columns and long patterns with a message.
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


def check_cleaning(
    columns: Iterable[pd.Series], cleaners: list[str], stopwords: Sequence[str] = ()
) -> None:
    """Check the amount of text to clean, and that each cleaner is selected once."""
    if len(set(cleaners)) < len(cleaners):
        raise InputRefused(_("A cleaner is selected twice. Select each cleaner once."))
    total = sum(int(lengths(column).sum()) for column in columns)
    # Each word is compared with each stop word, and a word has about ten characters.
    CLEANING.check(total * len(cleaners) + total // 10 * len(stopwords))


# Builders, by type --------------------------------------------------------------------


@on_frame
def numbers(operation: Operation, frame: pd.DataFrame) -> None:
    """Refuse texts and lists: their sums and products can grow without bound."""
    sides = operation.cfg.get("left"), operation.cfg.get("right")
    for name in (side["col"] for side in sides if "col" in side):
        column = frame[name]
        is_decimal = pd.api.types.infer_dtype(column, skipna=True) == "decimal"
        if has_texts(column) or (is_object_dtype(column) and not is_decimal):
            raise InputRefused(
                _(
                    "%(column)s is not a numeric column. To join texts, choose "
                    "Concatenate."
                )
                % {"column": name[:50]}
            )


@on_frame
def joined(operation: Operation, frame: pd.DataFrame) -> None:
    names, between = operation.cfg["cols"], operation.cfg.get("joinChar") or ""
    RESULT.check(len(frame) * len(names))
    none = np.zeros(len(frame), dtype="int64")
    check_texts(sum((lengths(frame[name]) + len(between) for name in names), none))


@on_frame
def concatenated(operation: Operation, frame: pd.DataFrame) -> None:
    sides = operation.cfg["left"], operation.cfg["right"]
    left, right = (
        lengths(frame[side["col"]])
        if "col" in side
        else np.full(len(frame), len(side["val"]))
        for side in sides
    )
    check_texts(left + right)


@on_frame
def replacing(operation: Operation, frame: pd.DataFrame) -> None:
    check_replacement(
        frame[operation.cfg.get("col") or operation.get("col")], operation.cfg
    )


def bins(operation: Operation) -> None:
    BINS.check(int(operation.cfg["bins"]))


@on_frame
def random_values(operation: Operation, frame: pd.DataFrame) -> None:
    if operation.cfg.get("type") == "string":
        length = int(operation.cfg.get("length") or 10)
        TEXT.check(length)
        RANDOM.check(len(frame) * length)


@on_frame
def converted(operation: Operation, frame: pd.DataFrame) -> None:
    cfg = operation.cfg
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
def transformed(operation: Operation, frame: pd.DataFrame) -> None:
    refuse_sums(frame, operation.cfg["col"], [operation.cfg["agg"]])


@on_frame
def winsorized(operation: Operation, frame: pd.DataFrame) -> None:
    if operation.cfg.get("group"):
        GROUPS.check(groups(frame, operation.cfg["group"]))


@on_frame
def compared(operation: Operation, frame: pd.DataFrame) -> None:
    left, right = (lengths(frame[operation.cfg[side]]) for side in ("left", "right"))
    if operation.cfg["algo"] == "jaccard":
        k = int(operation.cfg.get("k", 3))
        pairs = (left * np.minimum(left, k) + right * np.minimum(right, k)).sum()
    else:
        pairs = (left * right).sum()
    # The other work for each row takes as long as comparing twenty pairs of characters.
    SIMILARITY.check(pairs + 20 * len(frame))


@on_frame
def encoded(operation: Operation, frame: pd.DataFrame) -> None:
    cfg = operation.cfg
    if cfg["algo"] not in ("one_hot", "feature_hasher"):
        return
    is_hashed = cfg["algo"] == "feature_hasher"
    new = int(cfg["n"]) if is_hashed else frame[cfg["col"]].nunique()
    check_new_columns(frame, new)


@on_frame
def cleaning(operation: Operation, frame: pd.DataFrame) -> None:
    cfg = operation.cfg
    check_cleaning([frame[cfg["col"]]], cfg["cleaners"], cfg.get("stopwords") or ())


@on_frame
def rolled(operation: Operation, frame: pd.DataFrame) -> None:
    if operation.cfg.get("win_type"):
        # Calculating the weights takes time even if there are few rows.
        WEIGHTS.check(int(operation.cfg["window"]) * max(len(frame), 100))


@on_frame
def summed(operation: Operation, frame: pd.DataFrame) -> None:
    check_new_columns(frame, len(operation.cfg["cols"]))


@on_frame
def split(operation: Operation, frame: pd.DataFrame) -> None:
    column = frame[operation.cfg["col"]]
    if has_texts(column):
        check_new_columns(
            frame, most_parts(column, re.escape(operation.cfg["delimiter"]))
        )


def check_new_columns(frame: pd.DataFrame, count: int) -> None:
    check_cells(len(frame), frame.shape[1] + count)
    RESULT.check(len(frame) * count)


def most_parts(column: pd.Series, separator: str) -> int:
    """Return the largest number of parts into which the separator splits a text."""
    most = column.str.count(separator).max()
    return 1 if pd.isna(most) else 1 + int(most)


# Replacements, by type ----------------------------------------------------------------


def check_put_in(column: pd.Series, text: str | None) -> None:
    """Check a column in which a text may replace cells; None means an empty text."""
    check_texts(np.maximum(lengths(column), len(str(text or ""))))


@on_frame
def spaces(operation: Operation, frame: pd.DataFrame) -> None:
    check_put_in(frame[operation.get("col")], operation.cfg.get("value"))


@on_frame
def strings(operation: Operation, frame: pd.DataFrame) -> None:
    check_put_in(frame[operation.get("col")], operation.cfg.get("replace"))


@on_frame
def values(operation: Operation, frame: pd.DataFrame) -> None:
    column = operation.get("col")
    REPLACEMENTS.check(len(operation.cfg))
    for each in operation.cfg:
        if each.get("type") == "agg":
            refuse_sums(frame, column, [each["replace"]])
        elif each.get("type") != "col":
            check_put_in(frame[column], each.get("replace"))


@on_frame
def imputed(operation: Operation, frame: pd.DataFrame) -> None:
    if operation.cfg["type"] == "knn":
        missing = int(frame[operation.get("col")].isna().sum())
        ROW_PAIRS.check(missing * (len(frame) - missing))
