"""Charts of aggregated values, without sorting all rows first.

D-Tale sorts the rows of a chart by its axes and groups, and then aggregates them in sorted
groups. With a million rows, sorting texts takes most of the time, and then grouping by more
than one column.
"""

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from dtale import pandas_util
from dtale.charts import utils
from dtale.dash_application import charts as dash_charts
from dtale.utils import make_list

from ...assets.patching import Substitution
from ..columns import FEW
from .codes import codes_of, has_arrow_texts
from .sources import rebuilt

# The results of these aggregations do not depend on the order of the rows.
ANY_ORDER = {"count", "max", "mean", "median", "min", "nunique", "std", "sum", "var"}
MOST = 2**62  # The largest number of possible groups.

SORT = Substitution(
    "charts/utils.py",
    "D-Tale sorts all rows before it aggregates them.",
    r"data\.sort_values\(sort_cols\)(?=\n)",
    "rows_to_aggregate(data, sort_cols, agg, extended_aggregation, animate_by)",
    count=2,
)
SORT_CELLS = Substitution(
    "dash_application/charts.py",
    "D-Tale sorts all rows before it aggregates them, and sorts the results again.",
    SORT.pattern,
    "rows_to_aggregate(data, sort_cols, agg, None, animate_by)",
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


def heatmap_without_sorting(heatmap_builder: Callable) -> Callable:
    """Do not sort the rows of a heatmap either."""
    built = rebuilt(heatmap_builder, dash_charts, [SORT_CELLS], rows_to_aggregate)
    return functools.wraps(heatmap_builder)(built)


def group_by_codes(build_agg_data: Callable) -> Callable:
    """Group the rows of a long frame by one number instead of several columns."""

    @functools.wraps(build_agg_data)
    def built(
        df: pd.DataFrame,
        x: str,
        y: str | list[str],
        inputs: dict[str, Any],
        agg: str | None,
        z: str | list[str] | None = None,
        group_col: list[str] | None = None,
        animate_by: str | None = None,
        extended_aggregation: Sequence[dict[str, Any]] = (),
        dropna: bool = True,
    ) -> tuple[pd.DataFrame, list[str], list[str]]:
        options = {
            **{"z": z, "group_col": group_col, "animate_by": animate_by},
            **{"extended_aggregation": extended_aggregation, "dropna": dropna},
        }
        aggs = utils.build_aggs(y, z, agg, extended_aggregation)
        keys = [*make_list(group_col), x, *(make_list(y) if make_list(z) else ())]
        in_groups = dropna and animate_by is None and ANY_ORDER.issuperset(aggs)
        groups = groups_of(df, keys) if in_groups and len(df) > FEW else None
        if groups is None:
            return build_agg_data(df, x, y, inputs, agg, **options)
        numbers, values = groups
        # The code and the names of the columns do not depend on the rows.
        _, code, names = build_agg_data(df.head(1), x, y, inputs, agg, **options)
        found, _, _ = utils.compute_aggs(df, df.groupby(numbers), aggs, ["group"], None)
        found = found[found.index >= 0]  # Rows with a missing key have the number -1.
        places = np.unravel_index(
            found.index.to_numpy(), [len(each) for each in values]
        )
        columns = {
            key: each.take(place)
            for key, each, place in zip(keys, values, places, strict=True)
        }
        found = found.reset_index(drop=True)
        return pd.concat([pd.DataFrame(columns), found], axis=1), code, names

    return built


def groups_of(df: pd.DataFrame, keys: list[str]) -> tuple[np.ndarray, list] | None:
    """Return the number of each row's group, and the values of each key.

    The numbers are in the order of the sorted groups. The result is None if a key has a
    dtype that is not supported, or if there are too many groups.
    """
    if len({*keys}) < len(keys) or not df.columns.is_unique:
        return None
    # Grouping by a single column of another dtype is not slow.
    if len(keys) == 1 and not has_arrow_texts(df[keys[0]]):
        return None
    if keys == ["index"]:  # D-Tale leaves a key with this name in the index.
        return None
    # With pandas 2, the result would also have categories without rows.
    if not pandas_util.is_pandas3() and any(
        isinstance(df[key].dtype, pd.CategoricalDtype) for key in keys
    ):
        return None
    found = []
    for key in keys:
        coded = codes_of(df[key])
        if coded is None:
            return None
        found.append(coded)
    sizes: list[int] = [len(values) for _, values in found]
    if math.prod(sizes) > MOST:
        return None
    numbers = np.zeros(len(df), dtype="int64")
    is_missing = np.zeros(len(df), dtype=bool)
    for (codes, _), size in zip(found, sizes, strict=True):
        numbers *= size
        numbers += codes
        is_missing |= codes < 0
    numbers[is_missing] = -1
    return numbers, [values for _, values in found]


PATCHES = [
    *(
        (f"dtale.{module}:build_base_chart", without_sorting)
        for module in ("charts.utils", "dash_application.charts", "views")
    ),
    ("dtale.dash_application.charts:heatmap_builder", heatmap_without_sorting),
    *(
        (f"dtale.{module}:build_agg_data", group_by_codes)
        for module in ("charts.utils", "dash_application.charts")
    ),
]
