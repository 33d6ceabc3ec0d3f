"""Detect the decimal mark, the mark between thousands, and the order of dates."""

import functools
import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow.compute as pc
from django.utils.translation import gettext as _

from ..doubts import Doubt
from ..inference import NULL_VALUES
from .parts import Source, read_any

NULL_WORDS = set(NULL_VALUES.to_pylist())
# A column is examined if at least this share of its values are numbers.
NUMERIC = 0.8

NUMBER = re.compile(r"[+-]?(?=[.,']?\d)[\d.,' \u00a0\u202f]*([eE][+-]?\d+)? ?%?")
MARK = re.compile("[0-9][.,'\u00a0\u202f ][0-9]|[.,][0-9]")
SIGN = r"[+-]?"
# Numbers that can be read in one way only.
POINT = re.compile(rf"{SIGN}(\d*\.(\d{{1,2}}|\d{{4,}})|0?\.\d+|\d{{4,}}\.\d+)")
COMMA = re.compile(
    rf"{SIGN}((\d+,(\d{{1,2}}|\d{{4,}})|0?,\d+|\d{{4,}},\d+)|\d{{1,3}}(\.\d{{3}})+,\d+)"
)
POINTS = re.compile(rf"{SIGN}\d{{1,3}}(\.\d{{3}}){{2,}}(,\d+)?")
COMMAS = re.compile(rf"{SIGN}\d{{1,3}}(,\d{{3}})+\.\d+|{SIGN}\d{{1,3}}(,\d{{3}}){{2,}}")
# Numbers that can be read in two ways.
ONE_POINT = re.compile(rf"{SIGN}[1-9]\d{{0,2}}\.\d{{3}}")
ONE_COMMA = re.compile(rf"{SIGN}[1-9]\d{{0,2}},\d{{3}}")
APOSTROPHES = re.compile(rf"{SIGN}\d{{1,3}}('\d{{3}})+([.,]\d+)?")
# A plain space can be part of a code, such as a telephone number.
SPACES = re.compile(
    rf"{SIGN}\d{{1,3}}(([\u00a0\u202f]\d{{3}})+([.,]\d+)?|( \d{{3}})+[.,]\d+)"
)
# A text without this contains no such number. Searching it is faster.
NEEDED = {
    **dict.fromkeys([COMMA, COMMAS, ONE_COMMA], re.compile(",")),
    POINTS: re.compile(r"\.\d{3}\."),
    APOSTROPHES: re.compile("'"),
    SPACES: re.compile("[ \u00a0\u202f]"),
}
DECIDES_POINT = r"\.([0-9]{1,2}|[0-9]{4,})$|^[+-]?0?\.|^[+-]?[0-9]{4,}\.|[eE]"

DATE = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2\d{4}( .*)?")
DAY_FIRST = r"^(1[3-9]|[23][0-9])[/-]"
MONTH_FIRST = r"^[0-9]{1,2}[/-](1[3-9]|[23][0-9])[/-]"


@dataclass(frozen=True)
class Marks:
    """The decimal mark and the mark between thousands.

    Attributes:
        decimal, thousands: the most probable ones.
        doubt: set if they are not certain.
        undecided: the positions of columns whose later values can remove the doubt.
    """

    decimal: str
    thousands: str
    doubt: Doubt | None = None
    undecided: tuple[int, ...] = ()


