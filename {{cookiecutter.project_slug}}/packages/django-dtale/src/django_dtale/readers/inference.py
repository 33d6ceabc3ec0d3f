"""Infer the type of a column of text: numbers, booleans, dates, or text."""

import functools
import itertools
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# These are null values in columns of numbers, dates or booleans. In columns of text,
# they stay text: NA may be Namibia.
NULL_VALUES = pa.array(
    ["", "-", "#N/A", "N/A", "n/a", "NA", "NULL", "null", "None", "NaN", "nan", "NaT"]
)

IS_DIGIT_OR_X = np.isin(np.arange(256), list(b"0123456789xX"))
# Floats would keep only the first digits of these integers.
TOO_LARGE = r"^-?[0-9]{16,}$"

FEW, SAMPLE = 10, 1_000  # Values.

DATES = [
    *("%d.%m.%Y", "%Y/%m/%d", "%d-%b-%Y", "%d %b %Y", "%d %B %Y"),
    *("%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%B %d %Y"),
]
# A column is converted only if exactly one format of a pair fits all values.
AMBIGUOUS_DATES = [("%d/%m/%Y", "%m/%d/%Y"), ("%d-%m-%Y", "%m-%d-%Y")]
TIMESTAMPS = pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("us", "UTC")
TIMES = ["", " %H:%M", " %H:%M:%S"]


@dataclass(frozen=True)
class Rules:
    """How numbers and dates are written.

    Attributes:
        decimal, thousands, day_first: see ``ImportOptions``.
    """

    decimal: str = "."
    thousands: str = ""
    day_first: bool | None = None

    @functools.cached_property
    def number(self) -> str:
        """Return the regular expression of numbers that Arrow cannot read."""
        mark, decimal = MARKS[self.thousands], re.escape(self.decimal)
        whole = rf"([0-9]{{1,3}}({mark}[0-9]{{3}})+|[0-9]*)" if mark else "[0-9]*"
        return rf"^[+-]?{whole}({decimal}[0-9]*)?([eE][+-]?[0-9]+)?$"

    @property
    def are_usual(self) -> bool:
        """Return whether Arrow can read all numbers."""
        return self.decimal == "." and not self.thousands


# Regular expressions of the marks between thousands.
MARKS = {"": "", ".": r"\.", ",": ",", "'": "['\u2019]", " ": "[ \u00a0\u202f]"}
USUAL = Rules()


def infer_column(
    texts: pa.ChunkedArray, rules: Rules = USUAL, only_dates: bool = False
) -> pa.ChunkedArray:
    """Convert a column of text to its type, if that is unambiguous.

    Types are integers, floats, booleans (true, false) and dates. Date formats are
    ISO 8601, 2026/12/31, 31.12.2026, 31 Dec 2026, Dec 31 2026, and 31/12/2026 or
    12/31/2026 (also 31-12-2026) if only one of these two fits all values, or the rules
    decide it. Times with a time zone are converted to UTC.

    Args:
        texts: strings.
        rules: how numbers and dates are written.
        only_dates: do not convert to numbers and booleans, because JSON has its own.

    Returns:
        The converted column, or ``texts`` if the column is text.
    """
    if _is_plain_text(_clean(texts.slice(0, SAMPLE)), rules):
        return texts
    words = _clean(texts)
    if words.null_count == len(words):
        is_empty = texts.null_count == len(texts) and not only_dates
        return texts.cast(pa.float64()) if is_empty else texts
    attempts = [_timestamps(words), _formatted_dates(words, rules.day_first)]
    if not only_dates:
        attempts.insert(0, _numbers_and_booleans(words, rules))
    return _first(itertools.chain(*attempts), texts)


def infer_part(texts: pa.ChunkedArray, rules: Rules = USUAL) -> pa.ChunkedArray:
    """Convert a part of a column if its own values determine the type.

    Dates such as 31/12/2026 stay text, because their format depends on the other parts.

    Returns:
        The converted part, or ``texts`` if the type depends on the other parts.
    """
    if texts.null_count == len(texts):
        return texts
    made = _by_value(texts, rules)  # Most columns have no null values.
    if made is None or (pa.types.is_floating(made.type) and _any(pc.is_nan(made))):
        words = _clean(texts)
        made = None if words.null_count == len(words) else _by_value(words, rules)
    return texts if made is None else made


def _by_value(words, rules):
    attempts = itertools.chain(_numbers_and_booleans(words, rules), _timestamps(words))
    return _first(attempts)


def _first(attempts, otherwise=None):
    return next((attempt for attempt in attempts if attempt is not None), otherwise)


