"""The form in which users correct the import options of a file."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ...exceptions import InputRefused
from ...readers.doubts import Detection
from ...readers.options import ImportOptions
from .date_patterns import to_format

SEPARATORS = [
    (",", _("Comma: a,b")),
    (";", _("Semicolon: a;b")),
    ("\t", _("Tab")),
    ("|", _("Pipe: a|b")),
    (" ", _("Space: a b")),
    (":", _("Colon: a:b")),
]
ENCODINGS = [
    ("utf-8", "UTF-8"),
    ("utf-8-sig", _("UTF-8 with BOM")),
    ("utf-16", "UTF-16"),
    ("cp1252", _("Western European (Windows-1252)")),
    ("iso8859-15", _("Western European (ISO 8859-15)")),
    ("cp1250", _("Central European (Windows-1250)")),
    ("cp1251", _("Cyrillic (Windows-1251)")),
    ("cp1253", _("Greek (Windows-1253)")),
    ("cp1254", _("Turkish (Windows-1254)")),
    ("cp437", _("MS-DOS (437)")),
    ("cp850", _("MS-DOS (850)")),
    ("mac-roman", _("Western European (Macintosh)")),
    ("cp932", _("Japanese (Shift JIS)")),
    ("gb18030", _("Chinese (GB 18030)")),
    ("big5", _("Chinese (Big5)")),
    ("cp949", _("Korean")),
]
TEXT_FIELDS = (
    "sep decimal thousands encoding header day_first quote skip_rows skip_footer "
    "ragged null_values"
).split()
SHEET_FIELDS = "header skip_rows skip_footer null_values".split()
FIELDS = {
    **dict.fromkeys([".csv", ".tsv"], TEXT_FIELDS),
    **dict.fromkeys([".xlsx", ".xlsm", ".xls"], SHEET_FIELDS),
}
USUAL = {"sep", "decimal", "encoding", "header"}
TYPE, FORMAT = "types.", "format."  # Prefixes of the fields of a column.
OTHER_FORMAT = "other"
AUTOMATIC = "auto"  # Detect the mark between thousands, given the decimal mark.


class OpenChoiceField(forms.ChoiceField):
    """A menu that also accepts values that it does not list, such as detected ones."""

    def valid_value(self, value: str) -> bool:
        return True

    def clean(self, value: Any) -> str:
        # Do not strip a separator, which can be a space.
        return value if isinstance(value, str) and value else super().clean(value)


class NumbersField(forms.CharField):
    """Numbers of rows, counted from 1 and separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, (list, tuple)):
            return ", ".join(map(str, value))
        return value

    def to_python(self, value: Any) -> tuple[int, ...]:  # type: ignore[override]
        try:
            return tuple(int(part) for part in value.split(",") if part.strip())
        except ValueError:
            raise forms.ValidationError(
                gettext("Write row numbers, such as 3. Separate several with commas.")
            ) from None


