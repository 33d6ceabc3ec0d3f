"""The allow-list of D-Tale's endpoints.

D-Tale also has routes that shut down its server, fetch URLs, read the host's files and
list the routes. Routes that are not listed here are closed, including those of later
releases. A site can open further routes with EXTRA_ENDPOINTS.
"""

import enum

from ..conf import dtale_settings

CHARTS = "/dtale/charts/"
CHARTS_PAGE = f"{CHARTS}<path:path>"
# This endpoint also receives uploaded maps.
CALLBACK = f"{CHARTS}_dash-update-component"
DEPENDENCIES = f"{CHARTS}_dash-dependencies"

GRID = "dtale.get_data"
# Its parameter `type` is one of `exports.DATA_FORMATS`.
DATA_EXPORT = "dtale.data_export"
EDIT_CELL = "dtale.edit_cell"
CHART_EXPORT = "dtale.chart_export"
# The responses of these endpoints do not depend on the order of the rows.
ANY_ORDER = {
    "dtale.get_async_column_filter_data",
    "dtale.get_column_filter_data",
    "dtale.get_corr_analysis",
    "dtale.get_correlations",
    "dtale.load_aggregations",
    "dtale.load_filtered_ranges",
    "dtale.load_weighted_average",
    "dtale.network_analysis",
    "dtale.outliers",
    "dtale.raw_pandas",
    "dtale.save_column_filter",
    "dtale.test_filter",
    "dtale.toggle_outlier_filter",
}
# These endpoints read only columns whose names are in the request, or in a filter.
NAMED_COLUMNS = {
    "dtale.describe",
    "dtale.get_chart_data",
    "dtale.get_column_analysis",
    "dtale.get_correlations_ts",
    "dtale.get_scatter",
    "dtale.get_sorted_sequential_diffs",
    "dtale.get_timeseries_analysis",
    "dtale.network_data",
    "dtale.variance",
}

# The key of the `Gateway` in the WSGI environment for Django.
GATEWAY = "frames.gateway"
# The key of Django's request in the WSGI environment for D-Tale.
DJANGO_REQUEST = "frames.request"
# The key of the matched route, a pair of its rule and arguments, in the same
# environment.
ROUTE = "frames.route"


class Kind(enum.Enum):
    """How an endpoint is used. This decides which users and origins may request it."""

    PAGE = "a person opens it"
    EXPORT = "a page opens it as a file or a picture, or requests it"
    DATA = "a page requests it in the background, and it may change data"
    STATIC = "scripts and styles, the same for everyone"


PAGES = {
    "root",
    "dtale_base",
    "dtale.view_main",
    "dtale.view_main_by_name",
    "dtale.view_iframe",
    "dtale.iframe_popup",
    "dtale.view_popup",
    "dtale.view_network",
    "dtale.view_code_popup",
    "dtale.view_calculation",
    CHARTS,
    CHARTS_PAGE,
}
EXPORTS = {
    "dtale.build_missingno_chart",
    "dtale.chart_csv_export",
    CHART_EXPORT,
    "dtale.chart_export_all",
    DATA_EXPORT,
    "dtale.get_correlations",
    GRID,
}
DATA = {
    DEPENDENCIES,
    f"{CHARTS}_dash-layout",
    CALLBACK,
    "dtale.build_column",
    "dtale.build_column_bins_tester",
    "dtale.build_column_text",
    "dtale.build_gage_rnr",
    "dtale.build_merge",
    "dtale.build_replacement",
    "dtale.build_row_text",
    "dtale.cleanup_datasets",
    "dtale.delete_col",
    "dtale.describe",
    "dtale.drop_filtered_rows",
    "dtale.dtypes",
    "dtale.duplicate_col",
    EDIT_CELL,
    "dtale.get_async_column_filter_data",
    "dtale.get_chart_data",
    "dtale.get_code_export",
    "dtale.get_column_analysis",
    "dtale.get_column_filter_data",
    "dtale.get_corr_analysis",
    "dtale.get_correlations_ts",
    "dtale.get_duplicates",
    "dtale.get_filter_info",
    "dtale.get_processes",
    "dtale.get_scatter",
    "dtale.get_sorted_sequential_diffs",
    "dtale.get_timeseries_analysis",
    "dtale.load_aggregations",
    "dtale.load_filtered_ranges",
    "dtale.load_weighted_average",
    "dtale.move_filters_to_custom",
    "dtale.network_analysis",
    "dtale.network_data",
    "dtale.outliers",
    "dtale.process_keys",
    "dtale.raw_pandas",
    "dtale.rename_col",
    "dtale.reshape_data",
    "dtale.save_column_filter",
    "dtale.save_range_highlights",
    "dtale.shortest_path",
    "dtale.test_filter",
    "dtale.toggle_outlier_filter",
    "dtale.update_column_position",
    "dtale.update_formats",
    "dtale.update_language",
    "dtale.update_locked",
    "dtale.update_maximum_column_width",
    "dtale.update_maximum_row_height",
    "dtale.update_pin_menu",
    "dtale.update_query_engine",
    "dtale.update_settings",
    "dtale.update_theme",
    "dtale.update_visibility",
    "dtale.variance",
}
# The responses of these endpoints depend only on the data, on the view of the person and
# on the arguments, so `answers` caches them. Responses to requests that change something
# are not cached.
PURE = {
    "dtale.build_missingno_chart",
    CHART_EXPORT,
    "dtale.describe",
    "dtale.get_async_column_filter_data",
    "dtale.get_chart_data",
    "dtale.get_column_analysis",
    "dtale.get_column_filter_data",
    "dtale.get_corr_analysis",
    "dtale.get_correlations",
    "dtale.get_correlations_ts",
    GRID,
    "dtale.get_duplicates",
    "dtale.get_scatter",
    "dtale.get_sorted_sequential_diffs",
    "dtale.get_timeseries_analysis",
    "dtale.load_aggregations",
    "dtale.load_filtered_ranges",
    "dtale.load_weighted_average",
    "dtale.network_analysis",
    "dtale.network_data",
    "dtale.outliers",
    "dtale.raw_pandas",
    "dtale.shortest_path",
    "dtale.variance",
}
STATIC = {
    f"{CHARTS}_dash-component-suites/<string:package_name>/<path:fingerprinted_path>",
    f"{CHARTS}_favicon.ico",
    "_dtale_charts_dash_assets.static",
    "favicon",
    "static",
}
OPEN = (
    dict.fromkeys(PAGES, Kind.PAGE)
    | dict.fromkeys(EXPORTS, Kind.EXPORT)
    | dict.fromkeys(DATA, Kind.DATA)
    | dict.fromkeys(STATIC, Kind.STATIC)
)
# Maps the values of EXTRA_ENDPOINTS to kinds.
EXTRA_KINDS = {"page": Kind.PAGE, "export": Kind.EXPORT, "data": Kind.DATA}


def kind_of(endpoint: str | None) -> Kind | None:
    """Return the kind of an endpoint, or None if it is closed."""
    if endpoint is None:
        return None
    extra = dtale_settings.EXTRA_ENDPOINTS.get(endpoint)
    return OPEN.get(endpoint) or EXTRA_KINDS.get(extra)
