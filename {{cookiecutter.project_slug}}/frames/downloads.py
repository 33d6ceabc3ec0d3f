"""A frame's data as a file to take along."""

import tempfile

import pyarrow as pa
from pyarrow import parquet

from .kinds import as_text


def csv_file(frame):
    """Return a ``pandas.DataFrame`` as a CSV file (a binary file, at its beginning)."""
    file = tempfile.TemporaryFile()
    frame.to_csv(file, index=False)
    file.seek(0)
    return file


def parquet_file(frame):
    """Return a ``pandas.DataFrame`` as a Parquet file (a binary file, at its beginning).

    Columns of kinds that Parquet does not have become text.
    """
    texts = {
        name: as_text(frame[name]) for name in frame.columns if not _fits(frame[[name]])
    }
    file = tempfile.TemporaryFile()
    frame.assign(**texts).to_parquet(file, index=False)
    file.seek(0)
    return file


WRITERS = {"csv": csv_file, "parquet": parquet_file}


def _fits(column):
    try:
        table = pa.Table.from_pandas(column, preserve_index=False)
        parquet.write_table(table.slice(0, 0), pa.BufferOutputStream())
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True
