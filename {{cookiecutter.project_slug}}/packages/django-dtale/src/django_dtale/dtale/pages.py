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

from ..access import owner_address
from ..models.data_ids import split_variant
from ..models.names import MAX_LENGTH
from ..theme import SYSTEM, THEMES
from .endpoints import CHARTS_PAGE, DJANGO_REQUEST
from .preferences import current_theme

IFRAME = "dtale.view_iframe"
# The key of the `OpenFrame` that a page shows, in the WSGI environment for D-Tale.
OPENED = "frames.opened"


def theme_styles() -> str:
    """Return the HTML for the head of D-Tale's pages: the theme and its styles."""
    context = {"theme": current_theme()}
    return render_to_string("frames/dtale_head.html", context)


def theme_script() -> str:
    """Return the script that follows the system, for the beginning of a page's body."""
    if current_theme() != SYSTEM:
        return ""
    return render_to_string("frames/dtale_theme.html")


def frame_bar() -> str:
    """Return the HTML of the bar below the grid.

    It has a link home, the frame's name, the time and the origin of its data, ways to
    undo changes, to share and to download, and notes.
    """
    opened = request.environ.get(OPENED)
    if opened is None:
        return ""
    access, workspace = opened.access, opened.unit.workspace
    is_embedded = request.endpoint == IFRAME
    # The change before which the page shows an earlier state.
    before = getattr(opened, "change", None)
    can_write = opened.can_write and not is_embedded
    context = {
        "frame": opened.row,
        "data_id": opened.data_id,
        "data_version": opened.data_version,
        "is_reader": not access.can_write,
        "is_editor": access.can_write and not access.is_owner,
        "is_embedded": is_embedded,
        "is_signed_in": workspace.signed_in_user is not None,
        "before": before,
        "seen": opened.row.latest_change_of_others(workspace),
        "can_write": can_write,
        "can_refresh": can_write and access.is_owner and opened.row.has_source,
        # Whether there are cells that this person cannot edit.
        "is_limited": not opened.can_write or opened.row.can_edit is not None,
    }
    if not access.can_write:
        context["owner_address"] = owner_address(opened.row, workspace)
    if not is_embedded:
        context |= views_menu(opened) | {
            "link": opened.row.path_of("main", opened.variant),
            "charts": opened.row.path_of("charts", opened.variant),
            "name_length": MAX_LENGTH,
            "can_rename": access.is_owner and not before,
            "theme": current_theme(),
            "themes": THEMES,
        }
    return render_to_string("frames/bar.html", context)


def chart_bar() -> str:
    """Return the HTML of the bar with the saved views below the charts.

    A page that embeds a saved chart shows only the chart.
    """
    opened, page = request.environ.get(OPENED), request.environ[DJANGO_REQUEST]
    if opened is None:
        return ""
    if page.headers.get("Sec-Fetch-Dest") == "iframe":
        return render_to_string("frames/embedded_chart.html") if opened.variant else ""
    return render_to_string("frames/chart_bar.html", views_menu(opened))


def views_menu(opened: Any) -> dict[str, Any]:
    """Return the variables of the menu of saved views.

    Args:
        opened: the ``OpenFrame`` that the page shows.
    """
    access, saved = opened.access, getattr(opened, "saved", None)
    is_state, _ = split_variant(opened.variant)
    workspace = opened.unit.workspace
    return {
        "frame": opened.row,
        "data_id": opened.data_id,
        "saved": saved,
        "saved_views": opened.row.saved_views.defer("settings"),
        "missing": sorted(map(str, opened.missing)),
        "can_save_view": access.can_write and not is_state,
        "can_share": access.is_owner and workspace.signed_in_user is not None,
        "can_change_view": saved is not None
        and access.can_change(saved, workspace.user_id),
        "csrf_token": get_token(request.environ[DJANGO_REQUEST]),
    }


def session_expired_dialog() -> str:
    """Return the HTML of the dialog that a page shows when its session has expired.

    Visitors who were not signed in when the page was loaded do not need the dialog.
    """
    if not request.environ[DJANGO_REQUEST].user.is_authenticated:
        return ""
    return render_to_string("frames/signed_out.html")


def working_sign() -> str:
    """Return the HTML of the sign that a page shows while it waits for responses."""
    return render_to_string("frames/working.html")


def load_data(view_popup: Callable) -> Callable:
    """Redirect D-Tale's Load Data to the site's own upload page."""

    @functools.wraps(view_popup)
    def view(popup_type: str, data_id: str | None = None) -> Response | str:
        if popup_type == "upload":
            return redirect(reverse("frames:home"))
        return view_popup(popup_type, data_id)

    return view


def open_chart(index: Callable) -> Callable:
    """Open the page of charts with the chart of the frame or of the saved view.

    A URL with parameters keeps its own chart.
    """

    @functools.wraps(index)
    def view(*args: Any, **parts: str) -> Any:
        opened = request.environ.get(OPENED)
        if opened is None or not opened.chart or request.query_string:
            return index(*args, **parts)
        return redirect(f"/dtale/charts/{opened.data_id}?{urlencode(opened.chart)}")

    return view


# Each entry consists of the endpoint of one of D-Tale's views, and a wrapper for it.
VIEWS = [("dtale.view_popup", load_data), (CHARTS_PAGE, open_chart)]
