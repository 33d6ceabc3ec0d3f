"""The bounds of D-Tale's operations. ``endpoints`` decides which of them are open.

Each operation has a check, which limits its size before D-Tale runs it, or a reason why
it needs no check. An operation that has neither is refused, and a test reports it.
Endpoints that the site opens with EXTRA_ENDPOINTS have no check.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from dtale.utils import classify_type, find_dtype
from werkzeug import Request

from ...conf import dtale_settings
from ...quotas import check_cells
from .. import endpoints
from ..patches.sorting import rows_in_any_order
from . import analyses as analyses
from . import charts as charts
from . import columns as columns
from . import shapes as shapes
from .operation import Check, Operation, check_names, unknown_kind

# Reasons ------------------------------------------------------------------------------

ONE_PASS = "It makes one pass over columns of a frame, whose size is limited."
ROW_BY_ROW = "It makes one pass over a column, row by row."
SORTED = "It sorts a column."
FEWER = "The result has fewer rows, columns or characters."
A_CELL = "It changes a cell, a name or an order."
SETTINGS = "It changes settings, whose size is limited where they are stored."
ALL_ROWS = "It exports the visible rows, which are at most those of the frame."
A_PAGE = "It returns a page, or names of frames and columns."
PARTS_OF_A_PAGE = "It shows or hides parts of a page, or offers names of columns."
BACK = "It returns its input, whose size is limited."
A_CHART = "CHARTS limits the size of each chart."
AN_EXTRA = "The site opened it in EXTRA_ENDPOINTS, at its own risk."
A_LIST_OF_GROUPS = "It returns at most as many groups as a chart may have."


class ByKind(NamedTuple):
    """An operation of several kinds, each with its own check or reason."""

    kind: str | Callable[[Operation], str]  # A parameter's name, or a function.
    table: dict[str, Any]

    def of(self, operation: Operation) -> Check | str:
        kind = (
            operation.get(self.kind)
            if isinstance(self.kind, str)
            else self.kind(operation)
        )
        if kind not in self.table:
            raise unknown_kind(kind)
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
    "qq": SORTED,
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
    "matrix": analyses.picture_of_columns,
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
# Each key is the first output of a callback of the charts page. N stands for a number.
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


def analysis_type(operation: Operation) -> str:
    """Return the requested analysis, or the one that D-Tale chooses for the column."""
    kind = operation.get("type")
    if kind:
        return kind
    column = operation.frame[operation.get("col")]
    has_order = classify_type(find_dtype(column)) in ("F", "I", "D")
    return "histogram" if has_order else "value_counts"


def callback_type(operation: Operation) -> str:
    return callback(operation.body["output"])


def callback(output: str) -> str:
    """Return the key in CALLBACKS of the callback that has this output."""
    first = output.strip(".").split("...")[0]
    return re.sub(r"-\d+(?=\.)", "-N", first)


# Operations ---------------------------------------------------------------------------


def one_more_column(operation: Operation) -> None:
    if operation.get("saveAs") != "inplace":
        rows, columns = operation.frame.shape
        check_cells(rows, columns + 1)


OPERATIONS = {
    **dict.fromkeys(endpoints.PAGES, A_PAGE),
    **dict.fromkeys(endpoints.STATIC, "It is a file, the same for everyone."),
    endpoints.DEPENDENCIES: A_PAGE,
    f"{endpoints.CHARTS}_dash-layout": A_PAGE,
    endpoints.CALLBACK: ByKind(callback_type, CALLBACKS),
    "dtale.build_column": [one_more_column, ByKind("type", BUILDERS)],
    "dtale.build_column_bins_tester": ByKind("type", {"bins": columns.bins}),
    "dtale.build_column_text": analyses.copied_columns,
    "dtale.build_gage_rnr": analyses.operators,
    "dtale.build_merge": shapes.combined,
    "dtale.build_missingno_chart": ByKind(
        lambda operation: operation.args["chart_type"], PICTURES
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
    "dtale.get_chart_data": charts.dialog_chart,
    "dtale.get_code_export": A_PAGE,
    "dtale.get_column_analysis": ByKind(analysis_type, ANALYSES),
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


def check(request: Request, endpoint: str, args: dict[str, str]) -> None:
    """Refuse an operation that would exceed its bound, before D-Tale runs it.

    Args:
        request: The request, before Flask sees it.
        endpoint: The name of its route.
        args: The variable parts of its path, keyed by name.

    Raises:
        InputRefused, LimitExceeded
    """
    operation = Operation(request, args)
    check_names(operation)
    is_extra = endpoint not in OPERATIONS and endpoint in dtale_settings.EXTRA_ENDPOINTS
    entries = AN_EXTRA if is_extra else OPERATIONS[endpoint]
    for entry in entries if isinstance(entries, list) else [entries]:
        if isinstance(entry, ByKind):
            entry = entry.of(operation)
        if callable(entry):
            with rows_in_any_order():
                entry(operation)


PATCHES = charts.patches(CHARTS)
