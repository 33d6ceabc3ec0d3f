"""Whatever holds a table, as a DataFrame: what a view, a job or a shell has at hand."""

import numpy as np
import pandas as pd
import pyarrow as pa
from django.db.models import QuerySet

from .files import SourceError, read_file
from .querysets import read_queryset
from .tables import table_to_frame

__all__ = ["SourceError", "read_file", "to_frame"]

TAKEN = (
    "a DataFrame, Series or Index, a QuerySet, a list, dict or array, a table of "
    "polars, Arrow or DuckDB, or anything else with to_pandas() or __dataframe__()"
)


def to_frame(data):
    """Return any data as a ``pandas.DataFrame``.

    Args:
        data: a ``pandas.DataFrame`` (returned as it is), Series or Index; a Django
            QuerySet, also with values() or annotations; a list, dict or numpy array;
            anything that can give an Arrow stream (polars, pyarrow, DuckDB), or has
            ``to_dataframe()``, ``to_pandas()`` or the dataframe interchange protocol.

    Returns:
        pandas.DataFrame

    Raises:
        TypeError: it is none of these; the text says what it is, and what is taken.
    """
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, pd.Series):
        return data.to_frame()
    if isinstance(data, pd.Index):
        return data.to_frame(index=False)
    if isinstance(data, QuerySet):
        return read_queryset(data)
    if isinstance(data, (list, dict, np.ndarray)):
        return _from_plain(data)
    if hasattr(data, "__arrow_c_stream__"):
        try:
            return table_to_frame(pa.table(data))
        except pa.ArrowInvalid:
            pass  # A single column, which is no table.
    for name in ("to_dataframe", "to_pandas"):
        if hasattr(data, name):
            return to_frame(getattr(data, name)())
    if hasattr(data, "__dataframe__"):
        return pd.api.interchange.from_dataframe(data)
    raise TypeError(f"This is {type(data).__qualname__}, and what is taken is {TAKEN}.")


def _from_plain(data):
    try:
        return pd.DataFrame(data)
    except (ValueError, TypeError):
        pass  # Scalars, or parts of different length: then they are one column.
    try:
        return pd.Series(data).to_frame()
    except (ValueError, TypeError) as error:
        raise TypeError(
            f"This {type(data).__qualname__} is no table: {error}. What is taken is "
            f"{TAKEN}."
        ) from None
