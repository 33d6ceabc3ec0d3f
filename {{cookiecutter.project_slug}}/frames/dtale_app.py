"""D-Tale as this site serves it.

What of its inside is replaced is in ``dtale_replaced``, and what is mended in its
shipped files in ``dtale_scripts``. All of it is verified when D-Tale is built, so that a
release that differs stops the start with a message.
"""

import contextlib
import functools
import re
import threading

import jinja2
from dash.exceptions import DependencyException
from django.conf import settings
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from flask import current_app, g, jsonify, redirect, request
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wsgi import get_path_info

from . import (
    dtale_describe,
    dtale_filters,
    dtale_frames,
    dtale_input,
    dtale_output,
    dtale_pages,
    dtale_upload,
)
from .access import DJANGO_REQUEST, problem_page
from .dtale_replaced import STORE, find, mend
from .dtale_scripts import mended_file
from .endpoints import CALLBACK, CHARTS_PAGE, OPEN, PAGES, UPLOAD
from .exceptions import OF_THE_MACHINE, FrameError, FrameMissing, as_problem
from .logs import note
from .static_files import static_url
from .substitutions import EXPORT, DtaleChanged
from .unit_of_work import current, is_bound

# Where D-Tale may be mounted: the path is written into scripts, so it is plain text.
PLAIN_PATH = re.compile(r"(/[\w.~-]+)*", re.ASCII)

# D-Tale is built anew for each path it is reached under. There is one, or two where a
# proxy is tried out; a client that makes up others must not fill the memory.
MAX_ROOTS = 4

PROCESSES = "dtale.get_processes"


# D-Tale's modules are changed, and its applications built, by one thread at a time.
_lock = threading.Lock()


def build_dtale(prefix=None):
    """Build D-Tale as it is served here. The site itself calls ``load_dtale``.

    Args:
        prefix: the path it is mounted at; ``settings.DTALE_PREFIX`` if None.

    Returns:
        Dtale: a WSGI application.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
    """
    return Dtale(settings.DTALE_PREFIX if prefix is None else prefix)


class Dtale:
    """D-Tale below SCRIPT_NAME, whatever that is.

    D-Tale writes the path it is mounted at into its pages, and fixes it when it is
    built. The path may have more before the prefix, if a proxy publishes the site
    there, and only a request tells.
    """

    open_frame = staticmethod(dtale_frames.open_frame)
    copy_frame = staticmethod(dtale_frames.copy_frame)

    def __init__(self, prefix):
        front = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
        self.usual_root = f"{front}/{prefix}"
        self.apps = {}
        self.app(self.usual_root)  # Most likely the only one: the first click is quick.

    def __call__(self, environ, start_response):
        root = self.root(environ.get("SCRIPT_NAME", ""))
        return self.app(root)({**environ, "SCRIPT_NAME": root}, start_response)

    def endpoint(self, environ):
        """Return the endpoint (str) that D-Tale will find for a request.

        Raises:
            NotFound, MethodNotAllowed, RequestRedirect: of Werkzeug's, it finds none.
        """
        app = self.app(self.root(environ.get("SCRIPT_NAME", "")))
        return app.find_endpoint(get_path_info(environ), environ["REQUEST_METHOD"])

    def root(self, script_name):
        """Return the path that links begin with (str)."""
        if settings.FORCE_SCRIPT_NAME or not PLAIN_PATH.fullmatch(script_name):
            return self.usual_root
        return script_name

    def app(self, root):
        """Return D-Tale's Flask application for a path, built at the first call."""
        app = self.apps.get(root)
        if app is None:
            with _lock:
                app = self.apps.get(root)
                if app is None:
                    while len(self.apps) >= MAX_ROOTS:
                        self.apps.pop(next(iter(self.apps)))
                    app = self.apps[root] = build_flask(root)
        return app


