"""The list of the tables of an upload, and the tables that the user has chosen."""

from collections import Counter
from dataclasses import dataclass

from django.http import QueryDict
from django.utils.translation import gettext, ngettext

from ...exceptions import SourceError
from ...formats import format_number, format_size
from ...readers.process.outline import Table
from .pending import PendingUpload


@dataclass(frozen=True)
class Row:
    """A table in the list.

    Attributes:
        number: its position in the upload.
        size: its rows and columns, or the size of its file, and whether it is hidden.
        doubts: questions that have to be answered before it is opened.
    """

    number: int
    title: str
    table: Table
    is_chosen: bool
    doubts: tuple[str, ...]

    @property
    def size(self) -> str:
        size = self._size()
        return (
            gettext("%(size)s, hidden") % {"size": size}
            if self.table.is_hidden
            else size
        )

    def _size(self) -> str:
        if self.table.rows is None or self.table.columns is None:
            return format_size(self.table.nbytes)
        rows, columns = self.table.rows, self.table.columns
        return gettext("%(rows)s × %(columns)s") % {
            "rows": ngettext("%(rows)s row", "%(rows)s rows", rows)
            % {"rows": format_number(rows)},
            "columns": ngettext("%(columns)s column", "%(columns)s columns", columns)
            % {"columns": format_number(columns)},
        }


class TableList:
    """The tables of an upload.

    Args:
        data: the submitted form, if any: ``table`` has the positions of the tables to
            open, and ``how`` is "one" to join them.

    Attributes:
        chosen: the positions of the tables to open.
        as_one: whether to join them into one table.
        can_join: whether two of them have the same columns.
    """

    def __init__(self, pending: PendingUpload, data: QueryDict | None = None) -> None:
        can_open = [
            number
            for number, (_, table) in enumerate(pending.tables)
            if not table.problem
        ]
        if data is None:
            # People who upload several files usually want to open all of them.
            self.chosen = can_open if len(pending.files) > 1 else can_open[:1]
        else:
            sent = data.getlist("table")
            self.chosen = [number for number in can_open if str(number) in sent]
        self.as_one = data is not None and data.get("how") == "one"
        self.rows = [
            Row(
                number,
                pending.title(number),
                table,
                number in self.chosen,
                () if number in pending.options else table.doubts,
            )
            for number, (_, table) in enumerate(pending.tables)
        ]
        keys = Counter(row.table.key for row in self.rows if row.table.key)
        self.can_join = max(keys.values(), default=0) > 1

    def check(self) -> None:
        """Check that tables were chosen, and can be opened.

        Raises:
            SourceError: none was chosen, or there are questions about one.
        """
        if not self.chosen:
            raise SourceError(gettext("Choose at least one table."))
        for row in self.rows:
            if row.is_chosen and row.doubts:
                text = gettext(
                    "%(table)s can be read in several ways: %(question)s Choose "
                    "“Preview” beside it to decide."
                )
                values = {"table": row.title, "question": row.doubts[0]}
                raise SourceError(text % values)
