"""The requests with which people export data of a frame from D-Tale."""

from collections.abc import Mapping

from flask import request
from werkzeug import Response

from ..unit_of_work import audit, current
from .endpoints import CHART_EXPORT, GRID, Kind, kind_of

# The formats in which D-Tale exports data, by the values of its parameter `type`.
DATA_FORMATS = {"csv": "CSV", "tsv": "TSV", "parquet": "Parquet"}
# Endpoints that export a chart, or all charts of a group.
CHART_FORMATS = {
    "dtale.chart_csv_export": "CSV",
    CHART_EXPORT: "HTML",
    "dtale.chart_export_all": "HTML",
}
# Endpoints whose responses are shown on pages, too. The parameter says that the response
# is a file.
FLAGS = {
    GRID: ("export", "HTML"),
    "dtale.build_missingno_chart": ("file", "PNG"),
    "dtale.get_correlations": ("image", "PNG"),
}


def record_export(response: Response) -> Response:
    """Record in the audit log that a response is a file with data, and return it.

    D-Tale's responses about errors are JSON.
    """
    file_format = export_format(request.endpoint, request.args)
    data_id = (request.view_args or {}).get("data_id")
    if file_format and data_id and response.status_code == 200 and not response.is_json:
        audit.record_export(current().get(data_id), file_format)
    return response


def export_format(endpoint: str | None, args: Mapping[str, str]) -> str | None:
    """Return the format in which a request exports data; None if it exports nothing.

    Args:
        endpoint: the endpoint of D-Tale.
        args: the query parameters. The result contains no text of theirs.
    """
    if kind_of(endpoint) is not Kind.EXPORT:
        return None
    if endpoint in FLAGS:
        parameter, file_format = FLAGS[endpoint]
        is_export = args.get(parameter, "").lower() == "true"
        return file_format if is_export else None
    if endpoint == CHART_EXPORT and args.get("export_type") == "png":
        return "PNG"
    if endpoint in CHART_FORMATS:
        return CHART_FORMATS[endpoint]
    return DATA_FORMATS.get(args.get("type", "csv"), "D-Tale")
