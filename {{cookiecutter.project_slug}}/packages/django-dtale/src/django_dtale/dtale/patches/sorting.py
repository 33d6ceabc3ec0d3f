"""The order of the rows of a sorted grid, without a sorted copy of the frame.

A page of the grid shows about sixty rows, but D-Tale copies the whole frame to sort it.
Here, a sorted grid is an array of row positions. A stored payload never changes, so this
process can cache the array. ``patches.registry`` applies these patches.
"""

import contextlib
import functools
import json
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from dtale.utils import get_bool_arg, retrieve_grid_params
from flask import has_request_context, request

from ...storage import blobs
from ..endpoints import ANY_ORDER, EDIT_CELL, GRID, NAMED_COLUMNS
from .columns import FEW, is_number
from .fast.order import order_of_numbers
from .filters import PREDEFINED, filter_texts

ROW = "X-Row"  # The header with the label of the row to edit.
_any_order: ContextVar[bool] = ContextVar("any_order", default=False)
Sort = Sequence[tuple[str, str]]  # Names of columns, each with "ASC" or "DESC".


def is_grid_page() -> bool:
    """Return whether the request is for a page of the grid, and not for an export."""
    return (
        has_request_context()
        and request.endpoint == GRID
        and not get_bool_arg(request, "export")
    )


def edited_label() -> int | None:
    """Return the label of the row whose cell the request edits, if it has one."""
    if not has_request_context() or request.endpoint != EDIT_CELL:
        return None
    label = request.headers.get(ROW, "")
    return int(label) if label.isdecimal() else None


@contextlib.contextmanager
def rows_in_any_order() -> Iterator[None]:
    """Within a with-block, D-Tale's store does not sort the rows of frames."""
    token = _any_order.set(True)
    try:
        yield
    finally:
        _any_order.reset(token)


def needs_sorted_rows() -> bool:
    """Return whether the request needs a frame whose rows are sorted."""
    if _any_order.get() or is_grid_page() or edited_label() is not None:
        return False
    return not has_request_context() or _order_matters()


def _order_matters():
    if request.endpoint == "dtale.get_duplicates":
        return request.args.get("action") != "test"
    if request.endpoint == "dtale.build_missingno_chart":
        return (request.view_args or {}).get("chart_type") == "matrix"
    return request.endpoint not in ANY_ORDER


def needed_columns(frame: pd.DataFrame, settings: dict[str, Any]) -> list | None:
    """Return the columns that the request reads; None if it can read any column.

    Names can be part of other names and texts, so the list can be too long.

    Args:
        settings: the view of the person, with filters.
    """
    if not has_request_context() or request.endpoint not in NAMED_COLUMNS:
        return None
    if settings.get(PREDEFINED):  # The site's functions can read any column.
        return None
    texts = [*request.args.values(), *filter_texts(settings), settings.get("query")]
    text = "\n".join(filter(None, texts))
    return [
        name for name in frame.columns if name in text or json.dumps(name)[1:-1] in text
    ] or None


def requested_sort() -> Sort:
    """Return the order in which the request for a page of the grid asks for rows."""
    return retrieve_grid_params(request).get("sort") or ()


def row_order(df: pd.DataFrame, sort: Sort, source: tuple | None) -> np.ndarray | None:
    """Return the positions of the rows in sorted order; None if they are in order.

    Missing values come last, and equal values stay in their order, as
    ``DataFrame.sort_values(kind="stable")`` sorts them.

    Args:
        sort: if it is empty, the rows are sorted by their labels.
        source: the key of the data for ``blobs.cached``; None to cache nothing.

    """
    if not sort and df.index.is_monotonic_increasing:
        return None

    def find():
        order = _sorted_positions(df, sort).astype(np.min_scalar_type(len(df)))
        return pd.Series(order), order.nbytes

    if source is None:
        return find()[0].to_numpy()
    return blobs.cached((*source, "order", json.dumps(sort)), find).to_numpy()


def _sorted_positions(df, sort):
    if not sort:
        return np.argsort(df.index.to_numpy(), kind="stable")
    directions: dict[str, bool] = {}
    for name, direction in sort:
        directions.setdefault(name, direction == "ASC")
    order = None
    for name, ascending in reversed(directions.items()):
        found = _numbers(df[name], ascending)
        if found is None:  # pandas can sort the column, or fails.
            columns = df[[*directions]].set_axis(pd.RangeIndex(len(df)))
            columns = columns.sort_values(
                [*directions], ascending=[*directions.values()], kind="stable"
            )
            return columns.index.to_numpy()
        numbers, is_ascending = found
        if order is not None:  # The columns after this one have sorted the rows.
            numbers = numbers.take(order)
        positions = order_of_numbers(numbers, is_ascending)
        order = positions if order is None else order.take(positions)
    return order


def _numbers(column, ascending):
    """Return numbers that sort the rows like a column, and whether they are ascending.

    The result is None for some dtypes, and for columns of many different texts.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype):
        ranks = _ranks_of_texts(column, ascending)
        return None if ranks is None else (ranks, True)
    if isinstance(dtype, pd.CategoricalDtype):
        codes, most = column.cat.codes.to_numpy().astype(int), len(dtype.categories)
        ranks = codes if ascending else most - 1 - codes
        return np.where(codes < 0, most, ranks), True
    if isinstance(dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert(None)
    elif not (
        is_number(dtype) or (isinstance(dtype, np.dtype) and dtype.kind in "bmM")
    ):
        return None
    return column.to_numpy(), ascending


def _ranks_of_texts(column, ascending):
    """Return the rank of each text among the distinct texts; None if there are many.

    A missing value has the highest rank. With a million rows and a thousand texts,
    sorting the ranks takes 0.08 of the time.
    """
    if column.dtype.storage != "pyarrow":
        return None
    texts = pa.chunked_array(column.array.__arrow_array__())
    if pc.count_distinct(texts[:FEW]).as_py() > FEW // 2:
        return None
    codes = texts.combine_chunks().dictionary_encode()
    most = len(codes.dictionary)
    order = pc.array_sort_indices(
        codes.dictionary, order="ascending" if ascending else "descending"
    )
    ranks = np.empty(most + 1, np.min_scalar_type(most))
    ranks[order.to_numpy()] = np.arange(most)
    ranks[most] = most
    return ranks[codes.indices.fill_null(most).to_numpy()]


def filtered_order(order: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the part of an order that contains only these positions."""
    is_found = np.zeros(len(order), dtype=bool)
    is_found[positions] = True
    return order[is_found[order]]


def keep_rows_of_grid(sort_df_for_grid: Callable) -> Callable:
    """Leave the rows of the grid in their stored order. `rows` sorts their positions."""

    @functools.wraps(sort_df_for_grid)
    def ordered(df: pd.DataFrame, params: dict[str, Any]) -> pd.DataFrame:
        return df if is_grid_page() else sort_df_for_grid(df, params)

    return ordered


PATCHES = [("dtale.views:sort_df_for_grid", keep_rows_of_grid)]
