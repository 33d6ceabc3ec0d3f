"""What is replaced in D-Tale's modules, each with the reason.

All of it is looked up before the first is replaced, so a release of D-Tale in which
something is missing stops the start with a message. What is mended in its shipped files
is in ``dtale_scripts``.
"""

import functools
import pkgutil
import re
import threading
from urllib.parse import unquote

from flask import current_app

from . import (
    dtale_choices,
    dtale_filters,
    dtale_kinds,
    dtale_output,
    dtale_patterns,
    dtale_quick,
    preferences,
)
from .dtale_scripts import mended_files
from .store import WorkspaceStore
from .substitutions import DtaleChanged

lock = threading.RLock()


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
        return find(STORE).known_id(unquote(last)) if last else get_data_id(pathname)

    return charts_frame


def instead(function):
    """Return what wraps a function of D-Tale's so that nothing of it is left."""
    return lambda original: function


# People write filters of their own, and do not shut the server down.
APP_SETTINGS = {"enable_custom_filters": True, "hide_shutdown": True}
STORE = "dtale.global_state:_default_store"
REPLACED = [
    ("dtale.dash_application.charts:graph_wrapper", maps_below_prefix),
    ("dtale.dash_application.views:get_data_id", frame_of_charts_page),
    # D-Tale reads its own metadata from the disk for each page: two thirds of the time.
    ("dtale.views:retrieve_version", functools.cache),
    # What is one person's, and D-Tale keeps once for everyone.
    ("dtale.global_state:get_app_settings", instead(preferences.AppSettings)),
    ("dtale.global_state:set_app_settings", instead(preferences.set_app_settings)),
    ("dtale.charts.utils:get_mapbox_token", instead(preferences.get_mapbox_token)),
    ("dtale.charts.utils:set_mapbox_token", instead(preferences.set_mapbox_token)),
    (
        "dtale.dash_application.custom_geojson:CUSTOM_GEOJSON",
        instead(preferences.GeojsonList()),
    ),
    *dtale_choices.REPLACED,
    *dtale_filters.REPLACED,
    *dtale_kinds.REPLACED,
    *dtale_output.REPLACED,
    *dtale_patterns.REPLACED,
    *dtale_quick.REPLACED,
]


def install_store():
    """Let D-Tale see the bound workspace's frames, and no others.

    D-Tale's own use_store() changes one of the two things it keeps, empties the new
    store, and leaves the copies that global_state has made of the store's methods.
    """
    global_state = find("dtale.global_state")
    store = WorkspaceStore()
    global_state._default_store = store
    for name in find("dtale.global_state:fn_list"):
        setattr(global_state, name, getattr(store, name))


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
    wrapped = {}
    for target, wrap in REPLACED:
        wrapped[target] = wrap(wrapped.get(target) or find(target))
    for target, replacement in wrapped.items():
        owner, name = re.split(r"[.:](?=\w+$)", target)
        setattr(pkgutil.resolve_name(owner), name, replacement)
    install_store()
    find("dtale.global_state:APP_SETTINGS").update(APP_SETTINGS)
    dtale_filters.log_no_warning()
    return static, templates
