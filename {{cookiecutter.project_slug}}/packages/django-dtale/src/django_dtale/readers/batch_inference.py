"""Infer the types of many columns of text at once.

The results are the same as those of ``inference``, which converts one column after
another. For short columns, Arrow takes longer to prepare a conversion than to do it.
This module therefore guesses the type of each column from its first values, and
converts all columns of one type together. If that fails, ``inference`` has to convert
the column.
"""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import inference
from .inference import USUAL, Rules

FIRST = 32  # The guess looks at this number of values of each column.
MANY = 4_096  # Columns of this length are converted just as fast one by one.
NBYTES = 8 << 20  # Bytes of text to convert together, to limit memory use.

INTEGER = r"^-?[0-9]{1,18}$"
POINT = r"^-?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA = r"^-?[0-9.]*,[0-9]+$"
BOOLEAN = r"(?i)^(true|false)$"
TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
)
# Only text begins like this, or a date that begins with the name of a month.
WORD = r"(?i)^([^0-9+\-.,tfin]|t[^r]|f[^a]|i[^n]|n[^a])"
MONTH = r"(?i)^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"


class PlainText:
    """Sentinel: the column is text, regardless of its remaining values."""


def infer_columns(
    columns: list[pa.ChunkedArray], rules: Rules = USUAL, only_dates: bool = False
) -> list[Any]:
    """Infer columns as ``inference.infer_column`` and ``inference.infer_part`` do.

    Args:
        columns: columns of strings, all of the same length.
        rules, only_dates: see ``inference.infer_column``.

    Returns:
        For each column the converted ``pyarrow.ChunkedArray``, PlainText, or None if
        this function could not infer its type.
    """
    found: list[Any] = [None] * len(columns)
    rows = len(columns[0]) if columns else 0
    if not 0 < rows < MANY:
        return found
    nbytes = sum(column.nbytes for column in columns)
    at_once = 1 + len(columns) * NBYTES // max(nbytes, NBYTES)
    for start in range(0, len(columns), at_once):
        part = columns[start : start + at_once]
        guesses = _guesses(part, rules, only_dates)
        for convert, places in guesses.items():
            if convert is PlainText:
                for at in places:
                    found[start + at] = PlainText
                continue
            for at, made in _convert_together(convert, part, places, rows, rules):
                found[start + at] = made
    return found


def _guesses(
    columns: list[pa.ChunkedArray], rules: Rules, only_dates: bool
) -> dict[Any, np.ndarray]:
    """Map each conversion to the positions of the columns that it probably fits."""
    rows = min(FIRST, len(columns[0]))
    heads = _concatenate(column.slice(0, rows) for column in columns)
    words = inference._clean(heads)
    shape = len(columns), rows
    missing = np.asarray(words.is_null()).reshape(shape)

    def matching(pattern):
        matched = pc.match_substring_regex(words, pattern).fill_null(False)
        return np.asarray(matched).reshape(shape)

    is_word = matching(WORD) & ~matching(MONTH)
    left = ~missing.all(axis=1) & ~is_word.any(axis=1)
    guesses: dict[Any, np.ndarray] = {PlainText: is_word.any(axis=1)}
    integer = matching(INTEGER) | missing
    if not only_dates:
        number = integer | matching(POINT if rules.decimal == "." else COMMA)
        guesses[_integers] = integer.all(axis=1) & left
        guesses[_floats] = number.all(axis=1) & ~integer.all(axis=1) & left
        guesses[_booleans] = (matching(BOOLEAN) | missing).all(axis=1) & left
    guesses[_times] = (matching(TIME) | missing).all(axis=1) & left
    return {convert: np.flatnonzero(places) for convert, places in guesses.items()}


def _convert_together(convert, columns, places, rows, rules):
    """Yield the position and the array of each column that can be converted.

    If converting all of them together fails, try each half separately.
    """
    if len(places) < 2:
        return
    joined = _concatenate(columns[at] for at in places)
    made = convert(joined, rules)
    if made is None:
        made = convert(inference._clean(joined), rules)
    if made is not None:
        for number, at in enumerate(places):
            yield at, pa.chunked_array([made.slice(number * rows, rows)])
        return
    for half in np.array_split(places, 2):
        yield from _convert_together(convert, columns, half, rows, rules)


def _concatenate(columns):
    return pa.concat_arrays([chunk for column in columns for chunk in column.chunks])


# Conversions: each returns None if it cannot convert one of the strings ---------------


def _numbers(words, kind, rules):
    if inference._has_identifier(words):
        return None
    if rules.decimal != ".":
        words = inference._with_point(words, rules)
    return inference._cast(words, kind)


def _integers(words, rules):
    return _numbers(words, pa.int64(), rules)


def _floats(words, rules):
    floats = _numbers(words, pa.float64(), rules)
    # Leave NaN and large numbers to ``inference``.
    is_sure = floats is not None and pc.max(pc.abs(floats)).as_py() < 1e15
    return floats if is_sure and not inference._any(pc.is_nan(floats)) else None


def _booleans(words, rules):
    return inference._cast(words, pa.bool_())


def _times(words, rules):
    return inference._cast(words, inference.TIMESTAMPS[0])
