"""A frame's data as a file to take along."""

import contextlib
import tempfile

import pyarrow as pa
from pyarrow import parquet

from .kinds import as_text


def csv_file(frame):
    """Return a ``pandas.DataFrame`` as a CSV file (a binary file, at its beginning)."""
    return _written(frame.to_csv)


def parquet_file(frame):
    """Return a ``pandas.DataFrame`` as a Parquet file (a binary file, at its beginning).

    Columns of kinds that Parquet does not have become text.
    """
    texts = {
        name: as_text(frame[name]) for name in frame.columns if not _fits(frame[[name]])
    }
    return _written(frame.assign(**texts).to_parquet)


WRITERS = {"csv": csv_file, "parquet": parquet_file}


def _written(write):
    """Return a temporary file that a method of a ``pandas.DataFrame`` has written."""
    file = tempfile.TemporaryFile()
    try:
        write(file, index=False)
        file.seek(0)
    except BaseException:
        with contextlib.suppress(OSError):  # On a full disk it cannot be completed.
            file.close()
        raise
    return file


def _fits(column):
    try:
        table = pa.Table.from_pandas(column, preserve_index=False)
        parquet.write_table(table.slice(0, 0), pa.BufferOutputStream())
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True
