"""Times as D-Tale counts them."""

import numpy as np
import pandas as pd
import pyarrow as pa
from django.utils import timezone

from .dtale_kinds import zone_of

KNOWN = np.datetime64("0001-01-02"), np.datetime64("9999-12-30")


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
