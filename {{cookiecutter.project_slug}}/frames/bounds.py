"""What bounds each of D-Tale's operations, beside ``endpoints``, which says what is open.

Each has a measure, which tells before D-Tale begins how much it would take, or the
reason why it needs none. An operation that has neither is refused, and a test says what
to add here.
"""

import re
from typing import NamedTuple

from django.utils.translation import gettext as _
from dtale.utils import classify_type, find_dtype

from . import dtale_analysis_sizes as analyses
from . import dtale_chart_sizes as charts
from . import dtale_column_sizes as columns
from . import dtale_shape_sizes as shapes
from . import endpoints
from .asked import Asked, check_names
from .exceptions import InputRefused
from .limits import check_cells

# Reasons ------------------------------------------------------------------------------

ONE_PASS = "It goes once through columns of a frame, whose size is bounded."
ROW_BY_ROW = "It goes once through a column, row by row."
SORTED = "It puts a column in order."
FEWER = "It leaves a frame with fewer rows, columns or characters."
A_CELL = "It changes a cell, a name or an order."
SETTINGS = "It changes settings, whose size is bounded where they are stored."
ALL_ROWS = "It writes the rows that a person sees, which are bounded as their frame is."
A_PAGE = "It shows a page, or names of frames and columns."
PARTS_OF_A_PAGE = "It shows or hides parts of a page, or offers names of columns."
BACK = "It sends back what it was sent, whose size is bounded."
A_FILE = "The upload is bounded where files are read."
A_CHART = "CHARTS bounds what is drawn."
A_LIST_OF_GROUPS = "It offers as many groups as a chart may have."


class ByKind(NamedTuple):
    """An operation of several kinds, each with its own measure or reason."""

    kind: object  # The name of a parameter, or a function of what is asked.
    table: dict

    def of(self, asked):
        kind = asked.get(self.kind) if isinstance(self.kind, str) else self.kind(asked)
        if kind not in self.table:
            raise InputRefused(
                _("%(kind)s is not an operation that D-Tale offers here.")
                % {"kind": repr(str(kind)[:50])}
            )
        return self.table[kind]


# Kinds of operations ------------------------------------------------------------------

