"""What a column of text in a file stands for: numbers, dates, or just that text."""

import pyarrow as pa
import pyarrow.compute as pc

# Words for "no value" in a column of numbers, dates or booleans. In a column of text
# they stay what they are: NA may be Namibia.
NO_VALUE = pa.array(
    ["", "-", "#N/A", "N/A", "n/a", "NA", "NULL", "null", "None", "NaN", "nan", "NaT"]
)

# A number with a zero or plus in front is none: a postcode, an article, a telephone.
IDENTIFIER = r"^(\+|-?0[0-9])"
# Of an integer that is too large, a float would keep the first digits alone.
TOO_LARGE = r"^-?[0-9]{16,}$"

COMMA_NUMBER = r"^[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]*)(,[0-9]*)?([eE][+-]?[0-9]+)?$"

SAMPLE = 1_000  # Values.

DATES = ["%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"]
EITHER = ["%d/%m/%Y", "%m/%d/%Y"]  # Only one may fit: else nobody knows.
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
    words = pc.utf8_trim_whitespace(texts)
    words = pc.if_else(pc.is_in(words, NO_VALUE), None, words)
    if words.null_count == len(words):
        is_empty = texts.null_count == len(texts) and not only_dates
        return texts.cast(pa.float64()) if is_empty else texts
    attempts = _dates(words) if only_dates else _all(words, decimal)
    for attempt in attempts:
        if attempt is not None:
            return attempt
    return texts


def _all(words, decimal):
    if not _any(words, IDENTIFIER):
        yield _numbers(words if decimal == "." else _with_point(words))
    if _any(words, "(?i)^(true|false)$"):
        yield _cast(words, pa.bool_())
    yield from _dates(words)


def _with_point(words):
    """Numbers with a decimal comma as those with a point; what is none stays none."""
    points = pc.replace_substring(pc.replace_substring(words, ".", ""), ",", ".")
    return pc.if_else(pc.match_substring_regex(words, COMMA_NUMBER), points, "none")


def _numbers(words):
    integers = _cast(words, pa.int64())
    if integers is not None:
        return None if _any(words, "[xX]") else integers  # 0x1F is no number here.
    if _any(words, TOO_LARGE):
        return None
    return _cast(words, pa.float64())


def _dates(words):
    yield _cast(words, pa.timestamp("us"))
    yield _cast(words, pa.timestamp("ns"))
    yield _cast(words, pa.timestamp("us", "UTC"))
    for time in TIMES:
        for form in DATES:
            yield _parsed(words, form + time)
        day_first, month_first = (_parsed(words, form + time) for form in EITHER)
        if day_first is None or month_first is None:
            yield month_first if day_first is None else day_first


def _any(words, pattern):
    return pc.any(pc.match_substring_regex(words, pattern)).as_py()


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
