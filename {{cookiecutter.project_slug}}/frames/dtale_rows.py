"""The rows of the grid, a page at a time: what a filter finds is looked for once.

D-Tale's grid asks for some sixty rows when somebody scrolls, and D-Tale filters the
whole frame for them. A stored payload never changes, so neither does what a filter finds
in it: that is kept in this process's cache. In the form of ``dtale_replaced.REPLACED``.
"""

import functools
import sys
from collections import defaultdict

import numpy as np
import pandas as pd
from dtale.utils import get_bool_arg
from flask import has_request_context, request

from . import frame_storage
from .filters import Filter
from .store import GRID_ENDPOINT
from .unit_of_work import current

OBJECTS = 4_000  # Bytes: what is kept of a filter, if it finds nothing.


class Rows:
    """What D-Tale's ``get_data`` takes for the filtered frame.

    Args:
        frame: ``pandas.DataFrame``.
        positions: numpy.ndarray of the rows that are left; None for all.
    """

    def __init__(self, frame, positions=None):
        self.frame = frame
        self.positions = positions

    def __len__(self):
        return len(self.frame if self.positions is None else self.positions)

    @property
    def iloc(self):
        return self

    def __getitem__(self, page):
        if self.positions is not None:
            page = self.positions[page]
        return Rows(self.frame.iloc[page])

    def itertuples(self):
        return Page(self.frame)


class Page:
    """The rows of a frame as pandas yields them, without a new class for each page."""

    def __init__(self, frame):
        self.columns = [list(frame.index), *_values(frame)]

    def __iter__(self):
        return zip(*self.columns, strict=True)


def _values(frame):
    """Return the values (list) of each column, as pandas yields them.

    Those of numpy are taken for all columns of a dtype together: pandas needs longer for
    a column than for the few values of a page.
    """
    values, of_dtype, others = [None] * frame.shape[1], defaultdict(list), []
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
        values[at] = _listed(column)
    return values


def _listed(column):
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
        texts = column.array.__arrow_array__()
        if not texts.null_count:
            return texts.to_pylist()
    return list(column)


def by_column(format_dicts):
    """D-Tale asks two functions about each cell of a page. Of most columns it is known
    from their types that the cells stay as they are.
    """

    @functools.wraps(format_dicts)
    def formatted(self, rows):
        if not isinstance(rows, Page) or not rows.columns[0]:
            return format_dicts(self, rows)
        columns = []
        for at, _, write in self.fmts:
            values = rows.columns[at]
            kind = getattr(write, "leaves", None)
            if kind is None or not all(type(value) is kind for value in values):
                values = [
                    write(value, nan_display=self.nan_display) for value in values
                ]
            columns.append(values)
        names = [name for _, name, _ in self.fmts]
        return [
            dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
        ]

    return formatted


def leaving(kind):
    """Return what wraps a method of D-Tale's that adds a formatter of a column: one that
    leaves values of this type as they are says so.
    """

    def wrap(add):
        @functools.wraps(add)
        def added(self, idx, name=None, **options):
            add(self, idx, name, **options)
            if not (self.as_string or options.get("as_string")):
                self.fmts[-1][2].leaves = kind

        return added

    return wrap


class Labels:
    """What D-Tale takes for the set of the rows to highlight: a sorted numpy.ndarray."""

    def __init__(self, labels):
        self.labels = labels

    def __contains__(self, label):
        at = self.labels.searchsorted(label)
        return at < len(self.labels) and self.labels[at] == label


def once_for_all_pages(run_query):
    """D-Tale has a filter look at each row of a frame for each page of the grid."""

    @functools.wraps(run_query)
    def applied(df, query, *args, highlight_filter=False, **options):
        found = functools.partial(
            run_query, df, query, *args, highlight_filter=highlight_filter, **options
        )
        if not is_page():
            return found()
        kept = kept_by(query, df, highlight_filter) if query else None
        if highlight_filter:
            labels = found()[1] if kept is None else Labels(kept)
            return Rows(df), labels
        return Rows(found()) if kept is None else Rows(df, kept)

    return applied


def is_page():
    """Say (bool) whether the grid asks, and not somebody for a file of all rows."""
    return (
        has_request_context()
        and request.endpoint == GRID_ENDPOINT
        and not get_bool_arg(request, "export")
    )


def kept_by(query, df, labels):
    """Return what a filter finds, from the cache if it was looked for before.

    Args:
        query: str. Whatever else it depends on is in the frame: the grammar knows no
            context variables.
        df: ``pandas.DataFrame``, the one that the request sees.
        labels: bool, find the rows' labels in place of their positions.

    Returns:
        numpy.ndarray of integers, sorted. None: this is not to be kept.

    Raises:
        FilterRefused
    """
    opened = current().get(request.view_args["data_id"])
    # New data have no name yet, and the site's own filters (predefined ones) may find
    # something else each time.
    if opened.source is None or df is not opened.frame:
        return None
    if labels and df.index.dtype != np.int64:
        return None

    def find():
        rows = Filter(query).rows(df)
        if labels:
            found = np.sort(df.index[rows].to_numpy())
        else:
            found = np.flatnonzero(rows).astype(np.min_scalar_type(len(df)))
        return pd.Series(found), found.nbytes + sys.getsizeof(query) + OBJECTS

    # Longer than any key of a frame: none is taken for what a filter finds.
    return frame_storage.cached((*opened.source, query, bool(labels)), find).to_numpy()


REPLACED = [
    ("dtale.views:run_query", once_for_all_pages),
    ("dtale.utils:JSONFormatter.format_dicts", by_column),
    ("dtale.utils:JSONFormatter.add_string", leaving(str)),
    ("dtale.utils:JSONFormatter.add_int", leaving(int)),
]
