"""Read a CSV file in parts, as tables of text."""

import contextlib
import csv
import functools
import io
import itertools
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from django.utils.translation import gettext as _

from ...exceptions import LineTooLong
from ...formats import format_number
from ..limits import check_columns
from ..options import ImportOptions
from .layout import BLOCK, Layout, Section, csv_rows, find_layout, numbered

TEXT = pa.string()
PART = 1 << 20  # Bytes. Arrow reads 32 parts ahead.
BATCHES = 8  # Parts to convert together.
RESERVED = 256 << 20  # Bytes of memory for the parts to convert together.
ROWS = 50_000  # Rows that pandas reads at a time.
CELLS = 2_000_000  # The same for values of tables with many columns.


@dataclass(frozen=True)
class Source:
    """A CSV file whose options and layout are known.

    Attributes:
        reopen: opens the file again and returns it.
    """

    reopen: Callable[[], Any]
    options: ImportOptions
    layout: Layout

    def opened(self) -> io.BufferedReader:
        """Return the part of the file that contains the data."""
        section = Section(self.reopen(), self.layout.start, self.layout.end)
        return io.BufferedReader(section, BLOCK)

    @property
    def places(self) -> list[str]:
        """Return the positions of the columns. Names may not be unique."""
        return [str(at) for at in range(len(self.layout.names))]


def source_of(path: str | Path, options: ImportOptions) -> Source:
    """Return the source for a file that is not open yet."""
    return Source(
        functools.partial(io.FileIO, path), options, find_layout(path, options)
    )


def read_with_arrow(
    source: Source, columns: list[int] | None = None
) -> Iterator[pa.Table]:
    """Yield parts of the file.

    Args:
        columns: the positions of the columns to read, None for all.

    Raises:
        ArrowInvalid: Arrow cannot read the file.
    """
    layout, options, places = source.layout, source.options, source.places
    # Arrow reserves memory for each column as if it had all bytes of a part.
    # Other memory is then allocated in between, so what it does not use is not free.
    reserved = RESERVED // len(places if columns is None else columns)
    size = min(PART, reserved)
    with source.opened() as file:
        if not file.peek(1):
            return
        reader = pyarrow.csv.open_csv(
            file,
            pyarrow.csv.ReadOptions(
                encoding=layout.encoding, block_size=size, column_names=places
            ),
            pyarrow.csv.ParseOptions(
                delimiter=options.sep,
                quote_char=options.quote or ('"' if options.quote is None else False),
                newlines_in_values=options.quote != "",
                # In a file with a single column, an empty line is a missing value.
                ignore_empty_lines=len(places) > 1,
            ),
            pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(places, TEXT),
                include_columns=None if columns is None else list(map(str, columns)),
                null_values=["", *(options.null_values or ())],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        count = min(BATCHES, max(1, reserved // size // 2))
        # The thread has to end before the file is closed.
        with contextlib.closing(_ahead(reader, count)) as lists:
            yield from map(pa.Table.from_batches, lists)


def _ahead(items: Iterable[Any], count: int) -> Generator[list[Any], None, None]:
    """Yield lists of items. The next list is made while the last one is used."""
    iterator = iter(items)

    def take() -> list[Any]:
        return list(itertools.islice(iterator, count))

    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(take)
        while taken := following.result():
            following = thread.submit(take)
            yield taken


def read_with_pandas(source: Source) -> Iterator[pa.Table]:
    """Yield parts of the file. pandas pads lines that are too short."""
    options, places = source.options, source.places
    quoting: dict[str, Any] = {"quotechar": options.quote or '"'}
    if options.quote == "":
        quoting = {"quoting": csv.QUOTE_NONE}
    with source.opened() as file, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        parts = pd.read_csv(
            file,
            sep=options.sep,
            encoding=source.layout.encoding,
            header=None,
            names=places,
            dtype="str",
            index_col=False,
            keep_default_na=False,
            na_values=["", *(options.null_values or ())],
            skip_blank_lines=len(places) > 1,
            chunksize=min(ROWS, 1 + CELLS // len(places)),
            **quoting,
        )
        for part in parts:
            table = pa.Table.from_pandas(part, preserve_index=False)
            yield table.cast(pa.schema([(place, TEXT) for place in places]))


def read_any(source: Source, columns: list[int]) -> Iterator[pa.Table]:
    """Yield parts of some columns of the file. The same part may be yielded twice."""
    try:
        yield from read_with_arrow(source, columns)
        return
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        pass  # A line has fewer or more values than there are names.
    for table in read_with_pandas(fitted(source)):
        yield table.select(list(map(str, columns)))


def fitted(source: Source, rows: int | None = None) -> Source:
    """Return a source that has a column for each value of the longest line.

    Empty values at the end of a line need columns, but the options need not accept them.

    Args:
        rows: the number of rows to examine, None for all.

    Raises:
        LineTooLong: a line has too many values, and the options do not accept it.
    """
    layout, options = source.layout, source.options
    names, notes = layout.names, layout.notes
    are_accepted = options.ragged or (options.ragged is None and not options.header)
    width = filled = len(names)
    for line, row in itertools.islice(_rows(source), rows):
        width = max(width, len(row))
        if len(row) > filled and (count := filled_width(row)) > filled:
            if not are_accepted:
                raise _too_long(line, count, len(names))
            filled = count
    check_columns(filled)
    if filled > len(names) and not options.header:
        names = [*names, *numbered(len(names), filled)]
        text = _(
            "The lines have different numbers of values. The table has %(columns)s "
            "columns, as the longest line."
        )
        notes = [*notes, text % {"columns": format_number(filled)}]
    names = [*names, *[""] * (width - len(names))]
    return replace(source, layout=replace(layout, names=names, notes=notes))


def filled_width(row: list[str]) -> int:
    """Return the number of values, without the empty ones at the end."""
    return max((at for at, cell in enumerate(row, 1) if cell), default=0)


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of the last line of each row, and its values."""
    with source.opened() as file, contextlib.suppress(csv.Error):
        text = io.TextIOWrapper(file, source.layout.encoding, "replace", newline="")
        rows = csv_rows(text, source.options)
        for row in rows:
            yield source.layout.line - 1 + rows.line_num, row


def _too_long(line: int, values: int, columns: int) -> LineTooLong:
    text = _("Line %(line)s has %(values)s values, but there are %(columns)s columns.")
    return LineTooLong(
        text
        % {
            "line": format_number(line),
            "values": format_number(values),
            "columns": format_number(columns),
        }
    )
