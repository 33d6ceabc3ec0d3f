"""How much D-Tale would show or calculate, told before it begins.

Each measure is one of the table in ``bounds``.
"""

from dtale.utils import classify_type, get_bool_arg
from flask import request

from . import costs
from .asked import groups, on, on_frame
from .dtale_column_sizes import cleaned, has_texts, most_parts
from .limits import check_cells

NUMBERS = "I", "F"
ENCODED = 50  # D-Tale encodes texts of so few different values.


# Rows of the grid, and copies of them -------------------------------------------------


def rows_of_grid(asked):
    """Add up the ranges: the same one can be asked for many times."""
    if get_bool_arg(request, "export"):
        exported(asked)
        return
    ranges = asked.json("ids", [])
    costs.RANGES.check(len(ranges))
    total, asked_for = len(asked.frame), 0
    for each in ranges:
        start, *end = map(int, each.split("-"))
        last = min(end[0] if end else start, total - 1)
        asked_for += max(last - start + 1, 0)
    costs.ANSWER.check(asked_for * (asked.frame.shape[1] + 1))


@on("filtered")
def exported(asked, frame):
    wanted = int(asked.get("export_rows") or len(frame))
    costs.ANSWER.check(min(wanted, len(frame)) * (frame.shape[1] + 1))


@on("filtered")
def copied_columns(asked, frame):
    copied(asked, len(frame))


@on("filtered")
def copied_rows(asked, frame):
    rows = asked.body.get("rows")
    if rows:
        copied(asked, rows.count(",") + 1)  # A list, as text.
    else:
        start, end = (int(asked.body[name]) for name in ("start", "end"))
        copied(asked, max(min(end, len(frame)) - start + 1, 0))


def copied(asked, rows):
    columns = asked.body["columns"].count(",") + 1
    costs.COPY.check(rows * columns)


# Column analysis, by type -------------------------------------------------------------


def top(asked):
    """Check how many values are asked for, and through which cleaners they go."""
    costs.TOP.check(abs(int(asked.get("top") or 0)))
    cleaners = asked.get("cleaner")
    if cleaners:
        cleaned([asked.frame[asked.get("col")]], cleaners.split(","))


@on("filtered_if_asked")
def histogram(asked, frame):
    bins = int(asked.get("bins") or 20)
    costs.BINS.check(bins)
    target = asked.get("target")
    if target:
        costs.BINNED.check(len(frame))
        costs.CHART_GROUPS.check(groups(frame, target))
    else:
        costs.DENSITY.check(bins * len(frame))


@on("filtered_if_asked")
def words(asked, frame):
    """In the order of another column, D-Tale makes a column of each word."""
    top(asked)
    column = frame[asked.get("col")]
    if asked.get("ordinalCol") and has_texts(column):
        parts = most_parts(column, r"\s+")
        check_cells(len(frame), parts)
        costs.RESULT.check(len(frame) * parts)


@on("filtered_if_asked")
def all_points(asked, frame):
    costs.ANSWER.check(4 * len(frame))


@on("filtered_if_asked")
def frequencies(asked, frame):
    top(asked)
    splits = [name for name in asked.get("splits", "").split(",") if name]
    names = [asked.get("col"), *splits]
    if splits or not asked.get("top"):
        costs.ANSWER.check(groups(frame, names) * (len(names) + 2))


# Pairs of columns ---------------------------------------------------------------------


def columns_of_numbers(asked, frame):
    """Return how many columns D-Tale compares (int), with those it makes of texts."""
    numbers, texts = 0, []
    for name, column in frame.items():
        kind = classify_type(str(column.dtype))
        if kind in NUMBERS:
            numbers += 1
        elif kind == "S":
            texts.append(name)
    if get_bool_arg(request, "encodeStrings"):
        counts = (frame[name].nunique() for name in texts)
        numbers += sum(count for count in counts if count <= ENCODED)
    return numbers


@on("filtered")
def correlated(asked, frame):
    columns = columns_of_numbers(asked, frame)
    check_pairs(columns, len(frame))
    if get_bool_arg(request, "pps"):
        costs.SCORES.check(columns * (columns - 1))
    if get_bool_arg(request, "image"):
        costs.PICTURE.check(columns)


@on_frame
def features(asked, frame):
    check_pairs(columns_of_numbers(asked, frame), len(frame))


def check_pairs(columns, rows):
    costs.COLUMN_PAIRS.check(columns**2)
    costs.COMPARED.check(columns**2 * rows // 2)


@on("filtered")
def correlated_in_time(asked, frame):
    check_encoded(asked, frame)
    if get_bool_arg(request, "rolling"):
        costs.TIMES.check(len(frame[asked.json("cols")].dropna()))
    else:
        costs.GROUPS.check(groups(frame, asked.get("dateCol")))


@on("filtered")
def encoded_texts(asked, frame):
    check_encoded(asked, frame)


def check_encoded(asked, frame):
    """D-Tale makes a column of each value of these texts."""
    texts = asked.json("dummyCols", [])
    costs.RESULT.check(len(frame) * sum(frame[name].nunique() for name in texts))


# Groups and times ---------------------------------------------------------------------


@on("filtered_if_asked")
def operators(asked, frame):
    costs.PASSED.check(groups(frame, asked.json("operator")))


@on("queried")
def times(asked, frame):
    costs.TIMES.check(frame[asked.cfg["index"]].nunique())


# Networks and pictures ----------------------------------------------------------------


@on_frame
def edges(asked, frame):
    costs.EDGES.check(len(frame))


@on_frame
def picture_of_columns(asked, frame):
    costs.PICTURE.check(frame.shape[1])


@on_frame
def picture_of_pairs(asked, frame):
    costs.PAIRS_PICTURE.check(frame.shape[1])


@on_frame
def picture_of_cells(asked, frame):
    costs.PICTURE.check(frame.shape[1])
    costs.PICTURE_CELLS.check(frame.size)
