"""Patches of D-Tale without which some charts and images cannot be drawn.

``patches.registry`` applies these patches. Some of them accept names of frequencies
that pandas 3 has removed.
"""

import collections
import functools
import logging
import math
import threading
from collections.abc import Callable
from typing import Any

import pandas as pd
from django.utils.translation import gettext as _
from dtale.constants import CHART_JOINER_CHAR
from dtale.dash_application.layout.layout import update_label_for_freq_and_agg
from dtale.utils import make_list
from matplotlib import pyplot
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import Tick

from ...exceptions import InputRefused
from .fast.missing import rows_of_picture
from .timestamps import dates_of_periods

# Missing Analysis offers these frequencies, which pandas has renamed.
RENAMED_FREQUENCIES = {
    **{"M": "ME", "SM": "SME", "BM": "BME", "CBM": "CBME"},
    **{"Q": "QE", "BQ": "BQE", "Y": "YE", "BY": "BYE"},
    **{"BH": "bh", "H": "h", "T": "min", "S": "s", "L": "ms", "U": "us", "N": "ns"},
}
FREQUENCIES = {*RENAMED_FREQUENCIES, *"B C D W MS SMS BMS CBMS QS BQS YS BYS".split()}

# D-Tale gives this name to the column of each X axis.
AXIS = "x"

# An image has room for this many labels.
MAX_TICKS = 40


pyplot_lock = threading.Lock()


def draw_under_lock(draw: Callable) -> Callable:
    """Draw only one image at a time, and release it afterwards.

    pyplot has one current figure for all threads, and keeps each figure until it is
    closed.
    """

    @functools.wraps(draw)
    def drawn(*args, **kwargs):
        with pyplot_lock:
            try:
                return draw(*args, **kwargs)
            finally:
                pyplot.close("all")  # The caller's figure stays valid.

    return drawn


def label_rows(matrix: Callable) -> Callable:
    """Label missingno's matrix with row numbers or dates, and draw only rows that it shows.

    missingno itself fails if a date has no row.
    """

    @functools.wraps(matrix)
    def drawn(data, freq=None):
        if freq is not None:
            data = data[data.index.notna()].sort_index()
        shown = rows_of_picture(data)
        axes = matrix(shown)
        if freq is None:
            axes.set_yticks([0, len(shown) - 1])
            axes.set_yticklabels([1, len(data)], fontsize=20)
        elif len(data):
            dates = ticks(data.index, freq)
            axes.set_yticks(shown.index.searchsorted(dates))
            axes.set_yticklabels(dates.strftime("%Y-%m-%d"), fontsize=20)
        return axes

    return drawn


def ticks(index: pd.DatetimeIndex, freq: str) -> pd.DatetimeIndex:
    """Return the dates of a frequency, or a selection of them if there are too many.

    Args:
        index: The times of the rows, sorted.
        freq: One of FREQUENCIES.

    Raises:
        InputRefused: The frequency is unknown.
    """
    if freq not in FREQUENCIES:
        raise InputRefused(
            f"{freq[:50]!r} is not a known frequency. Choose one of these: "
            f"{', '.join(sorted(FREQUENCIES))}."
        )
    offset = to_offset(RENAMED_FREQUENCIES.get(freq, freq))
    start, end = index[0], index[-1]
    if isinstance(offset, Tick):  # A range of nanoseconds would fill the memory.
        count = (end - start).total_seconds() * 1e9 / offset.nanos
        if count > MAX_TICKS:
            return pd.date_range(start, end, periods=MAX_TICKS)
    dates = pd.date_range(start, end, freq=offset)
    return dates[:: max(math.ceil(len(dates) / MAX_TICKS), 1)]


