"""Read a part of a table that may be larger than memory, and say that it is a part."""

import sys
from collections.abc import Callable
from typing import Any, Protocol

import pandas as pd
from django.db.models import QuerySet
from django.utils.translation import gettext
from pyarrow import dataset

from ...compat.notes import add_note
from ...conf import dtale_settings
from ...formats import format_number
from ..limits import check_columns
from .databases import QuerySetTable, SqlTable
from .engines import ArrowDataset, DuckDBTable, IbisTable
from .sql import Sql


class Table(Protocol):
    """A table that its engine counts, limits and samples."""

    columns: int

    def count(self) -> int: ...
    def head(self, rows: int) -> pd.DataFrame: ...
    def sample(self, rows: int, total: int) -> pd.DataFrame: ...


def find_table(data: Any) -> Table | None:
    """Return how to read a part of data; None if the data are in memory."""
    if isinstance(data, QuerySet):
        return QuerySetTable(data)
    if isinstance(data, Sql):
        return SqlTable(data)
    if isinstance(data, dataset.Dataset):
        return ArrowDataset(data)
    for package, name, kind in OPTIONAL:
        if isinstance(data, getattr(sys.modules.get(package), name, ())):
            return kind(data)
    return None


OPTIONAL: list[tuple[str, str, Callable[[Any], Table]]] = [
    ("ibis", "Expr", IbisTable),
    ("duckdb", "DuckDBPyRelation", DuckDBTable),
]


def read_part(
    table: Table, limit: int | None = None, sample: bool = False
) -> pd.DataFrame:
    """Return rows of a table. If these are not all rows, a note says how many there are.

    Args:
        limit: the maximum number of rows. If it is None, a QuerySet is read completely,
            unless it is too large for a frame. Of other tables, and for samples, at
            most SOURCE_ROWS rows are read.
        sample: return random rows instead of the first ones.

    Raises:
        LimitExceeded: the table has too many columns.
    """
    check_columns(table.columns)
    limit = _limit(table, limit, sample)
    if sample:
        total = table.count()
        frame = table.sample(limit, total) if total > limit else table.head(limit)
    else:
        frame = table.head(limit)
        # A count can take long, so it is left out if all rows were read.
        total = table.count() if len(frame) == limit else len(frame)
    _note_part(frame, total, sample)
    return frame


def take_part(
    frame: pd.DataFrame, limit: int | None = None, sample: bool = False
) -> pd.DataFrame:
    """Return rows of a frame, with a note if these are not all rows."""
    if limit is None and sample:
        limit = dtale_settings.SOURCE_ROWS
    if limit is None or len(frame) <= limit:
        return frame
    part = frame.sample(limit) if sample else frame.head(limit)
    _note_part(part, len(frame), sample)
    return part


def _limit(table: Table, limit: int | None, sample: bool) -> int:
    most = dtale_settings.MAX_CELLS // max(table.columns, 1)
    if limit is None:
        limit = dtale_settings.SOURCE_ROWS
        if isinstance(table, QuerySetTable) and not sample:
            # To count groups, the database would have to find them twice.
            fits = table.is_grouped or table.count() <= most
            limit = most if fits else limit
    return min(limit, most)


def _note_part(frame: pd.DataFrame, total: int, is_sample: bool) -> None:
    if len(frame) >= total:
        return
    text = gettext("%(rows)s of %(total)s rows.")
    if is_sample:
        text = gettext("Random sample: %(rows)s of %(total)s rows.")
    rows = format_number(len(frame))
    add_note(frame, text % {"rows": rows, "total": format_number(total)})
