"""Export the data of a frame as a file."""

import contextlib
import json
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import MappingProxyType
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from .cells import Formatters, parts, plain_values, prepared
from .columns import names_of_levels
from .csv_rows import csv_rows, rows_at_once
from .dtypes import as_text

PLAIN: Mapping[Any, Any] = MappingProxyType({})
THREADS = 2


def as_given(frame: pd.DataFrame, index: Iterable[str]) -> pd.DataFrame:
    """Return stored data in their original order and with their original index.

    Args:
        index: the names of the columns that replace the index.
    """
    frame = in_original_order(frame)
    if not (columns := list(index)):
        return frame
    return frame.set_index(columns).rename_axis(index=names_of_levels(columns))


def in_original_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Return stored data in the order in which they were before the grid was sorted."""
    return frame.sort_index().reset_index(drop=True)


def csv_file(
    frame: pd.DataFrame, formats: Formatters = PLAIN, is_safe: bool = False
) -> IO[bytes]:
    """Return a DataFrame as a temporary CSV file, positioned at its beginning.

    Lone surrogates, which UTF-8 cannot encode, become \\u escapes.

    Args:
        formats, is_safe: see ``cells.prepared``.
    """
    return _text_file(frame, ",", formats, is_safe)


def tsv_file(
    frame: pd.DataFrame, formats: Formatters = PLAIN, is_safe: bool = False
) -> IO[bytes]:
    """Return a DataFrame as a temporary file with tabs as separators, like a CSV file."""
    return _text_file(frame, "\t", formats, is_safe)


def _text_file(
    frame: pd.DataFrame, separator: str, formats: Formatters, is_safe: bool
) -> IO[bytes]:
    def write(file: IO[bytes]) -> None:
        options: Any = {"index": False, "sep": separator, "errors": "backslashreplace"}
        if not (formats or is_safe):
            _write_stored(file, frame, options)
            return
        for number, part in enumerate(parts(frame)):
            part = prepared(part, formats, is_safe)
            part.to_csv(file, header=number == 0, **options)

    return temporary_file(write)


def _write_stored(file: IO[bytes], frame: pd.DataFrame, options: Any) -> None:
    start, size = 0, rows_at_once(frame)
    if size:
        frame.head(0).to_csv(file, **options)
        pieces = (frame.iloc[at : at + size] for at in range(0, len(frame), size))
        for rows in _in_threads(lambda part: csv_rows(part, options["sep"]), pieces):
            if rows is None:
                break
            file.write(rows)
            start += size
    frame.iloc[start:].to_csv(file, header=start == 0 and not size, **options)


def _in_threads(function: Callable, items: Iterable) -> Iterator:
    """Yield the results in order. Few of them are in memory at the same time."""
    waiting: deque[Future] = deque()
    with ThreadPoolExecutor(THREADS) as threads:
        for item in items:
            waiting.append(threads.submit(function, item))
            if len(waiting) > THREADS:
                yield waiting.popleft().result()
        for each in waiting:
            yield each.result()


def excel_file(
    frame: pd.DataFrame, formats: Mapping[Any, str] = PLAIN, is_safe: bool = False
) -> IO[bytes]:
    """Return a DataFrame as a temporary Excel workbook, positioned at its beginning.

    Args:
        formats, is_safe: see ``workbook.write_excel``.

    Raises:
        LimitExceeded: the frame or a text is too large for Excel.
    """
    from .workbook import write_excel  # Importing openpyxl takes 0.2 seconds.

    return temporary_file(lambda file: write_excel(file, frame, formats, is_safe))


def json_file(frame: pd.DataFrame) -> IO[bytes]:
    """Return a DataFrame as a temporary JSON file: a list with an object for each row."""
    return _json_file(frame, b"[\n", b",\n", b"\n]\n")


def json_lines_file(frame: pd.DataFrame) -> IO[bytes]:
    """Return a DataFrame as a temporary file with an object of JSON on each line."""
    return _json_file(frame, b"", b"\n", b"\n" if len(frame) else b"")


def _json_file(
    frame: pd.DataFrame, start: bytes, separator: bytes, end: bytes
) -> IO[bytes]:
    names = [str(name) for name in frame.columns]
    encoder = json.JSONEncoder(ensure_ascii=False, default=lambda day: day.isoformat())

    def write(file: IO[bytes]) -> None:
        file.write(start)
        before = b""
        for part in parts(frame):
            columns = [plain_values(column) for _, column in part.items()]
            for row in zip(*columns, strict=True):
                text = encoder.encode(dict(zip(names, row, strict=True)))
                # An escaped lone surrogate is valid JSON.
                file.write(before + text.encode("utf-8", "backslashreplace"))
                before = separator
        file.write(end)

    return temporary_file(write)


def parquet_file(frame: pd.DataFrame, index: Sequence[str] = ()) -> IO[bytes]:
    """Return a DataFrame as a temporary Parquet file, positioned at its beginning.

    ``for_parquet`` converts the types that Parquet does not support.

    Args:
        index: the names of the columns that pandas reads as the index. For all other
            programs, they are columns like the others.
    """
    table = pa.Table.from_pandas(for_parquet(frame), preserve_index=False)
    if index:
        table = _with_index(table, index)
    # A dictionary of floats is rarely smaller, and takes half of the time.
    encoded = [
        field.name for field in table.schema if not pa.types.is_floating(field.type)
    ]
    return temporary_file(
        lambda file: parquet.write_table(table, file, use_dictionary=encoded)
    )


WRITERS: dict[str, Callable[..., IO[bytes]]] = {
    "csv": csv_file,
    "xlsx": excel_file,
    "tsv": tsv_file,
    "parquet": parquet_file,
    "json": json_file,
    "jsonl": json_lines_file,
}


def for_parquet(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a DataFrame that can be written as Parquet.

    Categories of intervals become intervals, which pandas writes as an Arrow extension
    type and can read again. Columns of types that Parquet does not support become text.
    """
    fitting = frame.copy(deep=False)
    for name, column in frame.items():
        if _has_intervals(column.dtype):
            # astype() would fail for intervals of integers with missing values.
            intervals = column.cat.categories.array.take(
                column.cat.codes.to_numpy(), allow_fill=True
            )
            fitting[name] = column = pd.Series(intervals, column.index, name=name)
        if not _can_be_written(column.to_frame()):
            fitting[name] = as_text(column)
    return fitting


