"""Times as D-Tale's milliseconds, and the dates that charts show for periods."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from django.utils import timezone
from dtale.constants import CHART_JOINER_CHAR

from .dtypes import zone_of

KNOWN = np.datetime64("0001-01-02"), np.datetime64("9999-12-30")


def milliseconds(times: pd.Series) -> pd.Series:
    """Return the same milliseconds as D-Tale's json_timestamp, for a whole column.

    D-Tale interprets the wall-clock time of any zone as a time in the site's zone, and
    truncates it to milliseconds. This function does the same, with two intended
    differences. If only the column's zone has daylight saving time, or if the two zones
    change at different hours, some of D-Tale's times are off by an hour, because of the
    C library. The results of this function are correct. For years outside 1 to 9999,
    only this function has a result.

    Args:
        times: Datetimes of pandas, in any unit, or timestamps of Arrow.

    Returns:
        Milliseconds since 1970: integers, or floats with NaN if a time is missing.
    """
    index, name = times.index, times.name
    if isinstance(times.dtype, pd.ArrowDtype):
        times = pa.chunked_array(times.array.__arrow_array__()).to_pandas()
    if zone_of(times.dtype):
        times = times.dt.tz_localize(None)
    if times.dt.unit == "ns":
        times = times.dt.as_unit("us")  # A zone's offset could overflow in ns.
    unit = {"s": 1, "ms": 1_000, "us": 1_000_000}[times.dt.unit]
    missing = times.isna().to_numpy()
    # For years that Python does not support, use the UTC offset of the nearest
    # supported year.
    known = pd.DatetimeIndex(np.clip(times.to_numpy(), *KNOWN))
    zone = timezone.get_default_timezone()
    there = known.tz_localize(zone, ambiguous=False, nonexistent="shift_forward")
    seconds, rest = np.divmod(times.array.asi8 - (known.asi8 - there.asi8), unit)
    # Use the same float arithmetic as D-Tale, to get the same rounding.
    counted = pd.Series((seconds + rest / unit) * 1000, index, name=name)
    counted = counted.astype("int64")
    return counted.mask(missing, np.nan) if missing.any() else counted


def is_time(dtype: object) -> bool:
    """Return whether a dtype is a timestamp type of pandas or Arrow."""
    if isinstance(dtype, pd.ArrowDtype):
        return pa.types.is_timestamp(dtype.pyarrow_dtype)
    return pd.api.types.is_datetime64_any_dtype(dtype)


# For each frequency of D-Tale's charts: NumPy's unit of the date that stands for a period,
# how many of these units a period has, and how many units after 1970-01-01 the date of one
# period is. Weeks have the date of their last day, a Sunday, because D-Tale also finds the rows of
# a week by the year of this day. 1970-01-04 was a Sunday.
PERIODS: dict[str, tuple[Any, int, int]] = {
    **{"H": ("h", 1, 0), "D": ("D", 1, 0), "W": ("D", 7, 3)},
    **{"M": ("M", 1, 0), "Q": ("M", 3, 0), "Y": ("Y", 1, 0)},
}


def dates_of_periods(date_freq_handler: Callable) -> Callable:
    """Draw hours, days, months, quarters and years at their beginning, weeks at their end.

    D-Tale draws them at their last nanosecond, which charts label as the next period. It
    also names hours "H", which pandas no longer accepts.
    """

    @functools.wraps(date_freq_handler)
    def handler_of(data):
        handler = date_freq_handler(data)
        code_of = date_freq_handler(data.head(0))

        def handle(name):
            column, joiner, frequency = name.rpartition(CHART_JOINER_CHAR)
            is_date = column in data and data[column].dtype.kind == "M"
            if frequency not in PERIODS or not is_date:
                return handler(name)
            known = frequency.replace("H", "h")
            _, code = code_of(f"{column}{joiner}{known}")
            day = "how='end').normalize(" if frequency == "W" else "how='start'"
            code = code.replace("how='end'", day).replace(f"{joiner}h'", f"{joiner}H'")
            dates = dates_of(data[column], *PERIODS[frequency])
            return pd.Series(dates, data.index, name=name), code

        return handle

    return handler_of


def dates_of(times: pd.Series, unit: Any, length: int, offset: int) -> np.ndarray:
    """Return the dates of the periods of times, without a time zone.

    Args:
        unit, length, offset: See PERIODS. A week is the one that ends at its date; other
            periods begin there.
    """
    local = times.dt.tz_localize(None).to_numpy()
    missing = np.isnat(local)
    numbers = local.astype(f"M8[{unit}]").astype(int) - offset
    numbers[missing] = 0  # NumPy refuses to convert the integer that stands for NaT.
    steps = -(-numbers // length) if offset else numbers // length
    dates = (steps * length + offset).astype(f"M8[{unit}]").astype(local.dtype)
    dates[missing] = np.datetime64("NaT", "s")
    return dates
