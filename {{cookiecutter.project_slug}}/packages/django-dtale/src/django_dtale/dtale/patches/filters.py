"""Patches of D-Tale that apply the grammar of ``filters`` to all filters.

D-Tale passes every filter to ``run_query``: filters that its dialogs build, custom
filters, ``query=`` in a URL, and the groups of a chart. Because the patched function
applies the grammar, custom filters are safe, and users may write them.
"""

import contextlib
import functools
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pandas as pd
from dtale.query import build_col_key
from flask import jsonify
from werkzeug import Response

from ... import workspace
from ...exceptions import FilterRefused, FrameError
from ...filters.compiler import Filter
from ...filters.names import names_in
from ...filters.site import look_up, text_filters
from ..assets.patching import DtaleChanged

# Outlier filters already have parentheses: ((x < 1) or (x > 9)).
OR = re.compile(r"(?!\(\([^()]*\) or \([^()]*\)\)$).*(\bor\b|\|)", re.DOTALL)


PREDEFINED = "predefinedFilters"  # The setting with the states of these filters.


class EmptyResult(FrameError):
    """No row matches a filter, but D-Tale needs at least one row."""


def use_grammar(run_query: Callable) -> Callable:
    """Apply the grammar to a filter: D-Tale would let pandas evaluate it as Python."""

    @functools.wraps(run_query)
    def applied(
        df,
        query,
        context_vars=None,
        *,
        ignore_empty=False,
        highlight_filter=False,
        **sample,
    ):
        if not query:
            return run_query(df, "", highlight_filter=highlight_filter, **sample)
        rows = Filter(query).rows(df, values_for(query))
        if not (rows.any() or ignore_empty):
            raise EmptyResult(f"No rows match the filter {query:.200}")
        found = run_query(df if highlight_filter else df[rows], "", **sample)
        return (found, set(df.index[rows])) if highlight_filter else found

    return applied


def forbid_evaluation(validate_query_safety: Callable) -> Callable:
    """Raise an error if D-Tale is about to let pandas evaluate a filter."""

    def refuse(query):
        raise DtaleChanged("filters bypass this site's grammar", "dtale.query")

    return refuse


def parenthesize_or(inner_build_query: Callable) -> Callable:
    """Put filters that contain "or" in parentheses: D-Tale joins filters with "and"."""

    @functools.wraps(inner_build_query)
    def joined(settings, query=None):
        parts = [*filter_texts(settings), *([query] if query else [])]
        if len(parts) > 1:
            parts = [f"({part})" if OR.match(part) else part for part in parts]
        text = " and ".join(parts)
        return f"~({text})" if text and settings.get("invertFilter") else text

    return joined


def escape_quotes(group_filter_handler: Callable) -> Callable:
    """Escape quotes in the text of a group: D-Tale puts it between quotes unescaped."""

    @functools.wraps(group_filter_handler)
    def handled(col_def, group_val, group_classifier):
        query, label = group_filter_handler(col_def, group_val, group_classifier)
        key = build_col_key(col_def)
        if query == f"{key} == '{group_val}'":
            query = f"{key} == {str(group_val)!r}"
        return query, label

    return handled


def allow_any_text(patterns: object) -> re.Pattern[str]:
    """Return a pattern that never matches, so that users can search for any text.

    D-Tale's own pattern refuses texts such as ann@example.org or "open (all day)".
    """
    return re.compile("(?!)")


def filter_texts(settings: dict[str, Any]) -> list[str]:
    """Return the filters of a frame's settings, except the custom filter.

    These are the filters that dialogs have added, and the predefined filters of the
    site and of the frame that are switched on.
    """
    states = settings.get(PREDEFINED) or {}
    return [
        each["query"]
        for kind in ("columnFilters", "outlierFilters")
        for each in (settings.get(kind) or {}).values()
    ] + [
        each.text
        for name, each in text_filters(settings).items()
        if states.get(name, {}).get("active")
    ]


def check_settings(settings: dict[str, Any]) -> None:
    """Refuse settings with an invalid filter: D-Tale could not show the frame.

    Raises:
        FilterRefused
    """
    for text in [*filter_texts(settings), settings.get("query")]:
        if text:
            check_text(text)


@functools.lru_cache(100)  # The cache holds at most 10 million characters.
def check_text(text: str) -> None:
    """Refuse a text that is not a valid filter.

    D-Tale saves its settings with each page of the grid. Parsing a list of thousands of
    values takes longer than reading the page, so the results are cached.

    Raises:
        FilterRefused
    """
    Filter(text)


def values_for(text: str) -> dict[str, Any]:
    """Return the values of the site that a filter uses, for the user of this request.

    Only filters that use values need a user, or call the site's function.

    Raises:
        FilterRefused: the filter is not valid, or the user has no such value.
    """
    names = names_in(text)[1] if "@" in text else ()
    return look_up(names, workspace.current().filter_values) if names else {}


def show_values(get_filter_info: Callable) -> Callable:
    """List the values of the site in the dialog for custom filters."""

    @functools.wraps(get_filter_info)
    def shown(data_id: str) -> Response:
        response = get_filter_info(data_id)
        info = response.json
        if not info["success"]:
            return response
        values = workspace.current().filter_values
        info["contextVars"] += [
            {"name": f"@{name}", "value": str(value)[:1_000]}
            for name, value in values.items()
        ]
        return jsonify(info)

    return shown


def silence_warning() -> None:
    """Silence D-Tale's warning that custom filters can run code: here they cannot."""
    logging.getLogger("dtale.views").addFilter(
        lambda record: not str(record.msg).startswith("Custom filtering enabled.")
    )


def verify() -> None:
    """Verify that every ``run_query`` in D-Tale applies the grammar.

    Raises:
        DtaleChanged: A ``run_query`` does not apply the grammar.
    """
    frame = pd.DataFrame({"x": [1, 2]})
    for name, module in list(sys.modules.items()):
        run_query = name.startswith("dtale.") and getattr(module, "run_query", None)
        if not run_query:
            continue
        with contextlib.suppress(Exception):
            try:
                run_query(frame, "x.cumsum() > 2")
            except FilterRefused:
                if run_query(frame, "x > 1").equals(frame[1:]):
                    continue
        raise DtaleChanged("filters bypass this site's grammar", name)


PATCHES = [
    *(
        (f"dtale.{module}:run_query", use_grammar)
        for module in (
            *("query", "views", "duplicate_checks", "data_reshapers"),
            *("timeseries_analysis", "charts.utils", "dash_application.views"),
            *("dash_application.charts", "dash_application.drilldown_modal"),
            "dash_application.layout.layout",
        )
    ),
    ("dtale.query:validate_query_safety", forbid_evaluation),
    ("dtale.query:inner_build_query", parenthesize_or),
    ("dtale.dash_application.layout.layout:inner_build_query", parenthesize_or),
    ("dtale.charts.utils:group_filter_handler", escape_quotes),
    ("dtale.column_filters:_DANGEROUS_PATTERNS", allow_any_text),
]
# Each entry consists of the endpoint of one of D-Tale's views, and a wrapper for it.
VIEWS = [("dtale.get_filter_info", show_values)]
