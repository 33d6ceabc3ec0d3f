"""Carry a view in D-Tale over to new data at the same address."""

from collections.abc import Container
from typing import Any

import pandas as pd
from django.utils.translation import gettext as _

from ..exceptions import FilterRefused
from ..filters.compiler import Filter
from ..filters.site import NAMED, named_filters, text_filters

SAMPLE = 100  # Rows with which filters are tried.
# Settings of D-Tale whose keys are names of columns.
BY_COLUMN = "columnFormats", "rangeHighlight", "column_edit_options", "widths"
PREDEFINED = "predefinedFilters"
OF_ONE_COLUMN = "heatmap-col-"  # A background of a single column begins with this.


def carry_over(
    settings: dict[str, Any], frame: pd.DataFrame, retyped: Container[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """Return D-Tale's settings of a frame, without those that do not fit new data.

    Args:
        settings: the settings for the data that are replaced.
        frame: the new data.
        retyped: the names of columns whose values have another type now, such as text
            instead of numbers.

    Returns:
        The settings, and a sentence for each filter that was dropped.
    """
    names, sample = set(frame.columns), frame.head(SAMPLE)
    kept, dropped = dict(settings), []
    for kind in ("columnFilters", "outlierFilters"):
        filters = settings.get(kind) or {}
        fitting = {
            name: each
            for name, each in filters.items()
            if name in names
            and name not in retyped
            and _fits(each.get("query"), sample)
        }
        dropped += [_dropped_filter(name) for name in filters if name not in fitting]
        if filters:
            kept[kind] = fitting
    named = named_filters(settings)
    if gone := [name for name, each in named.items() if not _fits(each.text, sample)]:
        kept[NAMED] = {k: v for k, v in settings[NAMED].items() if k not in gone}
        dropped += map(_removed, gone)
    if states := settings.get(PREDEFINED):
        ours = text_filters(settings)
        kept[PREDEFINED] = {
            name: state
            for name, state in states.items()
            if name not in gone
            and (
                not (name in ours and state.get("active"))
                or _fits(ours[name].text, sample)
            )
        }
        dropped += [
            _removed(name)
            for name in states
            if name not in kept[PREDEFINED] and name not in gone
        ]
    query = settings.get("query")
    if query and not _fits(query, sample):
        kept["query"] = ""
        dropped.append(_removed(query))
    for kind in BY_COLUMN:
        if settings.get(kind):
            kept[kind] = {
                name: each
                for name, each in settings[kind].items()
                if name in names or name == "all"
            }
    kept["locked"] = [each for each in settings.get("locked") or () if each in names]
    if sort := settings.get("sortInfo"):
        kept["sortInfo"] = [each for each in sort if each[0] in names]
    column = (settings.get("backgroundMode") or "").partition(OF_ONE_COLUMN)[2]
    if column and column not in names:
        kept["backgroundMode"] = None
    kept.pop("filteredRanges", None)  # D-Tale calculates it from the old data.
    return kept, dropped


def _fits(query: str | None, sample: pd.DataFrame) -> bool:
    """Return whether a filter can be applied to data."""
    if not query:
        return True
    try:
        compiled = Filter(query)
        # Values of the site may differ between the users who see the data.
        if compiled.names:
            return compiled.columns <= {*sample.columns}
        compiled.rows(sample)
    except FilterRefused:
        return False
    return True


def _removed(query: str) -> str:
    text = _("The filter %(filter)s was removed: it does not fit the new data.")
    return text % {"filter": query[:200]}


def _dropped_filter(name: str) -> str:
    text = _(
        "The filter of the column %(column)s was removed: it does not fit the new data."
    )
    return text % {"column": name}
