"""The summaries of all columns of a frame that pandas itself writes as text."""

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
from dtale import global_state, views
from dtale.query import load_filterable_data
from dtale.utils import get_bool_arg, get_str_arg
from flask import jsonify, request

from ..columns import FEW, is_number
from .descriptions import describe_column


def distinct_counts(data_id: str, data: pd.DataFrame) -> pd.Series:
    """Return the number of distinct values of each column, as ``DataFrame.nunique``.

    D-Tale counts the values of each column when a frame is opened or changed.

    Args:
        data: All rows of the frame that `data_id` refers to.
    """
    dtypes = global_state.get_dtypes(data_id) or ()
    known = {each["name"]: each.get("unique_ct") for each in dtypes}
    counts = {
        name: known[name] if _is_simple(column.dtype) else column.nunique()
        for name, column in data.items()
        if name in known
    }
    if not counts or len(counts) < data.shape[1] or None in counts.values():
        return data.nunique()
    return pd.Series(counts.values(), data.columns)


def _is_simple(dtype):
    """Return whether D-Tale counts the values of this dtype as pandas does."""
    if isinstance(dtype, np.dtype):
        return dtype.kind in "biufmM"
    return isinstance(dtype, pd.StringDtype | pd.CategoricalDtype)


def describe_all(data: pd.DataFrame) -> pd.DataFrame:
    """Return the same frame as ``DataFrame.describe``."""
    if len(data) <= FEW or not any(is_number(dtype) for dtype in data.dtypes):
        return data.describe()
    # The names and the order of the rows depend only on the dtypes.
    shape = data.head(1).describe()
    columns = {
        name: describe_column(data[name]).reindex(shape.index) for name in shape.columns
    }
    return pd.DataFrame(columns, shape.index, shape.columns)


def summarize(raw_pandas: Callable) -> Callable:
    """Count and describe the values of all columns faster. D-Tale writes other summaries."""

    @functools.wraps(raw_pandas)
    @views.exception_decorator
    def answered(data_id):
        kind = get_str_arg(request, "func_type")
        if kind == "nunique" and not get_bool_arg(request, "filtered"):
            found = distinct_counts(data_id, global_state.get_data(data_id))
        elif kind == "describe":
            found = describe_all(load_filterable_data(data_id, request)).T
        else:
            return raw_pandas(data_id)
        return jsonify(success=True, output=found.to_string())

    return answered


VIEWS = [("dtale.raw_pandas", summarize)]
