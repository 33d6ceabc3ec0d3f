"""Replace unusable column names in frames that were stored before names were checked.

Columns without a name made D-Tale's list of frames fail, and names with backticks made
filters find the wrong rows. These names are replaced each time a frame is read, and the
next change of the frame stores the new names. Frames with usable names stay unchanged.
"""

from typing import Any

import pandas as pd

from .columns import are_usable, sanitize_names

FILTERS = "columnFilters", "outlierFilters"


def sanitize_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame with column names that D-Tale can work with."""
    if are_usable(frame.columns):
        return frame
    return frame.set_axis(sanitize_names(frame.columns), axis="columns")


def sanitize_shared_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return the shared state with the same column names as ``sanitize_frame``."""
    dtypes = state.get("dtypes") or []
    names = [column["name"] for column in dtypes]
    if are_usable(names):
        return state
    columns = zip(dtypes, sanitize_names(names), strict=True)
    return {**state, "dtypes": [{**column, "name": name} for column, name in columns]}


def sanitize_view_state(state: dict[str, Any]) -> dict[str, Any]:
    """Return a view state without settings for columns with unusable names.

    Filters of these columns may find the wrong rows, and D-Tale cannot sort by them.
    """
    settings = state.get("settings") or {}
    filters = {part: settings.get(part) or {} for part in FILTERS}
    locked, sort = settings.get("locked") or [], settings.get("sortInfo") or []
    names = {*locked, *(name for name, _ in sort)}.union(*filters.values())
    usable = {name for name in names if are_usable([name])}
    if usable == names:
        return state
    kept: dict[str, Any] = {
        "locked": [name for name in locked if name in usable],
        "sortInfo": [each for each in sort if each[0] in usable],
    }
    for part, each in filters.items():
        kept[part] = {name: each[name] for name in each if name in usable}
    return {**state, "settings": {**settings, **kept}}
