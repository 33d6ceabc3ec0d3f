"""Patches that make D-Tale show and filter values of each dtype correctly.

``patches.registry`` applies these patches.
"""

import datetime
import functools
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
from dtale import global_state, utils
from dtale.query import build_col_key
from flask import has_request_context, request

from ...compat.dtypes import UnsupportedDtype, make_displayable
from ...readers.dataframe import to_dataframe
from ...unit_of_work import current, is_bound
from ..endpoints import GRID


def convert_data(format_data: Callable) -> Callable:
    """Convert data to a form that D-Tale can show, and record the conversions.

    D-Tale silently drops time zones and columns named index, and turns periods into
    timestamps and lists into text. For many frames, it fails with a 500.
    """

    def prepared(data, inplace=False, drop_index=False):
        # The grid converts its frame again if D-Tale has not described a new column. The
        # index then holds the labels of the rows, in the order of the grid.
        in_grid = has_request_context() and request.endpoint == GRID
        if is_bound() and (result := current().take_expected(data)):
            pass  # The process that read the file has already converted its data.
        else:
            frame = to_dataframe(data)
            result = make_displayable(
                frame.reset_index(drop=True) if drop_index or in_grid else frame
            )
            if in_grid:
                result.frame.index = frame.index
        if is_bound():
            current().conversions += result.conversions
        return result.frame, result.index

    return prepared


@functools.lru_cache(1_000)  # D-Tale calls it three times for each column.
def classify_type(type_name: str | None) -> str:
    """Return D-Tale's letter for a dtype's name, such as "I" for integers.

    This works around an upstream bug. ``dtale.utils.classify_type`` compares the
    beginnings of names, and knows "int" but not "uint". It classifies unsigned integers
    as text, and intervals as integers. https://github.com/man-group/dtale/issues/552
    """
    name = (type_name or "").lower()
    if name.startswith("uint"):
        return "I"
    if name.startswith("interval"):
        return "S"
    return dtale_classify_type(type_name)


dtale_classify_type = utils.classify_type


def keep_sign_of_infinity(json_float: Callable) -> Callable:
    """Write minus infinity with its sign.

    This works around an upstream bug: ``dtale.utils.json_float`` checks ``np.isinf``
    and then writes ``inf``, even for minus infinity.
    """

    @functools.wraps(json_float)
    def written(x, *args, inf_display="inf", **kwargs):
        text = json_float(x, *args, inf_display=inf_display, **kwargs)
        return f"-{text}" if text == inf_display and x < 0 else text

    return written


def keep_full_precision(json_date: Callable) -> Callable:
    """Keep the zone and the nanoseconds of a time, and the leading zeros of a year.

    D-Tale drops all of them. Without the zone, it cannot save an edited time either.
    """
    usual = "%Y-%m-%d %H:%M:%S.%f"

    def whole(x, fmt=usual, nan_display="", **kwargs):
        time = pd.Timestamp(x) if isinstance(x, np.datetime64) else x
        if fmt == usual and isinstance(time, datetime.date) and time is not pd.NaT:
            return str(time).removesuffix(" 00:00:00")
        return json_date(x, fmt=fmt, nan_display=nan_display, **kwargs)

    return whole


