"""Patches that make D-Tale faster without changing its results.

``patches.registry`` applies these patches.
"""

import functools
from collections.abc import Callable

import pandas as pd
from dtale import global_state

from .columns import FEW, is_number

MANY = 500  # For columns with more distinct values, D-Tale offers only the first ones.
SHOWN = 5


def fast_filter_values(build_filter_vals: Callable) -> Callable:
    """Offer the first five of many values without sorting the values in Python.

    While D-Tale sorts values in Python, all other requests are blocked.
    """

    @functools.wraps(build_filter_vals)
    def choices(series, data_id, column, fmt):
        known = global_state.get_dtype_info(data_id, column)
        has_order = isinstance(series.dtype, pd.StringDtype) or is_number(series.dtype)
        if known.get("unique_ct", 0) > MANY and has_order:
            # The column has smaller values than the fifth of a few rows, or the same.
            few = series.iloc[:: len(series) // FEW or 1].dropna().unique()
            if len(few) >= SHOWN:
                limit = pd.Series(few).sort_values().iloc[SHOWN - 1]
                series = series[(series <= limit).fillna(False)]
            series = series.drop_duplicates().sort_values().head(SHOWN)
        return build_filter_vals(series, data_id, column, fmt)

    return choices


def fast_row_apply(apply: Callable) -> Callable:
    """Apply a function to the rows of a frame without creating a Series for each row.

    The functions that D-Tale applies only unpack the cells of a row.
    """

    @functools.wraps(apply)
    def applied(df, func, *args, **kwargs):
        if kwargs.get("axis") != 1:
            return apply(df, func, *args, **kwargs)
        rows = zip(*(column for _, column in df.items()), strict=True)
        return pd.Series([func(row) for row in rows], index=df.index)

    return applied


def fast_join(build_column: Callable) -> Callable:
    """Join the texts of columns. If a text is missing, the row has no result."""

    @functools.wraps(build_column)
    def joined(self, data):
        first, *others = (data[name].astype("str") for name in self.cfg["cols"])
        separator = self.cfg.get("joinChar") or ""
        texts = first.str.cat(others, sep=separator) if others else first
        return texts.rename(self.name)

    return joined


PATCHES = [
    ("dtale.column_builders:apply", fast_row_apply),
    ("dtale.column_builders:StringColumnBuilder.build_column", fast_join),
    ("dtale.views:build_filter_vals", fast_filter_values),
]
