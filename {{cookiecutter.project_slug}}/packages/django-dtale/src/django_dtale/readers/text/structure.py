"""Detect the separator of a CSV file, and which of its lines are the header."""

import io
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..doubts import Doubt
from ..limits import check_columns
from ..options import ImportOptions
from .header import find_header
from .layout import LINE_END_TEXT, csv_rows
from .separators import (
    FEW,
    SEPARATORS,
    Row,
    is_value,
    numbered_rows,
    sniff_delimiter,
    text_below,
)

CELLS = 10_000  # Cells to examine, so that a wide file has fewer rows.
MIN_ROWS = 8

# Excel writes and reads this line.
SEP_LINE = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)


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
    numbered = numbered_rows(text, known, skipped)
    rows = list(itertools.islice(numbered, 1))
    if rows:
        width = len(rows[0][1])
        check_columns(width)
        rows += itertools.islice(numbered, max(MIN_ROWS, CELLS // width) - 1)
    found = Structure(sep, doubts=doubts)
    commented = _commented_header(text, skipped, rows, known)
    if given.header is None and commented:
        found.header, found.skip_rows = (commented,), skipped - commented
        found.rows = [values for __, values in rows]
    elif given.header is None:
        lines = LINE_END_TEXT.split(text)
        header = find_header(rows, sep, lines, count_lines)
        found.header, found.skip_rows = header.lines, header.skip_rows
        found.rows = [values for __, values in header.rows]
        doubts += header.doubts
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