BUILDERS = {
    "bins": columns.bins,
    "cleaning": columns.cleaning,
    "concatenate": columns.concatenated,
    "cumsum": columns.summed,
    "data_slope": ONE_PASS,
    "datetime": ROW_BY_ROW,
    "diff": ONE_PASS,
    "encoder": columns.encoded,
    "expanding": SORTED,
    "exponential_smoothing": ROW_BY_ROW,
    "numeric": columns.numbers,
    "random": columns.random_values,
    "replace": columns.replacing,
    "rolling": columns.rolled,
    "shift": ONE_PASS,
    "similarity": columns.compared,
    "split": columns.split,
    "standardize": SORTED,
    "string": columns.joined,
    "substring": FEWER,
    "transform": columns.transformed,
    "type_conversion": columns.converted,
    "winsorize": columns.winsorized,
    "zscore_normalize": ONE_PASS,
}
REPLACEMENTS = {
    "imputer": columns.imputed,
    "partial": columns.replacing,
    "spaces": columns.spaces,
    "strings": columns.strings,
    "value": columns.values,
}
SHAPES = {
    "aggregate": shapes.aggregate,
    "pivot": shapes.pivot,
    "resample": shapes.resample,
    "transpose": shapes.transpose,
}
DUPLICATES = {
    "column_names": A_PAGE,
    "columns": shapes.equal_columns,
    "rows": SORTED,
    "show": shapes.equal_rows,
}
ANALYSES = {
    "categories": analyses.top,
    "frequency": analyses.frequencies,
    "geolocation": analyses.all_points,
    "histogram": analyses.histogram,
    "qq": analyses.all_points,
    "value_counts": analyses.top,
    "word_value_counts": analyses.words,
}
TIME_SERIES = dict.fromkeys(
    ("bkfilter", "cffilter", "hpfilter", "seasonal_decompose", "stl"), analyses.times
)
PICTURES = {
    "bar": analyses.picture_of_columns,
    "dendrogram": analyses.picture_of_pairs,
    "heatmap": analyses.picture_of_pairs,
    "matrix": analyses.picture_of_cells,
}
CHARTS = {
    "3d_scatter": charts.points_in_space,
    "bar": charts.points,
    "candlestick": charts.candlesticks,
    "clustergram": charts.clusters,
    "funnel": charts.labels,
    "heatmap": charts.grid,
    "histogram": charts.histogram,
    "line": charts.points,
    "maps": charts.maps,
    "pareto": charts.pareto,
    "pie": charts.points,
    "scatter": charts.points,
    "surface": charts.grid,
    "treemap": charts.labels,
    "wordcloud": charts.points,
}
# By the first part of the charts page that each changes, where N is a number.
CALLBACKS = {
    "candlestick-input-data.data": PARTS_OF_A_PAGE,
    "chart-N.figure": BACK,
    "chart-click-data-N.data": BACK,
    "chart-content.children": A_CHART,
    "chart-input-data.data": BACK,
    "clustergram-input-data.data": PARTS_OF_A_PAGE,
    "col-dropdown-N.options": PARTS_OF_A_PAGE,
    "collapse-cleaners.is_open": PARTS_OF_A_PAGE,
    "collapse-data.is_open": PARTS_OF_A_PAGE,
    "drilldown-content-N.children": A_CHART,
    "drilldown-modal-N.is_open": PARTS_OF_A_PAGE,
    "drilldown-x-dropdown-N.options": PARTS_OF_A_PAGE,
    "extended-agg-modal.is_open": PARTS_OF_A_PAGE,
    "featureidkey-dropdown.options": BACK,
    "funnel-input-data.data": PARTS_OF_A_PAGE,
    "geojson-modal.is_open": PARTS_OF_A_PAGE,
    "group-type-input.style": PARTS_OF_A_PAGE,
    "group-val-dropdown.options": A_LIST_OF_GROUPS,
    "histogram-input-data.data": PARTS_OF_A_PAGE,
    "input-data.data": PARTS_OF_A_PAGE,
    "load-btn.style": PARTS_OF_A_PAGE,
    "map-input-data.data": PARTS_OF_A_PAGE,
    "map-mapbox-style-dropdown.options": PARTS_OF_A_PAGE,
    "output-geojson-upload.children": BACK,
    "pareto-input-data.data": PARTS_OF_A_PAGE,
    "popup-content.children": A_PAGE,
    "query-data.data": ONE_PASS,
    "rolling-inputs-N.style": PARTS_OF_A_PAGE,
    "save-clicks.data": BACK,
    "saved-chart-div-N.style": A_CHART,
    "treemap-input-data.data": PARTS_OF_A_PAGE,
    "x-dropdown.value": PARTS_OF_A_PAGE,
    "y-multi-input.style": PARTS_OF_A_PAGE,
    "yaxis-data.data": PARTS_OF_A_PAGE,
    "yaxis-min-input.value": ONE_PASS,
}


def kind_of_analysis(asked):
    """D-Tale chooses one for a column, if none is asked for."""
    kind = asked.get("type")
    if kind:
        return kind
    column = asked.frame[asked.get("col")]
    has_order = classify_type(find_dtype(column)) in ("F", "I", "D")
    return "histogram" if has_order else "value_counts"


def kind_of_callback(asked):
    return callback(asked.body["output"])


def callback(output):
    """Return the name in CALLBACKS of what changes these parts (str) of the page."""
    first = output.strip(".").split("...")[0]
    return re.sub(r"-\d+(?=\.)", "-N", first)


# Operations ---------------------------------------------------------------------------


def one_more_column(asked):
    if asked.get("saveAs") != "inplace":
        rows, columns = asked.frame.shape
        check_cells(rows, columns + 1)


