"""What is replaced in D-Tale, so that it shows each kind of value as it is.

In the form of ``dtale_app.REPLACED``: each function takes what D-Tale has and returns
what stands in for it.
"""

import datetime
import functools
import json
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
from dtale import global_state, utils
from dtale.query import build_col_key

from .downloads import for_parquet
from .kinds import KindError, prepare
from .sources import to_frame
from .unit_of_work import current, is_bound


def with_every_kind(format_data):
    """D-Tale drops a column called index and the zones of times, makes timestamps of
    periods and text of lists, and says nothing; many frames it refuses with a 500.
    """

    def prepared(data, inplace=False, drop_index=False):
        if is_bound() and (result := current().take_expected(data)):
            pass  # What has read a file has prepared it already.
        else:
            frame = to_frame(data)
            result = prepare(frame.reset_index(drop=True) if drop_index else frame)
        if is_bound():
            current().conversions += result.conversions
        return result.frame, result.index

    return prepared


def classify_type(type_name):
    """Return D-Tale's letter for a dtype's name: "I" for integers, "S" for text, ...

    This mends an upstream bug. ``dtale.utils.classify_type`` goes by how a name begins
    and knows "int" but not "uint": unsigned integers are text to it, and intervals are
    integers. https://github.com/man-group/dtale/issues/552
    """
    name = (type_name or "").lower()
    if name.startswith("uint"):
        return "I"
    if name.startswith("interval"):
        return "S"
    return dtale_classifies(type_name)


dtale_classifies = utils.classify_type


def with_its_sign(json_float):
    """This mends an upstream bug: ``dtale.utils.json_float`` asks ``np.isinf`` and then
    writes ``inf``, also for minus infinity.
    """

    @functools.wraps(json_float)
    def written(x, *args, inf_display="inf", **kwargs):
        text = json_float(x, *args, inf_display=inf_display, **kwargs)
        return f"-{text}" if text == inf_display and x < 0 else text

    return written


def with_the_whole_time(json_date):
    """D-Tale leaves away a time's zone, so that it takes no edit of it either, its
    nanoseconds, and the zeros in front of a year.
    """
    usual = "%Y-%m-%d %H:%M:%S.%f"

    def whole(x, fmt=usual, nan_display="", **kwargs):
        time = pd.Timestamp(x) if isinstance(x, np.datetime64) else x
        if fmt == usual and isinstance(time, datetime.date) and time is not pd.NaT:
            return str(time).removesuffix(" 00:00:00")
        return json_date(x, fmt=fmt, nan_display=nan_display, **kwargs)

    return whole


def with_zones(format_lists):
    """D-Tale takes the numpy values of a column: of times with a zone, those are in UTC,
    and of periods, pandas 4 will have none.
    """

    def values(column):
        has_own = zone_of(column.dtype) or isinstance(column.dtype, pd.PeriodDtype)
        return column if has_own else column.values

    def lists(self, df):
        return {
            name: [
                write(value, nan_display=self.nan_display) for value in values(df[name])
            ]
            for _, name, write in self.fmts
            if name in df.columns
        }

    return lists


def without_a_mean(load_describe):
    """Complex numbers and Arrow's decimals have no mean and the like: they are
    described as objects are.
    """

    def described(column_series, additional_aggs=None):
        try:
            return load_describe(column_series, additional_aggs)
        except (TypeError, ValueError):
            return load_describe(column_series.astype(object))

    return described


def with_numbers_of_numpy(json_provider_class):
    """Flask knows float64, which is a float of Python's, and not float32."""

    class JSONProvider(json_provider_class):
        @staticmethod
        def default(value):
            if isinstance(value, np.generic):
                return value.item()
            return json_provider_class.default(value)

    return JSONProvider


def with_every_kind_in_parquet(export_to_parquet_buffer):
    """D-Tale's export fails for intervals and complex numbers."""

    @functools.wraps(export_to_parquet_buffer)
    def exported(data):
        return export_to_parquet_buffer(for_parquet(data))

    return exported


