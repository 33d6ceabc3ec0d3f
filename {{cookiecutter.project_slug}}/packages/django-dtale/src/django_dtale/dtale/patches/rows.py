"""The rows of the grid, one page at a time, with cached results of filters.

When users scroll, the grid requests about sixty rows at a time, and D-Tale filters the
whole frame for each request. A stored payload never changes, so a filter always finds
the same rows in it, and this process can cache them. ``patches.registry`` applies these
patches.
"""

import functools
import inspect
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np
import pandas as pd
from dtale import views
from flask import request

from ...exceptions import RowGone
from ...filters.compiler import Filter
from ...storage import blobs
from ...unit_of_work import current
from ..assets.patching import Substitution, substitute
from ..endpoints import GRID
from .filters import values_for
from .sorting import (
    Sort,
    edited_label,
    filtered_order,
    is_grid_page,
    requested_sort,
    row_order,
)

# A cached result takes this many bytes, even if the filter finds nothing.
ENTRY_OVERHEAD = 4_000
LABEL = "__row"  # The key of a row's label in the rows of the grid.


class LazyPage:
    """The filtered frame for D-Tale's ``get_data``; only the requested page is copied.

    Args:
        positions: The positions of the rows that the filter keeps, in the order of the
            grid; None for all rows in their stored order.
    """

    def __init__(
        self, frame: pd.DataFrame, positions: np.ndarray | None = None
    ) -> None:
        self.frame = frame
        self.positions = positions

    def __len__(self) -> int:
        return len(self.frame if self.positions is None else self.positions)

    @property
    def iloc(self) -> Self:
        return self

    def __getitem__(self, page: Any) -> "LazyPage":
        if self.positions is not None:
            page = self.positions[page]
        return LazyPage(self.frame.iloc[page])

    def itertuples(self) -> "RowTuples":
        return RowTuples(self.frame)


