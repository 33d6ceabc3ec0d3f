"""Convert times to milliseconds, as D-Tale does."""

import numpy as np
import pandas as pd
import pyarrow as pa
from django.utils import timezone

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
