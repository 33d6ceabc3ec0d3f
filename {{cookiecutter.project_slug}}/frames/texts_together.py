"""What many columns of text stand for, found out for all of them together.

The answers are those of ``texts``, which looks at one column after the other. With few
values in a column, that takes Arrow far longer to prepare than to do. So the first values
of all columns give a guess at each column's kind, and the columns of one kind are then
converted as one. Where that fails, ``texts`` has to look.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import texts

FIRST = 32  # Values of each column, for a guess.
MANY = 4_096  # Values, with which a column is as quick alone.
NBYTES = 8 << 20  # Of text that is converted as one: this bounds the memory.

INTEGER = r"^-?[0-9]{1,18}$"
POINT = r"^-?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA = r"^-?[0-9.]*,[0-9]+$"
FLAG = r"(?i)^(true|false)$"
TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
)
# No number, flag or date begins like this, but for the names of months.
WORD = r"(?i)^([^0-9+\-.,tfin]|t[^r]|f[^a]|i[^n]|n[^a])"
MONTH = r"(?i)^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"


class JustText:
    """The answer for a column that is text, whatever else is in it."""


def typed_together(columns, decimal=".", only_dates=False):
    """Find out what columns stand for, as ``texts.typed`` and ``texts.typed_part`` do.

    Args:
        columns: list of ``pyarrow.ChunkedArray`` of strings, all of one length.
        decimal, only_dates: as of ``texts.typed``.

    Returns:
        list: for each column a ``pyarrow.ChunkedArray``, or JustText, or None: it was not found
        out here.
    """
    found = [None] * len(columns)
    rows = len(columns[0]) if columns else 0
    if not 0 < rows < MANY:
        return found
    nbytes = sum(column.nbytes for column in columns)
    at_once = 1 + len(columns) * NBYTES // max(nbytes, NBYTES)
    for start in range(0, len(columns), at_once):
        part = columns[start : start + at_once]
        guesses = _guesses(part, decimal, only_dates)
        for convert, places in guesses.items():
            if convert is JustText:
                for at in places:
                    found[start + at] = JustText
                continue
            for at, made in _converted(convert, part, places, rows, decimal):
                found[start + at] = made
    return found


def _guesses(columns, decimal, only_dates):
    """Return the places of columns by the function that may convert them (dict)."""
    rows = min(FIRST, len(columns[0]))
    heads = _joined(column.slice(0, rows) for column in columns)
    words = texts._words(heads)
    shape = len(columns), rows
    missing = np.asarray(words.is_null()).reshape(shape)

    def matching(pattern):
        matched = pc.match_substring_regex(words, pattern).fill_null(False)
        return np.asarray(matched).reshape(shape)

    is_word = matching(WORD) & ~matching(MONTH)
    left = ~missing.all(axis=1) & ~is_word.any(axis=1)
    guesses = {JustText: is_word.any(axis=1)}
    integer = matching(INTEGER) | missing
    if not only_dates:
        number = integer | matching(POINT if decimal == "." else COMMA)
        guesses[_integers] = integer.all(axis=1) & left
        guesses[_floats] = number.all(axis=1) & ~integer.all(axis=1) & left
        guesses[_flags] = (matching(FLAG) | missing).all(axis=1) & left
    guesses[_times] = (matching(TIME) | missing).all(axis=1) & left
    return {convert: np.flatnonzero(places) for convert, places in guesses.items()}


def _converted(convert, columns, places, rows, decimal):
    """Yield the place and the array of each column that can be converted.

    Where one of several columns cannot, the others are in one of the halves.
    """
    if len(places) < 2:
        return
    joined = _joined(columns[at] for at in places)
    made = convert(joined, decimal)
    if made is None:
        made = convert(texts._words(joined), decimal)
    if made is not None:
        for number, at in enumerate(places):
            yield at, pa.chunked_array([made.slice(number * rows, rows)])
        return
    for half in np.array_split(places, 2):
        yield from _converted(convert, columns, half, rows, decimal)


def _joined(columns):
    return pa.concat_arrays([chunk for column in columns for chunk in column.chunks])


# Conversions: of an array of strings, None if one of them is something else ------------


def _numbers(words, kind, decimal):
    if texts._has_identifier(words):
        return None
    return texts._cast(words if decimal == "." else texts._with_point(words), kind)


def _integers(words, decimal):
    return _numbers(words, pa.int64(), decimal)


def _floats(words, decimal):
    floats = _numbers(words, pa.float64(), decimal)
    # What is not a number, or a large one, is to be looked at.
    is_sure = floats is not None and pc.max(pc.abs(floats)).as_py() < 1e15
    return floats if is_sure and not texts._any(pc.is_nan(floats)) else None


def _flags(words, decimal):
    return texts._cast(words, pa.bool_())


def _times(words, decimal):
    return texts._cast(words, texts.TIMESTAMPS[0])
