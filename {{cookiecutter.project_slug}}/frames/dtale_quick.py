"""What is replaced in D-Tale because it takes long, by what gives the same answers.

In the form of ``dtale_replaced.REPLACED``.
"""

import functools
import math

import numpy as np
import pandas as pd
from dtale import global_state
from dtale.utils import grid_formatter, json_float, json_int

from .dtale_columns import is_number


def quick_string(json_string):
    """D-Tale asks pandas of each cell whether it is missing: a str is not."""

    def string(x, nan_display="", **kwargs):
        return x if type(x) is str else json_string(x, nan_display, **kwargs)

    return string


def quick_int(json_int):
    """The same of an int, of which D-Tale asks numpy."""

    def integer(x, *args, as_string=False, **kwargs):
        if type(x) is int and not as_string:
            return x
        return json_int(x, *args, as_string=as_string, **kwargs)

    return integer


def quick_float(json_float):
    """The same of a float."""

    def decimal(x, precision=2, *args, as_string=False, **kwargs):
        if type(x) is float and math.isfinite(x) and not as_string:
            return round(x, precision)
        return json_float(x, precision, *args, as_string=as_string, **kwargs)

    return decimal


def quick_dtypes(get_dtypes):
    """D-Tale makes a Series of each column, to ask for its dtype."""

    def dtypes(df):
        kinds = {each: each.name for each in set(df.dtypes)}
        names = df.columns.to_numpy(object).tolist()
        found = dict(zip(names, map(kinds.get, df.dtypes), strict=True))
        # Of objects, D-Tale looks at the values.
        objects = [name for name, kind in found.items() if kind == "object"]
        return found | get_dtypes(df[objects]) if objects else found

    return dtypes


def quick_describe(load_describe):
    """D-Tale makes a frame with one row of the figures, to write them: that takes
    longer than all else, but for large columns.
    """

    @functools.lru_cache(1_000)
    def code_of(name, aggs):
        return load_describe(pd.Series([0], name=name), aggs)[1]

    def described(column_series, additional_aggs=None):
        dtype = column_series.dtype
        if not (isinstance(dtype, np.dtype) and dtype.kind in "iuf"):
            return load_describe(column_series, additional_aggs)
        figures = column_series.describe().astype(float).to_dict()
        for agg in additional_aggs or ():
            if agg == "mode":
                mode = column_series.mode().values
                figures["mode"] = np.nan if len(mode) > 1 else mode[0]
            else:
                figures[agg] = getattr(column_series, agg)()
        columns = [
            {"name": name, "dtype": np.asarray(value).dtype.name}
            for name, value in figures.items()
        ]
        write = grid_formatter(columns, nan_display="nan", overrides=FIGURES)
        written = write.format_dict((None, *figures.values()))
        written["count"] = written["count"].split(".")[0]
        total, missing = len(column_series), column_series.isna().sum()
        written |= {
            "total_count": json_int(total, as_string=True),
            "missing_pct": json_float((missing / total * 100).round(2)),
            "missing_ct": json_int(missing, as_string=True),
        }
        return written, list(code_of(column_series.name, tuple(additional_aggs or ())))

    return described


def quick_choices(build_filter_vals):
    """D-Tale has Python put all values in order, during which nobody else is answered,
    and offers the first five if there are more than 500.
    """

    @functools.wraps(build_filter_vals)
    def choices(series, data_id, column, fmt):
        known = global_state.get_dtype_info(data_id, column)
        has_order = isinstance(series.dtype, pd.StringDtype) or is_number(series.dtype)
        if known.get("unique_ct", 0) > 500 and has_order:
            series = series.drop_duplicates().sort_values().head(5)
        return build_filter_vals(series, data_id, column, fmt)

    return choices


def quick_rows(apply):
    """D-Tale makes a Series of each row for a function that takes its cells apart."""

    @functools.wraps(apply)
    def applied(df, func, *args, **kwargs):
        if kwargs.get("axis") != 1:
            return apply(df, func, *args, **kwargs)
        rows = zip(*(column for _, column in df.items()), strict=True)
        return pd.Series([func(row) for row in rows], index=df.index)

    return applied


def quick_join(build_column):
    """The same to join texts; a missing one leaves the row without a text."""

    @functools.wraps(build_column)
    def joined(self, data):
        first, *others = (data[name].astype("str") for name in self.cfg["cols"])
        texts = first.str.cat(others, sep=self.cfg["joinChar"]) if others else first
        return texts.rename(self.name)

    return joined


FIGURES = {
    "I": lambda f, i, c: f.add_int(i, c, as_string=True),
    "F": lambda f, i, c: f.add_float(i, c, precision=4, as_string=True),
}
REPLACED = [
    ("dtale.column_builders:apply", quick_rows),
    ("dtale.column_builders:StringColumnBuilder.build_column", quick_join),
    ("dtale.views:build_filter_vals", quick_choices),
    ("dtale.utils:json_string", quick_string),
    ("dtale.utils:json_int", quick_int),
    ("dtale.utils:json_float", quick_float),
    ("dtale.utils:get_dtypes", quick_dtypes),
    ("dtale.views:get_dtypes", quick_dtypes),
    ("dtale.views:load_describe", quick_describe),
    ("dtale.column_analysis:load_describe", quick_describe),
]
