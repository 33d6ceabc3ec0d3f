"""Read a sheet of an Excel workbook."""

import datetime
from collections.abc import Iterable
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from django.utils.translation import gettext as _

from ...compat.notes import add_note, format_columns
from ...formats import format_number
from ..limits import check_columns
from ..options import ImportOptions
from .error_cells import error_cells
from .header_rows import find_header
from .objects import array_of, join_columns
from .sheets import Sheet, list_sheets, load_sheet

MAX_INTEGER = 2**63  # Excel stores numbers as floats. Larger ones stay floats.


def read_excel(file: IO[bytes], options: ImportOptions | None = None) -> pd.DataFrame:
    """Read a sheet of a workbook, by default the first visible one with data."""
    options = options or ImportOptions()
    path: str = file.raw.name  # type: ignore[attr-defined]
    name = options.sheet
    sheet = load_sheet(path, list_sheets(path).names[0] if name is None else name)
    width = max(map(len, sheet.rows), default=0)
    check_columns(width)
    header = options.header
    if header is None:
        header = find_header(sheet).rows
    begin = _first_row(sheet, header) + (options.skip_rows or 0)
    end = max(begin, len(sheet.rows) - (options.skip_footer or 0))
    filled = _fill_merged(sheet, begin, end)
    names: dict[int, str] = {}  # Maps the numbers of columns to their names.
    columns: list[pa.ChunkedArray | pd.Series] = []
    for at, name in enumerate(_names(sheet, header, width)):
        cells = [row[at] for row in sheet.rows[begin:end]]
        values = _values(cells, options.null_values or ())
        if not name and all(value is None for value in values):
            continue  # There may be empty columns beside the table.
        names[at] = name or f"column_{at + 1}"
        columns.append(_column(values))
    if not names:
        return pd.DataFrame()
    frame = join_columns(list(names.values()), columns)
    above = sheet.rows[: min(header, default=1) - 1]
    if any(cell != "" for row in above for cell in row):
        text = _(
            "The rows above row %(row)s, which has the column names, were left out."
        )
        add_note(frame, text % {"row": format_number(header[0])})
    errors = error_cells(path, sheet.name)
    for text, noted in (
        (_("merged cells were filled with their text."), filled),
        (
            _("cells with errors, such as #DIV/0!, are missing values."),
            {column for row, column in errors if begin <= row < end},
        ),
    ):
        if noted & names.keys():
            shown = format_columns(names[at] for at in names if at in noted)
            add_note(frame, f"{shown}: {text}")
    return frame


def _first_row(sheet: Sheet, header: tuple[int, ...]) -> int:
    """Return the number of the first row of data, counted from 0.

    Empty rows below the header are left out, unless all rows are empty: their cells
    contain errors.
    """
    rows = range(max(header, default=0), len(sheet.rows))
    full = (at for at in rows if any(cell != "" for cell in sheet.rows[at]))
    return next(full, rows.start)


def _names(sheet: Sheet, header: tuple[int, ...], width: int) -> list[str]:
    """Return the names of the columns, which are empty for columns without a name."""
    parts: list[list[str]] = [[] for _column in range(width)]
    for number in header:
        if number > len(sheet.rows):
            continue
        texts = [_name(cell) for cell in sheet.rows[number - 1]]
        merged = [each for each in sheet.merged if each.top == number - 1]
        for each in merged:
            for at in range(each.left, min(each.right + 1, width)):
                texts[at] = texts[each.left]
        if (
            not merged and number != header[-1]
        ):  # A name spans the empty cells to its right.
            for at in range(1, width):
                texts[at] = texts[at] or texts[at - 1]
        for at, text in enumerate(texts):
            if text and text not in parts[at][-1:]:
                parts[at].append(text)
    return [" ".join(each) for each in parts]


def _name(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).removesuffix(" 00:00:00").split())


def _fill_merged(sheet: Sheet, begin: int, end: int) -> set[int]:
    """Fill merged cells that span rows, and return the numbers of their columns.

    Numbers are not repeated, because their sum would change.
    """
    columns = set()
    for each in sheet.merged:
        text = sheet.rows[each.top][each.left]
        if begin <= each.top < each.bottom and isinstance(text, str) and text:
            for at in range(each.top, min(each.bottom + 1, end)):
                sheet.rows[at][each.left] = text
            columns.add(each.left)
    return columns


def _values(cells: Iterable[Any], words: Iterable[str]) -> list[Any]:
    """Return cells as Python objects: whole numbers, and None for empty cells."""
    missing = {"", *words}
    has_words = len(missing) > 1
    values = []
    for cell in cells:
        if cell in missing:
            cell = None
        elif type(cell) is float:
            if cell.is_integer() and abs(cell) < MAX_INTEGER:
                cell = int(cell)
        elif type(cell) is datetime.date:
            cell = datetime.datetime(cell.year, cell.month, cell.day)
        values.append(None if has_words and str(cell) in missing else cell)
    return values


def _column(values: list[Any]) -> pa.ChunkedArray | pd.Series:
    array = array_of(values)
    if array is None:
        return pd.Series(values, dtype=object)
    return pa.chunked_array([array])