def with_what_is_shown(column_filter):
    """D-Tale compares a choice, which is text, with Decimals, UUIDs, periods and more,
    and finds nothing: it is compared with their text. It compares a day with times of
    a zone, and fails: the day begins in that zone. And for what is missing, its front
    end sends kinds of columns that it has no filter for.
    """

    class ColumnFilter(column_filter):
        def __init__(self, data_id, column, cfg):
            config = json.loads(cfg)
            if config["type"] in ("bool", "category", "unknown"):
                config["type"] = "string"
            super().__init__(data_id, column, json.dumps(config))

        def save_filter(self):
            build = self.builder.build_filter
            self.builder.build_filter = lambda: self.fitted(build())
            return super().save_filter()

        def fitted(self, built):
            if not built or built.get("missing") or built.get("populated"):
                return built
            query, kind = built["query"], self.cfg["type"]
            column = global_state.get_data(self.data_id)[self.column]
            dtype = column.dtype
            is_bool = self.classification == "B" and built["action"] == "equals"
            if kind == "string" and not (is_text(column) or is_bool):
                key = build_col_key(self.column)
                if isinstance(dtype, pd.CategoricalDtype):
                    query = query.replace(key, f"{key}.astype('object')", 1)
                    key = f"{key}.astype('object')"
                query = query.replace(key, f"{key}.astype('str')", 1)
            elif kind == "date" and zone_of(dtype):
                for day in {built["start"], built["end"]} - {None, ""}:
                    time = pd.Timestamp(day).tz_localize(
                        zone_of(dtype), ambiguous=True, nonexistent="shift_forward"
                    )
                    query = query.replace(f"'{day}'", f"'{time.isoformat(sep=' ')}'")
            return {**built, "query": query}

    return ColumnFilter


def with_the_kind_of_the_column(get_str_arg):
    """D-Tale writes what somebody types into a column of Decimals, UUIDs or dates as
    text, and a time without its zone not at all.
    """

    def typed(r, name, default=None):
        value = get_str_arg(r, name, default)
        if name != "updated" or value in (None, "nan", "inf"):
            return value
        data = global_state.get_data(r.view_args["data_id"])
        return as_kind_of(data[get_str_arg(r, "col")], value)

    return typed


KINDS = {
    Decimal: Decimal,
    UUID: UUID,
    datetime.date: datetime.date.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
}


def as_kind_of(column, text):
    """Return what a text means in a column (Series) whose values D-Tale has as text.

    Raises:
        KindError: it means nothing there.
    """
    zone = zone_of(column.dtype)
    if zone:
        try:
            time = pd.Timestamp(text)
            return time if time.tzinfo else time.tz_localize(zone)
        except ValueError:
            raise KindError(f"{text!r} is no time there.") from None
    kind = column.dtype.type if isinstance(column.dtype, pd.ArrowDtype) else None
    if column.dtype == object:
        kind = type(next(iter(column.dropna()), None))
    if kind not in KINDS:
        return text
    try:
        return KINDS[kind](text)
    except (ArithmeticError, ValueError):
        raise KindError(f"{text!r} is no {kind.__name__}.") from None


def is_text(column):
    """Say (bool) whether a column (Series), or each of its categories, is text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.categories
    return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")


def zone_of(dtype):
    """Return the zone of a column's times (str or tzinfo); None if it has none."""
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "tz", None)


# D-Tale's modules import these two by name, so they are replaced in each of them.
CLASSIFYING = [
    *("utils", "views", "charts.utils", "column_analysis", "column_builders"),
    *("column_filters", "column_replacements", "correlations"),
    *("dash_application.charts", "dash_application.drilldown_modal"),
    *("dash_application.layout.layout", "dash_application.layout.utils"),
]
WRITING_FLOATS = [
    *("utils", "views", "describe", "column_analysis"),
    "dash_application.drilldown_modal",
]
REPLACED = [
    *(
        (f"dtale.{module}:classify_type", lambda original: classify_type)
        for module in CLASSIFYING
    ),
    *((f"dtale.{module}:json_float", with_its_sign) for module in WRITING_FLOATS),
    ("dtale.views:format_data", with_every_kind),
    ("dtale.views:load_describe", without_a_mean),
    ("dtale.utils:export_to_parquet_buffer", with_every_kind_in_parquet),
    ("dtale.views:get_str_arg", with_the_kind_of_the_column),
    ("dtale.views:ColumnFilter", with_what_is_shown),
    ("dtale.utils:json_date", with_the_whole_time),
    ("dtale.utils:JSONFormatter.format_lists", with_zones),
    ("dtale.app:DtaleFlask.json_provider_class", with_numbers_of_numpy),
]
