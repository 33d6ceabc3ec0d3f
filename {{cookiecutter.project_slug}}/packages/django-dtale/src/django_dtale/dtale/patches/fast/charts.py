"""Charts of aggregated values, without sorting all rows first.

D-Tale sorts the rows of a chart by its axes and groups, and then aggregates them in sorted
groups. With a million rows, sorting texts takes most of the time.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from dtale.charts import utils

from ...assets.patching import Substitution
from .sources import rebuilt

# The results of these aggregations do not depend on the order of the rows.
ANY_ORDER = {"count", "max", "mean", "median", "min", "nunique", "std", "sum", "var"}

SORT = Substitution(
    "charts/utils.py",
    "D-Tale sorts all rows before it aggregates them.",
    r"data\.sort_values\(sort_cols\)(?=\n)",
    "rows_to_aggregate(data, sort_cols, agg, extended_aggregation, animate_by)",
    count=2,
)


def rows_to_aggregate(
    data: pd.DataFrame,
    names: list[str],
    agg: str | None,
    extended: Sequence[dict[str, Any]] | None,
    animate_by: str | None,
) -> pd.DataFrame:
    """Return the rows of a chart, sorted only if its values depend on their order.

    The frames of an animation are in the order of the rows.
    """
    aggs = {each["agg"] for each in extended} if extended else {agg}
    if animate_by is None and aggs <= ANY_ORDER:
        return data
    return data.sort_values(names)


def without_sorting(build_base_chart: Callable) -> Callable:
    """Do not sort rows whose order has no effect. The rest of the function is D-Tale's."""
    built = rebuilt(build_base_chart, utils, [SORT], rows_to_aggregate)
    return functools.wraps(build_base_chart)(built)


PATCHES = [
    (f"dtale.{module}:build_base_chart", without_sorting)
    for module in ("charts.utils", "dash_application.charts", "views")
]
