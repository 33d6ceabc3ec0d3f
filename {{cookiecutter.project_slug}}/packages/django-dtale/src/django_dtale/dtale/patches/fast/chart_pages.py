"""Pages with an exported chart, in which plotly.js is compressed only once.

Each page begins with plotly.js, which has nearly 5 MB. Writing and compressing this text
takes far longer than the rest of most pages, so the state of a compressor that has already
compressed it is kept.
"""

import functools
import zlib
from collections.abc import Callable
from typing import Any

import plotly.offline
from flask import has_request_context, make_response, request
from plotly.io import to_html
from werkzeug import Response

from ...endpoints import CHART_EXPORT

LEVEL = 6  # Flask-Compress uses the same level.
GZIP = 16 + zlib.MAX_WBITS
NAME = "plotly-of-this-page.js"
LINK = f'<script charset="utf-8" src="{NAME}"></script>'


def link_plotly(write_html: Callable) -> Callable:
    """Write a link in place of plotly.js. `complete_page` replaces this link.

    D-Tale itself edits the pages of maps, and those with several charts.
    """

    @functools.wraps(write_html)
    def written(*args: Any, include_plotlyjs: bool | str = True, **options: Any) -> Any:
        if (
            include_plotlyjs is True
            and has_request_context()
            and request.endpoint == CHART_EXPORT
            and request.args.get("chart_type") != "maps"
        ):
            include_plotlyjs = NAME
        return write_html(*args, include_plotlyjs=include_plotlyjs, **options)

    return written


def complete_page(chart_export: Callable) -> Callable:
    """Put plotly.js into a page, and compress the page if the browser accepts gzip."""

    @functools.wraps(chart_export)
    def exported(data_id: str) -> Response:
        response = make_response(chart_export(data_id))
        # Texts of the user follow the link.
        head, link, rest = response.get_data().partition(LINK.encode())
        if not link:
            return response
        if request.accept_encodings.quality("gzip"):
            start, compressor = _compressed(head)
            compressor = compressor.copy()
            response.set_data(start + compressor.compress(rest) + compressor.flush())
            response.content_encoding = "gzip"
        else:
            response.set_data(_with_plotly(head) + rest)
        return response

    return exported


@functools.lru_cache(2)  # The head contains the size of the chart.
def _compressed(head):
    """Return the compressed start of a page, and the compressor for the rest."""
    compressor = zlib.compressobj(LEVEL, wbits=GZIP)
    return compressor.compress(_with_plotly(head)), compressor


def _with_plotly(head):
    return (
        head + (_opening_tag() + plotly.offline.get_plotlyjs() + "</script>").encode()
    )


@functools.cache
def _opening_tag():
    """Return the tag that precedes plotly.js, which depends on the version of Plotly."""
    page = to_html({}, include_plotlyjs=True)
    end = page.index(plotly.offline.get_plotlyjs())
    return page[page.rindex("<script", 0, end) : end]


PATCHES = [("dtale.dash_application.charts:write_html", link_plotly)]
VIEWS = [(CHART_EXPORT, complete_page)]
