"""What is replaced in D-Tale's modules, each with the reason.

All of it is looked up before the first is replaced, so a release of D-Tale in which
something is missing stops the start with a message. What is mended in its shipped files
is in ``dtale_scripts``.
"""

import functools
import pkgutil
import re
from urllib.parse import unquote

from dash.fingerprint import check_fingerprint

from . import (
    bounds,
    dtale_charts,
    dtale_choices,
    dtale_columns,
    dtale_describe,
    dtale_filters,
    dtale_kinds,
    dtale_output,
    dtale_patterns,
    dtale_preferences,
    dtale_quick,
    dtale_rows,
)
from .dtale_scripts import mended_files
from .exceptions import InputRefused
from .static_files import shipped, static_url
from .store import WorkspaceStore
from .substitutions import DtaleChanged


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


def versioned(url_for):
    """D-Tale's static files are Django's, whose addresses change with what is there."""

    @functools.wraps(url_for)
    def url(app, endpoint, *args, **kwargs):
        if endpoint == "static":
            return static_url(f"dtale/static/{kwargs['filename']}")
        return url_for(app, endpoint, *args, **kwargs)

    return url


def charts_page_versioned(interpolate_index):
    """The charts page knows the paths of D-Tale's and Dash's files by heart."""

    @functools.wraps(interpolate_index)
    def interpolated(dash, **parts):
        root = dash.server.config["APPLICATION_ROOT"]
        page = interpolate_index(dash, **parts)
        page = page.replace(f"{root}/dtale/static/", static_url("dtale/static/"))
        suites = f"{root}/dtale/charts/_dash-component-suites/"
        return re.sub(rf'(?<="){re.escape(suites)}([^"]+)', of_dash, page)

    def of_dash(match):
        name, _ = check_fingerprint(match[1])
        return static_url(name) if name in shipped() else match[0]

    return interpolated


def maps_versioned(graph_wrapper):
    """D-Tale lets charts load their maps from /dtale/static/maps/."""

    @functools.wraps(graph_wrapper)
    def graph(*args, **kwargs):
        config = kwargs.get("config") or {}
        path = config.get("topojsonURL", "")
        if path.startswith("/dtale/"):
            kwargs["config"] = {**config, "topojsonURL": static_url(path[1:])}
        return graph_wrapper(*args, **kwargs)

    return graph


def frame_of_charts_page(get_data_id):
    """D-Tale draws the first frame, whosever it is, if it does not know the one asked.

    Only the page without an id means the first one.
    """

    def charts_frame(pathname):
        if not isinstance(pathname, str):
            raise InputRefused("The path of the charts page is a text.")
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
    ("dtale.app:DtaleFlask.url_for", versioned),
    ("dtale.dash_application.views:DtaleDash.interpolate_index", charts_page_versioned),
    ("dtale.dash_application.charts:graph_wrapper", maps_versioned),
    ("dtale.dash_application.views:get_data_id", frame_of_charts_page),
    # D-Tale reads its own metadata from the disk for each page: two thirds of the time.
    ("dtale.views:retrieve_version", functools.cache),
    # What is one person's, and D-Tale keeps once for everyone.
    ("dtale.global_state:get_app_settings", instead(dtale_preferences.AppSettings)),
    (
        "dtale.global_state:set_app_settings",
        instead(dtale_preferences.set_app_settings),
    ),
    (
        "dtale.charts.utils:get_mapbox_token",
        instead(dtale_preferences.get_mapbox_token),
    ),
    (
        "dtale.charts.utils:set_mapbox_token",
        instead(dtale_preferences.set_mapbox_token),
    ),
    (
        "dtale.dash_application.custom_geojson:CUSTOM_GEOJSON",
        instead(dtale_preferences.GeojsonList()),
    ),
    *bounds.REPLACED,
    *dtale_charts.REPLACED,
    *dtale_choices.REPLACED,
    *dtale_columns.REPLACED,
    *dtale_describe.REPLACED,
    *dtale_filters.REPLACED,
    *dtale_kinds.REPLACED,
    *dtale_output.REPLACED,
    *dtale_rows.REPLACED,  # Around what dtale_filters has put there.
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

    Only `dtale_app` calls it, under a lock.

    Returns:
        dict[str, str]: its mended templates, by name.

    Raises:
        DtaleChanged: D-Tale is not the one that this is written for.
    """
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
    return templates
