"""What is replaced in D-Tale so that its charts and pictures are drawn.

In the form of ``dtale_replaced.REPLACED``. Some of it gives frequencies the names that
pandas had before 3.
"""

import collections
import functools
import math
import threading

import numpy as np
import pandas as pd
from django.utils.translation import gettext as _
from dtale.constants import CHART_JOINER_CHAR
from dtale.utils import json_float, make_list
from matplotlib import pyplot
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import Tick

from .exceptions import InputRefused

# What Missing Analysis offers, where pandas has another name for it now.
RENAMED = {
    **{"M": "ME", "SM": "SME", "BM": "BME", "CBM": "CBME"},
    **{"Q": "QE", "BQ": "BQE", "Y": "YE", "BY": "BYE"},
    **{"BH": "bh", "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns"},
}
OFFERED = {*RENAMED, *"B C D W MS SMS BMS CBMS QS BQS YS BYS".split()}

# What D-Tale calls the column of an X axis.
AXIS = "x"

# As many lines of text as there is room for.
MAX_TICKS = 40

MAX_DECIMALS = 10  # Of D-Tale's labels of bins.

one_picture = threading.Lock()


def hourly_charts(date_freq_handler):
    """Charts have hours as "H", which is no period any more."""

    @functools.wraps(date_freq_handler)
    def handler_of(data):
        handler = date_freq_handler(data)

        def handle(name):
            column, joiner, frequency = name.rpartition(CHART_JOINER_CHAR)
            if frequency != "H" or column not in data:
                return handler(name)
            series, code = handler(f"{column}{joiner}h")
            return series.rename(name), code.replace(f"{joiner}h'", f"{joiner}H'")

        return handle

    return handler_of


def drawn_alone(draw):
    """Two requests would draw into one picture: pyplot has one for all threads. And it
    keeps each until it is told to forget it.
    """

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with one_picture:
            try:
                return draw(*args, **kwargs)
            finally:
                pyplot.close("all")  # What is drawn stays there for who has it.

    return drawn


def dated_matrix(matrix):
    """With dates beside its rows, the matrix asks for a row at each of them exactly."""

    @functools.wraps(matrix)
    def drawn(data, freq=None):
        if freq is None:
            return matrix(data)
        data = data[data.index.notna()].sort_index()
        axes = matrix(data)
        if len(data):
            dates = ticks(data.index, freq)
            axes.set_yticks(data.index.searchsorted(dates))
            axes.set_yticklabels(dates.strftime("%Y-%m-%d"), fontsize=20)
        return axes

    return drawn


def ticks(index, freq):
    """Return dates (DatetimeIndex) of a frequency, or some of them if they are many.

    Args:
        index: DatetimeIndex, sorted.
        freq: str, of OFFERED.

    Raises:
        InputRefused: it is not one of these.
    """
    if freq not in OFFERED:
        raise InputRefused(
            f"{freq[:50]!r} is no frequency that is known here. Choose one of these: "
            f"{', '.join(sorted(OFFERED))}."
        )
    offset = to_offset(RENAMED.get(freq, freq))
    start, end = index[0], index[-1]
    if isinstance(offset, Tick):  # Nanoseconds would fill the memory.
        count = (end - start).total_seconds() * 1e9 / offset.nanos
        if count > MAX_TICKS:
            return pd.date_range(start, end, periods=MAX_TICKS)
    dates = pd.date_range(start, end, freq=offset)
    return dates[:: max(math.ceil(len(dates) / MAX_TICKS), 1)]


def numbers_alone(build_matrix):
    """Where a value is missing, D-Tale asks for the correlations of texts as well."""

    @functools.wraps(build_matrix)
    def matrix(data_id, data, cols, *args):
        return build_matrix(data_id, data[cols], cols, *args)

    return matrix


