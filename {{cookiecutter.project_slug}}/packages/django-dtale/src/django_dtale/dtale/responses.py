"""The Content-Security-Policy and the error messages of D-Tale's responses.

Only the scripts that D-Tale ships may run. Substitutions in ``assets.patches`` give the
nonce of the response to scripts in D-Tale's templates. The scripts that D-Tale and Dash
write into the charts page are allowed by their hashes. If text from users' data becomes
a script in a page, it has neither the nonce nor an allowed hash.
"""

import base64
import hashlib
import inspect
import re
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.utils.translation import gettext as _
from dtale.dash_application.layout import layout
from dtale.utils import ChartBuildingError
from flask import g, has_request_context, jsonify, request
from werkzeug import Response

from ..errors import error_fields, to_frame_error
from ..exceptions import ServiceUnavailable
from ..formats import format_number
from ..logs import add_log_context
from ..unit_of_work import current
from .assets.patching import DtaleChanged
from .csp import WITHOUT_SCRIPTS, content_policy
from .endpoints import STATIC, Kind, kind_of
from .pages import chart_bar, session_expired_dialog, theme_script, theme_styles

MAX_LINES = 100  # The error message of a chart can list a million groups.
INLINE = re.compile(r'<script type="text/javascript">(.*?)</script>', re.S)


# Content-Security-Policy --------------------------------------------------------------


def nonce() -> str:
    """Return the CSP nonce of this response."""
    if "nonce" not in g:
        g.nonce = secrets.token_urlsafe(16)
    return g.nonce


def add_csp_hashes(interpolate_index: Callable) -> Callable:
    """Allow the inline scripts of the charts page by their hashes.

    D-Tale and Dash write these scripts into the page, next to the names of frames.
    """
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
        parts["css"] += theme_styles()
        parts["app_entry"] = theme_script() + parts["app_entry"]
        parts["scripts"] = chart_bar() + session_expired_dialog() + parts["scripts"]
        return interpolate_index(dash, **parts)

    return interpolated


def disable_webgl(graph_objects: Any) -> Any:
    """Draw charts with many points as SVG, like those with fewer points.

    Plotly would draw them with WebGL, and compile code at run time for that. The
    Content-Security-Policy forbids this.
    """

    class GraphObjects:
        def __getattr__(self, name: str) -> Any:
            return getattr(graph_objects, name.removesuffix("gl"))

    return GraphObjects()


def add_csp_header(response: Response) -> Response:
    """Set the Content-Security-Policy, and let browsers cache only static files."""
    scripts = [f"'nonce-{g.nonce}'"] if "nonce" in g else g.get("hashes")
    policy = content_policy(*scripts) if scripts else WITHOUT_SCRIPTS
    response.headers["Content-Security-Policy"] = policy
    if request.endpoint not in STATIC:
        response.headers["Cache-Control"] = "no-store"
    return response


# Error messages -----------------------------------------------------------------------


def explain_jsonify_error(jsonify_error: Callable) -> Callable:
    """Return an error message for a failure, and mark the unit of work as failed.

    D-Tale returns a traceback, and keeps the changes made before the failure.
    """

    def explained(error):
        current().failed = True
        return jsonify(success=False, **_error_fields(error))

    return explained


def hide_traceback(build_error: Callable) -> Callable:
    """Show an error in place of a chart, without its traceback.

    An export cannot show an error in this way, so the error is raised.
    """

    def built(error, traceback):
        is_export = has_request_context() and kind_of(request.endpoint) is Kind.EXPORT
        if isinstance(error, Exception) and is_export:
            raise error
        if isinstance(error, ChartBuildingError):
            error = _shorten(error)
        elif isinstance(error, Exception):
            error = _error_fields(error)["error"]
        return build_error(error, "")

    return built


def _error_fields(error):
    if isinstance(error, ChartBuildingError):
        # The message says how to change the chart, so it is not logged as a failure.
        add_log_context(refused=type(error).__name__)
        return {"error": _shorten(error).error}
    problem = to_frame_error(error)
    if isinstance(problem, ServiceUnavailable):
        current().unavailable = problem
    return error_fields(problem)


def _shorten(error):
    """Return a ChartBuildingError with only the first of the groups that it lists."""
    return ChartBuildingError(*map(_first_lines, (error.error, error.details)))


def _first_lines(text):
    lines = str(text or "").splitlines()
    if len(lines) > MAX_LINES:
        more = format_number(len(lines) - MAX_LINES)
        lines[MAX_LINES:] = [_("... and %(more)s more") % {"more": more}]
    return "\n".join(lines)


def strip_traceback(jsonify: Callable) -> Callable:
    """Drop the traceback from D-Tale's JSON responses.

    In some responses, this field contains advice on how to restart D-Tale with other
    limits.
    """

    @wraps(jsonify)
    def answered(*args, traceback=None, **kwargs):
        return jsonify(*args, **kwargs)

    return answered


PATCHES = [
    ("dtale.dash_application.views:DtaleDash.interpolate_index", add_csp_hashes),
    ("dtale.dash_application.charts:go", disable_webgl),
    ("dtale.views:jsonify_error", explain_jsonify_error),
    ("dtale.views:jsonify", strip_traceback),
    ("dtale.dash_application.charts:build_error", hide_traceback),
]
