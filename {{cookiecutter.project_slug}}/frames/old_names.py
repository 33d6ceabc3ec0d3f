"""Frames that were stored when D-Tale's users could give a column any name.

A column without a name made D-Tale's list of frames fail, and one with a backtick let
filters find other rows. Such names are replaced each time that the frame is read; the
next change of it stores the new ones. Frames whose names are usable stay as they are.
"""

from .column_names import are_usable, repaired

FILTERS = "columnFilters", "outlierFilters"


def repaired_frame(frame):
    """Return a ``pandas.DataFrame`` with names that D-Tale can work with."""
    if are_usable(frame.columns):
        return frame
    return frame.set_axis(repaired(frame.columns), axis="columns")


def repaired_record(record):
    """Return a frame's record (dict) with the same names for its columns."""
    dtypes = record.get("dtypes") or []
    names = [column["name"] for column in dtypes]
    if are_usable(names):
        return record
    columns = zip(dtypes, repaired(names), strict=True)
    return {**record, "dtypes": [{**column, "name": name} for column, name in columns]}


def repaired_view(view):
    """Return how somebody looks at a frame (dict), without what it has of such columns.

    Their filters may find any rows, and nothing can be sorted by them.
    """
    settings = view.get("settings") or {}
    filters = {part: settings.get(part) or {} for part in FILTERS}
    locked, sort = settings.get("locked") or [], settings.get("sortInfo") or []
    names = {*locked, *(name for name, _ in sort)}.union(*filters.values())
    usable = {name for name in names if are_usable([name])}
    if usable == names:
        return view
    kept = {
        "locked": [name for name in locked if name in usable],
        "sortInfo": [each for each in sort if each[0] in usable],
    }
    for part, each in filters.items():
        kept[part] = {name: each[name] for name in each if name in usable}
    return {**view, "settings": {**settings, **kept}}
