"""The frequencies of numbers and dates, whose texts are written once for each value."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np
import pandas as pd
from dtale import column_analysis

from ...assets.patching import Substitution
from ..columns import is_number
from .sources import rebuilt

FORMATTED = Substitution(
    "column_analysis.py",
    "D-Tale formats the value of each row.",
    r"parent\.data\[parent\.selected_col\]\.apply\(\s+"
    r'lambda x: formatter\(x, nan_display="Missing"\)\s+\)',
    "formatted_values(parent.data[parent.selected_col], formatter)",
)


def formatted_values(column: pd.Series, write: Callable) -> pd.Series:
    """Return the text of each value, and "Missing" for missing values."""

    def text(value: Any) -> Any:
        return write(value, nan_display="Missing")

    is_time = isinstance(column.dtype, np.dtype) and column.dtype.kind == "M"
    if not (is_time or is_number(column.dtype)) or has_negative_zero(column):
        return column.apply(text)
    codes, values = pd.factorize(column, use_na_sentinel=False)
    texts = pd.Series(values).apply(text).take(codes)
    return texts.set_axis(column.index).rename(column.name)


def has_negative_zero(column: pd.Series) -> bool:
    """Return whether a column has a zero whose text differs from that of another."""
    if column.dtype.kind != "f":
        return False
    return bool(np.signbit(column.to_numpy()[column == 0]).any())


def format_once(build: Callable) -> Callable:
    """Format each value once. The rest of the method is D-Tale's."""
    built = rebuilt(build, column_analysis, [FORMATTED], formatted_values)
    return wraps(build)(built)


PATCHES = [("dtale.column_analysis:FrequencyAnalysis.build", format_once)]
