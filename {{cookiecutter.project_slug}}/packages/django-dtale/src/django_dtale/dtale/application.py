"""Build D-Tale's patched Flask application, and serve it with WSGI.

``patches.registry`` patches D-Tale's modules, and ``assets.patches`` its scripts and
templates. All patches are verified when D-Tale is built, so a release that they do not
fit is refused with an error message.
"""

import contextlib
import difflib
import functools
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import jinja2
from dash.exceptions import DependencyException
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.utils.crypto import salted_hmac
from flask import current_app, redirect, request
from werkzeug import Request, Response
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wsgi import get_path_info

from ..conf import dtale_settings
from ..errors import SYSTEM_ERRORS, error_response
from ..exceptions import DataReplaced, FrameError
from ..logs import add_log_context
from ..unit_of_work import audit, current, is_bound
from ..unit_of_work.open_frame import OpenFrame
from . import (
    answers,
    exports,
    instances,
    pages,
    preferences,
    replacement,
    responses,
    saved_views,
)
from .assets.finder import static_url
from .assets.patches import patched_file
from .assets.patching import EXPORT, DtaleChanged
from .bounds import validation
from .endpoints import (
    CALLBACK,
    CHARTS_PAGE,
    DJANGO_REQUEST,
    OPEN,
    ROUTE,
    Kind,
    kind_of,
)
from .patches import describe, filters, predefined, rows
from .patches.fast import (
    chart_pages,
    columns,
    correlations,
    networks,
    raw_pandas,
)
from .patches.registry import STORE, apply_patches, resolve
from .visible_data import GridView

# The mount path is written into scripts, so it must not need any escaping.
PLAIN_PATH = re.compile(r"(/[\w.~-]+)*", re.ASCII)

PROCESSES = "dtale.get_processes"
VIEW_MODULES = (
    *(chart_pages, columns, correlations, describe, filters),
    *(networks, pages, predefined, raw_pandas, rows),
)
VERSION = "HTTP_X_DATA_VERSION"  # The header of `fresh.js`, in the WSGI environment.


# Only one thread at a time may patch D-Tale's modules and build its application.
_lock = threading.Lock()


def build_dtale(prefix: str | None = None) -> "DtaleApplication":
    """Build D-Tale for this site. Use ``load_dtale`` to get the shared application.

    Args:
        prefix: The path at which D-Tale is mounted; ``dtale_settings.PREFIX`` if None.

    Returns:
        A WSGI application.

    Raises:
        DtaleChanged: The installed D-Tale is not a supported release.
    """
    return DtaleApplication(dtale_settings.PREFIX if prefix is None else prefix)


