"""The messages from a reader to a page: a preview of a file, or a list of its tables.

Readers are not trusted: ``from_dict`` checks the types of all values.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Column:
    """A column in a preview.

    Attributes:
        name: the name of the column in the file.
        kind: the type that it will have: one of ``options.TYPES``, or "other".
        sample: its first value in the file.
        misfits: the number of values that do not fit the type that was chosen for it.
            They become missing.
        line: the number of the first line with such a value, 0 if it is not known.
        misfit: the first such value.
    """

    name: str
    kind: str
    sample: str = ""
    misfits: int = 0
    line: int = 0
    misfit: str = ""


@dataclass(frozen=True)
class Preview:
    """The first rows of a table, as they will be in the frame.

    Attributes:
        columns: the first columns.
        rows: the first rows. Each cell is the text that D-Tale would show, or a list
            with the original text if the value does not fit the column's type.
        originals: the texts of the file for the cells of ``rows``, empty where they are
            not known.
        total_columns: the number of all columns.
        total_rows: the number of all rows, or None if only the first were read.
        notes: sentences about what is converted or lost in reading.
        key: see ``Table``.
        problem: the reason why the whole file cannot be read with these options.
    """

    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[str | list[str], ...], ...] = ()
    total_columns: int = 0
    total_rows: int | None = None
    notes: tuple[str, ...] = ()
    key: str = ""
    problem: str = ""
    originals: tuple[tuple[str, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the preview as values that JSON can represent."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a preview from the result of ``to_dict``.

        Raises:
            LookupError, TypeError, ValueError: the values have other types.
        """
        columns = (
            Column(
                str(each["name"]),
                str(each["kind"]),
                str(each["sample"]),
                int(each["misfits"]),
                int(each["line"]),
                str(each["misfit"]),
            )
            for each in values["columns"]
        )
        return cls(
            tuple(columns),
            tuple(tuple(map(_cell, row)) for row in values["rows"]),
            int(values["total_columns"]),
            _or_none(int, values["total_rows"]),
            tuple(map(str, values["notes"])),
            str(values["key"]),
            str(values["problem"]),
            tuple(tuple(map(str, row)) for row in values["originals"]),
        )


def _cell(cell: Any) -> str | list[str]:
    return [str(cell[0])] if isinstance(cell, list) else str(cell)


@dataclass(frozen=True)
class Table:
    """A table in a file.

    Attributes:
        name: the name of the file that contains it: in an archive, that of the member.
        member, sheet: where it is, as in ``ImportOptions``.
        rows, columns: its size, or None if counting would take long.
        nbytes: the size of the file in bytes.
        key: equal for tables with the same columns; empty if the columns are not known.
        doubts: questions about how to read it.
        problem: the reason why it cannot be read.
        is_hidden: whether it is a hidden sheet.
    """

    name: str
    member: str | None = None
    sheet: str | None = None
    rows: int | None = None
    columns: int | None = None
    nbytes: int = 0
    key: str = ""
    doubts: tuple[str, ...] = ()
    problem: str = ""
    is_hidden: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the table as values that JSON can represent."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return a table from the result of ``to_dict``.

        Raises:
            LookupError, TypeError, ValueError: the values have other types.
        """
        return cls(
            str(values["name"]),
            _or_none(str, values["member"]),
            _or_none(str, values["sheet"]),
            _or_none(int, values["rows"]),
            _or_none(int, values["columns"]),
            int(values["nbytes"]),
            str(values["key"]),
            tuple(map(str, values["doubts"])),
            str(values["problem"]),
            bool(values["is_hidden"]),
        )


def _or_none(kind: type, value: Any) -> Any:
    return None if value is None else kind(value)


def columns_key(names: Iterable[object]) -> str:
    """Return a key that is the same for the same column names in any order."""
    text = json.dumps(sorted(map(str, names)))
    return hashlib.sha256(text.encode()).hexdigest()
