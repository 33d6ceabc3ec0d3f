"""Write the data of a frame as an Excel workbook.

openpyxl makes the workbook with an empty sheet. The rows are written here, because
openpyxl takes ten seconds for a million cells.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from typing import IO, Any
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import openpyxl
import pandas as pd
from django.utils.translation import gettext
from openpyxl.utils import get_column_letter

from ..exceptions import LimitExceeded
from ..formats import format_number
from .cells import parts, plain_values, safe_text

# Excel's limits. The first row has the names of the columns.
MAX_ROWS, MAX_COLUMNS, MAX_TEXT = 2**20 - 1, 2**14, 2**15 - 1
# Excel keeps 15 digits of a number.
MAX_INTEGER = 10**15
# Excel counts days from 1900, but takes that year for a leap year.
FIRST_DAY, DAY_ZERO = date(1900, 3, 1), date(1899, 12, 30).toordinal()
DAY, TIME, FRACTION = "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "yyyy-mm-dd hh:mm:ss.000"
SHEET = "xl/worksheets/sheet1.xml"
SHEET_DATA = rb"<sheetData ?/>|<sheetData>.*</sheetData>"
# XML has none of these characters. Excel writes them, and text that looks the same, as
# an escape sequence. Parsers would read a carriage return as a line feed.
UNUSUAL = re.compile(
    r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)"
)


def check_excel_size(rows: int, columns: int) -> None:
    """Refuse data that are too large for a sheet of Excel.

    Raises:
        LimitExceeded
    """
    if rows > MAX_ROWS:
        text = gettext(
            "An Excel sheet has at most %(limit)s rows below its header, and these are "
            "%(rows)s. Download them as CSV or Parquet, or filter the table."
        )
        sizes = {"limit": format_number(MAX_ROWS), "rows": format_number(rows)}
        raise LimitExceeded(text % sizes)
    if columns > MAX_COLUMNS:
        text = gettext(
            "An Excel sheet has at most %(limit)s columns, and these are %(columns)s. "
            "Download them as CSV or Parquet, or hide columns."
        )
        sizes = {"limit": format_number(MAX_COLUMNS), "columns": format_number(columns)}
        raise LimitExceeded(text % sizes)


def write_excel(
    file: IO[bytes],
    frame: pd.DataFrame,
    formats: Mapping[Any, str] | None = None,
    is_safe: bool = False,
) -> None:
    """Write a frame as a workbook with one sheet, in parts of some rows.

    Text is always written as text, never as a formula. Values that Excel cannot keep
    become text: integers with more than 15 digits, times with a time zone or with parts
    of a millisecond, and dates before March 1900.

    Args:
        formats: Excel's number formats of some columns.
        is_safe: whether text that begins like a formula gets an apostrophe.

    Raises:
        LimitExceeded: the frame or a text is too large for Excel.
    """
    check_excel_size(*frame.shape)
    chosen = [
        (formats or {}).get(name) or _format_of_dates(column)
        for name, column in frame.items()
    ]
    workbook, styles = _empty_workbook(chosen)
    letters = [get_column_letter(number + 1) for number in range(frame.shape[1])]
    with (
        ZipFile(workbook) as empty,
        ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in empty.namelist():
            if name != SHEET:
                archive.writestr(name, empty.read(name))
        before, after = re.split(SHEET_DATA, empty.read(SHEET), flags=re.DOTALL)
        with archive.open(SHEET, "w", force_zip64=True) as sheet:
            sheet.write(re.sub(rb"<dimension[^>]*>", b"", before) + b"<sheetData>")
            prepare: Callable[[Any], Any] = (
                safe_text if is_safe else lambda value: value
            )
            header = [[prepare(str(name))] for name in frame.columns]
            _write_rows(sheet, 1, letters, [""] * len(letters), header, frame.columns)
            number = 2
            for part in parts(frame):
                values = [plain_values(column) for _, column in part.items()]
                if is_safe:
                    values = [list(map(prepare, each)) for each in values]
                _write_rows(sheet, number, letters, styles, values, frame.columns)
                number += len(part)
            sheet.write(b"</sheetData>" + after)


def _empty_workbook(formats: Sequence[str | None]) -> tuple[BytesIO, list[str]]:
    """Return a workbook, and the attribute of cells with each of the number formats."""
    workbook = openpyxl.Workbook()
    numbers: dict[str | None, int] = {None: 0}
    for row, each in enumerate(dict.fromkeys(filter(None, formats)), 1):
        cell = workbook.active.cell(row, 1)
        cell.number_format = each
        numbers[each] = cell.style_id
    file = BytesIO()
    workbook.save(file)
    return file, [f' s="{numbers[each]}"' if each else "" for each in formats]


def _format_of_dates(column: pd.Series) -> str | None:
    """Return the shortest format that shows the dates of a column; None for others."""
    if column.dtype.kind != "M" or column.dt.tz is not None:
        return None
    dates = column.dropna()
    if (dates == dates.dt.floor("D")).all():
        return DAY
    return TIME if (dates == dates.dt.floor("s")).all() else FRACTION


def _write_rows(
    sheet: IO[bytes],
    first: int,
    letters: list[str],
    styles: list[str],
    columns: list[list[Any]],
    names: Sequence[Any],
) -> None:
    """Write the cells of some rows.

    Args:
        first: the number of the first row.
        columns: the values of each column.
    """
    cells = [
        _cells(values, first, letter, style, name)
        for letter, style, values, name in zip(
            letters, styles, columns, names, strict=True
        )
    ]
    rows = enumerate(zip(*cells, strict=True), first)
    text = "".join(f'<row r="{number}">{"".join(row)}</row>' for number, row in rows)
    sheet.write(text.encode())


def _cells(
    values: list[Any], first: int, letter: str, style: str, name: Any
) -> list[str]:
    types = set(map(type, values))
    # Most columns are of this kind, and this takes a fifth of the time.
    if types == {float} or (
        types == {int} and -MAX_INTEGER < min(values) <= max(values) < MAX_INTEGER
    ):
        return [
            f'<c r="{letter}{number}"{style}><v>{value}</v></c>'
            for number, value in enumerate(values, first)
        ]
    return [
        _cell(value, f'<c r="{letter}{number}"', style, name)
        for number, value in enumerate(values, first)
    ]


def _cell(value: Any, start: str, style: str, name: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return f'{start} t="b"><v>{value:d}</v></c>'
    if isinstance(value, float) or (
        isinstance(value, int) and abs(value) < MAX_INTEGER
    ):
        return f"{start}{style}><v>{value!r}</v></c>"
    if isinstance(value, date):
        if _fits(value):
            return f"{start}{style}><v>{_days(value)!r}</v></c>"
        value = value.isoformat()
    text = str(value)
    if (
        len(text) > MAX_TEXT // 2
        and len(text.encode("utf-16-le", "replace")) // 2 > MAX_TEXT
    ):
        message = gettext(
            "A cell of an Excel sheet has at most %(limit)s characters, and the column "
            "“%(column)s” contains a longer text. Download these data as CSV or Parquet."
        )
        limit = format_number(MAX_TEXT)
        raise LimitExceeded(message % {"limit": limit, "column": name})
    text = escape(UNUSUAL.sub(_escaped, text))
    return f'{start} t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _fits(value: Any) -> bool:
    """Return whether Excel can keep a date."""
    if not isinstance(value, datetime):
        return value >= FIRST_DAY
    is_exact = not (value.microsecond % 1000 or getattr(value, "nanosecond", 0))
    return value.tzinfo is None and value.date() >= FIRST_DAY and is_exact


def _days(value: Any) -> float:
    """Return the number with which Excel stores a date."""
    days = value.toordinal() - DAY_ZERO
    if not isinstance(value, datetime):
        return days
    seconds = value.hour * 3600 + value.minute * 60 + value.second
    return days + (seconds + value.microsecond / 1_000_000) / 86_400


def _escaped(match: re.Match[str]) -> str:
    return f"_x{ord(match[0]):04X}_"
