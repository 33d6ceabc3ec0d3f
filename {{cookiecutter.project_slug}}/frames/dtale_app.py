"""D-Tale as this site serves it.

Everything of D-Tale's inside that is relied on or replaced is in this module, and what
is mended in its shipped files in ``dtale_scripts``. All of it is verified when D-Tale
is built, so that a release that differs stops the start with a message.
"""

import functools
import itertools
import pkgutil
import re
import threading
from urllib.parse import unquote

import jinja2
from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import set_script_prefix
from django.utils.crypto import salted_hmac
from flask import current_app, jsonify, request

from .dtale_scripts import DtaleChanged, mended_files, serve_mended

# Where D-Tale may be mounted: the path is written into scripts, so it is plain text.
PLAIN_PATH = re.compile(r"(/[\w.~-]+)*", re.ASCII)

# D-Tale is built anew for each path it is reached under. There is one, or two where a
# proxy is tried out; a client that makes up others must not fill the memory.
MAX_ROOTS = 4

CHARTS_PAGE = "/dtale/charts/<path:path>"

# Endpoints that answer with a page; the others answer with data.
PAGES = {
    "dtale.view_main",
    "dtale.view_main_by_name",
    "dtale.view_iframe",
    "dtale.iframe_popup",
    "dtale.view_popup",
    "dtale.view_network",
    CHARTS_PAGE,
}

lock = threading.RLock()


class FrameMissing(LookupError):
    """There is no frame of this id or name."""


def find(target):
    """Return what ``package.module:name`` of D-Tale is.

    Raises:
        DtaleChanged: there is no such thing.
    """
    try:
        return pkgutil.resolve_name(target)
    except (ImportError, AttributeError):
        module, _, name = target.partition(":")
        raise DtaleChanged(f"{name} is missing", module) from None


# Replaced in D-Tale's modules ---------------------------------------------------------


def refuse_unknown(get_data_inst):
    """D-Tale makes an empty frame of an id that it does not know, which then fails."""

    def known_instance(data_id):
        if data_id is not None and str(data_id) not in find(STORE).store:
            raise FrameMissing(data_id)
        return get_data_inst(data_id)

    return known_instance


def one_at_a_time(new_data_inst):
    """D-Tale looks for a free id and takes it later: two threads get the same."""

    @functools.wraps(new_data_inst)
    def new_instance(*args, **kwargs):
        with lock:
            return new_data_inst(*args, **kwargs)

    return new_instance


def maps_below_prefix(graph_wrapper):
    """D-Tale lets charts load their maps from /dtale/static/maps/."""

    @functools.wraps(graph_wrapper)
    def graph(*args, **kwargs):
        config = kwargs.get("config") or {}
        if config.get("topojsonURL", "").startswith("/dtale/"):
            url = current_app.config["APPLICATION_ROOT"] + config["topojsonURL"]
            kwargs["config"] = {**config, "topojsonURL": url}
        return graph_wrapper(*args, **kwargs)

    return graph


def frame_of_charts_page(get_data_id):
    """D-Tale draws the first frame, whosever it is, if it does not know the one asked.

    Only the page without an id means the first one.
    """

    def charts_frame(pathname):
        last = pathname.rpartition("/")[2]
        return known_id(unquote(last)) if last else get_data_id(pathname)

    return charts_frame


STORE = "dtale.global_state:_default_store"
REPLACED = [
    (f"{STORE}.get_data_inst", refuse_unknown),
    (f"{STORE}.new_data_inst", one_at_a_time),
    # global_state has copies of the store's methods, made when it was imported.
    ("dtale.global_state:get_data_inst", refuse_unknown),
    ("dtale.global_state:new_data_inst", one_at_a_time),
    ("dtale.dash_application.charts:graph_wrapper", maps_below_prefix),
    ("dtale.dash_application.views:get_data_id", frame_of_charts_page),
]


@functools.cache
def mend():
    """Mend D-Tale's files and replace what must differ, once in this process.

    Call it under ``lock``.

    Returns:
        tuple: the mended static files as {name: bytes}, the templates as {name: str}.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
    """
    static = {name: text.encode() for name, text in mended_files("static").items()}
    templates = mended_files("templates")
    # All are looked up before the first is replaced: a failure leaves nothing half done.
    wrapped = [(target, wrap(find(target))) for target, wrap in REPLACED]
    for target, replacement in wrapped:
        owner, name = re.split(r"[.:](?=\w+$)", target)
        setattr(pkgutil.resolve_name(owner), name, replacement)
    return static, templates


