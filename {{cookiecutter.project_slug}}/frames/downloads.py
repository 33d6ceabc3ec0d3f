"""A frame's data as a file to take along."""

import contextlib
import tempfile

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from .kinds import as_text


def csv_file(frame):
    """Return a ``pandas.DataFrame`` as a CSV file (a binary file, at its beginning).

    Half characters, which UTF-8 does not have, become \\u escapes.
    """
    return _written(frame.to_csv, errors="backslashreplace")


def parquet_file(frame):
    """Return a ``pandas.DataFrame`` as a Parquet file (a binary file, at its beginning).

    What Parquet does not have is converted, as ``for_parquet`` says.
    """
    return _written(for_parquet(frame).to_parquet)


WRITERS = {"csv": csv_file, "parquet": parquet_file}


def for_parquet(frame):
    """Return a ``pandas.DataFrame`` that can be written as Parquet.

    Categories of intervals become the intervals, which pandas writes as an extension
    type of Arrow's and reads back. Columns of kinds that Parquet does not have become
    text.
    """
    fitting = frame.copy(deep=False)
    for name, column in frame.items():
        if _has_intervals(column.dtype):
            # Not by astype: that fails for integers where one is missing.
            intervals = column.cat.categories.array.take(
                column.cat.codes.to_numpy(), allow_fill=True
            )
            fitting[name] = column = pd.Series(intervals, column.index, name=name)
        if not _fits(column.to_frame()):
            fitting[name] = as_text(column)
    return fitting


def _has_intervals(dtype):
    """Return whether these are categories of intervals, as ``pd.cut`` makes them."""
    return isinstance(dtype, pd.CategoricalDtype) and isinstance(
        dtype.categories.dtype, pd.IntervalDtype
    )


def _written(write, **options):
    """Return a temporary file that a method of a ``pandas.DataFrame`` has written."""
    file = tempfile.TemporaryFile()
    try:
        write(file, index=False, **options)
        file.seek(0)
    except BaseException:
        with contextlib.suppress(OSError):  # On a full disk it cannot be completed.
            file.close()
        raise
    return file


def _fits(column):
    """Return whether pyarrow converts all of a column, and writes a row of it."""
    try:
        table = pa.Table.from_pandas(column, preserve_index=False)
        # Some types are refused only when a value is written. An OSError is the
        # writer's complaint about a column that it has begun and not finished.
        parquet.write_table(table.slice(0, 1), pa.BufferOutputStream())
    except (pa.ArrowException, TypeError, ValueError, OverflowError, OSError):
        return False
    return True
