"""Export the data of a frame as a file."""

import contextlib
import tempfile
from collections.abc import Callable
from typing import IO, Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from .dtypes import as_text


def csv_file(frame: pd.DataFrame) -> IO[bytes]:
    """Return a DataFrame as a temporary CSV file, positioned at its beginning.

    Lone surrogates, which UTF-8 cannot encode, become \\u escapes.
    """
    return _write_temporary_file(frame.to_csv, errors="backslashreplace")


def parquet_file(frame: pd.DataFrame) -> IO[bytes]:
    """Return a DataFrame as a temporary Parquet file, positioned at its beginning.

    ``for_parquet`` converts the types that Parquet does not support.
    """
    return _write_temporary_file(for_parquet(frame).to_parquet)


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


def _write_temporary_file(write: Callable, **options: Any) -> IO[bytes]:
    """Write a temporary file with a method of a DataFrame, and return the file."""
    file = tempfile.TemporaryFile()
    try:
        write(file, index=False, **options)
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