def build_flask(root):
    """Build D-Tale's own Flask application for the path it is reached under.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
    """
    templates = mend()
    # The reaper would end an idle server: a thread that calls /shutdown.
    with one_thread():
        app = find("dtale.app:build_app")(reaper_on=False, app_root=root)
    dtale_filters.verify()
    for endpoint in OPEN:
        if endpoint not in app.view_functions:
            raise DtaleChanged(f"the endpoint {endpoint} is missing", "its routes")
    # D-Tale's own key is random, and another one in each worker.
    app.secret_key = salted_hmac(__name__, "SECRET_KEY", algorithm="sha256").hexdigest()
    app.jinja_loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader(templates), app.jinja_loader]
    )
    # A grid asks the same path again and again, and Flask will look it up once more.
    urls = app.url_map.bind("", root)
    app.find_endpoint = functools.lru_cache(1024)(
        lambda path, method: urls.match(path, method)[0]
    )
    app.view_functions["static"] = moved
    app.view_functions[PROCESSES] = dtale_frames.processes
    app.view_functions[UPLOAD] = dtale_upload.upload
    for endpoint, wrap in dtale_describe.VIEWS:
        app.view_functions[endpoint] = wrap(app.view_functions[endpoint])
    app.before_request(check_request)
    in_pages = {
        "frame_bar": dtale_pages.frame_bar,
        "signed_out": dtale_pages.signed_out,
        "nonce": dtale_output.nonce,
        "export_script": export_script,
    }
    app.context_processor(lambda: in_pages)
    app.after_request(keep_prefix)
    app.after_request(dtale_output.guard)
    app.register_error_handler(FrameError, answer_problem)
    # Dash has no such file.
    app.register_error_handler(DependencyException, lambda error: NotFound())
    app.register_error_handler(Exception, answer_failure)
    app.register_error_handler(500, answer_failure)
    return app


@contextlib.contextmanager
def one_thread():
    """Dash finds asgiref, which Django brings, and moves its callbacks to new threads.

    Each would open a database connection of its own.
    """
    validate = find("dash._validate")
    check_async = find("dash._validate:check_async")
    validate.check_async = lambda use_async: False
    try:
        yield
    finally:
        validate.check_async = check_async


@functools.cache
def export_script():
    """Return what draws the grid in a file to take along (str)."""
    return mended_file(EXPORT)


def moved(filename):
    """Some of D-Tale's scripts and texts know a static file by its old address."""
    return redirect(static_url(f"dtale/static/{filename}"))


def check_request():
    """Refuse a frame that is not there, and input that is none, before D-Tale sees it."""
    if request.routing_exception is not None:
        return  # Flask answers with the redirect to the route's canonical path.
    args = request.view_args or {}
    target = args.get("data_id")
    if request.endpoint == "dtale.view_main_by_name":
        target = args["data_name"]
    elif request.endpoint == CHARTS_PAGE:
        target = args["path"].rpartition("/")[2]
    if target is not None:
        check_frame(target)
    dtale_input.check(request.endpoint, **args)


def check_frame(target):
    data_id = find(STORE).known_id(target)
    note(frame=data_id)
    if request.endpoint in PAGES:
        # The page would come up, and then fail at its data.
        find(STORE).get_data(data_id)
        g.opened = current().get(data_id)
        g.opened.touch()


def keep_prefix(response):
    """D-Tale redirects to /dtale/..., and for two pages without an id to no page."""
    if response.location:
        # Flask adds a slash by http://..., whatever the proxy in front speaks.
        location = response.location.removeprefix(request.host_url.rstrip("/"))
        if location.startswith("/dtale/"):
            location = re.sub(r"^/dtale/network/popup/", "/dtale/popup/", location)
            location = re.sub(
                r"^/dtale/(iframe|network)/main/", r"/dtale/\1/", location
            )
            location = current_app.config["APPLICATION_ROOT"] + location
        response.location = location
    return response


def answer_problem(error):
    """Answer with a page that says why and leads home, or with data that say so."""
    if is_bound():  # A file that is not there belongs to nobody's work.
        current().broken = True
    error = as_problem(error)
    site_request = request.environ[DJANGO_REQUEST]
    if request.endpoint in PAGES:
        page = problem_page(error, site_request)
        return page.content, page.status_code
    status, text = error.status, str(error)
    if isinstance(error, FrameMissing) and not site_request.user.is_authenticated:
        # It may be the frame of a person whose session has ended while a page was open.
        hint = gettext("If it is yours, sign in in another tab, then try again.")
        status, text = 401, f"{text} {hint}"
    return jsonify(success=False, error=text), status


def answer_failure(error):
    """Answer what nobody has foreseen; what HTTP says of a request stays as it is."""
    if isinstance(error, HTTPException) and error.code < 500:
        return error
    answer, status = answer_problem(error)
    # A callback fails where it is sent what its page never sends. D-Tale's other views
    # answer such a failure as if all were well.
    if request.endpoint == CALLBACK and not isinstance(error, OF_THE_MACHINE):
        status = 400
    return answer, status
