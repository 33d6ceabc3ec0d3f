"""The header of a column in the preview of a file: a menu with types, and notices."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ...formats import format_number
from ...readers.process.outline import Column, Preview
from .date_patterns import DAY_FIRST, ISO, MONTH_FIRST, formats_like, to_pattern
from .import_form import FORMAT, OTHER_FORMAT, TYPE, ImportForm

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# The time and its zone stay as they are, with all digits.
DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?![0-9])")

KINDS = {
    "text": _("text"),
    "integer": _("whole number"),
    "number": _("number"),
    "date": _("date"),
    "boolean": _("yes or no"),
    "category": _("category"),
    "other": _("other values"),
}
ORDERS = {
    DAY_FIRST: _("Date, day first: %(pattern)s"),
    MONTH_FIRST: _("Date, month first: %(pattern)s"),
    ISO: _("Date, ISO: %(pattern)s"),
}


@dataclass(frozen=True)
class Choice:
    """An entry of the menu."""

    value: str
    label: str | Promise
    is_selected: bool


@dataclass(frozen=True)
class ColumnMenu:
    """The header of a column.

    Attributes:
        column: the column in the preview.
        type: the type that was chosen, empty for "automatic".
        value: the value of the menu.
        doubt: the question about the type of this column, if there is one.
    """

    column: Column
    type: str = ""
    value: str = ""
    doubt: str = ""

    @property
    def type_field(self) -> str:
        return TYPE + self.column.name

    @property
    def format_field(self) -> str:
        return FORMAT + self.column.name

    @property
    def has_other_format(self) -> bool:
        """Return whether the menu does not list the format of the dates."""
        return self.value not in {
            value for value, _label in self._choices() if value != OTHER_FORMAT
        }

    @property
    def pattern(self) -> str:
        """Return the format of the dates as a pattern such as DD.MM.YYYY."""
        return to_pattern(self.type.partition(":")[2])

    def choices(self) -> Iterator[Choice]:
        """Yield the entries of the menu."""
        selected = OTHER_FORMAT if self.has_other_format else self.value
        for value, label in self._choices():
            yield Choice(value, label, value == selected)

    def _choices(self) -> Iterator[tuple[str, str | Promise]]:
        # If a type was chosen, the type that would be detected is not known.
        if self.type:
            yield "", _("Automatic")
        else:
            yield "", gettext("Automatic (%(kind)s)") % {"kind": KINDS[self.kind]}
        yield "text", _("Text")
        yield "integer", _("Whole number")
        yield "number", _("Number")
        for order, form in formats_like(self.column.sample):
            yield f"date:{form}", ORDERS[order] % {"pattern": to_pattern(form)}
        yield "date", _("Date, any usual format")
        yield OTHER_FORMAT, _("Date, other format …")
        yield "boolean", _("Yes or no")
        yield "category", _("Category")

    @property
    def kind(self) -> str:
        kind = self.column.kind
        return kind if kind in KINDS else "other"

    def misfits(self) -> str:
        """Return a sentence about the values that do not fit, or an empty text."""
        count, line = self.column.misfits, self.column.line
        if not count:
            return ""
        numbers = {"count": format_number(count)}
        what = MISFITS[self.type.partition(":")[0]](count) % numbers
        if line:
            text = gettext(
                "%(what)s The first is “%(value)s” in line %(line)s. Such values would "
                "be missing. Choose Text to keep them."
            )
        else:
            text = gettext(
                "%(what)s The first is “%(value)s”. Such values would be missing. "
                "Choose Text to keep them."
            )
        value = self.column.misfit
        return text % {"what": what, "value": value, "line": format_number(line)}


MISFITS = {
    "integer": lambda count: ngettext(
        "%(count)s value is not a whole number.",
        "%(count)s values are not whole numbers.",
        count,
    ),
    "number": lambda count: ngettext(
        "%(count)s value is not a number.", "%(count)s values are not numbers.", count
    ),
    "date": lambda count: ngettext(
        "%(count)s value is not a date of this format.",
        "%(count)s values are not dates of this format.",
        count,
    ),
    "boolean": lambda count: ngettext(
        "%(count)s value is neither yes nor no.",
        "%(count)s values are neither yes nor no.",
        count,
    ),
}


def column_menus(
    preview: Preview, form: ImportForm, doubts: Mapping[str, str]
) -> list[ColumnMenu]:
    """Return the headers of all columns in a preview.

    Args:
        doubts: see ``doubts_by_field``.
    """
    return [
        ColumnMenu(
            each,
            form.types.get(each.name, ""),
            form.menus.get(each.name, ""),
            doubts.get(TYPE + each.name, ""),
        )
        for each in preview.columns
    ]


@dataclass(frozen=True)
class Cell:
    """A cell of a preview.

    Attributes:
        text: a number or a date in the formats of the user's language. The text of a
            misfit is the original text of the file.
        original: the text of the file if the page shows another one, else empty.
    """

    text: str
    original: str = ""
    is_misfit: bool = False
    is_number: bool = False


def cells(preview: Preview) -> Iterator[list[Cell]]:
    """Yield the rows of a preview."""
    kinds = [column.kind for column in preview.columns]
    for row, originals in zip(preview.rows, preview.originals, strict=False):
        yield [_cell(*each) for each in zip(row, originals, kinds, strict=False)]


def _cell(cell: str | list[str], original: str, kind: str) -> Cell:
    is_number = kind in ("integer", "number")
    if isinstance(cell, list):
        return Cell(cell[0], is_misfit=True, is_number=is_number)
    text = cell
    if is_number and NUMBER.fullmatch(cell):
        text = number_format(cell)
    elif kind == "date":
        text = DATE.sub(_date_text, cell)
    return Cell(text, original if original != text else "", is_number=is_number)


def _date_text(found: re.Match[str]) -> str:
    """Return a date with the name of its month, so that it cannot be misread."""
    try:
        return date_format(date.fromisoformat(found[0]), "DATE_FORMAT")
    except ValueError:
        return found[0]


def caption(preview: Preview) -> str:
    """Return a sentence that says which rows and columns a preview shows."""
    shown, rows = len(preview.rows), preview.total_rows
    numbers = {"shown": format_number(shown), "rows": format_number(rows or 0)}
    if rows is None:
        text = gettext(
            "The first %(shown)s rows. Only the beginning of the file was read for this "
            "preview."
        )
    elif shown < rows:
        text = gettext("The first %(shown)s of %(rows)s rows")
    else:
        text = ngettext("%(rows)s row", "%(rows)s rows", rows)
    text = text % numbers
    if len(preview.columns) == preview.total_columns:
        return text
    more = gettext("%(rows)s, and the first %(shown)s of %(columns)s columns")
    return more % {
        "rows": text.removesuffix("."),
        "shown": format_number(len(preview.columns)),
        "columns": format_number(preview.total_columns),
    }
