"""Doubts about the options of a file, and the error if no user can answer them."""

import contextlib
import dataclasses
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote_plus

from django.utils.translation import gettext as _

from ..exceptions import LineTooLong, SourceError
from .options import ImportOptions


@dataclass(frozen=True)
class Doubt:
    """An option that could not be detected with certainty.

    Attributes:
        option: a field of ``ImportOptions``, or "types." and the name of a column.
        text: the question that users see.
        values: the possible values, the most probable one first.
    """

    option: str
    text: str
    values: tuple[Any, ...] = ()

    def arguments(self) -> list[tuple[str, str]]:
        """Return the argument for each possible value: its name and its value.

        The value is empty if the argument is a flag.
        """
        return [self._argument(value) for value in self.values]

    def _argument(self, value: Any) -> tuple[str, str]:
        name, __, column = self.option.partition(".")
        if name == "types":
            return "type", f"{column}={value}"
        if name == "day_first":
            return ("day_first" if value else "month_first"), ""
        if name == "ragged":
            return "ragged", "" if value else "0"
        if name == "header":
            return ("header", ",".join(map(str, value))) if value else ("no_header", "")
        return name, "\\t" if value == "\t" else str(value)


@dataclass(frozen=True)
class Detection:
    """The options that were detected in a file.

    Attributes:
        options: the most probable ones, and those that were given.
        doubts: the questions that a user has to answer. If there are none, the options
            are certain.
        sheets: the names of the sheets of a workbook.
        members: the names of the files in an archive.
    """

    options: ImportOptions = field(default_factory=ImportOptions)
    doubts: tuple[Doubt, ...] = ()
    sheets: tuple[str, ...] = ()
    members: tuple[str, ...] = ()

    def probable(self) -> ImportOptions:
        """Return the options, with the most probable answer to each question."""
        options = self.options
        for doubt in self.doubts:
            is_field = not doubt.option.startswith("types.")
            if is_field and doubt.values and not options.is_given(doubt.option):
                answer: dict[str, Any] = {doubt.option: doubt.values[0]}
                options = options.updated(ImportOptions(**answer))
        return options

    def to_dict(self) -> dict[str, Any]:
        """Return the detection as values that JSON can represent."""
        return {
            "options": self.options.to_dict(),
            "doubts": [dataclasses.asdict(doubt) for doubt in self.doubts],
            "sheets": list(self.sheets),
            "members": list(self.members),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a detection from the result of ``to_dict``."""
        doubts = (
            Doubt(
                str(each["option"]),
                str(each["text"]),
                tuple(
                    tuple(value) if isinstance(value, list) else value
                    for value in each["values"]
                ),
            )
            for each in values["doubts"]
        )
        return cls(
            ImportOptions.from_dict(values["options"]),
            tuple(doubts),
            tuple(map(str, values["sheets"])),
            tuple(map(str, values["members"])),
        )


def refusal(name: str, doubts: Iterable[Doubt], style: str = "code") -> SourceError:
    """Return the error for a file with doubts if there is no user to ask.

    Args:
        name: the name of the file.
        style: how the message writes options: as "code", for a "command" or a "query".
    """
    texts = []
    for doubt in doubts:
        choices = [_written(argument, style) for argument in doubt.arguments()]
        last = choices.pop() if choices else ""
        if choices:
            last = _("%(first)s or %(last)s") % {
                "first": ", ".join(choices),
                "last": last,
            }
        texts.append(
            _("%(question)s Use %(options)s.")
            % {"question": doubt.text, "options": last}
            if last
            else doubt.text
        )
    return SourceError(
        _("%(file)s was not read, because it can be read in several ways.")
        % {"file": name}
        + " "
        + " ".join(texts)
    )


@contextlib.contextmanager
def ragged_named(style: str) -> Iterator[None]:
    """If a line is too long, name the option that accepts it.

    Args:
        style: see ``refusal``. A "page" has a checkbox for this option.
    """
    try:
        yield
    except LineTooLong as error:
        text = _("If the extra values are columns without names, use %(option)s.")
        if style == "page":
            text = _(
                "If the extra values are columns without names, choose this among the "
                "options."
            )
        option = _written(("ragged", ""), style)
        raise SourceError(f"{error} {text % {'option': option}}") from None


def _written(argument: tuple[str, str], style: str) -> str:
    name, value = argument
    if style == "query":
        return f"?{name}={quote_plus(value) if value or name == 'quote' else 1}"
    if style == "command":
        option = f"--{name.replace('_', '-')}"
        is_flag = not value and name not in ("quote", "thousands")
        return option if is_flag else f"{option} {shlex.quote(value)}"
    flags: dict[str, tuple[str, Any]] = {
        "no_header": ("header", ()),
        "ragged": ("ragged", True),
        "day_first": ("day_first", True),
        "month_first": ("day_first", False),
    }
    if name == "header":
        return f"header=({value},)"
    if name == "type":
        column, __, kind = value.rpartition("=")
        return f"types={ {column: kind} }"
    name, code = flags.get(name, (name, value))
    return f"{name}={code!r}"
