"""Check the size of charts before they are drawn.

D-Tale draws charts on its charts page, in dialogs of the grid, and in exported files.
The table CHARTS in ``endpoint_bounds`` assigns the checks to chart types. The functions
at the end patch D-Tale so that it runs the checks.
"""

import functools
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from django.utils.translation import gettext as _
from dtale import global_state, query
from dtale.charts.utils import retrieve_chart_data, valid_chart
from dtale.utils import make_list

from ...exceptions import FrameNotFound, InputRefused, LimitExceeded
from ..patches.fast.codes import count_distinct
from . import limits
from .columns import check_cleaning, has_texts
from .operation import Operation, groups, unknown_kind

ALONE = None, "raw", "rolling"  # With these, each row of data is a separate point.
IN_PYTHON = "first", "last"  # These aggregations sort each group separately.

FEW_POINTS = 5_000  # The other limits on points allow this many.

Inputs = dict[str, Any]  # The options of a chart, keyed by their names in D-Tale.
# A check of a chart receives the rows of a frame and the options of the chart.
ChartCheck = Callable[[pd.DataFrame, Inputs], None]


class Chart:
    """The columns of a frame that a chart uses, grouped by their role in the chart.

    Args:
        frame: The rows that the chart's filter keeps.
        inputs: The options of the chart.
        axes: The names of the options for the axes.
        values: The names of the options for the values that are shown at a point.
        group: The name of the option for the columns by which the points are grouped.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        inputs: Inputs,
        axes: list[str],
        values: list[str],
        group: str = "group",
    ) -> None:
        self.inputs = inputs
        self.agg = inputs.get("agg")
        if inputs.get("extended_aggregation"):
            self.agg = "several"
        self.axes = self.chosen(axes)
        self.group = self.chosen([group])
        self.frames = self.chosen(["animate_by"])
        self.values = self.chosen(values)
        names = dict.fromkeys(self.axes + self.group + self.frames + self.values)
        known = [name for name in names if name.split("|")[0] in frame.columns]
        options = {"group_val": inputs.get("group_val")} if self.group else {}
        self.data = retrieve_chart_data(frame, known, **options)[0] if known else frame
        self.rows = len(self.data)
        self.columns = len(self.axes) + max(len(self.values), 1)

    def chosen(self, names: list[str]) -> list[str]:
        found = [each for name in names for each in make_list(self.inputs.get(name))]
        if not all(isinstance(each, str) for each in found):
            raise InputRefused(_("The names of a chart's columns have to be text."))
        return found

    def known(self, names: Iterable[str]) -> list[str]:
        return [name for name in dict.fromkeys(names) if name in self.data]

    def points(self) -> int:
        """Return the number of points, summed over the frames of an animation."""
        if self.agg in ALONE:
            return self.rows
        if self.frames:
            names = self.known([*self.frames, *self.group, *self.axes])
            return int(np.prod([float(self.data[name].nunique()) for name in names]))
        names = self.known([*self.group, *self.axes])
        few = min(FEW_POINTS, limits.CHART.most // self.columns)
        return groups(self.data, names, few) if names else self.rows

    def check_groups(self) -> None:
        """Check the number of groups. D-Tale bins decimals, and integers on request."""
        is_binned = self.inputs.get("group_type") == "bins"
        if self.inputs.get("bins_val"):
            limits.BINS.check(int(self.inputs["bins_val"]))
        names = self.known(self.group)
        binned = [
            name for name in names if is_binned or self.data[name].dtype.kind == "f"
        ]
        if binned:
            limits.BINNED.check(self.rows * len(binned))
        names = [name for name in names if name not in binned]
        if names:
            most = limits.CHART_GROUPS.most
            limits.CHART_GROUPS.check(groups(self.data, names, most))

    def check_cleaners(self) -> None:
        cleaners = self.inputs.get("cleaners") or []
        if cleaners:
            texts = [each for _, each in self.data.items() if has_texts(each)]
            check_cleaning(texts, cleaners)

    def check(self) -> None:
        self.check_cleaners()
        self.check_groups()
        points = self.points()
        if self.agg in IN_PYTHON:
            limits.GROUPS.check(points)
        if self.inputs.get("trendline") == "lowess":
            limits.TREND.check(points)
        limits.CHART.check(points * self.columns)


# By type ------------------------------------------------------------------------------


def points(frame: pd.DataFrame, inputs: Inputs) -> None:
    Chart(frame, inputs, ["x"], ["y"]).check()


def points_in_space(frame: pd.DataFrame, inputs: Inputs) -> None:
    Chart(frame, inputs, ["x", "y"], ["z"]).check()


def grid(frame: pd.DataFrame, inputs: Inputs) -> None:
    """Check the number of cells: a grid has one for each pair of values of its axes."""
    chart = Chart(frame, inputs, ["x", "y"], ["z"])
    chart.check()
    names = chart.known(chart.axes)
    limits.HEATMAP.check(math.prod(count_distinct(chart.data[x]) for x in names))


def maps(frame: pd.DataFrame, inputs: Inputs) -> None:
    is_of_places = inputs.get("map_type") == "choropleth"
    axes = ["loc"] if is_of_places else ["lat", "lon"]
    Chart(frame, inputs, axes, ["map_val"], "map_group").check()


def candlesticks(frame: pd.DataFrame, inputs: Inputs) -> None:
    values = ["cs_open", "cs_close", "cs_high", "cs_low"]
    Chart(frame, inputs, ["cs_x"], values, "cs_group").check()


def labels(frame: pd.DataFrame, inputs: Inputs) -> None:
    kind = inputs["chart_type"]
    Chart(frame, inputs, [f"{kind}_label"], [f"{kind}_value"], f"{kind}_group").check()


def clusters(frame: pd.DataFrame, inputs: Inputs) -> None:
    """Check the number of pairs: clustering compares each row with every other row."""
    labels(frame, inputs)
    chart = Chart(frame, inputs, ["clustergram_label"], [], "clustergram_group")
    limits.ROW_PAIRS.check(chart.points() ** 2)


def pareto(frame: pd.DataFrame, inputs: Inputs) -> None:
    values = ["pareto_bars", "pareto_line", "pareto_sort"]
    Chart(frame, inputs, ["pareto_x"], values, "pareto_group").check()


def histogram(frame: pd.DataFrame, inputs: Inputs) -> None:
    limits.BINS.check(int(inputs.get("histogram_bins") or 20))
    chart = Chart(frame, inputs, ["histogram_col"], [], "histogram_group")
    chart.check_groups()
    limits.HISTOGRAM.check(chart.rows)


# Patches ------------------------------------------------------------------------------

# A wrapper takes one of D-Tale's functions, and returns its replacement.
Wrapper = Callable[[Callable], Callable]


def check_chart(
    check: ChartCheck | None,
    data_id: str | None,
    inputs: Inputs,
    data: pd.DataFrame | None = None,
) -> None:
    """Refuse a chart that would be too large, before it is drawn.

    Args:
        check: One of the checks above; None if there is no such chart type.
        inputs: The options of the chart.
        data: The data of the chart; if None, the frame that ``data_id`` refers to.

    Raises:
        InputRefused, LimitExceeded
    """
    if not valid_chart(**inputs):
        return  # D-Tale draws nothing until enough options are chosen.
    if check is None:
        raise unknown_kind(inputs.get("chart_type"))
    frame = query.handle_predefined(data_id) if data is None else data
    if frame is None:
        raise FrameNotFound(data_id)
    try:
        check(frame, inputs)
    except LimitExceeded:
        fewer = query.run_query(
            frame,
            inputs.get("query"),
            global_state.get_context_variables(data_id),
            pct=inputs.get("load"),
            pct_type=inputs.get("load_type"),
            stratified_group=inputs.get("stratified_group"),
        )
        if len(fewer) == len(frame):
            raise
        check(fewer, inputs)


def dialog_chart(operation: Operation) -> None:
    inputs: Inputs = {name: operation.get(name) for name in ("x", "agg")}
    inputs |= {name: operation.json(name) for name in ("y", "group")}
    text = query.build_query(operation.data_id, operation.get("query"))
    inputs |= {"chart_type": "line", "query": text}
    check_chart(points, operation.data_id, inputs)


def enforce_bounds(table: Mapping[str, ChartCheck]) -> Wrapper:
    """Return a wrapper that checks each chart against the bound of its type.

    D-Tale shows the reason for a refusal in place of the chart.
    """

    def wrap(build: Callable) -> Callable:
        @functools.wraps(build)
        def built(data_id: str, *args: Any, **inputs: Any) -> Any:
            # A request can contain any JSON value here.
            check = table.get(str(inputs.get("chart_type")))
            check_chart(check, data_id, inputs, inputs.get("data"))
            return build(data_id, *args, **inputs)

        return built

    return wrap


def limit_group_options(build_group_val_options: Callable) -> Callable:
    """Offer groups for selection only if there are not too many for a chart."""

    @functools.wraps(build_group_val_options)
    def offered(df: pd.DataFrame, group_cols: list[str] | None) -> Any:
        known = [name for name in group_cols or () if name in df]
        if known:
            most = limits.CHART_GROUPS.most
            limits.CHART_GROUPS.check(groups(df, known, most))
        return build_group_val_options(df, group_cols)

    return offered


def patches(table: Mapping[str, ChartCheck]) -> list[tuple[str, Wrapper]]:
    """Return patches that run the checks, for ``patches.registry.PATCHES``."""
    dash = "dtale.dash_application"
    builders = (
        "build_figure_data",
        "build_raw_figure_data",
        "candlestick_builder",
        "heatmap_builder",
        "map_builder",
    )
    return [
        *((f"{dash}.charts:{name}", enforce_bounds(table)) for name in builders),
        (f"{dash}.views:build_group_val_options", limit_group_options),
    ]
