"""Read files without conversions, with other libraries than django-dtale uses.

The text of CSV files stays text. The separator, the encoding and the header row are
those that django-dtale has detected; `structure` tests whether they are plausible.
"""

import contextlib
import csv
import itertools
from pathlib import Path
from typing import Any

from .other_formats import (
    has_value,
    read_excel,
    read_feather,
    read_json,
    read_json_lines,
    read_parquet,
    sheets,
)
from .table import NotComparable, Table

csv.field_size_limit(1 << 30)
MORE: list[str] = []  # Stands for each further line of a row.


def read(path: Path, kind: str, options: dict[str, Any]) -> Table:
    """Read a file.

    Raises:
        NotComparable: it has no table, or the other library cannot read it.
    """
    with _explained():
        return READERS[kind](path, options)


def is_blank(path: Path, kind: str) -> bool:
    """Return whether a text file, or each sheet of a workbook, is empty.

    Raises:
        NotComparable: the other library cannot read it.
    """
    if kind != "Excel":
        return not path.read_bytes().strip()
    with _explained():
        return not any(has_value(row) for _, rows in sheets(path) for row in rows)


@contextlib.contextmanager
def _explained():
    try:
        yield
    except NotComparable:
        raise
    except Exception as error:  # Each library raises its own exceptions.
        raise NotComparable(f"the other library fails: {error!r}"[:200]) from error


# Text ---------------------------------------------------------------------------------


def records(
    path: Path, options: dict[str, Any], rows: int | None = None
) -> list[list[str]]:
    """Return the first rows of a CSV file, or all rows. Empty lines are empty lists."""
    encoding = options.get("encoding") or "utf-8-sig"
    quote = options.get("quote", '"')
    with open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(
            file,
            delimiter=options["sep"],
            quotechar=quote or None,
            quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        )
        found: list[list[str]] = []
        for row in itertools.islice(reader, rows):
            found.append(row)
            # A value may contain line breaks, but the options count lines.
            found += [MORE] * (reader.line_num - len(found))
        return found


def read_text(path: Path, options: dict[str, Any]) -> Table:
    rows = records(path, options)
    if rows and rows[0]:
        rows[0][0] = rows[0][0].removeprefix("\ufeff")
    header, rows, left_out = split_header(rows, options)
    # The header of an R file lacks a name. Columns at the end whose values are all empty
    # do not count.
    width = max(len(header), *(_width(row) for row in rows), 1)
    if width > 1:
        rows = [row for row in rows if row and not _has_only_spaces(row)]
    # R does not name the first column.
    unnamed = [""] * (width - len(header))
    names = header + unnamed if options.get("ragged") else unnamed + header
    names = names if header else [None] * width
    padded = (row[:width] + [""] * (width - len(row)) for row in rows)
    columns = [list(column) for column in zip(*padded, strict=False)]
    columns = columns or [[] for _ in names]
    return Table(names, columns, True, left_out, any_names=not header)


def _has_only_spaces(row: list[str]) -> bool:
    return len(row) == 1 and bool(row[0]) and not row[0].strip(" ")


def _width(row: list[str]) -> int:
    """Return the number of values, without the empty ones at the end."""
    return max((at for at, cell in enumerate(row, 1) if cell), default=0)


def split_header(
    rows: list[list[str]], options: dict[str, Any]
) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Return the names, the rows of data, and the rows that are left out."""
    lines = list(options.get("header", [1]))
    # Empty lines above the header do not count.
    if lines == [1]:
        lines = [next((at for at, row in enumerate(rows, 1) if row), 1)]
    skip, footer = options.get("skip_rows") or 0, options.get("skip_footer") or 0
    last = max(lines, default=0)
    above = [rows[line - 1] for line in lines]
    names = [
        " ".join(filter(None, (part.strip() for part in parts)))
        if len(above) > 1
        else parts[0]
        for parts in zip(*above, strict=False)
    ]
    if names:
        names[0] = names[0].lstrip("# ") or names[0]  # The mark of a comment.
    left_out = [
        row for at, row in enumerate(rows[:last]) if row and at + 1 not in lines
    ]
    data = [row for row in rows[last:] if row is not MORE]
    while footer and data and not data[-1]:
        data.pop()
    left_out += data[:skip] + (data[-footer:] if footer else [])
    return names, data[skip : len(data) - footer], left_out


READERS = {
    "CSV": read_text,
    "TSV": read_text,
    "Excel": read_excel,
    "Parquet": read_parquet,
    "Feather": read_feather,
    "JSON": read_json,
    "JSON Lines": read_json_lines,
}