class ImportForm(forms.Form):
    """Import options of a file.

    Args:
        name: the name of the file. Its extension determines which options the form has.
        detected, chosen: the options that were detected, and those that were chosen
            earlier, if the form has no data.

    Attributes:
        types: the types of columns, as in ``ImportOptions``.
        menus: the values of the menus, for columns with a menu.
    """

    sep = OpenChoiceField(label=_("Separator"), choices=SEPARATORS)
    decimal = forms.ChoiceField(
        label=_("Decimal mark"),
        choices=[(".", _("Point: 0.5")), (",", _("Comma: 0,5"))],
    )
    thousands = forms.ChoiceField(
        label=_("Thousands mark"),
        required=False,
        choices=[
            (AUTOMATIC, _("Automatic")),
            ("", _("None: 1000")),
            (",", _("Comma: 1,000")),
            (".", _("Point: 1.000")),
            (" ", _("Space: 1 000")),
            ("'", _("Apostrophe: 1'000")),
        ],
    )
    encoding = OpenChoiceField(label=_("Encoding"), choices=ENCODINGS)
    header = NumbersField(
        label=_("The header is in row"),
        required=False,
        help_text=_("Leave this empty if no row contains column names."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "size": 6}),
    )
    day_first = forms.TypedChoiceField(
        label=_("Dates such as 01/02/2026"),
        required=False,
        empty_value=None,
        coerce=lambda value: value == "True",
        choices=[
            ("", _("Automatic")),
            ("True", _("Day first: 1 February")),
            ("False", _("Month first: January 2")),
        ],
    )
    quote = OpenChoiceField(
        label=_("Quotation mark"),
        required=False,
        choices=[
            ('"', _('Double: "a"')),
            ("'", _("Single: 'a'")),
            ("", _("None")),
        ],
    )
    skip_rows = forms.IntegerField(
        label=_("Rows to skip after the header"), min_value=0, required=False
    )
    skip_footer = forms.IntegerField(
        label=_("Rows to skip at the end"), min_value=0, required=False
    )
    ragged = forms.BooleanField(
        label=_("Extra values are columns without names"), required=False
    )
    null_values = forms.CharField(
        label=_("Words that mean a missing value"),
        required=False,
        help_text=_(
            "Separate them with commas. If this is empty, words such as NA and N/A in "
            "columns of numbers and dates are missing values."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        name: str,
        detected: ImportOptions | None = None,
        chosen: ImportOptions | None = None,
    ) -> None:
        chosen = chosen or ImportOptions()
        initial = _initial((detected or ImportOptions()).updated(chosen))
        if chosen.thousands is None:
            initial["thousands"] = AUTOMATIC
        super().__init__(data, initial=initial)
        self.types = _types(data) if data else dict(initial.get("types", {}))
        self.menus = _menus(data) if data else self.types
        wanted = FIELDS.get(Path(name).suffix.lower(), [])
        self.fields = {each: self.fields[each] for each in wanted}
        for each in self:
            each.field.widget.attrs["aria-describedby"] = f"about-{each.name}"
            self._list_value(each)

    def _list_value(self, bound: forms.BoundField) -> None:
        """Add the current value of a menu to its choices."""
        field, value = bound.field, str(bound.value() or "")[:40]
        if isinstance(field, OpenChoiceField) and value:
            listed: Any = field.choices
            if value not in dict(listed):
                field.choices = [*listed, (value, value)]

    def add_doubts(self, doubts: Mapping[str, str]) -> None:
        """Set the attribute ``doubt`` of each field to the question about it."""
        for each in self:
            each.doubt = doubts.get(each.name, "")  # type: ignore[attr-defined]

    def usual(self) -> Iterator[forms.BoundField]:
        """Yield the fields that users often need, and those with a doubt."""
        return (field for field in self if self._is_usual(field))

    def rare(self) -> list[forms.BoundField]:
        """Return the other fields."""
        return [field for field in self if not self._is_usual(field)]

    def rare_have_errors(self) -> bool:
        """Return whether one of the other fields has an error."""
        return any(field.errors for field in self.rare())

    def _is_usual(self, field: forms.BoundField) -> bool:
        return field.name in USUAL or bool(getattr(field, "doubt", ""))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in list(cleaned):
            try:
                ImportOptions(**{name: self._option(name)})
            except InputRefused as error:
                self.add_error(name, str(error))
        try:
            self.import_options()
        except InputRefused as error:
            self.add_error(None, str(error))
        return cleaned

    def _option(self, name: str) -> Any:
        value = self.cleaned_data[name]
        if name == "thousands":
            return None if value == AUTOMATIC else value
        if name == "ragged":
            # Without a header, each line can have any number of values.
            return value or (False if self.cleaned_data.get("header") else None)
        if name == "null_values":
            words = tuple(word.strip() for word in value.split(","))
            return words if value.strip() else None
        return value

    def import_options(self) -> ImportOptions:
        """Return the options that were chosen."""
        chosen = {name: self._option(name) for name in self.cleaned_data}
        return ImportOptions(**chosen, types=self.types)


def doubts_by_field(detection: Detection) -> dict[str, str]:
    """Map fields to the questions that a detection has about them."""
    return {doubt.option: doubt.text for doubt in detection.doubts}


def _initial(options: ImportOptions) -> dict[str, Any]:
    initial = {"quote": '"', "header": (1,), **options.to_dict()}
    if options.null_values is not None:
        initial["null_values"] = ", ".join(options.null_values)
    return initial


def _menus(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of the menus of columns, by the names of the columns."""
    return {
        name.removeprefix(TYPE): value
        for name, value in data.items()
        if name.startswith(TYPE) and value
    }


def _types(data: Mapping[str, Any]) -> dict[str, str]:
    """Return the types that were chosen in the menus of columns."""
    types = _menus(data)
    for column, value in types.items():
        if value == OTHER_FORMAT:
            form = to_format(data.get(FORMAT + column, "").strip())
            types[column] = f"date:{form}" if form else "date"
    return types
