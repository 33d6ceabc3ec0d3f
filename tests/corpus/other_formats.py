"""Read files in other formats than CSV and TSV."""

import io
import json
import warnings
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.feather
import pyarrow.parquet
import xlrd

from .table import NotComparable, Table


def read_excel(path: Path, options: dict[str, Any]) -> Table:
    found = _rows(path, options.get("sheet"))
    while found and not has_value(found[-1]):
        found.pop()
    if not found:
        return Table([], [])
    lines = list(options.get("header", [1]))
    # Empty rows above the header do not count.
    if lines == [1]:
        lines = [next(at for at, row in enumerate(found, 1) if has_value(row))]
    last = max(lines, default=0)
    width = max(map(len, found))
    found = [row + [None] * (width - len(row)) for row in found]
    names = list(found[last - 1]) if last else [None] * width
    skip, footer = options.get("skip_rows") or 0, options.get("skip_footer") or 0
    data = found[last + skip : len(found) - footer]
    while data and not has_value(data[0]):
        data = data[1:]
    columns = [list(column) for column in zip(*data, strict=True)]
    left_out = [row for row in found[: max(last - 1, 0)] if has_value(row)]
    return Table(names, columns or [[] for _ in names], left_out=left_out)


def has_value(row: Iterable[Any]) -> bool:
    return any(cell is not None for cell in row)


def _rows(path: Path, name: str | None) -> list[list[Any]]:
    """Return the rows of a sheet, by default the first."""
    for sheet, rows in sheets(path):
        if name in (None, sheet):
            return [list(row) for row in rows]
    raise NotComparable(f"there is no sheet {name!r}")


def sheets(path: Path) -> Iterator[tuple[str, Iterable[Iterable[Any]]]]:
    """Yield the name and the rows of each sheet of a workbook."""
    if path.suffix.lower() == ".xls":
        with xlrd.open_workbook(path, logfile=io.StringIO()) as book:
            for sheet in book.sheets():
                cells = (sheet.row(at) for at in range(sheet.nrows))
                yield (
                    sheet.name,
                    ([_xls_value(cell, book) for cell in row] for row in cells),
                )
        return
    with open(path, "rb") as file, warnings.catch_warnings():
        # openpyxl warns about features that it drops.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        for sheet in book.worksheets:
            sheet.reset_dimensions()  # Some files contain wrong dimensions.
            rows = sheet.iter_rows(values_only=True)
            yield sheet.title, ([_blank(cell) for cell in row] for row in rows)


def _xls_value(cell, book):
    if cell.ctype == xlrd.XL_CELL_DATE:
        if 0 <= cell.value < 1:  # The value is a time without a date.
            return xlrd.xldate_as_datetime(cell.value, book.datemode).time()
        return xlrd.xldate_as_datetime(cell.value, book.datemode)
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code[cell.value]
    return _blank(cell.value)


def _blank(value):
    return None if value == "" else value


def read_parquet(path: Path, options: dict[str, Any]) -> Table:
    return _from_arrow(pyarrow.parquet.read_table(path))


def read_feather(path: Path, options: dict[str, Any]) -> Table:
    return _from_arrow(pyarrow.feather.read_table(path))


def _from_arrow(table):
    index = [
        each
        for each in (table.schema.pandas_metadata or {}).get("index_columns", ())
        if isinstance(each, str)
    ]
    if len(index) == 1 and table.column(index[0]).to_pylist() == list(
        range(len(table))
    ):
        # This index only numbers the rows.
        table, index = table.drop_columns(index), []
    names = [each for each in table.column_names if each not in index] + index
    return Table(names, [table.column(name).to_pylist() for name in names])


def read_json(path: Path, options: dict[str, Any]) -> Table:
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
    try:
        return _from_json(json.loads(text, parse_float=Decimal))
    except json.JSONDecodeError:
        # Some JSON Lines files have the extension .json.
        return read_json_lines(path, options)


def read_json_lines(path: Path, options: dict[str, Any]) -> Table:
    with open(path, encoding="utf-8-sig") as file:
        lines = [json.loads(line, parse_float=Decimal) for line in file if line.strip()]
    return _from_json(lines)


def _from_json(data):
    if isinstance(data, dict):
        if data.keys() == {"columns", "index", "data"}:
            columns = [list(column) for column in zip(*data["data"], strict=True)]
            return _with_index(data["columns"], columns, data["index"])
        if data.keys() == {"schema", "data"}:
            return _from_json(data["data"])
        values = list(data.values())
        if all(isinstance(each, list) for each in values):
            if len(set(map(len, values))) != 1:
                raise NotComparable("lists of different lengths")
            return Table(list(data), values)
        if all(isinstance(each, dict) for each in values):
            keys = list(dict.fromkeys(key for each in values for key in each))
            columns = [[each.get(key) for key in keys] for each in values]
            # The objects are the records if there are more of them than keys, and the
            # columns if not.
            if len(keys) < len(data) and not all(map(str.isdecimal, keys)):
                columns = [[each.get(key) for each in values] for key in keys]
                return _with_index(keys, columns, list(data))
            return _with_index(list(data), columns, keys)
        if any(isinstance(each, list | dict) for each in values):
            raise NotComparable("an object of lists, objects and single values")
        return Table(list(data), [[each] for each in values])
    if not isinstance(data, list):
        raise NotComparable("a single value")
    if data and all(isinstance(each, dict) for each in data):
        names = list(dict.fromkeys(key for each in data for key in each))
        return Table(names, [[each.get(name) for each in data] for name in names])
    if data and all(isinstance(each, list) for each in data):
        width = max(map(len, data))
        padded = [each + [None] * (width - len(each)) for each in data]
        columns = [list(column) for column in zip(*padded, strict=True)]
        return Table([None] * width, columns, any_names=True)
    if any(isinstance(each, list | dict) for each in data):
        raise NotComparable("a list of different things")
    return Table([None], [data], any_names=True)


def _with_index(names, columns, index):
    """Return a table whose last column has the row labels, if there are any."""
    if list(map(str, index)) == list(map(str, range(len(index)))):
        return Table(names, columns)
    return Table([*names, None], [*columns, index])
