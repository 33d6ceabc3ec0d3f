"""Compare a frame cell by cell with an independent reading of its file."""

import datetime
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from .opening import Outcome
from .table import Table
from .values import (
    NULL_WORDS,
    are_plainly_right,
    are_same_kind,
    is_converted,
    is_missing,
    is_missing_raw,
    is_moment,
    is_same,
    readings,
)

SECONDS = 120  # The time limit for the comparison of a file.
EXAMPLES = 3  # The number of wrong cells to show for each column.


@dataclass
class Comparison:
    """The result of a comparison.

    Attributes:
        cells: the number of cells that were compared.
        wrong: the number of those that are wrong.
        examples: sentences about the first ones.
        left_over: the number of cells that were not compared in time.
        left_out: rows of the file that the frame leaves out, such as titles.
    """

    cells: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)
    left_over: int = 0
    left_out: list[list[str]] = field(default_factory=list)


def compare(table: Table, outcome: Outcome) -> Comparison:
    """Compare the frame of an outcome with a table."""
    result, end = Comparison(left_out=table.left_out), time.monotonic() + SECONDS
    frame = outcome.frame
    assert frame is not None
    values = [each for each in frame.columns if each not in outcome.index]
    names = values + outcome.index
    if len(names) != len(table.columns):
        # Columns without values, such as the margin of a sheet, may be left out.
        table = table.without_empty_columns()
        names = [name for name in names if frame[name].notna().any()]
    rows = len(table.columns[0]) if table.columns else 0
    if len(names) != len(table.columns) or len(frame) != rows:
        result.wrong = result.cells = max(rows, 1) * max(len(table.columns), 1)
        result.examples.append(
            f"{len(frame)} rows x {len(names)} columns, "
            f"not {rows} x {len(table.columns)}"
        )
        return result
    seen: set[str] = set()
    for at, (name, raw) in enumerate(zip(names, table.columns, strict=True)):
        if time.monotonic() > end:
            result.left_over += rows
            continue
        result.cells += rows
        expected = table.names[at]
        if not table.any_names and not _is_name(name, expected, seen):
            result.wrong += 1
            result.examples.append(f"column {at + 1} is {name!r}, not {expected!r}")
        seen.add(str(expected).strip())
        find = _wrong_texts if table.is_text else _wrong_values
        wrong = list(find(raw, frame[name], outcome))
        result.wrong += len(wrong)
        result.examples += [
            f"column {name!r}, row {row + 1}: {value!r}, not {text!r}{why}"
            for row, text, value, why in wrong[:EXAMPLES]
        ]
    return result


def _is_name(name: str, expected: Any, seen: set[str]) -> bool:
    """Return whether a column has the expected name. D-Tale needs unique ones."""
    if is_missing_raw(expected):
        return True
    if isinstance(expected, float) and expected.is_integer():
        expected = int(expected)
    expected = str(expected).strip().removesuffix(" 00:00:00")
    if not expected or expected.startswith("__index_level_"):
        return True
    if expected in seen or "`" in expected:
        return True
    # The names of two header rows are joined.
    name, expected = " ".join(name.split()), " ".join(expected.split())
    return name.startswith(expected) or name.endswith(expected)


Wrong = Iterator[tuple[int, Any, Any, str]]


def _wrong_texts(texts: list[str], column: pd.Series, outcome: Outcome) -> Wrong:
    """Yield the row, the text and the value of each wrong cell."""
    options = outcome.options
    decimal = options.get("decimal") or "."
    thousands = options.get("thousands")
    if thousands is None:
        thousands = "." if decimal == "," else ""
    null_words = NULL_WORDS | set(options.get("null_values") or ())
    values = column.astype(object).tolist()
    if _has_dates(values):
        yield from _wrong_dates(texts, values, null_words, outcome)
        return
    if (decimal, thousands) == (".", "") and are_plainly_right(texts, values):
        return
    is_text = any(isinstance(each, str) for each in values)
    known: dict[tuple[str, Any], bool] = {}
    for row, (text, value) in enumerate(zip(texts, values, strict=True)):
        if is_missing(value):
            word = text.strip()
            is_right = not word if is_text else word in null_words
        elif (text, value) in known and not isinstance(value, bool):
            is_right = known[text, value]
        else:
            is_right = is_converted(text, value, decimal, thousands)
            known[text, value] = is_right
        if not is_right:
            yield row, text, value, ""


def _wrong_values(raw: list[Any], column: pd.Series, outcome: Outcome) -> Wrong:
    values = column.astype(object).tolist()
    if are_same_kind(raw, values) and raw == values:
        return
    texts = [each for each in raw if not is_missing_raw(each)]
    if _has_dates(values) and all(isinstance(each, str) for each in texts):
        words = ["" if is_missing_raw(each) else each for each in raw]
        yield from _wrong_dates(words, values, NULL_WORDS, outcome)
        return
    is_noted = bool(outcome.notes)
    is_filled = any("merged cells were filled" in note for note in outcome.notes)
    above = None  # The last value that is not missing.
    for row, (each, value) in enumerate(zip(raw, values, strict=True)):
        if is_filled and is_missing_raw(each) and value == above:
            continue
        above = above if is_missing_raw(each) else each
        if not is_same(each, value, is_noted):
            yield row, each, value, ""


# Dates --------------------------------------------------------------------------------


def _has_dates(values: list[Any]) -> bool:
    return any(isinstance(each, pd.Timestamp) for each in values)


def _wrong_dates(
    texts: list[str], values: list[Any], null_words: set[str], outcome: Outcome
) -> Wrong:
    given = [
        kind.removeprefix("date:")
        for kind in outcome.options.get("types", {}).values()
        if kind.startswith("date:")
    ]
    words = {text for text in texts if text.strip() not in null_words}
    ways = readings(words, given)
    is_asked = bool(outcome.questions)
    if not ways:
        moments = _each_alone(words)
        why = ""
    else:
        fits = [way for way in ways if _fits(way, texts, values)]
        moments = (fits or ways)[0]
        why = "" if is_asked or len(ways) == 1 else " (it may be another date)"
    for row, (text, value) in enumerate(zip(texts, values, strict=True)):
        if text not in words:
            if not is_missing(value):
                yield row, text, value, ""
        elif why or not _is_one_of(value, moments.get(text)):
            yield row, text, value, why


def _fits(way: dict, texts: list[str], values: list[Any]) -> bool:
    return all(
        is_moment(value, way[text])
        for text, value in zip(texts, values, strict=True)
        if text in way
    )


def _each_alone(words: set[str]) -> dict[str, Any]:
    """Return the date of each text that can be read in only one way."""
    found = {}
    for word in words:
        ways = readings([word])
        if len(ways) == 1:
            found[word] = ways[0][word]
    return found


def _is_one_of(value: Any, moment: datetime.datetime | None) -> bool:
    return moment is not None and is_moment(value, moment)
