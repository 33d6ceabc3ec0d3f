"""Convert date patterns such as DD.MM.YYYY to formats for ``strptime``, and back."""

import re
from collections.abc import Iterator

# German spreadsheets write T for days and J for years.
TOKENS = re.compile(
    r"YYYY|JJJJ|YY|JJ|M{1,4}|DD?|TT|T(?!h)|hh?|ss?|AM|PM", re.IGNORECASE
)
CODES = {
    "YYYY": "%Y",
    "YY": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "DD": "%d",
    "hh": "%H",
    "mm": "%M",
    "ss": "%S",
    "AM": "%p",
}
DAY_FIRST, MONTH_FIRST, ISO = "day first", "month first", "ISO"
SAMPLE = re.compile(
    r"(?P<first>\d{1,4})(?P<sep>[./-])\d{1,2}(?P=sep)(?P<year>\d{1,4})"
    r"(?P<time>[ T]\d{1,2}:\d\d(:\d\d)?)?"
)


def to_format(pattern: str) -> str:
    """Return the format for ``strptime`` of a pattern such as DD.MM.YYYY hh:mm.

    A pattern that contains % is a format already.
    """
    if "%" in pattern:
        return pattern
    has_hours = False

    def code(match):
        nonlocal has_hours
        token = match[0].upper().replace("J", "Y").replace("T", "D")
        if token[0] == "H":
            has_hours = True
            return "%H"
        if token in ("AM", "PM"):
            return "%p"
        if token in ("M", "MM"):  # After the hours, these are minutes.
            return "%M" if has_hours else "%m"
        return "%S" if token[0] == "S" else CODES.get(token, f"%{token[0].lower()}")

    made = TOKENS.sub(code, pattern)
    return made.replace("%H", "%I") if "%p" in made else made


def to_pattern(form: str) -> str:
    """Return the pattern of a format, or the format itself if it has other codes."""
    pattern = form.replace("%I", "%H")
    for token, code in CODES.items():
        pattern = pattern.replace(code, token)
    return form if "%" in pattern else pattern


def formats_like(sample: str) -> Iterator[tuple[str, str]]:
    """Yield each order of day, month and year, and a format in the style of a value.

    Args:
        sample: a value of the column. If it is not a date, the usual separators are
            used.
    """
    found = SAMPLE.fullmatch(sample.strip())
    sep, time, year = "/", "", "%Y"
    if found:
        sep = found["sep"]
        year = "%y" if len(found["year"]) == 2 and len(found["first"]) < 4 else "%Y"
        if found["time"]:
            seconds = ":%S" if found["time"].count(":") == 2 else ""
            time = f"{found['time'][0]}%H:%M{seconds}"
    yield DAY_FIRST, f"%d{sep}%m{sep}{year}{time}"
    yield MONTH_FIRST, f"%m{sep}%d{sep}{year}{time}"
    year_sep = sep if found and len(found["first"]) == 4 else "-"
    yield ISO, f"%Y{year_sep}%m{year_sep}%d{time}"
