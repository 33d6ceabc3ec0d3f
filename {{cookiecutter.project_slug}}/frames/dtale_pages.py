"""What the site adds to D-Tale's own pages: the way home, and the way back in."""

from django.template.loader import render_to_string
from flask import g, request

from .access import DJANGO_REQUEST

IFRAME = "dtale.view_iframe"


def frame_bar():
    """Return the HTML (str) below the grid: the way home, and what frame this is.

    In a frame of another page it is left out, unless there is something to tell.
    """
    opened = g.get("opened")
    if opened is None:
        return ""
    context = {
        "frame": opened.row,
        "name": opened.name,
        "is_reader": opened.share is not None,
        "is_embedded": request.endpoint == IFRAME,
    }
    has_news = context["is_reader"] or opened.row.note or opened.row.conversions
    if context["is_embedded"] and not has_news:
        return ""
    return render_to_string("frames/bar.html", context)


def signed_out():
    """Return the HTML (str) that comes up on a page when its session has ended.

    A visitor who was not signed in when the page was loaded cannot be signed out.
    """
    if not request.environ[DJANGO_REQUEST].user.is_authenticated:
        return ""
    return render_to_string("frames/signed_out.html")