class DtaleApplication:
    """D-Tale as a WSGI application, mounted at any SCRIPT_NAME.

    D-Tale writes its mount path into its pages, and the path cannot change once D-Tale
    is built. If a proxy publishes the site below another path, the mount path begins
    with that path, which may be known only from the SCRIPT_NAME of a request.
    """

    open_frame = staticmethod(instances.open_frame)
    replace_frame = staticmethod(replacement.replace_frame)
    copy_frame = staticmethod(instances.copy_frame)
    grid_view = GridView
    save_view = staticmethod(saved_views.save_view)
    update_view = staticmethod(saved_views.update_view)
    define_view = staticmethod(saved_views.define_view)

    def __init__(self, prefix: str) -> None:
        front = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
        self.usual_root = f"{front}/{prefix}"
        with _lock:
            # Build it now, because most sites never need an application for another
            # path.
            self._app = build_flask(self.usual_root)

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        root = self.root(environ.get("SCRIPT_NAME", ""))
        return self.app(root)({**environ, "SCRIPT_NAME": root}, start_response)

    def match(self, environ: dict[str, Any]) -> str:
        """Find the route of a request, and return its endpoint.

        The route is stored in the environment, so that neither `check_target` nor
        Flask has to match the request again.

        Raises:
            NotFound, MethodNotAllowed, RequestRedirect: Werkzeug has found no route.
        """
        app = self.app(self.root(environ.get("SCRIPT_NAME", "")))
        match = app.find_route(get_path_info(environ), environ["REQUEST_METHOD"])
        environ[ROUTE] = match
        return match[0].endpoint

    def check_target(self, environ: dict[str, Any]) -> None:
        """Refuse requests for a frame that does not exist, or of an outdated page.

        Raises:
            FrameError: The message gives the reason.
        """
        rule, _ = environ[ROUTE]
        args = self._arguments(environ)
        target = args.get("data_id")
        if rule.endpoint == "dtale.view_main_by_name":
            target = args["data_name"]
        elif rule.endpoint == CHARTS_PAGE:
            target = args["path"].rpartition("/")[2]
        if target is not None:
            data_id = resolve(STORE).resolve_id(target)
            add_log_context(frame=data_id)
            check_version(environ, current().get(data_id))
            if kind_of(rule.endpoint) is Kind.PAGE:
                # Load the data now: if they cannot be loaded, the user gets an error
                # page instead of an empty grid.
                resolve(STORE).get_data(data_id)
                environ[pages.OPENED] = opened = current().get(data_id)
                opened.mark_opened()
                audit.record_opening(opened)

    def validate_request(self, environ: dict[str, Any]) -> None:
        """Refuse invalid input.

        Raises:
            FrameError: The message gives the reason.
        """
        app = self.app(self.root(environ.get("SCRIPT_NAME", "")))
        endpoint = environ[ROUTE][0].endpoint
        request = Request(environ, populate_request=False)
        validation.check(app, request, endpoint, self._arguments(environ))

    def answer(
        self, environ: dict[str, Any], run: Callable[[], HttpResponse]
    ) -> HttpResponse:
        """Return the cached response to a request, or that of ``run``."""
        request = Request(environ, populate_request=False)
        endpoint = environ[ROUTE][0].endpoint
        data_id = self._arguments(environ).get("data_id")
        return answers.answer(request, endpoint, data_id, run)

    def _arguments(self, environ: dict[str, Any]) -> dict[str, str]:
        """Return the variable parts of the path, with data IDs in place of names."""
        app = self.app(self.root(environ.get("SCRIPT_NAME", "")))
        rule, args = environ[ROUTE]
        args = dict(args)
        for resolve_names in app.url_value_preprocessors[None]:
            resolve_names(rule.endpoint, args)
        return args

    def root(self, script_name: str) -> str:
        """Return the path at which D-Tale is mounted for a request's SCRIPT_NAME."""
        if settings.FORCE_SCRIPT_NAME or not PLAIN_PATH.fullmatch(script_name):
            return self.usual_root
        return script_name

    def app(self, root: str) -> Any:
        """Return D-Tale's Flask application for a path.

        Only one application is kept, and it is built again when the path changes. A
        server that sets SCRIPT_NAME sets the same value for all requests.
        """
        with _lock:
            if self._app.config["APPLICATION_ROOT"] != root:
                self._app = build_flask(root)
            return self._app


def check_version(environ: dict[str, Any], opened: OpenFrame) -> None:
    """Refuse a request from a page whose data were replaced after it was loaded.

    Otherwise, a grid would mix old and new rows. The script `fresh.js` sends the data
    ID and the data version of the page's frame.

    Raises:
        DataReplaced
    """
    if opened.data_version is None:
        return
    data_id, _, version = environ.get(VERSION, "").partition("=")
    if data_id == str(opened.data_id) and version != str(opened.data_version):
        raise DataReplaced(opened.row)


def build_flask(root: str) -> Any:
    """Patch D-Tale, and build its Flask application for a mount path.

    Raises:
        DtaleChanged: The installed D-Tale is not a supported release.
    """
    templates = apply_patches()
    # D-Tale's reaper thread would shut down an idle server by calling /shutdown.
    with disable_dash_async():
        app = resolve("dtale.app:build_app")(reaper_on=False, app_root=root)
    filters.verify()
    for endpoint in OPEN:
        if endpoint not in app.view_functions:
            raise DtaleChanged(f"the endpoint {endpoint} is missing", "its routes")
    check_extra_endpoints(app.view_functions)
    # D-Tale's own key is random and differs between worker processes.
    app.secret_key = salted_hmac(__name__, "SECRET_KEY", algorithm="sha256").hexdigest()
    app.jinja_loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader(templates), app.jinja_loader]
    )
    # Grids request the same paths again and again, so the routes are cached.
    urls = app.url_map.bind("", root)
    app.find_route = functools.lru_cache(1024)(
        lambda path, method: urls.match(path, method, return_rule=True)
    )
    app.create_url_adapter = with_known_route(app.create_url_adapter)
    app.view_functions["static"] = static_redirect
    app.view_functions[PROCESSES] = instances.processes
    for module in VIEW_MODULES:
        for endpoint, wrap in module.VIEWS:
            app.view_functions[endpoint] = wrap(app.view_functions[endpoint])
    in_pages = {
        "current_theme": preferences.current_theme,
        "theme_styles": pages.theme_styles,
        "theme_script": pages.theme_script,
        "frame_bar": pages.frame_bar,
        "session_expired_dialog": pages.session_expired_dialog,
        "working_sign": pages.working_sign,
        "nonce": responses.nonce,
        "export_script": export_script,
    }
    app.context_processor(lambda: in_pages)
    app.after_request(fix_redirect_prefix)
    app.after_request(responses.add_csp_header)
    app.after_request(exports.record_export)
    app.register_error_handler(FrameError, handle_frame_error)
    # Dash raises this exception for a file that does not exist.
    app.register_error_handler(DependencyException, lambda error: NotFound())
    app.register_error_handler(Exception, handle_exception)
    app.register_error_handler(500, handle_exception)
    return app