OPERATIONS = {
    **dict.fromkeys(endpoints.PAGES, A_PAGE),
    **dict.fromkeys(endpoints.STATIC, "It is a file, the same for everyone."),
    endpoints.DEPENDENCIES: A_PAGE,
    f"{endpoints.CHARTS}_dash-layout": A_PAGE,
    endpoints.CALLBACK: ByKind(kind_of_callback, CALLBACKS),
    endpoints.UPLOAD: A_FILE,
    "dtale.build_column": [one_more_column, ByKind("type", BUILDERS)],
    "dtale.build_column_bins_tester": ByKind("type", {"bins": columns.bins}),
    "dtale.build_column_text": analyses.copied_columns,
    "dtale.build_gage_rnr": analyses.operators,
    "dtale.build_merge": shapes.combined,
    "dtale.build_missingno_chart": ByKind(
        lambda asked: asked.args["chart_type"], PICTURES
    ),
    "dtale.build_replacement": [one_more_column, ByKind("type", REPLACEMENTS)],
    "dtale.build_row_text": analyses.copied_rows,
    "dtale.chart_csv_export": A_CHART,
    "dtale.chart_export": A_CHART,
    "dtale.chart_export_all": A_CHART,
    "dtale.cleanup_datasets": A_CELL,
    "dtale.data_export": ALL_ROWS,
    "dtale.delete_col": FEWER,
    "dtale.describe": SORTED,
    "dtale.drop_filtered_rows": FEWER,
    "dtale.dtypes": A_PAGE,
    "dtale.duplicate_col": one_more_column,
    "dtale.edit_cell": A_CELL,
    "dtale.get_async_column_filter_data": ONE_PASS,
    "dtale.get_chart_data": charts.of_dialog,
    "dtale.get_code_export": A_PAGE,
    "dtale.get_column_analysis": ByKind(kind_of_analysis, ANALYSES),
    "dtale.get_column_filter_data": ONE_PASS,
    "dtale.get_corr_analysis": analyses.features,
    "dtale.get_correlations": analyses.correlated,
    "dtale.get_correlations_ts": analyses.correlated_in_time,
    "dtale.get_data": analyses.rows_of_grid,
    "dtale.get_duplicates": ByKind("type", DUPLICATES),
    "dtale.get_filter_info": A_PAGE,
    "dtale.get_processes": A_PAGE,
    "dtale.get_scatter": analyses.encoded_texts,
    "dtale.get_sorted_sequential_diffs": SORTED,
    "dtale.get_timeseries_analysis": ByKind("type", TIME_SERIES),
    "dtale.load_aggregations": SORTED,
    "dtale.load_filtered_ranges": ONE_PASS,
    "dtale.load_weighted_average": ROW_BY_ROW,
    "dtale.move_filters_to_custom": SETTINGS,
    "dtale.network_analysis": analyses.edges,
    "dtale.network_data": analyses.edges,
    "dtale.outliers": SORTED,
    "dtale.process_keys": A_PAGE,
    "dtale.raw_pandas": ONE_PASS,
    "dtale.rename_col": A_CELL,
    "dtale.reshape_data": ByKind("type", SHAPES),
    "dtale.save_column_filter": SETTINGS,
    "dtale.save_range_highlights": SETTINGS,
    "dtale.shortest_path": analyses.edges,
    "dtale.test_filter": ONE_PASS,
    "dtale.toggle_outlier_filter": SETTINGS,
    "dtale.update_column_position": A_CELL,
    "dtale.update_formats": SETTINGS,
    "dtale.update_language": SETTINGS,
    "dtale.update_locked": SETTINGS,
    "dtale.update_maximum_column_width": SETTINGS,
    "dtale.update_maximum_row_height": SETTINGS,
    "dtale.update_pin_menu": SETTINGS,
    "dtale.update_query_engine": SETTINGS,
    "dtale.update_settings": SETTINGS,
    "dtale.update_theme": SETTINGS,
    "dtale.update_visibility": SETTINGS,
    "dtale.variance": SORTED,
}


def check(endpoint, args):
    """Refuse an operation that would take more than its bound, before it begins.

    Args:
        endpoint: the name of its route.
        args: the parts of its path, by name.

    Raises:
        InputRefused, LimitExceeded
    """
    asked = Asked(**args)
    check_names(asked)
    entries = OPERATIONS[endpoint]
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, ByKind):
            entry = entry.of(asked)
        if callable(entry):
            entry(asked)


REPLACED = charts.replaced(CHARTS)
