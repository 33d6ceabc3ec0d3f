"""Load the cells of Excel workbooks."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _
from python_calamine import (
    CalamineWorkbook,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

from ...exceptions import SourceError


@dataclass(frozen=True)
class Merged:
    """A range of merged cells. Its numbers are counted from 0, and ends are included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True)
class Sheet:
    """The cells of a sheet.

    Attributes:
        rows: the values, from the first row and column of the sheet. Empty cells and
            those with errors are "".
        merged: the ranges of merged cells.
    """

    name: str
    rows: list[list[Any]]
    merged: list[Merged]


@dataclass(frozen=True)
class Sheets:
    """The names of the sheets of a workbook that contain data.

    Attributes:
        shown, hidden: the names of visible and of hidden sheets.
    """

    shown: tuple[str, ...]
    hidden: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return self.shown + self.hidden


# The sheet that was loaded last, by the path, the version and the name. Parsing a sheet
# is slow, and it is needed twice: to detect the options and to read the data.
_kept: dict[tuple[Any, ...], Sheet] = {}


def list_sheets(path: str | Path) -> Sheets:
    """Return the names of the sheets with data, or of all sheets if there is only one."""
    with load_workbook(str(path)) as workbook:
        names = {
            sheet.name: sheet.visible == SheetVisibleEnum.Visible
            for sheet in workbook.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        }
        if len(names) > 1:
            full = [name for name in names if workbook.get_sheet_by_name(name).height]
            names = {name: names[name] for name in full or names}
    return Sheets(
        tuple(name for name, is_shown in names.items() if is_shown),
        tuple(name for name, is_shown in names.items() if not is_shown),
    )


def load_sheet(path: str | Path, name: str, keep: bool = False) -> Sheet:
    """Return a sheet of a workbook.

    Args:
        keep: keep it in memory until the next call for the same sheet.

    Raises:
        SourceError: there is no sheet of this name.
    """
    status = Path(path).stat()
    key = str(path), name, status.st_mtime_ns, status.st_size
    sheet = _kept.pop(key, None)
    if sheet is None:
        with load_workbook(str(path)) as workbook:
            sheet = _load(workbook, name)
    _kept.clear()
    if keep:
        _kept[key] = sheet
    return sheet


def _load(workbook: CalamineWorkbook, name: str) -> Sheet:
    if name not in workbook.sheet_names:
        text = _("There is no sheet %(sheet)s. The sheets are %(sheets)s.")
        names = ", ".join(workbook.sheet_names)
        raise SourceError(text % {"sheet": name, "sheets": names[:1_000]})
    sheet = workbook.get_sheet_by_name(name)
    rows = sheet.to_python(skip_empty_area=False)
    ranges = sheet.merged_cell_ranges or []
    merged = [Merged(*start, *end) for start, end in ranges]
    return Sheet(name, rows, [each for each in merged if each.top < len(rows)])