def detect_marks(
    columns: Sequence[Sequence[str]], sep: str, decimal: str | None = None
) -> Marks:
    """Detect the marks in the first values of each column.

    Args:
        decimal: the decimal mark, if it is known.
    """
    text = "\n".join(itertools.chain.from_iterable(columns))

    @functools.cache
    def numbers(at):
        return _numbers(columns[at]) if MARK.search(" ".join(columns[at])) else []

    def places(pattern):
        if NEEDED.get(pattern, MARK).search(text):
            for at in range(len(columns)):
                if any(map(pattern.fullmatch, numbers(at))):
                    yield at

    def occurs(pattern):
        return any(True for __ in places(pattern))

    commas, one_comma = occurs(COMMAS), occurs(ONE_COMMA)
    other = " " if occurs(SPACES) else "'" if occurs(APOSTROPHES) else ""
    # The mark between thousands for each decimal mark.
    thousands = {
        ".": other or ("," if commas or one_comma else ""),
        ",": other or ".",
    }
    if decimal:
        return Marks(decimal, thousands[decimal])
    is_point = commas or occurs(POINT)
    is_comma = occurs(COMMA) or occurs(POINTS)
    if is_point and is_comma:
        question = _("Some numbers contain a point, others a comma.")
        return Marks(".", thousands["."], Doubt("decimal", question, (".", ",")))
    if is_comma:
        return Marks(",", thousands[","])
    one_point = () if is_point or sep == "," else tuple(places(ONE_POINT))
    if is_point or sep == "," or not (one_comma or one_point):
        return Marks(".", thousands["."])
    number, values = ("1,234", (".", ",")) if one_comma else ("1.234", (",", "."))
    question = _(
        "Does %(number)s mean one thousand two hundred and thirty-four, or a little more "
        "than one?"
    ) % {"number": number}
    undecided = () if one_comma else one_point
    doubt = Doubt("decimal", question, values)
    return Marks(values[0], thousands[values[0]], doubt, undecided)


def _numbers(cells: Sequence[str]) -> list[str]:
    """Return the values of a column without spaces around them, if most are numbers."""
    stripped = [cell.strip() for cell in cells]
    values = [cell for cell in stripped if cell not in NULL_WORDS]
    count = sum(map(bool, map(NUMBER.fullmatch, values)))
    return values if count >= NUMERIC * len(values) else []


def has_decimal_point(source: Source, columns: list[int]) -> bool:
    """Return whether a later value of a column shows that a point is the decimal mark."""
    for table in read_any(source, columns):
        for column in table.columns:
            if pc.any(pc.match_substring_regex(column, DECIDES_POINT)).as_py():
                return True
    return False


# Dates --------------------------------------------------------------------------------


def date_columns(columns: Sequence[Sequence[str]]) -> tuple[list[int], int | None]:
    """Return the positions of columns of dates such as 01/02/2026.

    The second result is the position of a column that can be read in two ways.
    """
    found, doubtful = [], None
    for at, column in enumerate(columns):
        first = next((cell for cell in column if cell not in NULL_WORDS), "")
        if not ("/" in first or "-" in first):
            continue
        values = [cell for cell in column if cell not in NULL_WORDS]
        matches = [DATE.fullmatch(cell.strip()) for cell in values]
        if not all(matches):
            continue
        found.append(at)
        pairs = [(int(match[1]), int(match[3])) for match in matches if match]
        is_open = all(max(pair) <= 12 for pair in pairs)
        if doubtful is None and is_open and any(day != month for day, month in pairs):
            doubtful = at
    return found, doubtful


def date_order(source: Source, columns: list[int]) -> bool | None:
    """Return whether dates in a file have the day before the month.

    The result is None if no value shows it, or if the columns differ.
    """
    orders = set()
    left = list(columns)
    for table in read_any(source, columns):
        for at in list(left):
            texts = pc.utf8_trim_whitespace(table.column(str(at)))
            for pattern, order in ((DAY_FIRST, True), (MONTH_FIRST, False)):
                if pc.any(pc.match_substring_regex(texts, pattern)).as_py():
                    orders.add(order)
                    left.remove(at) if at in left else None
        if not left:
            break
    return orders.pop() if len(orders) == 1 else None


def first_difference(column: Iterable[str]) -> str:
    """Return the first date of a column that can be read in two ways."""
    matches = (match for cell in column if (match := DATE.fullmatch(cell.strip())))
    return next(match[0] for match in matches if int(match[1]) != int(match[3]))
