"""Export the data of a frame as a file."""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterable, Sequence
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from .columns import names_of_levels
from .dtypes import as_text


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


def csv_file(frame: pd.DataFrame, index: Sequence[str] = ()) -> IO[bytes]:
    """Return a DataFrame as a temporary CSV file, positioned at its beginning.

    Lone surrogates, which UTF-8 cannot encode, become \\u escapes.
    """

    def write(file: IO[bytes]) -> None:
        frame.to_csv(file, index=False, errors="backslashreplace")

    return _temporary_file(write)


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
    return _temporary_file(lambda file: parquet.write_table(table, file))


WRITERS = {"csv": csv_file, "parquet": parquet_file}


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


def _temporary_file(write: Callable[[IO[bytes]], None]) -> IO[bytes]:
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