def keep_zones(format_lists: Callable) -> Callable:
    """Keep periods and the zones of times.

    D-Tale uses the NumPy values of a column. For times with a zone, these are in UTC.
    For periods, pandas 4 will have no such values.
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


def describe_as_objects(load_describe: Callable) -> Callable:
    """Describe complex numbers and Arrow's decimals like objects.

    These values have no mean or similar statistics.
    """

    def described(column_series, additional_aggs=None):
        try:
            return load_describe(column_series, additional_aggs)
        except (TypeError, ValueError):
            return load_describe(column_series.astype(object))

    return described


def encode_numpy_scalars(json_provider_class: Any) -> type:
    """Encode all NumPy scalars as JSON, and NaN and the infinities as null.

    Flask can encode float64, which is a subclass of Python's float, but not float32. It
    writes NaN, which browsers cannot read, because JSON has no such value (RFC 8259).
    """

    class JSONProvider(json_provider_class):
        def dumps(self, obj: Any, **kwargs: Any) -> str:
            try:
                text = super().dumps(obj, **kwargs)
            except TypeError:  # Keys such as texts and NaN have no order.
                kwargs["sort_keys"] = False
                text = super().dumps(obj, **kwargs)
            if "NaN" in text or "Infinity" in text:
                valid = json.loads(text, parse_constant=lambda _: None)
                text = super().dumps(valid, **kwargs)
            return text

        @staticmethod
        def default(value: Any) -> Any:
            if isinstance(value, np.generic):
                return value.item()
            return json_provider_class.default(value)

    return JSONProvider


def compare_as_text(column_filter: type) -> type:
    """Correct filters of columns whose values D-Tale cannot compare.

    - Decimals, UUIDs, periods and others never equal the choice, which is text. This
      class compares the choice with the text of these values.
    - D-Tale cannot compare a day with times that have a time zone. This class converts
      the day to a time in that zone.
    - For missing values, D-Tale's front end sends column types that have no filter.
      This class uses the filter for text.
    """

    class ColumnFilter(column_filter):
        def __init__(self, data_id: str, column: str, cfg: str) -> None:
            config = json.loads(cfg)
            if config["type"] in ("bool", "category", "unknown"):
                config["type"] = "string"
            super().__init__(data_id, column, json.dumps(config))

        def save_filter(self):
            build = self.builder.build_filter
            self.builder.build_filter = lambda: self.adapt(build())
            return super().save_filter()

        def adapt(self, built):
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


def parse_edited_value(get_str_arg: Callable) -> Callable:
    """Parse the text that a user types into a cell of Decimals, UUIDs or times.

    D-Tale would store Decimals, UUIDs and dates as text. It cannot store a time without
    a zone in a column that has a zone.
    """

    def parsed(r, name, default=None):
        value = get_str_arg(r, name, default)
        if name != "updated" or value in (None, "nan", "inf"):
            return value
        data = global_state.get_data(r.view_args["data_id"])
        return parse_as_dtype(data[get_str_arg(r, "col")], value)

    return parsed


PARSERS: dict[type, Callable[[str], Any]] = {
    Decimal: Decimal,
    UUID: UUID,
    datetime.date: datetime.date.fromisoformat,
    datetime.time: datetime.time.fromisoformat,
}


def parse_as_dtype(column: pd.Series, text: str) -> Any:
    """Parse a text as a value of a column whose values D-Tale handles as text.

    Raises:
        UnsupportedDtype: The text is not a valid value of this column.
    """
    zone = zone_of(column.dtype)
    if zone:
        try:
            time = pd.Timestamp(text)
            return time if time.tzinfo else time.tz_localize(zone)
        except ValueError:
            raise UnsupportedDtype(
                f"{text!r} is not a valid time in this time zone."
            ) from None
    kind = column.dtype.type if isinstance(column.dtype, pd.ArrowDtype) else None
    if column.dtype == object:
        kind = type(next(iter(column.dropna()), None))
    if kind not in PARSERS:
        return text
    try:
        return PARSERS[kind](text)
    except (ArithmeticError, ValueError):
        raise UnsupportedDtype(f"{text!r} is not a valid {kind.__name__}.") from None


def is_text(column: pd.Series) -> bool:
    """Return whether a column, or each of its categories, is text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.categories
    return pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty")


def zone_of(dtype: object) -> Any:
    """Return the time zone of a dtype, or None if it has none."""
    if isinstance(dtype, pd.ArrowDtype):
        return getattr(dtype.pyarrow_dtype, "tz", None)
    return getattr(dtype, "tz", None)


# D-Tale's modules import classify_type and json_float by name, so the functions are
# patched in each module.
MODULES_WITH_CLASSIFY_TYPE = [
    *("utils", "views", "charts.utils", "column_analysis", "column_builders"),
    *("column_filters", "column_replacements", "correlations"),
    *("dash_application.charts", "dash_application.drilldown_modal"),
    *("dash_application.layout.layout", "dash_application.layout.utils"),
]
MODULES_WITH_JSON_FLOAT = [
    *("utils", "views", "describe", "column_analysis"),
    "dash_application.drilldown_modal",
]
PATCHES = [
    *(
        (f"dtale.{module}:classify_type", lambda original: classify_type)
        for module in MODULES_WITH_CLASSIFY_TYPE
    ),
    *(
        (f"dtale.{module}:json_float", keep_sign_of_infinity)
        for module in MODULES_WITH_JSON_FLOAT
    ),
    ("dtale.views:format_data", convert_data),
    ("dtale.views:load_describe", describe_as_objects),
    ("dtale.views:get_str_arg", parse_edited_value),
    ("dtale.views:ColumnFilter", compare_as_text),
    ("dtale.utils:json_date", keep_full_precision),
    ("dtale.utils:JSONFormatter.format_lists", keep_zones),
    ("dtale.app:DtaleFlask.json_provider_class", encode_numpy_scalars),
]
