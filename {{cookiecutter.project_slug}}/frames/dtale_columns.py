"""What is replaced in D-Tale so that a large frame opens quickly: facts of its columns.

In the form of ``dtale_replaced.REPLACED``. The facts stay D-Tale's own, by its own
functions: these get what takes them less time, and has the same facts.
"""

import datetime
import functools
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
from dtale.utils import get_dtypes

from .dtale_figures import Known, known_columns, ranges_together
from .dtale_kinds import classify_type
from .dtale_times import is_time, milliseconds

# Whatever is in an object of these, its text is never empty, nor all spaces.
WITH_TEXT = frozenset(
    (
        *(bool, int, float, complex, Decimal, UUID),
        *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta),
        *(pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval),
    )
)


def quick_ranges(calc_data_ranges):
    """D-Tale looks for the least and greatest value of all columns, and reads those of
    numbers alone. Among the others is text, and what has no order, for which it begins
    again with fewer columns.
    """

    @functools.wraps(calc_data_ranges)
    def ranges(data, dtypes=None):
        dtypes = dtypes or get_dtypes(data)
        numbers = [
            name for name in data.columns if classify_type(dtypes.get(name)) in "FI"
        ]
        found = ranges_together(data[numbers])
        others = [name for name in numbers if name not in found]
        if others:
            found |= calc_data_ranges(data[others], dtypes)
        return {name: found[name] for name in numbers if name in found}

    return ranges


def quick_facts(dtype_formatter):
    """D-Tale goes through a column for each quantile, and looks for cells without text
    also among those that cannot be without.
    """

    @functools.wraps(dtype_formatter)
    def formatter(data, dtypes, data_ranges, prev_dtypes=None):
        known = known_columns(data)

        def facts(index, name):
            column, dtype = known.get(name), dtypes.get(name)
            if column is None:
                column = in_order(data[name])
            told = dtype
            if classify_type(dtype) == "S" and not may_be_blank(column):
                told = "bool"  # Of these D-Tale counts what is missing, and no more.
            # Of a frame, it asks for its columns alone.
            columns = {name: column}
            found = dtype_formatter(columns, {name: told}, data_ranges, prev_dtypes)
            return {**found(index, name), "dtype": dtype}

        return facts

    return formatter


def quick_count(unique_count):
    """D-Tale counts different values by a hash table, which for many takes far longer
    than to put numbers in order.
    """

    @functools.wraps(unique_count)
    def count(column):
        if isinstance(column, Known):
            return int(column.figure("unique"))
        if hasattr(column.array, "asi8"):  # Dates and the like.
            values = np.sort(column.dropna().array.asi8)
        elif is_number(column.dtype):
            values = in_order(column.dropna()).to_numpy()
        else:
            return unique_count(column)
        return int((values[1:] != values[:-1]).sum()) + bool(len(values))

    return count


def quick_apply(apply):
    """D-Tale makes milliseconds of dates one by one."""

    @functools.wraps(apply)
    def applied(data, function, *args, **kwargs):
        # Itself, or by a lambda that only says what stands for missing dates.
        code = getattr(function, "__code__", None)
        if code and "json_timestamp" in (code.co_name, *code.co_names):
            if isinstance(data, Known):
                return data  # It has the figures of the milliseconds.
            if is_time(data.dtype):
                return milliseconds(data)
        return apply(data, function, *args, **kwargs)

    return applied


def quick_outliers(calc_outlier_range):
    """D-Tale asks a column for two quantiles, one after the other."""

    @functools.wraps(calc_outlier_range)
    def outlier_range(column):
        if isinstance(column, Known):
            return column.figure("lower"), column.figure("upper")
        return calc_outlier_range(column)

    return outlier_range


def quick_coordinates(coord_type):
    """D-Tale looks up the dtype of each column, and then at its name alone."""

    @functools.wraps(coord_type)
    def coordinates(column):
        name = column.name.lower()
        return coord_type(column) if "lat" in name or "lon" in name else None

    return coordinates


def is_number(dtype):
    """Say (bool) whether it is one of numpy's for integers and floats."""
    return isinstance(dtype, np.dtype) and dtype.kind in "iuf"


def in_order(column):
    """Return a column (Series) of numpy's numbers in ascending order, and others as they
    are: what D-Tale asks of them does not depend on it.
    """
    if is_number(column.dtype):
        return pd.Series(np.sort(column.to_numpy()), name=column.name)
    return column


def may_be_blank(column):
    """Say (bool) whether there can be cells without text, or with spaces alone."""
    if isinstance(column, Known) and "blank" in column.figures:
        return column.figure("blank") > 0
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


REPLACED = [
    ("dtale.views:calc_data_ranges", quick_ranges),
    ("dtale.views:dtype_formatter", quick_facts),
    ("dtale.views:unique_count", quick_count),
    ("dtale.views:calc_outlier_range", quick_outliers),
    ("dtale.views:coord_type", quick_coordinates),
    ("dtale.views:apply", quick_apply),
    ("dtale.column_analysis:apply", quick_apply),
]
