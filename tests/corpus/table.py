"""A table that was read independently of django-dtale."""

from dataclasses import dataclass, field, replace
from typing import Any


@dataclass
class Table:
    """A table that was read independently.

    Attributes:
        names: the names of the columns.
        columns: the values of each column. None is a missing value.
        is_text: the values are texts, which a reader may convert.
        left_out: rows before the header, and rows that the options skip.
        any_names: the names of the columns are not in the file.
    """

    names: list[Any]
    columns: list[list[Any]]
    is_text: bool = False
    left_out: list[list[str]] = field(default_factory=list)
    any_names: bool = False

    def without_empty_columns(self) -> "Table":
        """Return the table without the columns that have no values."""
        kept = [
            at
            for at, column in enumerate(self.columns)
            if any(cell not in (None, "") for cell in column)
        ]
        return replace(
            self,
            names=[self.names[at] for at in kept],
            columns=[self.columns[at] for at in kept],
        )


class NotComparable(Exception):
    """There is no table that an independent library could return."""
