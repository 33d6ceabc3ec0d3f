"""Find the lines of a CSV file that contain the names of its columns."""

import operator
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from ...formats import format_number
from ..doubts import Doubt
from .names import MISSING, are_years, names_row
from .separators import (
    EVEN,
    FEW,
    Row,
    are_values,
    is_value,
    share_of_usual,
    usual_width,
)


@dataclass
class Header:
    """The header that was found.

    Attributes:
        lines, skip_rows: see ``ImportOptions``.
        rows: the rows below it.
        doubts: questions about it.
    """

    lines: tuple[int, ...] = (1,)
    skip_rows: int = 0
    rows: list[Row] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def find_header(
    rows: list[Row], sep: str, lines: list[str], count_lines: Callable[[], int]
) -> Header:
    """Find the header in the first rows of a file.

    Args:
        lines: the first lines of the file.
        count_lines: returns the number of lines of the whole file.
    """
    if not rows:
        return Header()
    values = [row for __, row in rows]
    width = usual_width([len(row) for row in values[1:]] or [len(values[0])])
    # The header may end with a separator that the lines below it do not have.
    whole = rows
    rows = [(line, row if any(row[width:]) else row[:width]) for line, row in rows]
    values = [row for __, row in rows]
    has_count = _is_count(values, width, lambda: count_lines() - rows[0][0])
    if has_count:
        rows = rows[1:]
    rows = rows[_first_of_table([row for __, row in rows], width) :]
    line, first = rows[0]
    below = [row for __, row in rows[1:]]
    found = Header()
    has_less = len(first) == width - 1 and len(below) > 1
    if has_less and _needs_row_names(below, width):
        found.lines = (line,)
        are_quoted = all(lines[at - 1].startswith('"') for at, __ in rows)
        if not _are_row_names(below, sep, are_quoted):
            question = _(
                "Line %(line)s has one name fewer than the lines below it have values. "
                "Do their first values name the rows?"
            ) % {"line": format_number(line)}
            found.doubts.append(Doubt("header", question, (found.lines,)))
    elif has_count and any(map(is_value, first)):
        found.lines = ()
    else:
        found.lines = names_row(rows, found.doubts)
    if found.lines:
        _add_lower_rows(found, rows, width)
    else:
        found.skip_rows = line - 1
    found.rows = whole[len(whole) - len(rows) + len(found.lines) :]
    return found


def _add_lower_rows(found: Header, rows: list[Row], width: int) -> None:
    """Add the second row, and the third one, if they belong to the header."""
    values = [row for __, row in rows]
    is_second = _second(values, width)
    if is_second is None:
        return
    upper = found.lines
    found.lines = (*upper, rows[1][0])
    if not is_second:
        question = _(
            "Line %(line)s has text where the lines below it have numbers. Is it a part of "
            "the header?"
        ) % {"line": format_number(rows[1][0])}
        found.doubts.append(Doubt("header", question, (found.lines, upper)))
    # pandas writes the name of the index in a row of its own.
    is_unnamed = not values[0][0].strip() and not values[1][0].strip()
    if is_unnamed and values[2][0].strip() and not any(values[2][1:]):
        found.lines = (*found.lines, rows[2][0])


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
    columns = list(zip(*(each for each in below if len(each) == width), strict=True))
    are_titles = all(
        len(each) < width or _filled(each) < max(2, width // 2) for each in above
    )
    is_table = len(below) > 1 and share_of_usual(values[at:]) >= EVEN
    is_sure = width > 2 or any(map(are_values, columns))
    is_header = not any(map(is_value, row)) or are_years(row, columns)
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


def _are_row_names(rows: list[list[str]], sep: str, are_quoted: bool) -> bool:
    """Return whether the first values certainly name the rows.

    These are 1, 2, 3, ..., or different words, or different values that R has quoted.
    """
    names, *columns = zip(*rows, strict=True)
    are_unique = len(set(names)) == len(names)
    if are_quoted and are_unique:
        return True
    whole = [all(cell.isdecimal() for cell in cells) for cells in (names, *columns)]
    if sep == "," and any(map(operator.and_, whole, whole[1:])):
        # Adjacent integers can be the two parts of a number with a decimal comma.
        return False
    if list(names) == [str(number) for number in range(1, len(names) + 1)]:
        return True
    return are_unique and not any(map(is_value, names))


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
    pairs = set(zip(upper, lower, strict=False))
    is_repeated = len(set(upper[1:])) < len(upper) - 1 and len(pairs) == len(lower)
    return is_repeated or any(not cell.strip() for cell in upper[1:])
