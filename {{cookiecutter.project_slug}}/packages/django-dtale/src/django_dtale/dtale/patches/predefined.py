"""Predefined filters that are text, which users switch on and off in D-Tale's menu.

D-Tale applies predefined filters with Python functions, before all other filters. The
filters of the site, and those of a frame's ``View``, are text instead. Those that are
switched on become a part of the text of all filters, so the grammar applies to them,
the grid caches their results, and users can invert them and highlight their rows. In
the settings of a frame, only the names of the filters that are switched on are stored.
"""

import functools
from collections.abc import Callable
from typing import Any

from dtale import global_state, predefined_filters
from dtale.predefined_filters import PredefinedFilter
from flask import has_request_context, jsonify, request
from werkzeug import Response

from ... import workspace
from ...filters.names import names_in
from ...filters.site import SiteFilter, site_filters, text_filters
from ..pages import OPENED
from .filters import PREDEFINED


def add_site_filters(get_filters: Callable) -> Callable:
    """Add the filters of the site to those that were set with D-Tale's own function."""

    @functools.wraps(get_filters)
    def filters():
        ours = [*site_filters().values()]
        if has_request_context() and (opened := request.environ.get(OPENED)):
            ours = [*text_filters(opened.view_state.get("settings") or {}).values()]
            dtypes = opened.shared_state.get("dtypes") or ()
            names = {column["name"] for column in dtypes}
            ours = [each for each in ours if _is_offered(each, names)]
        return [*get_filters(), *map(_as_dtale, ours)]

    return filters


def _is_offered(site_filter: SiteFilter, columns: set[str]) -> bool:
    """Return whether a filter fits the columns of a frame and the values of its user."""
    needed, values = names_in(site_filter.text)
    if not needed <= columns:
        return False
    return not values or {*values} <= workspace.current().filter_values.keys()


def _as_dtale(site_filter: SiteFilter) -> PredefinedFilter:
    """Return a filter as D-Tale describes it. D-Tale shows its text as its value."""
    return PredefinedFilter(
        name=site_filter.name,
        description=site_filter.description,
        column=min(names_in(site_filter.text)[0], default=""),
        handler=lambda df, value: df,
        input_type="input",
        default=site_filter.text,
        active=False,
    )


def with_states(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the settings of a frame with the states of all predefined filters.

    D-Tale's panel needs the state of each filter that it shows.
    """
    # On a page, get_filters() returns only the filters that fit the frame.
    known = [
        *predefined_filters.PREDEFINED_FILTERS,
        *map(_as_dtale, text_filters(settings or {}).values()),
    ]
    if settings is None or not (known or PREDEFINED in settings):
        return settings
    stored = settings.get(PREDEFINED) or {}
    states = {
        each.name: {"value": each.default, "active": each.active}
        | stored.get(each.name, {})
        for each in known
    }
    return {**settings, PREDEFINED: states}


def without_states(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a frame as they are stored."""
    ours, states = text_filters(settings), settings.get(PREDEFINED)
    if not states:
        return settings
    stored = {
        name: {"active": True} if name in ours else state
        for name, state in states.items()
        if name not in ours or state.get("active")
    }
    return {**settings, PREDEFINED: stored}


def switch_off(move_filters_to_custom: Callable) -> Callable:
    """Switch the filters off when their texts have become a part of the custom filter."""

    @functools.wraps(move_filters_to_custom)
    def moved(data_id: str) -> Response:
        response = move_filters_to_custom(data_id)
        if not response.json["success"]:
            return response
        global_state.update_settings(data_id, {PREDEFINED: {}})
        return jsonify(success=True, settings=global_state.get_settings(data_id))

    return moved


PATCHES = [("dtale.predefined_filters:get_filters", add_site_filters)]
# Each entry consists of the endpoint of one of D-Tale's views, and a wrapper for it.
VIEWS = [("dtale.move_filters_to_custom", switch_off)]
