"""Limit the size of the grid's responses, and the work of D-Tale's analyses.

The tables in ``endpoint_bounds`` assign these checks to operations.
"""

from collections.abc import Mapping

import pandas as pd
from dtale.utils import classify_type, get_bool_arg

from ...quotas import check_cells
from ..patches.histograms import is_simple
from . import limits
from .columns import check_cleaning, has_texts, most_parts
from .operation import Operation, groups, on, on_frame

NUMBERS = "I", "F"
ENCODED = 50  # D-Tale encodes text columns with at most this many distinct values.


# Rows of the grid, and copies of them -------------------------------------------------


def rows_of_grid(operation: Operation) -> None:
    """Check the total number of rows: a request can repeat a range many times."""
    if get_bool_arg(operation.request, "export"):
        exported(operation)
        return
    ranges = operation.json("ids", [])
    limits.RANGES.check(len(ranges))
    total, requested = len(operation.frame), 0
    for each in ranges:
        start, *end = map(int, each.split("-"))
        last = min(end[0] if end else start, total - 1)
        requested += max(last - start + 1, 0)
    limits.ANSWER.check(requested * (operation.frame.shape[1] + 1))


@on("filtered")
def exported(operation: Operation, frame: pd.DataFrame) -> None:
    wanted = int(operation.get("export_rows") or len(frame))
    limits.ANSWER.check(min(wanted, len(frame)) * (frame.shape[1] + 1))


@on("filtered")
def copied_columns(operation: Operation, frame: pd.DataFrame) -> None:
    copied(operation, len(frame))


@on("filtered")
def copied_rows(operation: Operation, frame: pd.DataFrame) -> None:
    rows = operation.body.get("rows")
    if rows:
        copied(operation, rows.count(",") + 1)  # Commas separate the rows.
    else:
        start, end = (int(operation.body[name]) for name in ("start", "end"))
        copied(operation, max(min(end, len(frame)) - start + 1, 0))


def copied(operation: Operation, rows: int) -> None:
    columns = operation.body["columns"].count(",") + 1
    limits.COPY.check(rows * columns)


# Column analysis, by type -------------------------------------------------------------


def top(operation: Operation) -> None:
    """Check the number of requested values, and the work of D-Tale's text cleaners."""
    limits.TOP.check(abs(int(operation.get("top") or 0)))
    cleaners = operation.get("cleaner")
    if cleaners:
        check_cleaning([operation.frame[operation.get("col")]], cleaners.split(","))


@on("filtered_if_requested")
def histogram(operation: Operation, frame: pd.DataFrame) -> None:
    bins = int(operation.get("bins") or 20)
    limits.BINS.check(bins)
    target = operation.get("target")
    if target:
        if not is_simple(frame, operation.get("col"), target):
            limits.BINNED.check(len(frame))
        limits.CHART_GROUPS.check(groups(frame, target))
    else:
        limits.DENSITY.check(bins * len(frame))


@on("filtered_if_requested")
def words(operation: Operation, frame: pd.DataFrame) -> None:
    """Check the number of words in the longest text.

    If the words are ordered by another column, D-Tale splits the texts into columns,
    one for each word.
    """
    top(operation)
    column = frame[operation.get("col")]
    if operation.get("ordinalCol") and has_texts(column):
        parts = most_parts(column, r"\s+")
        check_cells(len(frame), parts)
        limits.RESULT.check(len(frame) * parts)


@on("filtered_if_requested")
def all_points(operation: Operation, frame: pd.DataFrame) -> None:
    limits.ANSWER.check(4 * len(frame))


@on("filtered_if_requested")
def frequencies(operation: Operation, frame: pd.DataFrame) -> None:
    top(operation)
    splits = [name for name in operation.get("splits", "").split(",") if name]
    names = [operation.get("col"), *splits]
    if splits or not operation.get("top"):
        limits.ANSWER.check(groups(frame, names) * (len(names) + 2))


# Pairs of columns ---------------------------------------------------------------------


def columns_of_numbers(operation: Operation, frame: pd.DataFrame) -> int:
    """Return the number of columns that D-Tale compares, including encoded texts."""
    numbers, texts = 0, []
    for name, column in frame.items():
        kind = classify_type(str(column.dtype))
        if kind in NUMBERS:
            numbers += 1
        elif kind == "S":
            texts.append(name)
    if get_bool_arg(operation.request, "encodeStrings"):
        counts = (frame[name].nunique() for name in texts)
        numbers += sum(count for count in counts if count <= ENCODED)
    return numbers


@on("filtered")
def correlated(operation: Operation, frame: pd.DataFrame) -> None:
    columns = columns_of_numbers(operation, frame)
    check_pairs(columns, len(frame))
    if get_bool_arg(operation.request, "pps"):
        limits.SCORES.check(columns * (columns - 1))
    if get_bool_arg(operation.request, "image"):
        limits.PICTURE.check(columns)


@on_frame
def features(operation: Operation, frame: pd.DataFrame) -> None:
    check_pairs(columns_of_numbers(operation, frame), len(frame))


def check_pairs(columns: int, rows: int) -> None:
    limits.COLUMN_PAIRS.check(columns**2)
    limits.COMPARED.check(columns**2 * rows // 2)


@on("filtered")
def correlated_in_time(operation: Operation, frame: pd.DataFrame) -> None:
    check_encoded(operation, frame)
    if get_bool_arg(operation.request, "rolling"):
        limits.TIMES.check(len(frame[operation.json("cols")].dropna()))
    else:
        limits.GROUPS.check(groups(frame, operation.get("dateCol")))


@on("filtered")
def encoded_texts(operation: Operation, frame: pd.DataFrame) -> None:
    check_encoded(operation, frame)


def check_encoded(operation: Operation, frame: pd.DataFrame) -> None:
    """Check the size of the columns that D-Tale creates, one for each distinct text."""
    texts = operation.json("dummyCols", [])
    limits.RESULT.check(len(frame) * sum(frame[name].nunique() for name in texts))


# Groups and times ---------------------------------------------------------------------


@on("filtered_if_requested")
def operators(operation: Operation, frame: pd.DataFrame) -> None:
    limits.PASSED.check(groups(frame, operation.json("operator")))


@on("queried")
def times(operation: Operation, frame: pd.DataFrame) -> None:
    limits.TIMES.check(frame[operation.cfg["index"]].nunique())


# Networks and pictures ----------------------------------------------------------------


def edge_columns(parameters: Mapping[str, str]) -> list[str]:
    """Return the columns whose values make an edge of a network."""
    names = map(parameters.get, ("to", "from", "weight"))
    return list(dict.fromkeys(filter(None, names)))


@on_frame
def edges(operation: Operation, frame: pd.DataFrame) -> None:
    """Equal edges of a long table count once. See ``patches.fast.networks``."""
    if len(frame) > limits.EDGES.most:
        columns, most = edge_columns(operation.request.args), limits.EDGES.most
        limits.EDGES.check(groups(frame, columns, most))


@on_frame
def picture_of_columns(operation: Operation, frame: pd.DataFrame) -> None:
    limits.PICTURE.check(frame.shape[1])


@on_frame
def picture_of_pairs(operation: Operation, frame: pd.DataFrame) -> None:
    limits.PAIRS_PICTURE.check(frame.shape[1])
