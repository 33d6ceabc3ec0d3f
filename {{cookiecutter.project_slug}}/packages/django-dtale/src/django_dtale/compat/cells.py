"""Values of a frame for files whose cells are text: CSV, Excel and JSON."""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from .dtypes import as_text

# Spreadsheets read text that begins with one of these characters as a formula:
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = re.compile(r"[=+\-@\t\r]")
MAX_CELLS = 200_000  # The number of cells that are converted at the same time.

Formatters = Mapping[Any, Callable[[Any], str]]


def parts(frame: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Yield a frame in parts of some rows, at least one part."""
    size = max(1, MAX_CELLS // max(1, frame.shape[1]))
    for start in range(0, max(1, len(frame)), size):
        yield frame.iloc[start : start + size]


def safe_text(value: Any) -> Any:
    """Return a value. Text that a spreadsheet could run gets an apostrophe before it."""
    if isinstance(value, str) and FORMULA.match(value):
        return f"'{value}"
    return value


def prepared(
    frame: pd.DataFrame, formatters: Formatters, is_safe: bool
) -> pd.DataFrame:
    """Return a frame whose cells are formatted and safe in spreadsheets.

    Args:
        formatters: the functions that format the values of some columns.
        is_safe: whether text that begins like a formula gets an apostrophe.
    """
    changed = frame.copy(deep=False)
    for name, column in frame.items():
        if name in formatters:
            texts = column.astype(object).map(formatters[name], na_action="ignore")
            changed[name] = texts
        elif is_safe and _can_have_text(column.dtype):
            changed[name] = column.astype(object).map(safe_text)
    return changed.rename(columns=safe_text) if is_safe else changed


def plain_values(column: pd.Series) -> list[Any]:
    """Return values as None, bool, int, float, text or dates; all others become text.

    Infinite numbers become the text "inf" or "-inf".
    """
    dtype = column.dtype
    if dtype == np.float32:  # 0.1 stays 0.1.
        column = column.astype(str).astype(float)
    is_category = isinstance(dtype, pd.CategoricalDtype)
    if dtype.kind in "biu" and not is_category and not column.hasnans:
        return column.tolist()
    if dtype.kind == "f" and np.isfinite(column.to_numpy(float, na_value=np.nan)).all():
        return column.tolist()
    return [_plain(value) for value in column.astype(object).tolist()]


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return None if math.isnan(value) else str(value)
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, date):  # Timestamps are dates, too.
        return value
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    return as_text(pd.Series([value], dtype=object)).iloc[0]


def _can_have_text(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype) or dtype.kind in "OU"
