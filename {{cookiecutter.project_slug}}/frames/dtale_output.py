"""What D-Tale's answers let a browser run, and what they say of errors.

Only the scripts that D-Tale ships may run. Those in its templates get the answer's
nonce, by substitutions in ``dtale_scripts``; those that it and Dash put into the charts
page are named by their hashes. Text of somebody's data that lands in a page has neither.
"""

import base64
import hashlib
import inspect
import re
import secrets
from functools import wraps

from django.utils.translation import gettext as _
from dtale.dash_application.layout import layout
from dtale.utils import ChartBuildingError
from flask import g, has_request_context, jsonify, request

from .dtale_pages import signed_out
from .endpoints import EXPORTS, STATIC
from .exceptions import Unavailable, as_problem
from .formats import grouped
from .logs import note
from .response_headers import WITHOUT_SCRIPTS, content_policy
from .substitutions import DtaleChanged
from .unit_of_work import current

MAX_LINES = 100  # Of an error that lists groups: there can be a million.
INLINE = re.compile(r'<script type="text/javascript">(.*?)</script>', re.S)


# What may run -------------------------------------------------------------------------


def nonce():
    """Return what marks this answer's own scripts (str): another one in each answer."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return g.nonce


def with_hashes(interpolate_index):
    """D-Tale and Dash write scripts into the charts page, beside the names of frames."""
    known = INLINE.findall(inspect.getsource(layout.base_layout))
    if len(known) != 2:
        raise DtaleChanged(f"{len(known)} scripts instead of 2", layout.__name__)

    @wraps(interpolate_index)
    def interpolated(dash, **parts):
        root = dash.server.config["APPLICATION_ROOT"]
        g.hashes = dash.csp_hashes()
        for script in known:
            digest = hashlib.sha256(script.format(app_root=root).encode()).digest()
            g.hashes.append(f"'sha256-{base64.b64encode(digest).decode()}'")
        parts["scripts"] = signed_out() + parts["scripts"]
        return interpolate_index(dash, **parts)

    return interpolated


def without_webgl(graph_objects):
    """Plotly makes code of what it draws many points with, which may not run: these
    are drawn as SVG, as fewer points are.
    """

    class GraphObjects:
        def __getattr__(self, name):
            return getattr(graph_objects, name.removesuffix("gl"))

    return GraphObjects()


def guard(response):
    """Name this answer's scripts in its headers, and let only files be kept."""
    scripts = [f"'nonce-{g.nonce}'"] if "nonce" in g else g.get("hashes")
    policy = content_policy(*scripts) if scripts else WITHOUT_SCRIPTS
    response.headers["Content-Security-Policy"] = policy
    if request.endpoint not in STATIC:
        response.headers["Cache-Control"] = "no-store"
    return response


# What is said of errors ---------------------------------------------------------------


def with_an_explanation(jsonify_error):
    """D-Tale answers a failure as if all were well, with a traceback, and keeps what it
    did before it.
    """

    def explained(error):
        current().broken = True
        return jsonify(success=False, error=_explained(error))

    return explained


def without_a_traceback(build_error):
    """D-Tale shows it in the place of the chart. A file has no such place: it answers
    with the error.
    """

    def built(error, traceback):
        is_export = has_request_context() and request.endpoint in EXPORTS
        if isinstance(error, Exception) and is_export:
            raise error
        if isinstance(error, ChartBuildingError):
            error = _shortened(error)
        elif isinstance(error, Exception):
            error = _explained(error)
        return build_error(error, "")

    return built


def _explained(error):
    if isinstance(error, ChartBuildingError):
        # D-Tale says what to change about the chart: nothing has failed.
        note(refused=type(error).__name__)
        return _shortened(error).error
    problem = as_problem(error)
    if isinstance(problem, Unavailable):
        current().unavailable = problem
    return str(problem)


def _shortened(error):
    """Return a ChartBuildingError with only some of the groups that it lists."""
    return ChartBuildingError(*map(_first_lines, (error.error, error.details)))


def _first_lines(text):
    lines = str(text or "").splitlines()
    if len(lines) > MAX_LINES:
        more = grouped(len(lines) - MAX_LINES)
        lines[MAX_LINES:] = [_("... and %(more)s more") % {"more": more}]
    return "\n".join(lines)


def without_advice(jsonify):
    """D-Tale advises in the place of a traceback how to start it with other limits."""

    @wraps(jsonify)
    def answered(*args, traceback=None, **kwargs):
        return jsonify(*args, **kwargs)

    return answered


REPLACED = [
    ("dtale.dash_application.views:DtaleDash.interpolate_index", with_hashes),
    ("dtale.dash_application.charts:go", without_webgl),
    ("dtale.views:jsonify_error", with_an_explanation),
    ("dtale.views:jsonify", without_advice),
    ("dtale.dash_application.charts:build_error", without_a_traceback),
]
