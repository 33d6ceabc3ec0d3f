"""The options with which a file is read.

They are the same for uploads, `manage.py explore`, pushes and code. The command and
queries write them as ``ARGUMENTS``, such as ``--day-first`` and ``?day_first=1``.
"""

import codecs
import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from django.utils.translation import gettext as _

from ..exceptions import InputRefused

DECIMAL_MARKS = ".", ","
THOUSANDS_MARKS = "", ",", ".", " ", "'"
TYPES = "text", "integer", "number", "date", "boolean", "category"
MAX_ROWS = 1_000  # The largest number of a header row, and of rows to skip.
# Codecs that are not encodings of files, or cannot decode a file in parts.
OTHER_CODECS = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}


@dataclass(frozen=True)
class ImportOptions:
    """The options of ``read_file``. It detects those that are None.

    Attributes:
        encoding: a name that Python knows.
        sep: the separator of CSV files.
        quote: the quotation mark of CSV files; empty if there is none.
        decimal: "." or ",".
        thousands: the mark between thousands; empty if there is none.
        header: the numbers of the rows with the column names, counted from 1. If it is
            empty, no row contains them.
        skip_rows: the number of rows to skip between the header and the data.
        skip_footer: the number of rows to skip at the end.
        ragged: whether lines of a CSV file may have more values than there are names.
            The extra values get columns without a name.
        day_first: whether 01/02/2026 is in February.
        null_values: the words that mean a missing value.
        sheet: the name of the sheet of a workbook.
        member: the name of the file in an archive.
        types: maps names of columns to one of ``TYPES``, or to a date format such as
            "date:%d/%m/%Y".
    """

    encoding: str | None = None
    sep: str | None = None
    quote: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    header: tuple[int, ...] | None = None
    skip_rows: int | None = None
    skip_footer: int | None = None
    ragged: bool | None = None
    day_first: bool | None = None
    null_values: tuple[str, ...] | None = None
    sheet: str | None = None
    member: str | None = None
    types: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, is_valid in VALID.items():
            value = getattr(self, name)
            if value is not None and not is_valid(value):
                raise InputRefused(
                    _("%(value)s is not a valid value of the option %(option)s.")
                    % {"value": repr(value)[:100], "option": name}
                )
        if self.thousands and self.thousands == self.decimal:
            raise InputRefused(
                _("The options decimal and thousands cannot have the same value.")
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the options that are set, as values that JSON can represent."""
        return {
            each.name: list(value) if isinstance(value, tuple) else value
            for each in dataclasses.fields(self)
            if (value := getattr(self, each.name)) is not None and value != {}
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return options from the result of ``to_dict``.

        Raises:
            InputRefused: there is no such option, or a value is not valid.
        """
        unknown = values.keys() - {each.name for each in dataclasses.fields(cls)}
        if unknown:
            raise InputRefused(
                _("There is no option %(option)s.") % {"option": min(unknown)[:100]}
            )
        made: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values.items()
        }
        return cls(**made)

    @classmethod
    def from_arguments(cls, given: Mapping[str, list[str]]) -> Self:
        """Return options from the arguments of a command or of a query.

        Args:
            given: maps ``ARGUMENTS`` to the values that were given for them.

        Raises:
            InputRefused: a value is not valid.
        """
        values: dict[str, Any] = {}
        for name, texts in given.items():
            last = texts[-1]
            if name == "no_header":
                values |= {"header": ()} if flag(name, last) else {}
            elif name == "header":
                values["header"] = tuple(_numbers(name, last))
            elif name == "ragged":
                values[name] = flag(name, last)
            elif name in ("day_first", "month_first"):
                values["day_first"] = flag(name, last) == (name == "day_first")
            elif name == "null_value":
                values["null_values"] = tuple(texts)
            elif name == "type":
                pairs = (text.rpartition("=") for text in texts)
                values["types"] = {column: kind for column, __, kind in pairs}
            elif name in ("skip_rows", "skip_footer"):
                [values[name]] = _numbers(name, last)[:1]
            else:
                values[name] = "\t" if (name, last) == ("sep", "\\t") else last
        return cls(**values)

    def updated(self, other: "ImportOptions") -> Self:
        """Return these options, overridden by those that are set in ``other``."""
        values = {
            each.name: value
            for each in dataclasses.fields(self)
            if (value := getattr(other, each.name)) is not None
        }
        return dataclasses.replace(
            self, **values | {"types": {**self.types, **other.types}}
        )

    def is_given(self, option: str) -> bool:
        """Return whether an option of a ``Doubt`` is set."""
        name, __, column = option.partition(".")
        if name == "types":
            return column in self.types
        return getattr(self, name) is not None


# The names of options on the command line (with hyphens) and in queries.
ARGUMENTS = (
    "encoding sep quote decimal thousands header no_header skip_rows skip_footer "
    "ragged day_first month_first null_value sheet member type"
).split()


# Values -------------------------------------------------------------------------------


def flag(name: str, text: str) -> bool:
    """Return whether an argument without a value, or with 1 or 0, is switched on.

    Raises:
        InputRefused: the value is another one.
    """
    values = {"": True, "1": True, "true": True, "0": False, "false": False}
    try:
        return values[text.lower()]
    except KeyError:
        raise InputRefused(
            _("%(value)s is not a valid value of the option %(option)s.")
            % {"value": repr(text)[:100], "option": name}
        ) from None


def _numbers(name: str, text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise InputRefused(
            _("%(value)s is not a valid value of the option %(option)s.")
            % {"value": repr(text)[:100], "option": name}
        ) from None


def _is_encoding(name: Any) -> bool:
    try:
        found = codecs.lookup(name)
    except (LookupError, TypeError, ValueError):
        return False
    is_text = getattr(found, "_is_text_encoding", True)
    return is_text and found.name.replace("-", "_") not in OTHER_CODECS


def _is_character(text: Any) -> bool:
    return isinstance(text, str) and len(text) == 1 and text not in "\r\n\0"


def _is_header(rows: Any) -> bool:
    are_rows = isinstance(rows, tuple) and all(_is_count(row) and row for row in rows)
    return are_rows and list(rows) == sorted(set(rows)) and len(rows) <= 10


def _is_count(number: Any) -> bool:
    return type(number) is int and 0 <= number <= MAX_ROWS


def _are_words(words: Any) -> bool:
    return isinstance(words, tuple) and all(isinstance(word, str) for word in words)


def _are_types(types: Any) -> bool:
    return isinstance(types, Mapping) and all(
        isinstance(name, str)
        and isinstance(kind, str)
        and (kind in TYPES or re.fullmatch(r"date:.*%.*", kind))
        for name, kind in types.items()
    )


VALID = {
    "encoding": _is_encoding,
    "sep": _is_character,
    "quote": lambda text: text == "" or _is_character(text),
    "decimal": DECIMAL_MARKS.__contains__,
    "thousands": THOUSANDS_MARKS.__contains__,
    "header": _is_header,
    "skip_rows": _is_count,
    "skip_footer": _is_count,
    "ragged": lambda value: isinstance(value, bool),
    "day_first": lambda value: isinstance(value, bool),
    "null_values": _are_words,
    "sheet": lambda name: isinstance(name, str),
    "member": lambda name: isinstance(name, str),
    "types": _are_types,
}
