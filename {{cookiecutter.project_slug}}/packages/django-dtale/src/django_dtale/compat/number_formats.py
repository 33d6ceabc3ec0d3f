"""Formats of the grid: how D-Tale's dialog “Formats” shows numbers and dates.

Numbers have formats of numeral.js, dates those of Moment.js. The functions support the
formats that the dialog can make. Text is never changed: the dialog only shortens it.
"""

import math
import re
from collections.abc import Callable
from decimal import ROUND_FLOOR, Decimal
from typing import Any

# The grid shows no currency but the dollar, because numeral.js ignores other symbols.
NUMBER = re.compile(
    r"(?P<dollar>\$?)[^\w\s$.,:%(+\-]*0(?P<groups>,000)?(?:\.(?P<digits>0+))?"
    r"(?P<suffix>a|e\+0|BPS|)"
)
STEPS = (10**12, "t"), (10**9, "b"), (10**6, "m"), (10**3, "k")
MONTHS = (
    "January February March April May June July August September October November "
    "December"
).split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
TOKEN = re.compile(
    r"\[[^\[\]]*\]|YYYY|YY|MMMM|MMM|MM|M|Do|DD|D|dddd|ddd|HH|H|hh|h|mm|m|ss|s|SSS|Q|A|a"
    r"|[A-Za-z]+|[^A-Za-z\[\]]+"
)
TOKENS: dict[str, Callable[[Any], str]] = {
    "YYYY": lambda day: f"{day.year:04}",
    "YY": lambda day: f"{day.year % 100:02}",
    "MMMM": lambda day: MONTHS[day.month - 1],
    "MMM": lambda day: MONTHS[day.month - 1][:3],
    "MM": lambda day: f"{day.month:02}",
    "M": lambda day: str(day.month),
    "Q": lambda day: str((day.month + 2) // 3),
    "Do": lambda day: _ordinal(day.day),
    "DD": lambda day: f"{day.day:02}",
    "D": lambda day: str(day.day),
    "dddd": lambda day: DAYS[day.weekday()],
    "ddd": lambda day: DAYS[day.weekday()][:3],
    "HH": lambda day: f"{day.hour:02}",
    "H": lambda day: str(day.hour),
    "hh": lambda day: f"{day.hour % 12 or 12:02}",
    "h": lambda day: str(day.hour % 12 or 12),
    "mm": lambda day: f"{day.minute:02}",
    "m": lambda day: str(day.minute),
    "ss": lambda day: f"{day.second:02}",
    "s": lambda day: str(day.second),
    "SSS": lambda day: f"{day.microsecond // 1000:03}",
    "A": lambda day: "PM" if day.hour >= 12 else "AM",
    "a": lambda day: "pm" if day.hour >= 12 else "am",
}
# Excel reads mm as minutes only beside hours or seconds.
EXCEL_TOKENS = {
    "YYYY": "yyyy",
    "YY": "yy",
    "MMMM": "mmmm",
    "MMM": "mmm",
    "MM": "mm",
    "M": "m",
    "DD": "dd",
    "D": "d",
    "dddd": "dddd",
    "ddd": "ddd",
    "HH:mm:ss": "hh:mm:ss",
    "HH:mm": "hh:mm",
}
EXCEL_TOKEN = re.compile(r"HH:mm:ss|HH:mm|" + TOKEN.pattern)


def number_formatter(text: str) -> Callable[[Any], str] | None:
    """Return a function that formats numbers as the grid does, or None if unsupported.

    Args:
        text: a format of numeral.js.
    """
    match = NUMBER.fullmatch(text)
    if match is None:
        return None
    suffix = match["suffix"]
    # The grid shows the dollar at a wrong place, or not at all, in other combinations.
    if match["dollar"] and suffix not in ("", "a"):
        return None
    comma, digits = "," if match["groups"] else "", len(match["digits"] or "")

    def rounded(number: Decimal) -> str:
        # JavaScript rounds halves up, also those of negative numbers.
        whole = (number.scaleb(digits) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
        return f"{whole.scaleb(-digits):{comma}.{digits}f}"

    def formatted(value: Any) -> str:
        if not math.isfinite(value):
            return str(value)
        number, end = Decimal(str(value)), suffix
        if suffix == "BPS":
            number *= 10_000
        elif suffix == "a":
            number, end = _shortened(number, rounded)
        elif suffix:
            exponent = number.adjusted() if number else 0
            number, end = number.scaleb(-exponent), f"e{exponent:+}"
        shown = rounded(number)
        if match["dollar"]:
            shown = f"-${shown[1:]}" if shown.startswith("-") else f"${shown}"
        return shown + end

    return formatted


def _shortened(number: Decimal, rounded: Callable[[Decimal], str]):
    """Return a number divided by a power of 1,000, and the letter for that power."""
    for position, (step, letter) in enumerate(STEPS):
        if abs(number) >= step:
            shorter = number / step
            # 999,999 is 1m, not 1000k.
            if position and Decimal(rounded(shorter).replace(",", "")) >= 1000:
                return Decimal(1), STEPS[position - 1][1]
            return shorter, letter
    return number, ""


def date_formatter(text: str) -> Callable[[Any], str] | None:
    """Return a function that formats dates as the grid does, or None if unsupported.

    Args:
        text: a format of Moment.js.
    """
    parts: list[Callable[[Any], str] | str] = []
    for token in _tokens(TOKEN, text):
        if token in TOKENS:
            parts.append(TOKENS[token])
        elif (literal := _literal(token)) is not None:
            parts.append(literal)
        else:
            return None
    return lambda day: "".join(
        part if isinstance(part, str) else part(day) for part in parts
    )


def excel_number_format(text: str) -> str | None:
    """Return Excel's format of numbers for a format of numeral.js, or None."""
    match = NUMBER.fullmatch(text)
    if match is None or match["suffix"]:
        return None
    whole = "#,##0" if match["groups"] else "0"
    dollar = '"$"' if match["dollar"] else ""
    return f"{dollar}{whole}" + (f".{match['digits']}" if match["digits"] else "")


def excel_date_format(text: str) -> str | None:
    """Return Excel's format of dates for a format of Moment.js, or None."""
    parts = []
    for token in _tokens(EXCEL_TOKEN, text):
        literal = _literal(token)
        if token in EXCEL_TOKENS:
            parts.append(EXCEL_TOKENS[token])
        elif literal is not None and '"' not in literal:
            parts.append(f'"{literal}"')
        else:
            return None
    return "".join(parts)


def _tokens(pattern: re.Pattern[str], text: str):
    tokens = pattern.findall(text)
    # A bracket without its counterpart matches nothing.
    return tokens if "".join(tokens) == text else ["["]


def _literal(token: str) -> str | None:
    """Return the text that a part of a format stands for, or None if it is a token."""
    if token.startswith("[") and token.endswith("]"):
        return token[1:-1]
    return None if re.search(r"[A-Za-z\[\]]", token) else token


def _ordinal(day: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{'th' if 11 <= day <= 13 else ending}"
