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
from django.utils import timezone
from dtale.utils import get_dtypes

from .dtale_kinds import classify_type, zone_of

# Whatever is in an object of these, its text is never empty, nor all spaces.
WITH_TEXT = frozenset(
    (
        *(bool, int, float, complex, Decimal, UUID),
        *(datetime.date, datetime.time, datetime.datetime, datetime.timedelta),
        *(pd.Timestamp, pd.Timedelta, pd.Period, pd.Interval),
    )
)

KNOWN = np.datetime64("0001-01-02"), np.datetime64("9999-12-30")


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
        return calc_data_ranges(data[numbers], dtypes) if numbers else {}

    return ranges


def quick_facts(dtype_formatter):
    """D-Tale goes through a column for each quantile, and looks for cells without text
    also among those that cannot be without.
    """

    @functools.wraps(dtype_formatter)
    def formatter(data, dtypes, data_ranges, prev_dtypes=None):
        def facts(index, name):
            column, dtype = data[name], dtypes.get(name)
            told = dtype
            if classify_type(dtype) == "S" and not may_be_blank(column):
                told = "bool"  # Of these D-Tale counts what is missing, and no more.
            # Of a frame, it asks for its columns alone.
            columns = {name: in_order(column)}
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
            if is_time(data.dtype):
                return milliseconds(data)
        return apply(data, function, *args, **kwargs)

    return applied


def milliseconds(times):
    """Return times as D-Tale's json_timestamp counts them, all at once.

    It takes what a clock shows, whatever its zone, as the time in the site's zone, and
    drops what is less than a millisecond. So does this, but for two things, which are
    meant: where the column's zone has summer time and the site's has none, or at other
    hours, D-Tale's are off by an hour, as the C library has it; and D-Tale has nothing
    for years outside 1 to 9999.

    Args:
        times: Series of datetime64, of any unit, or of timestamps of Arrow's.

    Returns:
        pandas.Series: of int64 since 1970; of float64 with NaN if a time is missing.
    """
    index, name = times.index, times.name
    if isinstance(times.dtype, pd.ArrowDtype):
        times = pa.chunked_array(times.array.__arrow_array__()).to_pandas()
    if zone_of(times.dtype):
        times = times.dt.tz_localize(None)
    if times.dt.unit == "ns":
        times = times.dt.as_unit("us")  # Near its ends, ns have no room for a zone.
    unit = {"s": 1, "ms": 1_000, "us": 1_000_000}[times.dt.unit]
    missing = times.isna().to_numpy()
    # Beyond the years that Python knows, the site's offset is that of the last ones.
    known = pd.DatetimeIndex(np.clip(times.to_numpy(), *KNOWN))
    zone = timezone.get_default_timezone()
    there = known.tz_localize(zone, ambiguous=False, nonexistent="shift_forward")
    seconds, rest = np.divmod(times.array.asi8 - (known.asi8 - there.asi8), unit)
    # The same arithmetic with floats, so that it is rounded in the same way.
    counted = pd.Series((seconds + rest / unit) * 1000, index, name=name)
    counted = counted.astype("int64")
    return counted.mask(missing, np.nan) if missing.any() else counted


def is_time(dtype):
    """Say (bool) whether a column of this dtype has times that pandas counts."""
    if isinstance(dtype, pd.ArrowDtype):
        return pa.types.is_timestamp(dtype.pyarrow_dtype)
    return pd.api.types.is_datetime64_any_dtype(dtype)


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
    ("dtale.views:apply", quick_apply),
    ("dtale.column_analysis:apply", quick_apply),
]