def rename_column_x(build_base_chart: Callable) -> Callable:
    """Rename a column named "x" while a chart is being built.

    D-Tale gives the name "x" to the X axis of each chart, so the data would have two
    columns with this name. An aggregated column gets a longer name in the chart, so it
    can be renamed until then. Charts without an aggregation are refused: they look up
    "x" when they are drawn, and would find the axis.
    """

    @functools.wraps(build_base_chart)
    def chart(raw_data, x, y, **options):
        z = options.get("z")
        aggregated = make_list(z or y)
        others = [options.get("group_col"), options.get("animate_by"), y if z else None]
        names = [name for each in others for name in make_list(each)]
        if not all(isinstance(name, str) for name in [x or "", *names, *aggregated]):
            raise InputRefused(_("The names of a chart's columns have to be text."))
        if x == AXIS or AXIS not in [*names, *aggregated]:
            return build_base_chart(raw_data, x, y, **options)
        alone = options.get("agg") and not options.get("extended_aggregation")
        if AXIS in names or not alone or options["agg"] == "raw":
            raise InputRefused(
                f"D-Tale uses the name {AXIS} for the X axis of a chart, so it cannot "
                "draw another column with this name. Choose an aggregation for the "
                "column, use it as the X axis, or rename it."
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
            return built.rename(columns=lambda each: restore_name(each, name))
        built, code = built
        first = f"df = df.rename(columns={{{AXIS!r}: {name!r}}})"
        return restore_name(built, name), [first, *code]

    return chart


def refuse_incomplete_chart(build_raw_chart: Callable) -> Callable:
    """Refuse to export a chart for which a column is missing.

    In this case, D-Tale builds no chart, and then fails to export it.
    """

    @functools.wraps(build_raw_chart)
    def drawn(*args, **inputs):
        chart = build_raw_chart(*args, **inputs)
        if chart is None or (isinstance(chart, (tuple, list)) and not any(chart)):
            raise InputRefused(
                _(
                    "The chart is empty. Choose the columns that this type of chart "
                    "needs, and then export it."
                )
            )
        return chart

    return drawn


def restore_name(value: Any, name: str) -> Any:
    """Return a chart's data with "x" restored in the names of aggregated columns."""
    if isinstance(value, dict):
        return {
            restore_name(key, name): restore_name(each, name)
            for key, each in value.items()
        }
    if isinstance(value, str) and value.startswith(f"{name}{CHART_JOINER_CHAR}"):
        return AXIS + value.removeprefix(name)
    # An animation has a list of frames.
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [restore_name(each, name) for each in value]
    return value


def room_for_labels(build_layout: Callable) -> Callable:
    """Leave room for the labels of the X axis. D-Tale cuts off long ones."""

    @functools.wraps(build_layout)
    def layout(cfg):
        if "xaxis" in cfg:
            cfg = {**cfg, "xaxis": {"automargin": True, **cfg["xaxis"]}}
        return build_layout(cfg)

    return layout


def readable_label(build_option: Callable) -> Callable:
    """Name an aggregated column in a menu as in the chart, not ``amount||sum``."""

    @functools.wraps(build_option)
    def option(value, label=None):
        if label is None and isinstance(value, str) and CHART_JOINER_CHAR in value:
            label = update_label_for_freq_and_agg(value)
        return build_option(value, label)

    return option


def default_to_none(build_saved_header: Callable) -> Callable:
    """Use None for the options that are missing from a chart's link.

    A link contains only the options that were chosen, but D-Tale requires all of them.
    """

    @functools.wraps(build_saved_header)
    def header(config):
        return build_saved_header(collections.defaultdict(lambda: None, config))

    return header


def silence_fonts() -> None:
    """Silence a warning for each text of a picture: D-Tale prefers a font of macOS."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)


PATCHES = [
    ("dtale.dash_application.saved_charts:build_saved_header", default_to_none),
    ("dtale.charts.utils:date_freq_handler", dates_of_periods),
    ("dtale.dash_application.charts:date_freq_handler", dates_of_periods),
    *(
        (f"dtale.{module}:build_base_chart", rename_column_x)
        for module in ("charts.utils", "dash_application.charts", "views")
    ),
    ("dtale.dash_application.charts:build_raw_chart", refuse_incomplete_chart),
    ("dtale.dash_application.charts:build_layout", room_for_labels),
    ("dtale.dash_application.layout.layout:build_option", readable_label),
    ("missingno:matrix", label_rows),
    *(
        (f"missingno:{kind}", draw_under_lock)
        for kind in ("matrix", "bar", "heatmap", "dendrogram")
    ),
    ("dtale.views:build_correlations_matrix_image", draw_under_lock),
]
