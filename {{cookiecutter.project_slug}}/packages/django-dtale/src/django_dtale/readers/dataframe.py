"""Convert tabular data of any type to a DataFrame, for views, jobs and shells."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from .arrow import to_pandas
from .detection import read_certain
from .files import SourceError, read_file
from .lazy.parts import find_table, read_part, take_part
from .options import ImportOptions

__all__ = ["ImportOptions", "SourceError", "read_certain", "read_file", "to_dataframe"]

ACCEPTED = (
    "a DataFrame, Series or Index, a QuerySet, a SQL query (Sql), a pathlib.Path, a list, "
    "dict or array, a table of polars, Arrow, DuckDB or ibis, or anything else with "
    "to_pandas() or __dataframe__()"
)


def to_dataframe(
    data: Any,
    options: ImportOptions | None = None,
    *,
    limit: int | None = None,
    sample: bool = False,
) -> pd.DataFrame:
    """Return any tabular data as a DataFrame.

    An expression of ibis, a relation of DuckDB, an Arrow dataset and a SQL query can be
    larger than memory: at most ``limit`` rows are read. A note of the frame says how
    many there are.

    Args:
        data: a DataFrame (returned unchanged), Series or Index; a Django QuerySet, also
            with values() or annotations; a ``pathlib.Path``, whose file is read as
            ``readers.detection.read_certain`` does (never a string, which may come from
            a visitor); a list, dict or NumPy array; or any object that exports an Arrow
            stream (polars, pyarrow, DuckDB), or supports ``to_dataframe()``,
            ``to_pandas()`` or the dataframe interchange protocol.
        options: those with which a ``pathlib.Path`` is read.
        limit: the maximum number of rows. If it is None, at most SOURCE_ROWS rows of
            data that can be larger than memory are read, and all rows of other data.
            Only if a QuerySet is too large for a frame, the same limit applies to it.
        sample: if there are more rows, choose them at random. The engine of the data
            draws them. This takes longer, because it reads all rows.

    Raises:
        TypeError: the data has another type, or is no ``pathlib.Path`` but there are
            options. The message lists the supported types.
        SourceError: the file cannot be read, or can be read in several ways.
    """
    if options is not None and not isinstance(data, Path):
        raise TypeError(
            "Import options are only for files: give the data as a pathlib.Path."
        )
    if table := find_table(data):
        return read_part(table, limit, sample)
    return take_part(_in_memory(data, options), limit, sample)


def _in_memory(data: Any, options: ImportOptions | None = None) -> pd.DataFrame:
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, pd.Series):
        return data.to_frame()
    if isinstance(data, pd.Index):
        return data.to_frame(index=False)
    if isinstance(data, Path):
        return read_certain(data, options)
    if isinstance(data, (list, dict, np.ndarray)):
        return _from_plain(data)
    if hasattr(data, "__arrow_c_stream__"):
        try:
            return to_pandas(pa.table(data))
        except pa.ArrowInvalid:
            pass  # The stream is a single column, not a table.
    for name in ("to_dataframe", "to_pandas"):
        if hasattr(data, name):
            return _in_memory(getattr(data, name)())
    if hasattr(data, "__dataframe__"):
        return pd.api.interchange.from_dataframe(data)
    raise TypeError(f"{type(data).__qualname__} is not supported. Use {ACCEPTED}.")


def _from_plain(data: Any) -> pd.DataFrame:
    try:
        return pd.DataFrame(data)
    except (ValueError, TypeError):
        pass  # Scalars, or items of different lengths, become a single column.
    try:
        return pd.Series(data).to_frame()
    except (ValueError, TypeError) as error:
        raise TypeError(
            f"This {type(data).__qualname__} is not a table: {error}. Use {ACCEPTED}."
        ) from None
