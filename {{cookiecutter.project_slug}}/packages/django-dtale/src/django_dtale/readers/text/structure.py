"""Detect the separator of a CSV file, and which of its lines are the header."""

import io
import itertools
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ...formats import format_number
from ..doubts import Doubt
from ..inference import NULL_VALUES
from ..limits import check_columns
from ..options import ImportOptions
from .layout import csv_rows
from .separators import (
    EVEN,
    FEW,
    SEPARATORS,
    Row,
    are_values,
    is_value,
    numbered_rows,
    share_of_usual,
    sniff_delimiter,
    text_below,
    usual_width,
)

CELLS = 10_000  # Cells to examine, so that a wide file has fewer rows.
MIN_ROWS = 8

# Excel writes and reads this line.
SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)
MISSING = {"-", ".", "..", "?", *NULL_VALUES.to_pylist()}
FRACTION = re.compile(r"\d\.\d")
YEAR = re.compile(r"(19|20)\d\d")


@dataclass
class Structure:
    """The structure that was detected.

    Attributes:
        rows: the first rows of the data.
    """

    sep: str
    header: tuple[int, ...] = (1,)
    skip_rows: int = 0
    rows: list[list[str]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def detect_structure(
    text: str, given: ImportOptions, count_lines: Callable[[], int]
) -> Structure:
    """Detect the separator and the header in the beginning of a file.

    Args:
        given: options that are known.
        count_lines: returns the number of lines of the whole file.
    """
    skipped, sep = 0, given.sep
    if (mark := SEP_LINE.match(text)) and mark[1] not in "\r\n":
        skipped, sep = 1, sep or mark[1]
    skipped += _comments(text, skipped)
    doubts: list[Doubt] = []
    if sep is None:
        sep = sniff_delimiter(text_below(text, skipped), doubts, given)
    known = ImportOptions(sep=sep, quote=given.quote)
    rows = list(numbered_rows(text, known, skipped))
    if rows:
        width = len(rows[0][1])
        check_columns(width)
        rows = rows[: max(MIN_ROWS, CELLS // width)]
    found = Structure(sep, doubts=doubts)
    commented = _commented_header(text, skipped, rows, known)
    if given.header is None and commented:
        found.header, found.skip_rows = (commented,), skipped - commented
        found.rows = [values for __, values in rows]
    elif given.header is None:
        _find_header(found, rows, count_lines)
    else:
        found.header = given.header
        last = max(given.header, default=0) + (given.skip_rows or 0)
        found.rows = [values for line, values in rows if line > last]
    return found


def _comments(text: str, skipped: int) -> int:
    """Return the number of lines with comments at the beginning of the text."""
    lines = list(itertools.islice(io.StringIO(text_below(text, skipped)), FEW))
    count = 0
    while count < len(lines) and lines[count].startswith("#"):
        count += 1
    # A single line with a comment can be the header.
    is_header = count == 1 and _is_like(lines[0], lines[1:3])
    return 0 if is_header else count


def _commented_header(
    text: str, skipped: int, rows: list[Row], options: ImportOptions
) -> int | None:
    """Return the number of a line with a comment that names the columns of values."""
    if not rows or not any(map(is_value, rows[0][1])):
        return None
    lines = itertools.islice(io.StringIO(text), skipped)
    for number, line in enumerate(lines, 1):
        names: list[str] = next(csv_rows([line], options), [])
        if line.startswith("#") and len(names) == len(rows[0][1]) > 1:
            return number
    return None


def _is_like(line: str, others: list[str]) -> bool:
    """Return whether a line has as many values as all others, and more than one."""
    return any(
        sep in line and {each.count(sep) for each in others} == {line.count(sep)}
        for sep in SEPARATORS
    )


# The header ---------------------------------------------------------------------------


def _find_header(
    found: Structure, rows: list[Row], count_lines: Callable[[], int]
) -> None:
    """Set the header and the rows of a structure."""
    if not rows:
        return
    values = [row for __, row in rows]
    width = usual_width([len(row) for row in values[1:]] or [len(values[0])])
    has_count = _is_count(values, width, lambda: count_lines() - rows[0][0])
    if has_count:
        rows, values = rows[1:], values[1:]
    at = _first_of_table(values, width)
    has_less = len(values[at]) == width - 1 and len(values) > 2
    if has_less and not found.doubts and _needs_row_names(values[at + 1 :], width):
        found.header = (rows[at][0],)
        if not _are_row_names(values[at + 1 :], found.sep):
            question = _(
                "Line %(line)s has one name fewer than the lines below it have values. "
                "Do their first values name the rows?"
            ) % {"line": format_number(rows[at][0])}
            found.doubts.append(Doubt("header", question, (found.header,)))
    elif has_count and any(map(is_value, values[at])):
        found.header = ()
    else:
        found.header = _header(rows[at:], found.doubts)
    below = at
    if found.header:
        second = _second(values[at:], width)
        if second is not None and len(rows) > at + 1:
            found.header = (rows[at][0], rows[at + 1][0])
            below += 1
            if not second:
                question = _(
                    "Line %(line)s has text where the lines below it have numbers. Is it "
                    "a part of the header?"
                ) % {"line": format_number(rows[at + 1][0])}
                values_ = (found.header, found.header[:1])
                found.doubts.append(Doubt("header", question, values_))
        below += 1
    else:
        found.skip_rows = rows[at][0] - 1
    found.rows = values[below:]


def _first_of_table(values: list[list[str]], width: int) -> int:
    """Return the position of the first row below titles and other lines."""
    for at, row in enumerate(values[: FEW + 1]):
        is_wide = len(row) == width and _filled(row) >= max(2, (width + 1) // 2)
        if at == 0 and (is_wide or (len(row) == width - 1 and _filled(row) > 1)):
            return 0
        if is_wide:
            return _first_of_header(values, at, width)
    return 0


def _first_of_header(values: list[list[str]], at: int, width: int) -> int:
    """Return the position of the first header row if ``at`` is the last one, else 0."""
    above, row, below = values[:at], values[at], values[at + 1 :]
    columns = zip(*(each for each in below if len(each) == width), strict=True)
    are_titles = all(
        len(each) < width or _filled(each) < max(2, width // 2) for each in above
    )
    is_table = len(below) > 1 and share_of_usual(values[at:]) >= EVEN
    is_sure = width > 2 or any(map(are_values, columns))
    is_header = not any(map(is_value, row)) or _are_years(row, below)
    if not (are_titles and is_table and is_sure and is_header):
        return 0
    # A row that does not begin with a name continues in the header's last row.
    last = above[-1]
    return at - 1 if len(last) == width and not last[0] and _filled(last) else at


def _filled(row: list[str]) -> int:
    return len([cell for cell in row if cell not in ("", " ")])


def _is_count(
    values: list[list[str]], width: int, count_lines: Callable[[], int]
) -> bool:
    """Return whether the first row contains the numbers of rows and columns.

    The files of scikit-learn have such a row: 150,4,setosa,versicolor,virginica.
    """
    first = values[0]
    if len(first) < 2 or not (first[0].isdecimal() and first[1].isdecimal()):
        return False
    rows, columns = int(first[0]), int(first[1])
    return (
        columns in (width, width - 1) and rows > 1 and rows <= count_lines() <= rows + 1
    )


def _needs_row_names(rows: list[list[str]], width: int) -> bool:
    is_even = all(len(row) == width for row in rows)
    return is_even and any(row[-1].strip() for row in rows)


def _are_row_names(rows: list[list[str]], sep: str) -> bool:
    """Return whether the first values are certainly 1, 2, 3, ... or different words."""
    columns = list(zip(*rows, strict=True))
    whole = [all(cell.isdecimal() for cell in cells) for cells in columns]
    if sep == "," and any(map(operator.and_, whole, whole[1:])):
        # Adjacent integers can be the two parts of a number with a decimal comma.
        return False
    names = columns[0]
    if list(names) == [str(number) for number in range(1, len(names) + 1)]:
        return True
    return len(set(names)) == len(names) and not any(map(is_value, names))


def _header(rows: list[Row], doubts: list[Doubt]) -> tuple[int, ...]:
    """Return whether the first row contains column names, not numbers and dates."""
    line, first = rows[0]
    if len(rows) < 2:
        return (line,)
    values = [at for at, cell in enumerate(first) if is_value(cell)]
    below = [row for __, row in rows[1:]]
    if not values or _are_years(first, below):
        return (line,)
    cells = [row[at] for row in below for at in values if at < len(row)]
    if not all(is_value(cell) for cell in cells if cell.strip()):
        return (line,)
    if len(values) == len(first) and _are_measures(first):
        return ()
    are_years = all(YEAR.fullmatch(first[at].strip()) for at in values)
    answers = [(line,), ()] if are_years else [(), (line,)]
    question = _("Does the first line contain the column names?")
    doubts.append(Doubt("header", question, tuple(answers)))
    return answers[0]


def _are_measures(row: list[str]) -> bool:
    """Return whether values have decimals, and are not sorted like those of a scale."""
    if not any(FRACTION.search(cell) for cell in row):
        return False
    try:
        numbers = [float(cell) for cell in row]
    except ValueError:
        return False
    return len(row) < 3 or sorted(numbers) not in (numbers, numbers[::-1])


def _are_years(row: list[str], below: list[list[str]]) -> bool:
    """Return whether the values of a row are successive years above other values."""
    places = [at for at, cell in enumerate(row) if is_value(cell)]
    years = [row[at].strip() for at in places]
    if len(years) < 2 or not all(map(YEAR.fullmatch, years)):
        return False
    steps = {int(b) - int(a) for a, b in itertools.pairwise(years)}
    cells = [each[at] for each in below for at in places if at < len(each)]
    are_other = any(cell.strip() and not YEAR.fullmatch(cell.strip()) for cell in cells)
    return len(steps) == 1 and 0 not in steps and are_other


def _second(values: list[list[str]], width: int) -> bool | None:
    """Return whether the second row is certainly a part of the header.

    The result is False if this is uncertain, and None if the row is not a part of it.
    """
    if len(values) < 4 or len(values[1]) != width:
        return None
    upper, lower, *rows = values
    if any(map(is_value, lower)) or _filled(lower) < max(2, (width + 1) // 2):
        return None
    columns = zip(*(row for row in rows if len(row) == width), strict=False)
    numeric = [at for at, cells in enumerate(columns) if are_values(cells)]
    if len(numeric) < 2 or not all(lower[at].strip() for at in numeric):
        return None
    if any(lower[at].strip() in MISSING for at in numeric):
        return None
    return any(not cell.strip() for cell in upper[1:])
