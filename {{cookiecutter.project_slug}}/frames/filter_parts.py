"""What the operators and methods that a filter may have do.

They do what they do in ``DataFrame.query``, but for two things. Regular expressions are
matched by Arrow's RE2, whose time grows with the text and no faster, and not by Python's
``re``. And a text that times are compared with is a time: pandas 3 finds nothing by
``day == '2026-01-31'``.
"""

import ast
import datetime
import operator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

MAX_PATTERN = 1_000  # Characters, of a regular expression also.

OPERATORS = {
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
EQUAL = {ast.Eq: ast.In, ast.NotEq: ast.NotIn}


def compare(sign, left, right):
    """Compare, where one of both is a column. Texts by ``isin``, as ``DataFrame.query``
    does: so what is missing is unequal to each.
    """
    if isinstance(left, pd.Series) and isinstance(right, list):
        found = left.isin([fitting(each, left) for each in right])
        return ~found if sign is ast.NotIn else found
    for column, value in ((left, right), (right, left)):
        if isinstance(value, str) and isinstance(column, pd.Series):
            if sign in (ast.Eq, ast.NotEq):
                return compare(EQUAL[sign], column, [value])
    return OPERATORS[sign](fitting(left, right), fitting(right, left))


def fitting(value, column):
    """Return a value as it compares with a column: for times a time, in their zone."""
    if isinstance(value, pd.Series) or not isinstance(column, pd.Series):
        return value
    dtype = column.dtype
    if isinstance(value, float) and issubclass(dtype.type, np.floating):
        return dtype.type(value)  # 0.1 is another number in 32 bits.
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


def as_arrow(column):
    """Return a column's texts as ``pyarrow`` has them, null for what is no text."""
    texts = column.str and column.array  # What is no text has no .str, and says so.
    if not isinstance(column.dtype, (pd.StringDtype, pd.ArrowDtype)):
        texts = [each if isinstance(each, str) else None for each in column]
    return pa.array(texts, pa.large_string(), from_pandas=True)


def contains(column, pat, case=True, na=False, regex=True):
    if not regex:
        return column.str.contains(pat, case=case, na=na, regex=False)
    found = pc.match_substring_regex(
        as_arrow(column), pat, ignore_case=not case
    ).fill_null(na)
    return pd.Series(found.to_numpy(zero_copy_only=False), column.index)


METHODS = {
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
PARAMETERS = {
    "dtype": lambda value: value in ("str", "object"),
    "pat": lambda value: isinstance(value, str) and len(value) <= MAX_PATTERN,
    "case": lambda value: isinstance(value, bool),
    "na": lambda value: isinstance(value, bool),
    "regex": lambda value: isinstance(value, bool),
}
TIMES = {
    name: operator.attrgetter(name)
    for name in ("year", "quarter", "month", "day", "hour", "minute", "second")
} | {
    # D-Tale's names, for what has changed in pandas. By "date" it means a day.
    "dayofweek": lambda times: times.day_of_week,
    "dayofyear": lambda times: times.day_of_year,
    "week": lambda times: times.isocalendar().week,
    "date": lambda times: times.tz_localize(None).dt.normalize(),
}