def column_named_x(build_base_chart):
    """D-Tale calls the column of each X axis "x", and then has two of that name.

    Aggregated columns have longer names in the end, so there it can have another one
    until then. Elsewhere what draws the chart asks for it by "x", and gets the axis.
    """

    @functools.wraps(build_base_chart)
    def chart(raw_data, x, y, **options):
        z = options.get("z")
        aggregated = make_list(z or y)
        others = [options.get("group_col"), options.get("animate_by"), y if z else None]
        names = [name for each in others for name in make_list(each)]
        if not all(isinstance(name, str) for name in [x or "", *names, *aggregated]):
            raise InputRefused(_("A chart needs the names of columns, which are text."))
        if x == AXIS or AXIS not in [*names, *aggregated]:
            return build_base_chart(raw_data, x, y, **options)
        alone = options.get("agg") and not options.get("extended_aggregation")
        if AXIS in names or not alone or options["agg"] == "raw":
            raise InputRefused(
                f"D-Tale calls the X axis of each chart {AXIS}, and cannot draw a column "
                "of this name beside another one. Choose an aggregation of it, make it "
                "the X axis, or rename it."
            )
        name = f"{AXIS}_"
        while name in raw_data:
            name += "_"
        renamed = [name if each == AXIS else each for each in aggregated]
        if z:
            options["z"] = renamed[0]
        else:
            y = renamed
        built = build_base_chart(raw_data.rename(columns={AXIS: name}), x, y, **options)
        if options.get("return_raw"):
            return built.rename(columns=lambda each: named_back(each, name))
        built, code = built
        first = f"df = df.rename(columns={{{AXIS!r}: {name!r}}})"
        return named_back(built, name), [first, *code]

    return chart


def if_it_is_drawn(build_raw_chart):
    """D-Tale builds nothing where a chart lacks a column, and then fails to export it."""

    @functools.wraps(build_raw_chart)
    def drawn(*args, **inputs):
        chart = build_raw_chart(*args, **inputs)
        if chart is None or isinstance(chart, (tuple, list)) and not any(chart):
            raise InputRefused(
                _(
                    "There is nothing to draw: choose the columns that this kind of chart "
                    "needs, and then export it."
                )
            )
        return chart

    return drawn


def named_back(value, name):
    """Return a chart's data with "x" in the place of a name, where it is aggregated."""
    if isinstance(value, dict):
        return {
            named_back(key, name): named_back(each, name) for key, each in value.items()
        }
    if isinstance(value, str) and value.startswith(f"{name}{CHART_JOINER_CHAR}"):
        return AXIS + value.removeprefix(name)
    if isinstance(value, list) and value and isinstance(value[0], dict):  # Frames.
        return [named_back(each, name) for each in value]
    return value


def labels_that_differ(build_histogram_data):
    """D-Tale adds decimals to the labels of bins until they differ, and never ends if
    that takes more than ten.
    """

    @functools.wraps(build_histogram_data)
    def built(self, series):
        options = {"density": True} if self.density else {"bins": self.bins}
        counts, edges = np.histogram(series, **options)
        if len({f"{edge:.{MAX_DECIMALS}f}" for edge in edges[1:]}) == len(counts):
            return build_histogram_data(self, series)
        labels = [f"{edge:.17g}" for edge in edges[1:]]
        return {"labels": labels, "data": [json_float(each) for each in counts]}, edges

    return built


def nothing_chosen(build_saved_header):
    """A chart's link has what was chosen, and D-Tale asks for all that can be."""

    @functools.wraps(build_saved_header)
    def header(config):
        return build_saved_header(collections.defaultdict(lambda: None, config))

    return header


REPLACED = [
    ("dtale.dash_application.saved_charts:build_saved_header", nothing_chosen),
    ("dtale.charts.utils:date_freq_handler", hourly_charts),
    ("dtale.dash_application.charts:date_freq_handler", hourly_charts),
    *(
        (f"dtale.{module}:build_base_chart", column_named_x)
        for module in ("charts.utils", "dash_application.charts", "views")
    ),
    ("dtale.dash_application.charts:build_raw_chart", if_it_is_drawn),
    ("dtale.correlations:build_matrix", numbers_alone),
    (
        "dtale.column_analysis:HistogramAnalysis.build_histogram_data",
        labels_that_differ,
    ),
    ("missingno:matrix", dated_matrix),
    *(
        (f"missingno:{kind}", drawn_alone)
        for kind in ("matrix", "bar", "heatmap", "dendrogram")
    ),
    ("dtale.views:build_correlations_matrix_image", drawn_alone),
]
