"""Additions to D-Tale's own pages: links to the site, and the sign-in dialog."""

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.urls import reverse
from flask import redirect, request
from werkzeug import Response

from .endpoints import CHARTS_PAGE, DJANGO_REQUEST

IFRAME = "dtale.view_iframe"
# The key of the `OpenFrame` that a page shows, in the WSGI environment for D-Tale.
OPENED = "frames.opened"


def frame_bar() -> str:
    """Return the HTML of the bar below the grid.

    It has a link home, the frame's name, the time and the origin of its data, and notes.
    """
    opened = request.environ.get(OPENED)
    if opened is None:
        return ""
    context = {
        "frame": opened.row,
        "name": opened.name,
        "is_reader": opened.share is not None,
        "is_embedded": request.endpoint == IFRAME,
    }
    if opened.row.has_source and not (context["is_reader"] or context["is_embedded"]):
        context["csrf_token"] = get_token(request.environ[DJANGO_REQUEST])
    return render_to_string("frames/bar.html", context)


def session_expired_dialog() -> str:
    """Return the HTML of the dialog that a page shows when its session has expired.

    Visitors who were not signed in when the page was loaded do not need the dialog.
    """
    if not request.environ[DJANGO_REQUEST].user.is_authenticated:
        return ""
    return render_to_string("frames/signed_out.html")


def load_data(view_popup: Callable) -> Callable:
    """Redirect D-Tale's Load Data to the site's own upload page."""

    @functools.wraps(view_popup)
    def view(popup_type: str, data_id: str | None = None) -> Response | str:
        if popup_type == "upload":
            return redirect(reverse("frames:home"))
        return view_popup(popup_type, data_id)

    return view


def open_chart(index: Callable) -> Callable:
    """Open the page of charts with the chart that code has set for the frame.

    A URL with parameters keeps its own chart.
    """

    @functools.wraps(index)
    def view(*args: Any, **parts: str) -> Any:
        opened = request.environ.get(OPENED)
        settings = (opened.view_state.get("settings") if opened else None) or {}
        if opened is None or not settings.get("chart") or request.query_string:
            return index(*args, **parts)
        return redirect(f"/dtale/charts/{opened.row.pk}?{urlencode(settings['chart'])}")

    return view


# Each entry consists of the endpoint of one of D-Tale's views, and a wrapper for it.
VIEWS = [("dtale.view_popup", load_data), (CHARTS_PAGE, open_chart)]
