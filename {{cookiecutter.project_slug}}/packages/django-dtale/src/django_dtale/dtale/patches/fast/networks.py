"""Networks of tables that contain the same edge many times.

D-Tale creates an edge for each row. Browsers cannot show a million edges, but a table with a
million rows often has only a few edges that differ.
"""

import math
from collections.abc import Callable
from functools import wraps

import numpy as np
import pandas as pd
from dtale import global_state, views
from flask import request

from ...assets.patching import Substitution
from ...bounds.analyses import edge_columns
from ...bounds.limits import EDGES
from .charts import groups_of
from .sources import rebuilt

ROWS = Substitution(
    "views.py",
    "D-Tale creates an edge for each row.",
    r"df = global_state\.get_data\(data_id\)",
    "df = distinct_edges(data_id)",
)
AVERAGE = Substitution(
    "views.py",
    "The average weight is that of all rows.",
    r"df\[weight\]\.mean\(\)",
    "global_state.get_data(data_id)[weight].mean()",
)


def distinct_edges(data_id: str) -> pd.DataFrame:
    """Return the rows of a network, each edge once if there are more rows than EDGES.

    Of equal edges, the last row is kept, because D-Tale uses the last group, color and
    weight of a node or an edge.
    """
    frame = global_state.get_data(data_id)
    if len(frame) <= EDGES.most:
        return frame
    columns = edge_columns(request.args)
    groups = groups_of(frame, columns)
    if groups is not None:
        numbers, values = groups
        most = math.prod(map(len, values))
        # A missing value has no number.
        if most <= len(frame) and (numbers >= 0).all():
            last = np.full(most, -1)
            last[numbers] = np.arange(len(frame))
            return frame.iloc[np.sort(last[last >= 0])]
    return frame.drop_duplicates(columns, keep="last")


def with_distinct_edges(*changes: Substitution) -> Callable:
    """Return a patch that replaces the rows of a view. The rest is D-Tale's."""

    def patch(view: Callable) -> Callable:
        built = rebuilt(view, views, [ROWS, *changes], distinct_edges)
        return wraps(view)(views.exception_decorator(built))

    return patch


VIEWS = [
    ("dtale.network_analysis", with_distinct_edges(AVERAGE)),
    ("dtale.network_data", with_distinct_edges()),
    ("dtale.shortest_path", with_distinct_edges()),
]