class RowTuples:
    """The rows of a page as tuples. pandas would create a new class for each page."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.columns = [list(frame.index), *_values(frame)]

    def __iter__(self) -> Iterator[tuple]:
        return zip(*self.columns, strict=True)


def _values(frame):
    """Return the values of each column, as pandas yields them.

    All NumPy columns of a dtype are converted together: for the few values of a page,
    pandas takes longer to access a column than to convert it.
    """
    values: list[Any] = [None] * frame.shape[1]
    of_dtype, others = defaultdict(list), []
    for at, dtype in enumerate(frame.dtypes):
        if isinstance(dtype, np.dtype) and dtype.kind in "biufmM":
            of_dtype[dtype].append(at)
        else:
            others.append(at)
    rows = len(frame)
    for places in of_dtype.values():
        joined = list(pd.Series(frame.iloc[:, places].to_numpy().T.ravel()))
        for number, at in enumerate(places):
            values[at] = joined[number * rows : (number + 1) * rows]
    for at, (_, column) in zip(others, frame.iloc[:, others].items(), strict=True):
        values[at] = _to_list(column)
    return values


def _to_list(column):
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        texts = column.array.__arrow_array__()
        if not texts.null_count:
            return texts.to_pylist()
    return list(column)


def format_by_column(format_dicts: Callable) -> Callable:
    """Format the cells of a page column by column.

    D-Tale calls two functions for each cell of a page. For most columns, the types of
    the values show that formatting does not change them.
    """

    @functools.wraps(format_dicts)
    def formatted(self, rows):
        if not isinstance(rows, RowTuples) or not rows.columns[0]:
            return format_dicts(self, rows)
        columns = []
        for at, _, write in self.fmts:
            values = rows.columns[at]
            kind = getattr(write, "passes_through", None)
            if kind is None or not {kind}.issuperset(map(type, values)):
                values = [
                    write(value, nan_display=self.nan_display) for value in values
                ]
            columns.append(values)
        # The script `fresh.js` sends the label of the row whose cell a user has edited.
        names = [LABEL, *(name for _, name, _ in self.fmts)]
        labels = rows.columns[0]
        return [
            dict(zip(names, row, strict=True))
            for row in zip(labels, *columns, strict=True)
        ]

    return formatted


def mark_passthrough(kind: type) -> Callable:
    """Return a wrapper that marks formatters which do not change values of a type.

    The wrapper is for methods of D-Tale that add the formatter of a column.
    """

    def wrap(add):
        @functools.wraps(add)
        def added(self, idx, name=None, **options):
            add(self, idx, name, **options)
            if not (self.as_string or options.get("as_string")):
                self.fmts[-1][2].passes_through = kind

        return added

    return wrap


class EditedRow:
    """The filtered data for D-Tale's ``edit_cell``, which needs only a row's label.

    D-Tale itself looks for the row by its position. Meanwhile, another person can have
    changed what the filter finds, or the order of the rows.

    Raises:
        RowGone: the row was deleted.
    """

    def __init__(self, frame: pd.DataFrame, label: int) -> None:
        if label not in frame.index:
            raise RowGone
        self.index = [label]

    @property
    def iloc(self) -> Self:
        return self

    def __getitem__(self, rows: Any) -> Self:
        return self


class SortedLabelSet:
    """The labels of the rows to highlight: a sorted array that D-Tale uses as a set."""

    def __init__(self, labels: np.ndarray) -> None:
        self.labels = labels

    def __contains__(self, label: Any) -> bool:
        at = self.labels.searchsorted(label)
        return at < len(self.labels) and self.labels[at] == label


def cache_filter_results(run_query: Callable) -> Callable:
    """Cache the results of filters for the grid.

    D-Tale would apply the filter to every row of a frame for each page.
    """

    @functools.wraps(run_query)
    def applied(df, query, *args, highlight_filter=False, **options):
        if (label := edited_label()) is not None:
            return EditedRow(df, label)
        found = functools.partial(
            run_query, df, query, *args, highlight_filter=highlight_filter, **options
        )
        if not is_grid_page():
            return found()
        sort = requested_sort()
        cached = cached_result(query, df, highlight_filter, sort) if query else None
        if highlight_filter:
            labels = found()[1] if cached is None else SortedLabelSet(cached)
            return LazyPage(df, row_order(df, sort, source_of(df))), labels
        if cached is not None:
            return LazyPage(df, cached)
        data = found()
        return LazyPage(data, row_order(data, sort, source_of(data)))

    return applied


def source_of(df: pd.DataFrame) -> tuple | None:
    """Return the key of the data for the cache; None if they must not be cached.

    New data have no key yet, and predefined filters of the site may find different rows
    each time.
    """
    view_args: Any = request.view_args
    opened = current().get(view_args["data_id"])
    return opened.source if df is opened.frame else None


def cached_result(
    query: str, df: pd.DataFrame, labels: bool, sort: Sort
) -> np.ndarray | None:
    """Return the rows that a filter finds, from the cache if possible.

    Args:
        query: The filter. Its result depends only on the frame, and on the values of
            the site that it uses.
        df: The frame that the request sees.
        labels: Return the sorted labels of the rows, not their positions.
        sort: The order of the positions.

    Returns:
        An array of integers, or None if the result must not be cached.

    Raises:
        FilterRefused
    """
    source = source_of(df)
    if source is None or (labels and df.index.dtype != np.int64):
        return None

    values = values_for(query)

    def find():
        rows = Filter(query).rows(df, values)
        if labels:
            found = np.sort(df.index[rows].to_numpy())
        else:
            found = np.flatnonzero(rows).astype(np.min_scalar_type(len(df)))
            order = row_order(df, sort, source)
            if order is not None:
                found = filtered_order(order, found)
        size = sys.getsizeof(query) + sys.getsizeof(key[-1])
        return pd.Series(found), found.nbytes + size + ENTRY_OVERHEAD

    # This key has more parts than the key of a frame, so the two cannot collide.
    # 1, 1.0 and True are equal, but their texts are not.
    key = (*source, query, bool(labels), json.dumps(sort), repr(values))
    return blobs.cached(key, find).to_numpy()


NAMES = Substitution(
    "views.py",
    "D-Tale looks for the name of each column in a list of all names.",
    r'\[(c\["name"\] for c in global_state\.get_dtypes\(data_id\))\](?=\n +if any\()',
    r"{\1}",
)


def use_name_set(get_data: Callable) -> Callable:
    """Make D-Tale look up the names of columns in a set.

    The names are looked up in ``get_data`` itself, so its source is patched.
    """
    source = inspect.getsource(inspect.unwrap(get_data))
    source = source[source.index("def get_data(") :]  # This skips the decorators.
    scope: dict[str, Any] = {}
    exec(substitute(source, [NAMES]), vars(views), scope)
    # With `wraps`, tools can find the source of the original function.
    return functools.wraps(get_data)(views.exception_decorator(scope["get_data"]))


PATCHES = [
    ("dtale.views:run_query", cache_filter_results),
    ("dtale.utils:JSONFormatter.format_dicts", format_by_column),
    ("dtale.utils:JSONFormatter.add_string", mark_passthrough(str)),
    ("dtale.utils:JSONFormatter.add_int", mark_passthrough(int)),
]
VIEWS = [(GRID, use_name_set)]
