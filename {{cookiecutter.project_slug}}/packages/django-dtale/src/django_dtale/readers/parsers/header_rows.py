"""Find the rows of a sheet that contain the names of the columns."""

from dataclasses import dataclass
from typing import Any

from .sheets import Merged, Sheet

ROWS = 50  # Rows to look at.
YEARS = range(1800, 2200)


@dataclass(frozen=True)
class Header:
    """The rows with the column names.

    Attributes:
        rows: their numbers, counted from 1. Empty if no row contains names.
        others: other possible rows. The header is certain if there are none.
    """

    rows: tuple[int, ...]
    others: tuple[tuple[int, ...], ...] = ()


def find_header(sheet: Sheet) -> Header:
    """Return the probable header of a sheet."""
    full = {
        at: _filled(sheet, at)
        for at in range(min(ROWS, len(sheet.rows)))
        if any(cell != "" for cell in sheet.rows[at])
    }
    if not full:
        return Header((1,))
    first = next(iter(full))
    width = max(map(len, full.values()))
    # Titles and notes above a table have fewer cells than the table. The name of the
    # first column may be missing.
    leftmost = min(map(min, full.values()))
    start = next(
        at
        for at, columns in full.items()
        if 2 * len(columns) > width
        or (len(columns) == width - 1 and leftmost not in columns)
    )
    if not _are_names(sheet, start):
        if start != first:
            return Header((first + 1,), ((), (start + 1,)))
        below = [at for at in full if at > start]
        if below and _are_alike(sheet, start, below[0]):
            return Header((), ((start + 1,),))
        return Header((start + 1,))
    one, two = (start + 1,), (start + 1, start + 2)
    if any(len(columns) > 1 for at, columns in full.items() if at < start):
        if start - 1 in full and _are_names(sheet, start - 1):
            return Header((start, start + 1), (one, (first + 1,)))
        return Header(one, ((first + 1,),))
    if start + 1 not in full or not _are_names(sheet, start + 1):
        return Header(one)
    is_text = start + 2 in full and _are_names(sheet, start + 2)
    if _has_merged_names(sheet, start):
        return Header(two, (one,) if is_text else ())
    named = {column for column, cell in enumerate(sheet.rows[start]) if cell != ""}
    gaps = full[start + 1] - named - {leftmost}
    if not gaps or is_text or start + 2 not in full:
        return Header(one)
    return Header(two, (one, (start + 2,)))


def _filled(sheet: Sheet, at: int) -> set[int]:
    """Return the numbers of the columns with a value in a row.

    A value in merged cells counts for each of their columns. If it is the only value of
    its row, it is a title, and counts once.
    """
    columns = {column for column, cell in enumerate(sheet.rows[at]) if cell != ""}
    if len(columns) > 1:
        for each in _merged_in(sheet, at):
            columns.update(range(each.left, each.right + 1))
    return columns


def _merged_in(sheet: Sheet, at: int) -> list[Merged]:
    return [each for each in sheet.merged if each.top <= at <= each.bottom]


def _are_names(sheet: Sheet, at: int) -> bool:
    """Return whether all values of a row are text, or years."""
    values = [cell for cell in sheet.rows[at] if cell != ""]
    texts = [value for value in values if isinstance(value, str)]
    rest = [value for value in values if not isinstance(value, str)]
    return bool(texts) and all(
        isinstance(value, int | float) and value in YEARS for value in rest
    )


def _are_alike(sheet: Sheet, one: int, other: int) -> bool:
    """Return whether two rows have values of the same types."""
    pairs = zip(sheet.rows[one], sheet.rows[other], strict=False)
    return all(
        _kind(first) == _kind(second)
        for first, second in pairs
        if "" not in (first, second)
    )


def _kind(value: Any) -> type:
    return float if type(value) in (int, float) else type(value)


def _has_merged_names(sheet: Sheet, at: int) -> bool:
    """Return whether a row has merged cells, so that the next row has names, too."""
    return any(
        each.left < each.right or each.bottom > at for each in _merged_in(sheet, at)
    )
