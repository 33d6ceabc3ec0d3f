"""The operators and methods that are allowed in filters.

They work as in ``DataFrame.query``, with three exceptions. Regular expressions are
matched by Arrow's RE2, which takes linear time, and not by Python's ``re``. Text and
dates are converted before they are compared with times, because pandas 3 finds no rows
for ``day == '2026-01-31'``. The numbers in a list are converted to 32-bit floats before
a column of these is searched for them, so that ``x in [0.1]`` finds what ``x == 0.1``
finds.
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
# As in pandas, == and != mean "in" and "not in" if one side is a text or a list.
MEMBERSHIP: dict[type[ast.AST], type[ast.AST]] = {
    ast.Eq: ast.In,
    ast.NotEq: ast.NotIn,
    ast.In: ast.In,
    ast.NotIn: ast.NotIn,
}


def compare(sign: type[ast.AST], left: Any, right: Any) -> Any:
    """Return the result of a comparison with a column.

    As in ``DataFrame.query``, ``isin`` compares text for equality, so missing values
    are not equal to any text.

    Raises:
        TypeError: a list is not compared with a column, or not for equality.
    """
    member = MEMBERSHIP.get(sign)
    for column, value in ((left, right), (right, left)):
        if not (member and isinstance(column, pd.Series)):
            continue
        if member is sign or isinstance(value, (str, list)):
            values = value if isinstance(value, list) else [value]
            found = column.isin([coerce_to_dtype(each, column) for each in values])
            return ~found if member is ast.NotIn else found
    if member is sign or isinstance(left, list) or isinstance(right, list):
        raise TypeError(
            "only a column can be compared with a list, and only with "
            "==, !=, in or not in"
        )
    return OPERATORS[sign](coerce_to_dtype(left, right), coerce_to_dtype(right, left))


def coerce_to_dtype(value: Any, column: Any) -> Any:
    """Return a value converted so that it can be compared with a column.

    If the column contains times, the value becomes a time in the same time zone.
    """
    if isinstance(value, pd.Series) or not isinstance(column, pd.Series):
        return value
    dtype = column.dtype
    is_date = isinstance(value, datetime.date)
    if isinstance(value, float) and issubclass(dtype.type, np.floating):
        return dtype.type(value)  # As a 32-bit float, 0.1 is a different number.
    if issubclass(dtype.type, (datetime.datetime, np.datetime64)):
        time, zone = pd.Timestamp(value if is_date else str(value)), column.dt.tz
        if zone and not time.tzinfo:
            return time.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        return time
    if isinstance(value, str) and dtype.kind == "m":
        return pd.Timedelta(value)
    if (is_date or isinstance(value, str)) and isinstance(dtype, pd.PeriodDtype):
        return pd.Period(value, dtype.freq)
    return value


def as_number(value: Any) -> Any:
    """Return an operand of a calculation, or None if it is not a number or a time."""
    if isinstance(value, pd.Series):
        dtype = value.dtype
        is_number = (
            pd.api.types.is_numeric_dtype(dtype)
            or dtype.kind in "mM"
            or pd.api.types.infer_dtype(value) == "decimal"
        )
        return value if is_number else None
    if isinstance(value, datetime.date):
        return pd.Timestamp(value)
    return value if isinstance(value, (int, float)) else None


def between(
    column: pd.Series, left: Any, right: Any, inclusive: str = "both"
) -> pd.Series:
    lower = ast.GtE if inclusive in ("both", "left") else ast.Gt
    upper = ast.LtE if inclusive in ("both", "right") else ast.Lt
    return compare(lower, column, left) & compare(upper, column, right)


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
    "abs": lambda column: abs(column),
    "isin": lambda column, values: compare(ast.In, column, values),
    "between": between,
    "isna": lambda column: column.isna(),
    "isnull": lambda column: column.isna(),
    "notna": lambda column: column.notna(),
    "notnull": lambda column: column.notna(),
    "astype": lambda column, dtype: column.astype(dtype),
    "str.len": lambda column: column.str.len(),
    "str.lower": lambda column: column.str.lower(),
    "str.upper": lambda column: column.str.upper(),
    "str.startswith": lambda column, pat, na=False: column.str.startswith(pat, na=na),
    "str.endswith": lambda column, pat, na=False: column.str.endswith(pat, na=na),
    "str.contains": contains,
}
# These parameters can be columns. All others must be constants.
OPERANDS = {"left", "right"}
PARAMETERS: dict[str, Callable[[Any], bool]] = {
    "left": lambda value: not isinstance(value, list),
    "right": lambda value: not isinstance(value, list),
    "inclusive": lambda value: value in ("both", "neither", "left", "right"),
    "values": lambda value: isinstance(value, list),
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
