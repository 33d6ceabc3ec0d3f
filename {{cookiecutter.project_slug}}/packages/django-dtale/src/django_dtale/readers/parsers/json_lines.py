"""Read JSON Lines files in parts, so that their text is never in memory as a whole.

The result is the same as that of a JSON file with a list of the same objects.
"""

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
from django.utils.translation import gettext as _

from ...formats import format_number
from ..limits import check_columns
from .objects import (
    array_of,
    frame_from_objects,
    infer_dates,
    join_columns,
    width_of,
)

LINES = 8 << 20  # Bytes of lines to read at a time.
MAX_EXACT = 2**53  # Floats represent all integers below this one exactly.


class NoObject(ValueError):
    """A line contains something other than an object."""


def read_json_lines(file: IO[bytes]) -> pd.DataFrame:
    """Read a file that contains a JSON object in each line."""
    try:
        columns = _read_columns(file)
    except NoObject:
        file.seek(0)
        records = list(_records(file))
        check_columns(width_of(records))
        return frame_from_objects(pd.DataFrame(records, dtype=object), infer_dates)
    if not columns:
        return pd.DataFrame()
    names, made = list(columns), list(columns.values())
    columns.clear()
    return join_columns(names, made, infer_dates)


def _read_columns(file: IO[bytes]) -> dict[str, pa.ChunkedArray | pd.Series]:
    """Map names to Arrow columns, or to Series of objects if types are mixed.

    Raises:
        NoObject: a line contains something other than an object.
    """
    columns: dict[str, Column] = {}
    texts: set[str] = set()
    rows = line = 0
    while lines := file.readlines(LINES):
        count, parts = _parse(lines, line, texts)
        check_columns(len(columns.keys() | parts.keys()))
        for name in _in_order(parts.keys() - columns.keys(), lines):
            columns[name] = Column(rows)
        for name, part in parts.items():
            columns[name].add(part)
        rows, line = rows + count, line + len(lines)
        for column in columns.values():
            column.pad(rows)
    objects: dict[str, list] = {name: [] for name in columns if columns[name].is_mixed}
    if objects:
        file.seek(0)
        for record in _objects(file):
            for name, values in objects.items():
                values.append(record.get(name, np.nan))
    return {
        name: pd.Series(objects.pop(name), dtype=object)
        if column.is_mixed
        else column.joined()
        for name, column in columns.items()
    }


class Column:
    """The parts of a column.

    Attributes:
        is_mixed: no Arrow type fits all values. The parts were dropped.
    """

    def __init__(self, rows: int) -> None:
        """Create a column that begins with missing values."""
        self.parts: list[pa.Array] = []
        self.rows = 0
        self.type = pa.null()
        self.is_mixed = False
        self.pad(rows)

    def add(self, part: pa.ChunkedArray | None) -> None:
        """Add a part. None is a part of mixed types."""
        if self.is_mixed:
            return
        kind = None if part is None else _common_type(self.type, part.type)
        if part is None or kind is None:
            self.is_mixed, self.parts = True, []
            return
        try:
            if kind != self.type:
                self.parts = [each.cast(kind) for each in self.parts]
            self.parts += part.cast(kind).chunks
        except pa.ArrowInvalid:  # One of the integers cannot be represented as a float.
            self.is_mixed, self.parts = True, []
        self.rows, self.type = self.rows + len(part), kind

    def pad(self, rows: int) -> None:
        """Add missing values up to a number of rows."""
        if not self.is_mixed and self.rows < rows:
            self.parts.append(pa.nulls(rows - self.rows, self.type))
            self.rows = rows

    def joined(self) -> pa.ChunkedArray:
        """Return the parts as one column, and release them."""
        parts, self.parts = self.parts, []
        return pa.chunked_array(parts, self.type)


def _common_type(one, other):
    """Return the type of a column with parts of two types, None for objects."""
    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    are_numbers = all(
        pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in (one, other)
    )
    return pa.float64() if are_numbers else None


def _parse(
    lines: list[bytes], first: int, texts: set[str]
) -> tuple[int, dict[str, pa.ChunkedArray | None]]:
    """Return the number of rows and the columns of a part. Columns of objects are None.

    Args:
        first: the number of lines before this part.
        texts: the names of columns of text, to which new ones are added.
    """
    try:
        table = _parse_with_arrow(b"".join(lines), texts)
    except pa.ArrowException:  # For example, a column has values of several types.
        records = list(_objects(lines, first))
        names = set().union(*records)
        check_columns(len(names))
        return len(records), {name: _column(records, name) for name in names}
    columns = dict(zip(table.column_names, table.columns, strict=True))
    if unsure := [name for name, column in columns.items() if _may_differ(column)]:
        records = list(_objects(lines, first))
        columns |= {name: _column(records, name) for name in unsure}
    # Arrow would give all objects of a column the same keys.
    nested = [name for name, each in columns.items() if each and _is_nested(each)]
    return len(table), columns | dict.fromkeys(nested)


def _parse_with_arrow(part: bytes, texts: set[str]) -> pa.Table:
    """Return a part as a table in which dates stay text.

    By default, Arrow would convert dates and drop their time zones.
    """
    while True:
        schema = pa.schema([(name, pa.string()) for name in sorted(texts)])
        options = pyarrow.json.ParseOptions(explicit_schema=schema)
        table = pyarrow.json.read_json(pa.BufferReader(part), parse_options=options)
        table.validate(full=True)  # Arrow does not check the encoding.
        found = dict(zip(table.column_names, table.schema.types, strict=True))
        dates = {name for name, kind in found.items() if pa.types.is_timestamp(kind)}
        if not dates:
            return table
        texts |= dates


def _in_order(names: set[str], lines: list[bytes]) -> list[str]:
    """Return names in the order in which they appear in the lines.

    Arrow parses blocks of lines in parallel, and returns names in any order.
    """
    found: dict[str, None] = {}
    for record in _objects(lines):
        found |= dict.fromkeys(name for name in record if name in names)
        if len(found) == len(names):
            break
    return list(found)


def _may_differ(column: pa.ChunkedArray) -> bool:
    """Return whether Arrow may have changed numbers that Python reads exactly."""
    if not pa.types.is_floating(column.type):
        return False
    largest = pc.max(pc.abs(column)).as_py() or 0
    return largest >= MAX_EXACT or pc.any(pc.is_nan(column)).as_py()


def _is_nested(column: pa.ChunkedArray) -> bool:
    return pa.types.is_nested(column.type)


def _column(records: list[dict[str, Any]], name: str) -> pa.ChunkedArray | None:
    array = array_of([record.get(name) for record in records])
    return None if array is None else pa.chunked_array([array])


def _objects(lines: Iterable[bytes], first: int = 0) -> Iterator[dict[str, Any]]:
    for record in _records(lines, first):
        if not isinstance(record, dict):
            raise NoObject
        yield record


def _records(lines: Iterable[bytes], first: int = 0) -> Iterator[Any]:
    """Yield the value of each line, except empty lines."""
    for number, line in enumerate(lines, first + 1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(
                    _("line %(line)s, column %(column)s: %(error)s")
                    % {
                        "line": format_number(number),
                        "column": format_number(error.colno),
                        "error": error.msg,
                    }
                ) from None
