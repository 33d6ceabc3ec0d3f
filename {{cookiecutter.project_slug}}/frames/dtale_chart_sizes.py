"""How large charts would be, told before they are drawn.

D-Tale draws them for its charts page, as files, and in dialogs of the grid. Each measure
is one of the table in ``bounds``, and `replaced` has it asked wherever a chart is made.
"""

import functools

import numpy as np
from django.utils.translation import gettext as _
from dtale import global_state, query
from dtale.charts.utils import retrieve_chart_data, valid_chart
from dtale.utils import make_list

from . import costs
from .asked import groups
from .dtale_column_sizes import cleaned, has_texts
from .exceptions import FrameMissing, InputRefused, LimitExceeded

ALONE = None, "raw", "rolling"  # Of aggregations: each row stays one.
IN_PYTHON = "first", "last"  # These sort each group by itself.


class Chart:
    """What a chart is made of: columns of a frame by the part that they play.

    Args:
        frame: ``pandas.DataFrame``, the rows that its filter leaves.
        inputs: what was chosen, by D-Tale's names.
        axes: the names of what makes one of its points.
        values: the names of what is shown there.
    """

    def __init__(self, frame, inputs, axes, values, group="group"):
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

    def chosen(self, names):
        found = [each for name in names for each in make_list(self.inputs.get(name))]
        if not all(isinstance(each, str) for each in found):
            raise InputRefused(_("A chart needs the names of columns, which are text."))
        return found

    def known(self, names):
        return [name for name in dict.fromkeys(names) if name in self.data]

    def points(self):
        """Return how many there are (int): of an animation, each is in each frame."""
        if self.agg in ALONE:
            return self.rows
        if self.frames:
            names = self.known([*self.frames, *self.group, *self.axes])
            return int(np.prod([float(self.data[name].nunique()) for name in names]))
        names = self.known([*self.group, *self.axes])
        return groups(self.data, names) if names else self.rows

    def check_groups(self):
        """D-Tale puts decimals into bins, and integers if it is asked to."""
        is_binned = self.inputs.get("group_type") == "bins"
        if self.inputs.get("bins_val"):
            costs.BINS.check(int(self.inputs["bins_val"]))
        names = self.known(self.group)
        binned = [
            name for name in names if is_binned or self.data[name].dtype.kind == "f"
        ]
        if binned:
            costs.BINNED.check(self.rows * len(binned))
        names = [name for name in names if name not in binned]
        if names:
            costs.CHART_GROUPS.check(groups(self.data, names))

    def check_cleaners(self):
        cleaners = self.inputs.get("cleaners") or []
        if cleaners:
            texts = [each for _, each in self.data.items() if has_texts(each)]
            cleaned(texts, cleaners)

    def check(self):
        self.check_cleaners()
        self.check_groups()
        points = self.points()
        if self.agg in IN_PYTHON:
            costs.GROUPS.check(points)
        if self.inputs.get("trendline") == "lowess":
            costs.TREND.check(points)
        columns = len(self.axes) + max(len(self.values), 1)
        costs.CHART.check(points * columns)


# By type ------------------------------------------------------------------------------


def points(frame, inputs):
    Chart(frame, inputs, ["x"], ["y"]).check()


def points_in_space(frame, inputs):
    Chart(frame, inputs, ["x", "y"], ["z"]).check()


def grid(frame, inputs):
    """Each value of an axis meets each of the other, whether there is one or not."""
    chart = Chart(frame, inputs, ["x", "y"], ["z"])
    chart.check()
    names = chart.known(chart.axes)
    costs.HEATMAP.check(int(np.prod([float(chart.data[x].nunique()) for x in names])))


def maps(frame, inputs):
    is_of_places = inputs.get("map_type") == "choropleth"
    axes = ["loc"] if is_of_places else ["lat", "lon"]
    Chart(frame, inputs, axes, ["map_val"], "map_group").check()


def candlesticks(frame, inputs):
    values = ["cs_open", "cs_close", "cs_high", "cs_low"]
    Chart(frame, inputs, ["cs_x"], values, "cs_group").check()


def labels(frame, inputs):
    kind = inputs["chart_type"]
    Chart(frame, inputs, [f"{kind}_label"], [f"{kind}_value"], f"{kind}_group").check()


def clusters(frame, inputs):
    """Each row is compared with each other, to find those that are alike."""
    labels(frame, inputs)
    chart = Chart(frame, inputs, ["clustergram_label"], [], "clustergram_group")
    costs.ROW_PAIRS.check(chart.points() ** 2)


def pareto(frame, inputs):
    values = ["pareto_bars", "pareto_line", "pareto_sort"]
    Chart(frame, inputs, ["pareto_x"], values, "pareto_group").check()


def histogram(frame, inputs):
    costs.BINS.check(int(inputs.get("histogram_bins") or 20))
    chart = Chart(frame, inputs, ["histogram_col"], [], "histogram_group")
    chart.check_groups()
    costs.HISTOGRAM.check(chart.rows)


# Where charts are made ----------------------------------------------------------------


def check_chart(measure, data_id, inputs, data=None):
    """Refuse a chart that would be too large, before it is made.

    Args:
        measure: one of those above; None if there is no such type of charts.
        inputs: what was chosen, by D-Tale's names.
        data: the frame that it is of, if it is not that of the data id.

    Raises:
        InputRefused, LimitExceeded
    """
    if not valid_chart(**inputs):
        return  # Nothing is drawn before there is enough chosen.
    if measure is None:
        raise InputRefused(
            _("%(kind)s is not an operation that D-Tale offers here.")
            % {"kind": repr(str(inputs.get("chart_type"))[:50])}
        )
    frame = query.handle_predefined(data_id) if data is None else data
    if frame is None:
        raise FrameMissing(data_id)
    try:
        measure(frame, inputs)
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
        measure(fewer, inputs)


def of_dialog(asked):
    inputs = {name: asked.get(name) for name in ("x", "agg")}
    inputs |= {name: asked.json(name) for name in ("y", "group")}
    text = query.build_query(asked.data_id, asked.get("query"))
    inputs |= {"chart_type": "line", "query": text}
    check_chart(points, asked.data_id, inputs)


def bounded_by(table):
    """Return what lets D-Tale make a chart only within the bound of its type (dict).

    D-Tale shows the reason in the place of the chart.
    """

    def wrap(build):
        @functools.wraps(build)
        def built(data_id, *args, **inputs):
            measure = table.get(inputs.get("chart_type"))
            check_chart(measure, data_id, inputs, inputs.get("data"))
            return build(data_id, *args, **inputs)

        return built

    return wrap


def short_list(build_group_val_options):
    """Let D-Tale offer the values of groups only where a chart can have them."""

    @functools.wraps(build_group_val_options)
    def offered(df, group_cols):
        known = [name for name in group_cols or () if name in df]
        if known:
            costs.CHART_GROUPS.check(groups(df, known))
        return build_group_val_options(df, group_cols)

    return offered


def replaced(table):
    """Return what is replaced in D-Tale, in the form of ``dtale_replaced.REPLACED``."""
    dash = "dtale.dash_application"
    builders = (
        "build_figure_data",
        "build_raw_figure_data",
        "candlestick_builder",
        "heatmap_builder",
        "map_builder",
    )
    return [
        *((f"{dash}.charts:{name}", bounded_by(table)) for name in builders),
        (f"{dash}.views:build_group_val_options", short_list),
    ]
