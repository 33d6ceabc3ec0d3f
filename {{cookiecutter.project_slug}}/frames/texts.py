"""What a column of text in a file stands for: numbers, dates, or just that text."""

import functools
import itertools

import pyarrow as pa
import pyarrow.compute as pc

# Words for "no value" in a column of numbers, dates or booleans. In a column of text
# they stay what they are: NA may be Namibia.
NO_VALUE = pa.array(
    ["", "-", "#N/A", "N/A", "n/a", "NA", "NULL", "null", "None", "NaN", "nan", "NaT"]
)

# A number with a zero or plus in front is none: a postcode, an article, a telephone.
# Neither is 0x1F, which Arrow takes for one.
IDENTIFIER = r"^(\+|-?0[0-9xX])"
# Of an integer that is too large, a float would keep the first digits alone.
TOO_LARGE = r"^-?[0-9]{16,}$"

COMMA_NUMBER = r"^[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]*)(,[0-9]*)?([eE][+-]?[0-9]+)?$"

SAMPLE = 1_000  # Values.

DATES = ["%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"]
EITHER = ["%d/%m/%Y", "%m/%d/%Y"]  # Only one may fit: else nobody knows.
TIMESTAMPS = pa.timestamp("us"), pa.timestamp("ns"), pa.timestamp("us", "UTC")
TIMES = ["", " %H:%M", " %H:%M:%S"]


def typed(texts, decimal=".", only_dates=False):
    """Return a column of text as what it stands for, if that is sure.

    Integers, floats, booleans (true, false) and dates: ISO 8601, 31.12.2026,
    31 Dec 2026, and 31/12/2026 or 12/31/2026 if only one of the two fits all of them.
    What has a zone comes in UTC.

    Args:
        texts: ``pyarrow.ChunkedArray`` of strings.
        decimal: "." or ","; with "," a point is between thousands, as in 1.234,5.
        only_dates: bool; true for text that could have been written as a number.

    Returns:
        pyarrow.ChunkedArray: the same texts, if they are no more than that.
    """
    if _is_no_more(_words(texts.slice(0, SAMPLE)), decimal):
        return texts
    words = _words(texts)
    if words.null_count == len(words):
        is_empty = texts.null_count == len(texts) and not only_dates
        return texts.cast(pa.float64()) if is_empty else texts
    attempts = [_timestamps(words), _written_dates(words)]
    if not only_dates:
        attempts.insert(0, _numbers_and_flags(words, decimal))
    return _first(itertools.chain(*attempts), texts)


def typed_part(texts, decimal="."):
    """The same of a part of a column: what each value alone says, so no 31/12/2026.

    Returns:
        pyarrow.Array: the same texts, if the other parts have to be seen.
    """
    if texts.null_count == len(texts):
        return texts
    made = _by_value(texts, decimal)  # Most columns have no word for "no value".
    if made is None or (pa.types.is_floating(made.type) and _any(pc.is_nan(made))):
        words = _words(texts)
        made = None if words.null_count == len(words) else _by_value(words, decimal)
    return texts if made is None else made


def _by_value(words, decimal):
    attempts = itertools.chain(_numbers_and_flags(words, decimal), _timestamps(words))
    return _first(attempts)


def _first(attempts, otherwise=None):
    return next((attempt for attempt in attempts if attempt is not None), otherwise)


def _words(texts):
    words = pc.utf8_trim_whitespace(texts)
    nothing = pc.is_in(words, NO_VALUE)
    return pc.if_else(nothing, None, words) if _any(nothing) else words


def _is_no_more(words, decimal):
    """Say (bool) whether a few words show already that a column is text."""
    numbers = words if decimal == "." else _with_point(words)
    forms = (form + time for time in TIMES for form in DATES + EITHER)
    attempts = itertools.chain(
        [_cast(numbers, pa.float64())],
        (_cast(words, kind) for kind in (pa.bool_(), *TIMESTAMPS)),
        (_parsed(words, form) for form in forms),
    )
    is_sure = words.null_count < len(words)
    return is_sure and all(attempt is None for attempt in attempts)


def _numbers_and_flags(words, decimal):
    if not _has_identifier(words):
        yield _numbers(words if decimal == "." else _with_point(words))
    flags = _cast(words, pa.bool_())
    if flags is not None and _has(words, "(?i)^[tf]"):  # Else all are 0 and 1.
        yield flags


def _has_identifier(words):
    zeros = (
        pc.and_not(pc.starts_with(words, zero), pc.starts_with(words, f"{zero}."))
        for zero in ("0", "-0")
    )
    suspects = words.filter(functools.reduce(pc.or_, zeros, pc.starts_with(words, "+")))
    return _has(suspects, IDENTIFIER)


def _with_point(words):
    """Numbers with a decimal comma as those with a point; what is none stays none."""
    points = pc.replace_substring(pc.replace_substring(words, ".", ""), ",", ".")
    return pc.if_else(pc.match_substring_regex(words, COMMA_NUMBER), points, "none")


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


def _written_dates(words):
    for time in TIMES:
        for form in DATES:
            yield _parsed(words, form + time)
        day_first, month_first = (_parsed(words, form + time) for form in EITHER)
        if day_first is None or month_first is None:
            yield month_first if day_first is None else day_first


def _has(words, pattern):
    return _any(pc.match_substring_regex(words, pattern))


def _any(values):
    return pc.any(values).as_py()


def _cast(words, kind):
    try:
        words.slice(0, SAMPLE).cast(kind)  # Arrow takes long to see that nothing fits.
        return words.cast(kind)
    except pa.ArrowInvalid:
        return None


def _parsed(words, form):
    try:
        parsed = pc.strptime(words, format=form, unit="us")
    except pa.ArrowInvalid:
        return None
    # A year of two digits would be one of the first century.
    return parsed if pc.min(pc.year(parsed)).as_py() >= 1000 else None
