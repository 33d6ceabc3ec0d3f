"""The difference between a frame's data before and after a change."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from ..models import Kind

# Up to this number of changed cells, a change keeps their previous values. Otherwise, it
# keeps the whole state before.
MAX_CELLS = 1_000


@dataclass(frozen=True)
class Difference:
    """The effect of a change.

    Attributes:
        kind: a value of ``Kind``.
        columns: the names of the columns that changed.
        count: the number of cells or rows that changed.
        cells: the previous values of all changed cells: for each column, a Series with
            the labels of the rows. None if the whole state before has to be kept.
    """

    kind: str
    columns: list[str] = field(default_factory=list)
    count: int = 0
    cells: dict[Hashable, pd.Series] | None = None


def compare(before: pd.DataFrame, after: pd.DataFrame) -> Difference | None:
    """Return how two states of a frame differ, or None if only their order differs.

    The labels of the index identify rows: D-Tale keeps them when it sorts or drops
    rows.
    """
    old, new = list(before.columns), list(after.columns)
    if set(old) != set(new):
        return _columns(before, after, old, new)
    if len(before) > len(after):
        return Difference(Kind.DROPPED, count=len(before) - len(after))
    if len(before) < len(after):
        return Difference(Kind.APPENDED, count=len(after) - len(before))
    if not before.index.equals(after.index):
        before, after = before.sort_index(), after.sort_index()
        if not before.index.equals(after.index):
            return Difference(Kind.REPLACED)
    changed = [name for name in old if not _is_same(before[name], after[name])]
    if not changed:
        return None
    names = [str(name) for name in changed]
    if any(before[name].dtype != after[name].dtype for name in changed):
        return Difference(Kind.CHANGED, names)
    rows = {name: _changed_rows(before[name], after[name]) for name in changed}
    count = sum(len(places) for places in rows.values())
    if count > MAX_CELLS:
        return Difference(Kind.CHANGED, names, count)
    cells = {name: before[name].iloc[places] for name, places in rows.items()}
    return Difference(Kind.EDITED, names, count, cells)


def first_values(
    steps: Iterable[dict[Hashable, pd.Series]],
) -> dict[Hashable, pd.Series]:
    """Return the values of all cells before the first of several changes.

    Args:
        steps: the previous values of each change, in order.
    """
    columns: dict[Hashable, list[pd.Series]] = defaultdict(list)
    for cells in steps:
        for name, values in cells.items():
            columns[name].append(values)
    joined = {name: pd.concat(parts) for name, parts in columns.items()}
    return {name: each[~each.index.duplicated()] for name, each in joined.items()}


def put_back(frame: pd.DataFrame, cells: dict[Hashable, pd.Series]) -> pd.DataFrame:
    """Return a frame whose cells have their previous values.

    Args:
        cells: see ``Difference``.
    """
    frame = frame.copy(deep=False)
    for name, values in cells.items():
        column = frame[name].copy()
        places = frame.index.get_indexer(values.index)
        column.iloc[places[places >= 0]] = values.array[places >= 0]
        frame[name] = column
    return frame


def _columns(
    before: pd.DataFrame, after: pd.DataFrame, old: list[Any], new: list[Any]
) -> Difference:
    removed = [name for name in old if name not in after]
    added = [name for name in new if name not in before]
    names = [str(name) for name in [*removed, *added]]
    if not removed:
        return Difference(Kind.ADDED, names)
    if not added:
        return Difference(Kind.DELETED, names)
    if len(old) == len(new) and all(
        _is_same(before[one], after[other])
        for one, other in zip(removed, added, strict=True)
    ):
        return Difference(Kind.RENAMED, names)
    return Difference(Kind.CHANGED, names)


def _is_same(one: pd.Series, other: pd.Series) -> bool:
    if one.dtype != other.dtype:
        return False
    # Unchanged columns usually share their memory, and need no comparison.
    if isinstance(one.dtype, np.dtype) and len(one) == len(other):
        first, second = one.to_numpy(), other.to_numpy()
        if first.__array_interface__["data"] == second.__array_interface__["data"]:
            return first.strides == second.strides
    return not len(_changed_rows(one, other))


def _changed_rows(one: pd.Series, other: pd.Series) -> np.ndarray:
    """Return the positions of the rows in which two columns of one dtype differ."""
    try:
        if one.dtype != object and one.equals(other):
            return np.array([], dtype=int)
        missing = (one.isna() & other.isna()).to_numpy()
        equal = pd.array(one.array == other.array, dtype="boolean").fillna(False)
        changed = ~(equal.to_numpy(bool) | missing)
    except (TypeError, ValueError):  # Keep all values that cannot be compared.
        return np.arange(len(one))
    if one.dtype == object:  # A missing value can be None, NaN, NaT or NA.
        for place in np.flatnonzero(missing):
            changed[place] = type(one.iat[place]) is not type(other.iat[place])
    return np.flatnonzero(changed)