def _clean(texts):
    words = pc.utf8_trim_whitespace(texts)
    nothing = pc.is_in(words, NULL_VALUES)
    return pc.if_else(nothing, None, words) if _any(nothing) else words


def _is_plain_text(words: pa.ChunkedArray, rules: Rules) -> bool:
    """Return whether the first values show that a column is text."""
    numbers = words if rules.are_usual else _with_point(words, rules)
    dates = itertools.chain(DATES, *AMBIGUOUS_DATES)
    forms = (form + time for form in dates for time in TIMES)
    attempts = itertools.chain(
        [_cast(numbers, pa.float64())],
        (_cast(words, kind) for kind in (pa.bool_(), *TIMESTAMPS)),
        (_parse_dates(words, form) for form in forms),
    )
    is_sure = words.null_count < len(words)
    return is_sure and all(attempt is None for attempt in attempts)


def _numbers_and_booleans(words, rules):
    plain = _numbers(words) if rules.decimal == "." else None
    if plain is None and not rules.are_usual:
        plain = _numbers(_with_point(words, rules))
    if plain is not None and not has_identifier(words):
        yield plain
    booleans = _cast(words, pa.bool_())
    # If no text is longer, all values are 0 or 1, and not true or false.
    if booleans is not None and pc.max(pc.binary_length(words)).as_py() > 1:
        yield booleans


def has_identifier(words: pa.Array | pa.ChunkedArray) -> bool:
    """Return whether a string is an identifier: +49, 007, -07 or 0x1F.

    A number with a leading zero or plus is an identifier, such as a postcode, a product
    code or a telephone number. So is 0x1F, which Arrow would read as a number.
    """
    chunks = words.chunks if isinstance(words, pa.ChunkedArray) else [words]
    return any(map(_chunk_has_identifier, chunks))


def _chunk_has_identifier(words):
    # NumPy compares the first bytes in a fifth of the time of Arrow's functions of texts.
    words = words.drop_null()
    if not len(words):
        return False
    _, offsets, data = words.buffers()
    kind: Any = np.int64 if pa.types.is_large_string(words.type) else np.int32
    places = np.frombuffer(offsets, kind)[words.offset :][: len(words) + 1]
    codes = np.frombuffer(data or b"\0", np.uint8)
    starts, ends = places[:-1], places[1:]
    first = codes.take(starts, mode="clip")
    if ((first == ord("+")) & (starts < ends)).any():
        return True
    zeros = starts + (first == ord("-"))
    zeros = zeros[(codes.take(zeros, mode="clip") == ord("0")) & (zeros + 1 < ends)]
    return bool(IS_DIGIT_OR_X[codes[zeros + 1]].any())


def _with_point(words, rules):
    """Remove marks between thousands, and use decimal points.

    Anything but numbers becomes "none".
    """
    points = words
    if mark := MARKS[rules.thousands]:
        points = pc.replace_substring_regex(points, mark, "")
    if rules.decimal != ".":
        points = pc.replace_substring(points, rules.decimal, ".")
    return pc.if_else(pc.match_substring_regex(words, rules.number), points, "none")


def _numbers(words):
    integers = _cast(words, pa.int64())
    if integers is not None:
        return integers
    floats = _cast(words, pa.float64())
    if floats is None or pc.max(pc.abs(floats)).as_py() < 1e15:
        return floats
    return None if _has(words, TOO_LARGE) else floats


def _timestamps(words):
    return (_cast(words, kind) for kind in TIMESTAMPS)


def _formatted_dates(words, is_day_first=None):
    for time in TIMES:
        for form in DATES:
            yield _parse_dates(words, form + time)
        for pair in AMBIGUOUS_DATES:
            day_first, month_first = (_parse_dates(words, form + time) for form in pair)
            if day_first is None or month_first is None:
                yield month_first if day_first is None else day_first
            elif is_day_first is not None or day_first.equals(month_first):
                yield month_first if is_day_first is False else day_first


def _has(words, pattern):
    return _any(pc.match_substring_regex(words, pattern))


def _any(values):
    return pc.any(values).as_py()


def _cast(words, kind):
    try:
        # A failing cast is slow: Arrow describes an error for each value. Therefore, try
        # a few values first.
        for rows in FEW, SAMPLE:
            words.slice(0, rows).cast(kind)
        return words.cast(kind)
    except pa.ArrowInvalid:
        return None


def _parse_dates(words, form):
    try:
        parsed = pc.strptime(words, format=form, unit="us")
    except pa.ArrowInvalid:
        return None
    # strptime would read a two-digit year as a year of the first century.
    return parsed if pc.min(pc.year(parsed)).as_py() >= 1000 else None
