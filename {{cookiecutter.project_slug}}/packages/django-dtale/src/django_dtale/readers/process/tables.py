"""List the tables in a file: the sheets of a workbook, the members of an archive."""

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

from ...exceptions import FrameError
from ..detection import detect
from ..files import read_file
from ..options import ImportOptions
from ..parsers.sheets import list_sheets
from .outline import Table, columns_key

# Larger tables are listed only with the size of their file, as are tables that are
# reached after some seconds.
COUNT_BYTES = 16 << 20
COUNT_SECONDS = 5


def tables_in(
    path: str | Path, name: str, member: str | None, deadline: float
) -> Iterator[Table]:
    """Yield the tables in a file that is not an archive.

    Args:
        member: the name of the file in its archive, if there is one.
        deadline: the time, by ``time.monotonic``, after which no more rows are counted.
    """
    table = Table(name, member, nbytes=Path(path).stat().st_size)
    found = detect(path, name)
    if len(found.sheets) < 2:
        yield _described(table, path, deadline)
        return
    hidden = list_sheets(path).hidden
    for sheet in found.sheets:
        each = dataclasses.replace(table, sheet=sheet, is_hidden=sheet in hidden)
        yield _described(each, path, deadline)


def _described(table: Table, path: str | Path, deadline: float) -> Table:
    """Return a table with its size and the questions about it, or its problem."""
    found = detect(path, table.name, ImportOptions(sheet=table.sheet))
    doubts = tuple(doubt.text for doubt in found.doubts)
    table = dataclasses.replace(table, doubts=doubts)
    if table.nbytes > COUNT_BYTES or time.monotonic() > deadline:
        return table
    try:
        frame = read_file(path, found.options, name=table.name)
    except FrameError as error:
        return dataclasses.replace(table, problem="" if doubts else str(error))
    return dataclasses.replace(
        table,
        rows=frame.shape[0],
        columns=frame.shape[1],
        key=columns_key(frame.columns),
    )
