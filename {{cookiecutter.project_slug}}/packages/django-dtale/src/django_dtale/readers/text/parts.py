"""Read a CSV file in parts, as tables of text."""

import contextlib
import csv
import io
import itertools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from django.utils.translation import gettext as _

from ...exceptions import SourceError
from ...formats import format_number
from ..options import ImportOptions
from .layout import BLOCK, Layout, Section, csv_rows

TEXT = pa.string()
PART = 1 << 20  # Bytes. Arrow reads 32 parts ahead.
BATCHES = 8  # Parts to convert together.
ROWS = 50_000  # Rows that pandas reads at a time.


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
    with source.opened() as file:
        if not file.peek(1):
            return
        reader = pyarrow.csv.open_csv(
            file,
            pyarrow.csv.ReadOptions(
                encoding=layout.encoding, block_size=PART, column_names=places
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
        while batches := list(itertools.islice(reader, BATCHES)):
            yield pa.Table.from_batches(batches)


def read_with_pandas(source: Source) -> Iterator[pa.Table]:
    """Yield parts of the file. pandas pads lines that are too short.

    Raises:
        SourceError: a line has too many values.
    """
    options, places = source.options, source.places
    quoting: dict[str, Any] = {"quotechar": options.quote or '"'}
    if options.quote == "":
        quoting = {"quoting": csv.QUOTE_NONE}
    try:
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
                chunksize=ROWS,
                **quoting,
            )
            for part in parts:
                table = pa.Table.from_pandas(part, preserve_index=False)
                yield table.cast(pa.schema([(place, TEXT) for place in places]))
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        found = first_too_long(source)
        if not found:
            raise
        raise SourceError(
            _(
                "Line %(line)s has %(values)s values, but there are %(columns)s "
                "columns. Does a value contain the separator without quotes around "
                "it? Or is the separator wrong?"
            )
            % {
                "line": format_number(found[0]),
                "values": format_number(found[1]),
                "columns": format_number(len(places)),
            }
        ) from None


def read_any(source: Source, columns: list[int]) -> Iterator[pa.Table]:
    """Yield parts of some columns of the file. The same part may be yielded twice."""
    try:
        yield from read_with_arrow(source, columns)
        return
    except pa.ArrowInvalid:
        pass
    for table in read_with_pandas(source):
        yield table.select(list(map(str, columns)))


def first_too_long(source: Source) -> tuple[int, int] | None:
    """Find the first line with more values than there are columns.

    Returns:
        The number of the line and its number of values, or None without such a line.
    """
    count = len(source.layout.names)
    with source.opened() as file, contextlib.suppress(csv.Error):
        text = io.TextIOWrapper(file, source.layout.encoding, "replace", newline="")
        rows = csv_rows(text, source.options)
        for row in rows:
            if len(row) > count:
                return source.layout.line - 1 + rows.line_num, len(row)
    return None