def check_extra_endpoints(known: Iterable[str]) -> None:
    """Raise ImproperlyConfigured if D-Tale lacks one of EXTRA_ENDPOINTS."""
    for endpoint in dtale_settings.EXTRA_ENDPOINTS:
        if endpoint not in known:
            close = difflib.get_close_matches(endpoint, known, 1)
            question = f" Did you mean {close[0]}?" if close else ""
            raise ImproperlyConfigured(
                f'DTALE["EXTRA_ENDPOINTS"] has {endpoint}, which is not an endpoint of '
                f"D-Tale.{question}"
            )


@contextlib.contextmanager
def disable_dash_async() -> Iterator[None]:
    """Keep Dash's callbacks in the thread of their request.

    If asgiref is installed, as it is with Django, Dash runs each callback in a new
    thread, which would open another database connection.
    """
    validate = resolve("dash._validate")
    check_async = resolve("dash._validate:check_async")
    validate.check_async = lambda use_async: False
    try:
        yield
    finally:
        validate.check_async = check_async


@functools.cache
def export_script() -> str:
    """Return the script that draws the grid in an exported HTML file."""
    return patched_file(EXPORT)


def static_redirect(filename: str) -> Response:
    """Redirect D-Tale's own URL of a static file, which some of its scripts request."""
    return redirect(static_url(f"dtale/static/{filename}"))


def with_known_route(create_url_adapter: Callable) -> Callable:
    """Make Flask use the route that `DtaleApplication.match` has found."""

    @functools.wraps(create_url_adapter)
    def create(request):
        adapter = create_url_adapter(request)
        if request is not None and ROUTE in request.environ:
            rule, args = request.environ[ROUTE]
            adapter.match = lambda *_args, **_options: (rule, dict(args))
        return adapter

    return create


def fix_redirect_prefix(response: Response) -> Response:
    """Add the prefix to D-Tale's redirects, which lead to /dtale/...

    If two of its pages are opened without an id, they redirect to a path that does not
    exist. This function corrects that path as well.
    """
    if response.location:
        # To add a slash to a path, Flask redirects to an absolute http:// URL, even if
        # the proxy in front of it uses HTTPS. Therefore the host is removed.
        location = response.location.removeprefix(request.host_url.rstrip("/"))
        if location.startswith("/dtale/"):
            location = re.sub(r"^/dtale/network/popup/", "/dtale/popup/", location)
            location = re.sub(
                r"^/dtale/(iframe|network)/main/", r"/dtale/\1/", location
            )
            location = current_app.config["APPLICATION_ROOT"] + location
        response.location = location
    return response


def handle_frame_error(error: Exception) -> tuple[bytes, int, dict[str, str]]:
    """Return an error page or JSON that gives the reason."""
    if is_bound():  # Static files need no unit of work.
        current().failed = True
    is_page = kind_of(request.endpoint) is Kind.PAGE
    response = error_response(error, request.environ[DJANGO_REQUEST], is_page)
    content_type = {"Content-Type": response.headers["Content-Type"]}
    return response.content, response.status_code, content_type


def handle_exception(
    error: Exception,
) -> HTTPException | tuple[bytes, int, dict[str, str]]:
    """Return an error response, but leave Werkzeug's own 4xx responses unchanged."""
    if isinstance(error, HTTPException) and error.code < 500:  # type: ignore[operator]
        return error
    content, status, headers = handle_frame_error(error)
    # A callback fails if its input differs from what the charts page sends. This is an
    # error of the client, not of the server.
    if request.endpoint == CALLBACK and not isinstance(error, SYSTEM_ERRORS):
        status = 400
    return content, status, headers
