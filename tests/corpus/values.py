"""Compare single values of a frame with the content of its file."""

import datetime
import json
import math
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd

# The null values of columns that are not text, as the library documents them.
NULL_WORDS = {
    *("", "-", "#N/A", "N/A", "n/a", "NA", "NULL", "null", "None", "NaN", "nan", "NaT")
}
EXCEL_ERRORS = {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!"}
YES, NO = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}
DATES = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%m-%d-%Y"),
    *("%d %b %Y", "%d-%b-%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y"),
    *("%B %d %Y", "%d. %B %Y", "%d.%m.%y", "%m/%d/%y", "%d/%m/%y", "%Y.%m.%d"),
)
TIMES = "", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p"
FORMATS = [date + time for time in TIMES for date in DATES]
ROUNDING = datetime.timedelta(milliseconds=1)  # Excel stores days as floats.


def is_missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or value != value


# Text ---------------------------------------------------------------------------------


def number(text: str, decimal: str, thousands: str) -> Decimal | None:
    """Return the number in a text, or None if the text is not a number."""
    text = text.strip()
    if thousands and thousands in text:
        groups = rf"[+-]?\d{{1,3}}({re.escape(thousands)}\d{{3}})+"
        if not re.fullmatch(groups + rf"({re.escape(decimal)}\d*)?", text):
            return None
        text = text.replace(thousands, "")
    if decimal != ".":
        if "." in text:
            return None
        text = text.replace(decimal, ".")
    # A leading zero is a part of an identifier, such as a postcode.
    if "_" in text or re.match(r"[+-]?0\d", text):
        return None
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def is_number(value: Any, expected: Decimal | None) -> bool:
    """Return whether a value equals a number, as precisely as its type allows."""
    if expected is None or is_missing(value):
        return False
    is_whole = expected == expected.to_integral_value() if expected.is_finite() else 0
    if isinstance(value, float):
        # Floats keep only some of the digits of a long identifier.
        is_exact = Decimal(value) == expected
        is_short = not is_whole or "E" in str(expected).upper()
        return is_exact or (is_short and float(expected) == value)
    return Decimal(value) == expected


def is_converted(text: str, value: Any, decimal: str, thousands: str) -> bool:
    """Return whether a value is the right conversion of a text that is not a date."""
    if isinstance(value, str):
        return value == text
    if isinstance(value, bool):
        return text.strip().lower() in (YES if value else NO)
    return is_number(value, number(text, decimal, thousands))


def are_plainly_right(texts: list[str], values: list[Any]) -> bool:
    """Return whether a quick check shows that all values of a column are right."""
    present = [value for value in values if not is_missing(value)]
    if len(present) < len(values):
        pairs = [pair for pair in zip(texts, values, strict=True) if pair[0]]
        texts = [text for text, _ in pairs]
        if len(texts) != len(present) or any(is_missing(each) for _, each in pairs):
            return False
    kinds = set(map(type, present))
    if kinds == {str}:
        return texts == present
    if kinds == {int}:
        return list(map(str, present)) == texts
    if kinds != {float} or max(map(abs, present)) >= 2**53:
        return False
    if re.search(r"_|^\s*[+-]?0\d", "\n".join(texts), re.M):
        return False
    try:
        return list(map(float, texts)) == present
    except ValueError:
        return False


def are_same_kind(raw: list[Any], values: list[Any]) -> bool:
    """Return whether all values of two columns have the same simple type."""
    kinds = set(map(type, raw)) | set(map(type, values))
    return len(kinds) == 1 and kinds <= {str, int, float}


def readings(texts: Iterable[str], formats: Iterable[str] = ()) -> list[dict]:
    """Return each way to read texts as dates: a mapping of the texts to moments.

    Each way can read all texts, and differs from each other way in at least one moment.
    """
    distinct = set(texts)
    found: list[dict] = []
    for read in (_iso, *(_reader(each) for each in (*formats, *FORMATS))):
        try:
            moments = {text: read(text.strip()) for text in distinct}
        except ValueError:
            continue
        if moments not in found:
            found.append(moments)
    return found


def _iso(text):
    # Python supports only six decimal places of seconds.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    if not re.match(r"\d{4}-", text):
        raise ValueError
    moment = datetime.datetime.fromisoformat(text)
    return moment.astimezone(datetime.UTC) if moment.tzinfo else moment


def _reader(form):
    return lambda text: datetime.datetime.strptime(" ".join(text.split()), form)


def is_moment(value: Any, moment: datetime.datetime) -> bool:
    """Return whether a timestamp equals a moment, to the microsecond."""
    if not isinstance(value, pd.Timestamp):
        return False
    value = value.floor("us")
    if (value.tzinfo is None) != (moment.tzinfo is None):
        return False
    return value.to_pydatetime(warn=False) == moment


# Values that have a type in the file --------------------------------------------------


def is_same(raw: Any, value: Any, is_noted: bool) -> bool:
    """Return whether a value is the one that another library has read.

    Args:
        is_noted: the frame has a note about a conversion, for example to text.
    """
    if is_missing_raw(raw):
        return is_missing(value)
    if isinstance(value, list | dict | tuple) or isinstance(raw, list | dict | tuple):
        return plain(raw) == plain(_from_json(value))
    if is_missing(value):
        return raw == "#N/A" or (is_noted and raw in EXCEL_ERRORS)
    if isinstance(raw, bytes):
        return str(raw) == value
    if isinstance(raw, str) or isinstance(value, str):
        if isinstance(raw, str) and isinstance(value, str):
            return raw == value
        return is_noted and _is_written(raw, value)
    if isinstance(raw, bool) or isinstance(value, bool):
        return isinstance(value, bool) and raw == value
    if isinstance(raw, int | float | Decimal):
        return not isinstance(value, pd.Timestamp) and _is_same_number(raw, value)
    if isinstance(raw, datetime.timedelta):
        if not isinstance(value, datetime.timedelta):
            return False
        return abs(pd.Timedelta(value) - raw) <= ROUNDING
    if isinstance(raw, datetime.date):  # The value may be a datetime.
        if not isinstance(value, datetime.date):
            return False
        return abs(pd.Timestamp(value) - pd.Timestamp(raw)) <= ROUNDING
    return raw == value


def is_missing_raw(raw: Any) -> bool:
    return raw is None or (isinstance(raw, float) and math.isnan(raw)) or raw is pd.NaT


def plain(value: Any) -> Any:
    """Return a nested value without types that JSON does not have."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, float | Decimal):
        if not math.isfinite(value):
            return None if math.isnan(value) else str(value)
        exact = Decimal(str(value))
        return int(exact) if exact == exact.to_integral_value() else float(value)
    if value is None or isinstance(value, int | str):
        return value
    return str(value)


def _from_json(value):
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_float=Decimal)
    except ValueError:
        return value


def _is_same_number(raw, value):
    if isinstance(raw, Decimal):
        return is_number(value, raw)
    return value == raw if isinstance(raw, float) else Decimal(value) == raw


def _is_written(raw, value):
    """Return whether a text is one of the usual ways to write a value."""
    if not isinstance(value, str):
        return False
    if isinstance(raw, bool):
        return value.lower() == str(raw).lower()
    if isinstance(raw, int | float | Decimal):
        try:
            return float(value) == float(raw)
        except ValueError:
            return False
    if isinstance(raw, datetime.date):
        return pd.Timestamp(value) == pd.Timestamp(raw)
    return value == str(raw)
