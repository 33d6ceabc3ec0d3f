"""The operators and methods that are allowed in filters.

They work as in ``DataFrame.query``, with two exceptions. Regular expressions are
matched by Arrow's RE2, which takes linear time, and not by Python's ``re``. Text is
converted before it is compared with times, because pandas 3 finds no rows for
``day == '2026-01-31'``.
"""

import ast
import datetime
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MAX_PATTERN = 1_000  # The maximum length of a search text or regular expression.

OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.And: operator.and_,
    ast.Or: operator.or_,
    ast.Not: operator.invert,
    ast.Invert: operator.invert,
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
EQUAL: dict[type[ast.AST], type[ast.AST]] = {ast.Eq: ast.In, ast.NotEq: ast.NotIn}


def compare(sign: type[ast.AST], left: Any, right: Any) -> Any:
    """Return the result of a comparison with a column.

    As in ``DataFrame.query``, ``isin`` compares text for equality, so missing values
    are not equal to any text.
    """
    if isinstance(left, pd.Series) and isinstance(right, list):
        found = left.isin([coerce_to_dtype(each, left) for each in right])
        return ~found if sign is ast.NotIn else found
    for column, value in ((left, right), (right, left)):
        is_text = isinstance(value, str) and isinstance(column, pd.Series)
        if is_text and sign in EQUAL:
            return compare(EQUAL[sign], column, [value])
    return OPERATORS[sign](coerce_to_dtype(left, right), coerce_to_dtype(right, left))


def coerce_to_dtype(value: Any, column: Any) -> Any:
    """Return a value converted so that it can be compared with a column.

    If the column contains times, the value becomes a time in the same time zone.
    """
    if isinstance(value, pd.Series) or not isinstance(column, pd.Series):
        return value
    dtype = column.dtype
    if isinstance(value, float) and issubclass(dtype.type, np.floating):
        return dtype.type(value)  # As a 32-bit float, 0.1 is a different number.
    if issubclass(dtype.type, (datetime.datetime, np.datetime64)):
        time, zone = pd.Timestamp(str(value)), column.dt.tz
        if zone and not time.tzinfo:
            return time.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        return time
    if isinstance(value, str) and dtype.kind == "m":
        return pd.Timedelta(value)
    if isinstance(value, str) and isinstance(dtype, pd.PeriodDtype):
        return pd.Period(value, dtype.freq)
    return value


def as_arrow(column: pd.Series) -> pa.Array:
    """Return the text of a column as an Arrow array, with null for other values."""
    # If the dtype is not text, .str raises an error.
    texts = column.str and column.array
    if not isinstance(column.dtype, (pd.StringDtype, pd.ArrowDtype)):
        texts = [each if isinstance(each, str) else None for each in column]
    return pa.array(texts, pa.large_string(), from_pandas=True)


def contains(
    column: pd.Series, pat: str, case: bool = True, na: bool = False, regex: bool = True
) -> pd.Series:
    if not regex:
        return column.str.contains(pat, case=case, na=na, regex=False)
    found = pc.match_substring_regex(
        as_arrow(column), pat, ignore_case=not case
    ).fill_null(na)
    return pd.Series(found.to_numpy(zero_copy_only=False), column.index)


METHODS: dict[str, Callable[..., Any]] = {
    "isna": lambda column: column.isna(),
    "isnull": lambda column: column.isna(),
    "notna": lambda column: column.notna(),
    "notnull": lambda column: column.notna(),
    "astype": lambda column, dtype: column.astype(dtype),
    "str.len": lambda column: column.str.len(),
    "str.lower": lambda column: column.str.lower(),
    "str.startswith": lambda column, pat, na=False: column.str.startswith(pat, na=na),
    "str.endswith": lambda column, pat, na=False: column.str.endswith(pat, na=na),
    "str.contains": contains,
}
PARAMETERS: dict[str, Callable[[Any], bool]] = {
    "dtype": lambda value: value in ("str", "object"),
    "pat": lambda value: isinstance(value, str) and len(value) <= MAX_PATTERN,
    "case": lambda value: isinstance(value, bool),
    "na": lambda value: isinstance(value, bool),
    "regex": lambda value: isinstance(value, bool),
}
TIMES: dict[str, Callable[[Any], Any]] = {
    name: operator.attrgetter(name)
    for name in ("year", "quarter", "month", "day", "hour", "minute", "second")
} | {
    # D-Tale uses these names of older pandas releases. Its "date" is a timestamp.
    "dayofweek": lambda times: times.day_of_week,
    "dayofyear": lambda times: times.day_of_year,
    "week": lambda times: times.isocalendar().week,
    "date": lambda times: times.tz_localize(None).dt.normalize(),
}