# Frames -------------------------------------------------------------------------------


def known_id(id_or_name):
    """Return the id of the frame with this id or name.

    Raises:
        FrameMissing: there is none.
    """
    store = find(STORE)
    data_id = store.get_data_id_by_name(id_or_name) or id_or_name
    if not store.contains(data_id):
        raise FrameMissing(id_or_name)
    return data_id


def open_frame(df, name=""):
    """Put a frame into D-Tale.

    Args:
        df: ``pandas.DataFrame`` or ``Series``, or whatever else D-Tale takes.
        name: shown beside the id; a name that another frame has gets a number.

    Returns:
        str: D-Tale's data id, "1" for the first.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
        Exception: whatever D-Tale raises for a frame that it cannot show.
    """
    with lock:
        mend()
    store = find(STORE)
    data_id = store.new_data_inst()
    try:
        # D-Tale's check for duplicates would load every frame.
        find("dtale.views:startup")(data=df, data_id=data_id, ignore_duplicate=True)
        if name:
            with lock:
                store.set_name(data_id, free_name(name))
    except BaseException:
        store.delete_instance(data_id)
        raise
    return data_id


def free_name(name):
    """D-Tale's names are unique: the name, or the name with the next free number."""
    taken = {instance.name for _, instance in find(STORE).items()}
    numbered = (f"{name} {number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], numbered) if each not in taken)


# The application ----------------------------------------------------------------------


def build_dtale(prefix=None):
    """Build D-Tale as it is served here.

    Args:
        prefix: the path segment it is mounted at; ``settings.DTALE_PREFIX`` if None.

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

    def __init__(self, prefix):
        front = (settings.FORCE_SCRIPT_NAME or "").rstrip("/")
        self.usual_root = f"{front}/{prefix}"
        self.apps = {}
        self.app(self.usual_root)  # Most likely the only one: the first click is quick.

    def __call__(self, environ, start_response):
        root = self.root(environ.get("SCRIPT_NAME", ""))
        return self.app(root)({**environ, "SCRIPT_NAME": root}, start_response)

    def root(self, script_name):
        """Return the path that links begin with (str)."""
        if settings.FORCE_SCRIPT_NAME or not PLAIN_PATH.fullmatch(script_name):
            return self.usual_root
        return script_name

    def app(self, root):
        """Return D-Tale's Flask application for a path, built at the first call."""
        app = self.apps.get(root)
        if app is None:
            with lock:
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
    static, templates = mend()
    # The reaper would end an idle server: a thread that calls /shutdown.
    app = find("dtale.app:build_app")(reaper_on=False, app_root=root)
    for endpoint in PAGES | {"static"}:
        if endpoint not in app.view_functions:
            raise DtaleChanged(f"the endpoint {endpoint} is missing", "its routes")
    # D-Tale's own key is random, and another one in each worker.
    app.secret_key = salted_hmac(__name__, "SECRET_KEY", algorithm="sha256").hexdigest()
    app.jinja_loader = jinja2.ChoiceLoader(
        [jinja2.DictLoader(templates), app.jinja_loader]
    )
    app.view_functions["static"] = serve_mended(static, app.view_functions["static"])
    app.before_request(check_frame)
    app.after_request(keep_prefix)
    app.register_error_handler(FrameMissing, answer_missing)
    return app


def check_frame():
    """Refuse a request for a frame that is not there, before D-Tale sees it.

    By what the URL was matched to and never by its text, which can be written in many
    ways.
    """
    args = request.view_args or {}
    if args.get("data_id") is not None:
        known_id(args["data_id"])
    elif request.endpoint == "dtale.view_main_by_name":
        known_id(args["data_name"])
    elif request.endpoint == CHARTS_PAGE:
        known_id(args["path"].rpartition("/")[2])


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


def answer_missing(error):
    """Answer 404: a page that says why and leads home, or data that says so."""
    frame = error.args[0]
    if request.endpoint not in PAGES:
        return jsonify(success=False, error=f"There is no frame {frame} here."), 404
    # The page's links: Django sets this for its own requests, and this is none.
    root = current_app.config["APPLICATION_ROOT"]
    set_script_prefix(root.rpartition("/")[0] + "/")
    context = {"frame": frame}
    return render_to_string("frames/frame_missing.html", context, HttpRequest()), 404