def _has_intervals(dtype: Any) -> bool:
    """Return whether a dtype's categories are intervals, as produced by ``pd.cut``."""
    return isinstance(dtype, pd.CategoricalDtype) and isinstance(
        dtype.categories.dtype, pd.IntervalDtype
    )


def _with_index(table: pa.Table, index: Sequence[str]) -> pa.Table:
    """Return a table whose pandas metadata say that some columns are the index."""
    metadata = table.schema.pandas_metadata
    names = dict(zip(index, names_of_levels(index), strict=True))
    for column in metadata["columns"]:
        column["name"] = names.get(column["field_name"], column["name"])
    pandas = json.dumps({**metadata, "index_columns": list(index)})
    return table.replace_schema_metadata({**table.schema.metadata, b"pandas": pandas})


def temporary_file(write: Callable[[IO[bytes]], None]) -> IO[bytes]:
    """Return a temporary file after a function has written it."""
    file = tempfile.TemporaryFile()
    try:
        write(file)
        file.seek(0)
    except BaseException:
        with contextlib.suppress(OSError):  # On a full disk, closing the file fails.
            file.close()
        raise
    return file


def _can_be_written(column: pd.DataFrame) -> bool:
    """Return whether pyarrow can convert a column and write its first row."""
    try:
        table = pa.Table.from_pandas(column, preserve_index=False)
        # pyarrow refuses some types only when it writes a value. The writer raises
        # OSError if it has begun a column and cannot finish it.
        parquet.write_table(table.slice(0, 1), pa.BufferOutputStream())
    except (pa.ArrowException, TypeError, ValueError, OverflowError, OSError):
        return False
    return True
