"""Detect the separator of a CSV file in its first rows."""

import csv
import io
import itertools
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from ..doubts import Doubt
from ..options import ImportOptions
from .layout import csv_rows

ROWS = 200  # Rows to examine.
# If several are possible, the first one is used, because it is rarer in values.
SEPARATORS = "\t;|,"
FEW = 20  # The largest number of lines above a header.
EVEN = 0.9  # The least share of rows with as many values as there are columns.

LETTERS = string.ascii_letters
NUMBER = re.compile(r"[+-]?[.,]?(\d[\d., ]*)?\d([eE][+-]?\d+)? ?%?")
THOUSANDS = re.compile(r"\d{3}([.,]\d+)?")
DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*")

Row = tuple[int, list[str]]  # A row: the number of its first line, and its values.


def text_below(text: str, lines: int) -> str:
    """Return the text without its first lines."""
    for __ in range(lines):
        text = re.split(r"\r\n|\r|\n", text, maxsplit=1)[-1]
    return text


def numbered_rows(text: str, options: ImportOptions, skipped: int = 0) -> Iterator[Row]:
    """Yield the first rows of a text that are not empty, without its first lines."""
    rows = csv_rows(io.StringIO(text_below(text, skipped), newline=""), options)
    last = count = 0
    try:
        for row in rows:
            if row:
                yield skipped + last + 1, row
                count += 1
            if count == ROWS:
                return
            last = rows.line_num
    except csv.Error:  # After an unclosed quote, a value is over the field size limit.
        return


def sniff_delimiter(
    text: str,
    doubts: list[Doubt] | None = None,
    given: ImportOptions | None = None,
) -> str:
    """Return the separator of the CSV text at the beginning of a file.

    It is the character that splits all lines, or most lines below the first ones, into
    the same number of values, at least two. Without such a character, it is the one
    that splits the first line into the most values.

    Args:
        doubts: a doubt is added if several characters are possible.
        given: options that are known.
    """
    quote = given.quote if given else None
    counts = {sep: _widths(text, sep, quote) for sep in SEPARATORS}
    even = [sep for sep in SEPARATORS if len(set(counts[sep])) == 1]
    several = [sep for sep in even if counts[sep][0] > 1]
    if len(several) > 1 and doubts is not None:
        question = _("More than one character could be the separator.")
        doubts.append(Doubt("sep", question, tuple(several)))
    if several:
        return several[0]
    shares = {sep: share_of_usual(list(_rows(text, sep, quote))) for sep in SEPARATORS}
    best = max(SEPARATORS, key=shares.__getitem__)
    if shares[best] >= EVEN:
        return best
    if _are_spaced_numbers(text, quote):
        return " "
    # In a single column of text, commas do not separate values.
    return max(SEPARATORS, key=lambda sep: (counts[sep][:1], sep in even))


def _are_spaced_numbers(text: str, quote: str | None) -> bool:
    """Return whether single spaces separate columns of numbers.

    A space can also be a mark between thousands, or a part of a telephone number. So
    there must be decimals in several columns, or names above at least three.
    """
    options = ImportOptions(sep=" ", quote=quote)
    first, *rows = [row for __, row in numbered_rows(text, options)] or [[]]
    width = len(first)
    if width < 2 or len(rows) < 2 or {len(row) for row in rows} != {width}:
        return False
    if not all(map(all, rows)) or not all(map(are_values, zip(*rows, strict=True))):
        return False
    if all(THOUSANDS.fullmatch(cell) for row in rows for cell in row[1:]):
        return False
    are_names = width > 2 and all(cell[:1].isalpha() for cell in first)
    return are_names or any("." in cell for row in rows for cell in row)


def _rows(text: str, sep: str, quote: str | None) -> Iterator[list[str]]:
    return (row for __, row in numbered_rows(text, ImportOptions(sep=sep, quote=quote)))


def _widths(text: str, sep: str, quote: str | None) -> list[int]:
    """Return the number of values of each row.

    A row may have many values, so count the separators if there are no quotes.
    """
    lines = list(itertools.islice(_lines(text), ROWS))
    is_plain = quote == "" or (quote or '"') not in text
    if is_plain and max(map(len, lines), default=0) < csv.field_size_limit():
        return [line.count(sep) + 1 for line in lines]
    return [len(row) for row in _rows(text, sep, quote)]


def _lines(text):
    return (line for line in io.StringIO(text, newline="") if line.strip("\r\n"))


def share_of_usual(rows: list[list[str]]) -> float:
    """Return the share of rows of the usual width, below titles and above notes."""
    counts = list(map(len, rows))
    width = usual_width(counts)
    if width < 2:
        return 0
    first = counts.index(width)
    last = max(at for at, count in enumerate(counts) if count == width)
    usual = [row for row in rows[first:] if len(row) == width]
    if len(usual) < 2 or first > FEW:
        return 0
    # In ordinary text, most lines may contain one comma.
    if width == 2 and not any(map(are_values, zip(*usual[1:], strict=True))):
        return 0
    # There may be notes below the table.
    end = last + 1 if len(rows) - last < FEW else len(rows)
    return len(usual) / len(rows[first:end])


def usual_width(counts: list[int]) -> int:
    """Return the most frequent number of values. Of several, return the largest."""
    frequent = Counter(counts)
    return max(frequent, key=lambda width: (frequent[width], width), default=0)


def are_values(cells: Sequence[str]) -> bool:
    """Return whether all values of a column are numbers or dates."""
    values = [cell for cell in cells if cell.strip()]
    return bool(values) and all(map(is_value, values))


def is_value(cell: str) -> bool:
    """Return whether a text is a number or a date."""
    if not cell or cell[0] in LETTERS:
        return False
    cell = cell.strip()
    return bool(NUMBER.fullmatch(cell) or DATE.fullmatch(cell))
