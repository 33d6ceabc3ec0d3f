"""Leave the parts of a view out that name columns which a frame does not have.

A column may have been renamed or deleted by another person. D-Tale could not show the
frame with a filter for it.
"""

from collections.abc import Set
from typing import Any

from ..exceptions import FilterRefused
from ..filters.names import names_in
from ..filters.site import text_filters
from .carry_over import OF_ONE_COLUMN, PREDEFINED


def without_missing(
    settings: dict[str, Any], columns: Set[str]
) -> tuple[dict[str, Any], set[str]]:
    """Return D-Tale's settings of a frame without the parts that name other columns.

    Formats and highlights of other columns are kept: D-Tale does not use them.

    Args:
        columns: the names of the frame's columns.

    Returns:
        The settings, and the names of the missing columns.
    """
    kept, missing = dict(settings), set()

    def has(*names: str) -> bool:
        others = {*names} - columns
        missing.update(others)
        return not others

    for kind in ("columnFilters", "outlierFilters"):
        if filters := settings.get(kind):
            kept[kind] = {
                name: each
                for name, each in filters.items()
                if has(name, *_columns_of(each.get("query")))
            }
    if states := settings.get(PREDEFINED):
        ours = text_filters(settings)
        kept[PREDEFINED] = {
            name: state
            for name, state in states.items()
            if not (name in ours and state.get("active"))
            or has(*_columns_of(ours[name].text))
        }
    if not has(*_columns_of(settings.get("query"))):
        kept["query"] = ""
    if locked := settings.get("locked"):
        kept["locked"] = [name for name in locked if has(name)]
    if sort := settings.get("sortInfo"):
        kept["sortInfo"] = [each for each in sort if has(each[0])]
    column = (settings.get("backgroundMode") or "").partition(OF_ONE_COLUMN)[2]
    if column not in ("", "all") and not has(column):
        kept["backgroundMode"] = None
    return kept, missing


def _columns_of(text: str | None) -> frozenset[str]:
    """Return the columns that a filter needs; none if it is not valid."""
    try:
        return names_in(text)[0] if text else frozenset()
    except FilterRefused:  # D-Tale shows the reason.
        return frozenset()
