"""Patches that collect D-Tale's facts about the columns of large frames faster.

Facts are the properties that D-Tale stores for each column, such as its range and its
number of missing values. Most of them are still collected by D-Tale's own functions,
but from other input, which has the same facts and takes less time. ``patches.registry``
applies these patches.
"""

import datetime
import functools
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from dtale import views
from dtale.utils import coord_type, get_dtypes

from .dtypes import classify_type
from .statistics import column_ranges, known_columns
from .timestamps import is_time, milliseconds

# The text of an object of these types is never empty or blank.
WITH_TEXT = frozenset(
    (
        *(bool, int, float, complex, Decimal, UUID),
        *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta),
        *(pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval),
    )
)


FEW = 10_000  # The number of values that show whether many values of a column differ.

Facts = dict[str, Any]  # The facts about a column, keyed by D-Tale's names.
Ends = dict[str, float] | None  # The minimum and maximum of a column.


def quick_ranges(calc_data_ranges: Callable) -> Callable:
    """Calculate the ranges of numeric columns only.

    D-Tale calculates the minimum and maximum of all columns, but uses only those of
    numeric columns. Text columns take time, and if a column has no order, D-Tale starts
    again with fewer columns.
    """

    @functools.wraps(calc_data_ranges)
    def ranges(data, dtypes=None):
        dtypes = dtypes or get_dtypes(data)
        numbers = [
            name
            for name in data.columns.tolist()
            if classify_type(dtypes.get(name)) in "FI"
        ]
        found = column_ranges(data[numbers])
        others = [name for name in numbers if name not in found]
        if others:
            found |= calc_data_ranges(data[others], dtypes)
        return {name: found[name] for name in numbers if name in found}

    return ranges


def quick_facts(dtype_formatter: Callable) -> Callable:
    """Collect the facts about columns in fewer passes.

    D-Tale goes through a column once for each figure, and looks for blank cells even in
    columns that cannot have any.
    """

    @functools.wraps(dtype_formatter)
    def formatter(data, dtypes, data_ranges, prev_dtypes=None):
        known, previous = known_columns(data), prev_dtypes or {}

        def facts(index, name):
            dtype = dtypes.get(name)
            if name in known:
                start = {
                    "name": name,
                    "dtype": dtype,
                    "index": index,
                    "visible": previous.get(name, {}).get("visible", True),
                }
                return facts_of(start, known[name], data, data_ranges.get(name))
            column, told = data[name], dtype
            if classify_type(dtype) == "S" and not may_be_blank(column):
                told = "bool"  # For bool, D-Tale only counts missing values.
            # The formatter only looks up columns by name, so it accepts a dict.
            columns = {name: column}
            found = dtype_formatter(columns, {name: told}, data_ranges, prev_dtypes)
            return {**found(index, name), "dtype": dtype}

        return facts

    return formatter


def facts_of(start: Facts, figures: Facts, data: pd.DataFrame, ends: Ends) -> Facts:
    """Return the same facts as D-Tale's formatter, from known statistics.

    Args:
        start: The first facts of the result.
        figures: The statistics from ``known_columns``.
        data: The frame with the column.
        ends: The minimum and maximum of the column, or None if it has none.
    """
    name, kind = start["name"], classify_type(start["dtype"])
    missing, unique = figures["missing"], figures["unique"]
    facts = {**start, "hasOutliers": 0, "hasMissing": missing, "unique_ct": unique}
    if kind == "S" and not missing:
        facts["hasMissing"] = figures["blank"]
    if missing == len(data) or kind not in "FID":
        return facts
    if kind in "FI" and ends:
        if all(map(math.isfinite, ends.values())):
            facts = {**ends, **facts}
        bounds = {end: figures[end] for end in ("lower", "upper")}
        if all(map(math.isfinite, bounds.values())):
            facts |= {"hasOutliers": figures["outliers"], "outlierRange": bounds}
    if kind == "D" or ends:
        for each in ("skew", "kurt"):
            value = figures[each]  # The value is already rounded. NaN becomes text.
            facts[each] = value if math.isfinite(value) else views.json_float(value)
    if kind in "FI":
        facts["lowVariance"] = False
        if unique >= 2 and unique / len(data) < 0.1:
            first, second = data[name].value_counts().head(2)
            facts["lowVariance"] = bool(first / second > 20)
        facts["coord"] = coord_type(data[name]) if may_be_coordinate(name) else None
    return facts


def quick_count(unique_count: Callable) -> Callable:
    """Count distinct numbers and dates by sorting them.

    D-Tale uses a hash table, which takes far longer for many values. If most dates
    occur often, the hash table is faster.
    """

    @functools.wraps(unique_count)
    def count(column):
        if hasattr(column.array, "asi8"):  # These are times, durations or periods.
            values = column.dropna().array.asi8
            if len(pd.unique(values[:FEW])) < FEW // 2:
                return len(pd.unique(values))
            values = np.sort(values)
        elif is_number(column.dtype):
            values = in_order(column.dropna()).to_numpy()
        else:
            return unique_count(column)
        return int((values[1:] != values[:-1]).sum()) + bool(len(values))

    return count


def quick_apply(apply: Callable) -> Callable:
    """Convert the times of a column to milliseconds together, not one by one."""

    @functools.wraps(apply)
    def applied(data, function, *args, **kwargs):
        # The function is json_timestamp, or a lambda that only handles missing dates
        # and calls json_timestamp for the others.
        code = getattr(function, "__code__", None)
        makes_times = code and "json_timestamp" in (code.co_name, *code.co_names)
        if makes_times and is_time(data.dtype):
            return milliseconds(data)
        return apply(data, function, *args, **kwargs)

    return applied


def may_be_coordinate(name: str) -> bool:
    """Return whether D-Tale looks for coordinates in a column of this name."""
    return "lat" in name.lower() or "lon" in name.lower()


def is_number(dtype: object) -> bool:
    """Return whether a dtype is one of NumPy's integers or floats."""
    return isinstance(dtype, np.dtype) and dtype.kind in "iuf"


def in_order(column: pd.Series) -> pd.Series:
    """Return a column of NumPy numbers in ascending order, and other columns unchanged.

    D-Tale's results do not depend on the order.
    """
    if not is_number(column.dtype):
        return column
    values = column.to_numpy()
    if (values[1:] >= values[:-1]).all():
        return column
    return pd.Series(np.sort(values), name=column.name)


def may_be_blank(column: pd.Series) -> bool:
    """Return whether a column can have cells that are empty or contain only spaces."""
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        column = pd.Series(dtype.categories)
        dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        return not (pa.types.is_primitive(kind) or pa.types.is_decimal(kind))
    if isinstance(dtype, np.dtype) and dtype.kind == "O":
        return not WITH_TEXT.issuperset(map(type, column))
    return isinstance(dtype, pd.StringDtype)


PATCHES = [
    ("dtale.views:calc_data_ranges", quick_ranges),
    ("dtale.views:dtype_formatter", quick_facts),
    ("dtale.views:unique_count", quick_count),
    ("dtale.views:apply", quick_apply),
    ("dtale.column_analysis:apply", quick_apply),
]
