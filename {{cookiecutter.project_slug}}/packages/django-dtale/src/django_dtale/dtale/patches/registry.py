"""The patches of D-Tale's modules, each with its reason.

All targets are looked up before the first one is replaced, so a release of D-Tale that
lacks a target is refused with a message. The patches of D-Tale's scripts and templates
are in ``assets.patches``.
"""

import functools
import pkgutil
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from dash.fingerprint import check_fingerprint

from ...exceptions import InputRefused
from .. import preferences, responses
from ..assets.finder import shipped, static_url
from ..assets.patches import patched_files
from ..assets.patching import DtaleChanged
from ..bounds import endpoint_bounds
from ..store import WorkspaceStore
from . import (
    allowlists,
    charts,
    columns,
    describe,
    dtypes,
    filters,
    histograms,
    predefined,
    quick,
    regex,
    rows,
    sorting,
)
from .fast import (
    chart_pages,
    descriptions,
    exports,
    frequencies,
    matrices,
    missing,
    scores,
)
from .fast import charts as fast_charts
from .fast import columns as fast_columns


def resolve(target: str) -> Any:
    """Return the object in D-Tale that ``package.module:name`` refers to.

    Raises:
        DtaleChanged: The object does not exist.
    """
    try:
        return pkgutil.resolve_name(target)
    except (ImportError, AttributeError):
        module, _, name = target.partition(":")
        raise DtaleChanged(f"{name} is missing", module) from None


def version_static_urls(url_for: Callable) -> Callable:
    """Return the versioned URLs of D-Tale's static files, which Django serves."""

    @functools.wraps(url_for)
    def url(app, endpoint, *args, **kwargs):
        if endpoint == "static":
            return static_url(f"dtale/static/{kwargs['filename']}")
        return url_for(app, endpoint, *args, **kwargs)

    return url


def version_charts_page(interpolate_index: Callable) -> Callable:
    """Replace the hard-coded URLs of static files in the charts page."""

    @functools.wraps(interpolate_index)
    def interpolated(dash, **parts):
        root = dash.server.config["APPLICATION_ROOT"]
        page = interpolate_index(dash, **parts)
        page = page.replace(f"{root}/dtale/static/", static_url("dtale/static/"))
        suites = f"{root}/dtale/charts/_dash-component-suites/"
        return re.sub(rf'(?<="){re.escape(suites)}([^"]+)', versioned_url, page)

    def versioned_url(match):
        name, _ = check_fingerprint(match[1])
        return static_url(name) if name in shipped() else match[0]

    return interpolated


def version_maps(graph_wrapper: Callable) -> Callable:
    """Replace the URL /dtale/static/maps/, from which charts load their maps."""

    @functools.wraps(graph_wrapper)
    def graph(*args, **kwargs):
        config = kwargs.get("config") or {}
        path = config.get("topojsonURL", "")
        if path.startswith("/dtale/"):
            kwargs["config"] = {**config, "topojsonURL": static_url(path[1:])}
        return graph_wrapper(*args, **kwargs)

    return graph


def requested_frame(get_data_id: Callable) -> Callable:
    """Draw charts of the requested frame, or of the first one if the path has no id.

    For an unknown id, D-Tale would draw the first frame, regardless of its owner.
    """

    def charts_frame(pathname):
        if not isinstance(pathname, str):
            raise InputRefused("The path of the charts page has to be a text.")
        last = pathname.rpartition("/")[2]
        return (
            resolve(STORE).resolve_id(unquote(last)) if last else get_data_id(pathname)
        )

    return charts_frame


def replace_with(function: object) -> Callable[[object], Any]:
    """Return a wrapper that replaces one of D-Tale's functions entirely."""
    return lambda original: function


# Users may write custom filters, but must not be able to shut down the server.
APP_SETTINGS = {"enable_custom_filters": True, "hide_shutdown": True}
STORE = "dtale.global_state:_default_store"
PATCHES = [
    ("dtale.app:DtaleFlask.url_for", version_static_urls),
    ("dtale.dash_application.views:DtaleDash.interpolate_index", version_charts_page),
    ("dtale.dash_application.charts:graph_wrapper", version_maps),
    ("dtale.dash_application.views:get_data_id", requested_frame),
    # For each page, D-Tale reads its version from disk, which takes two thirds of the
    # time for the page.
    ("dtale.views:retrieve_version", functools.cache),
    # D-Tale has one set of preferences for everyone. These functions keep one for each
    # user.
    ("dtale.global_state:get_app_settings", replace_with(preferences.AppSettings)),
    (
        "dtale.global_state:set_app_settings",
        replace_with(preferences.set_app_settings),
    ),
    (
        "dtale.charts.utils:get_mapbox_token",
        replace_with(preferences.get_mapbox_token),
    ),
    (
        "dtale.charts.utils:set_mapbox_token",
        replace_with(preferences.set_mapbox_token),
    ),
    (
        "dtale.dash_application.custom_geojson:CUSTOM_GEOJSON",
        replace_with(preferences.GeojsonList()),
    ),
    # The patches of `endpoint_bounds` and `charts` wrap those of `fast_charts`.
    *fast_charts.PATCHES,
    *endpoint_bounds.PATCHES,
    *missing.PATCHES,  # The patches of `charts` wrap these, too.
    *charts.PATCHES,
    *allowlists.PATCHES,
    *columns.PATCHES,
    *describe.PATCHES,
    *histograms.PATCHES,
    *exports.PATCHES,
    *chart_pages.PATCHES,
    *fast_columns.PATCHES,
    *descriptions.PATCHES,
    *scores.PATCHES,
    *matrices.PATCHES,
    *frequencies.PATCHES,
    *filters.PATCHES,
    *predefined.PATCHES,
    *dtypes.PATCHES,
    *responses.PATCHES,
    *rows.PATCHES,  # These wrap the patches of `filters`.
    *sorting.PATCHES,
    *regex.PATCHES,
    *quick.PATCHES,
]


def install_store() -> None:
    """Give D-Tale a store that contains only the bound workspace's frames.

    D-Tale's own use_store() is not enough: it changes one of two references to the
    store, empties the new store, and leaves the copies of the store's methods in
    global_state unchanged.
    """
    global_state = resolve("dtale.global_state")
    store = WorkspaceStore()
    global_state._default_store = store
    for name in resolve("dtale.global_state:fn_list"):
        setattr(global_state, name, getattr(store, name))


@functools.cache
def apply_patches() -> dict[str, str]:
    """Patch D-Tale's files and modules, once in this process.

    Only `application` calls this function, while it holds a lock.

    Returns:
        The patched templates, keyed by name.

    Raises:
        DtaleChanged: The installed D-Tale is not a supported release.
    """
    templates = patched_files("templates")
    # All targets are looked up before the first one is replaced, so that a failure
    # leaves D-Tale unchanged.
    wrapped: dict[str, Any] = {}
    for target, wrap in PATCHES:
        wrapped[target] = wrap(wrapped.get(target) or resolve(target))
    for target, replacement in wrapped.items():
        owner, name = re.split(r"[.:](?=\w+$)", target)
        setattr(pkgutil.resolve_name(owner), name, replacement)
    install_store()
    resolve("dtale.global_state:APP_SETTINGS").update(APP_SETTINGS)
    filters.silence_warning()
    charts.silence_fonts()
    return templates
