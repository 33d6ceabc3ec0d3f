"""The statistics of a column of many numbers, without those that pandas calculates twice."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..columns import FEW, is_number
from .quantiles import quantiles

QUARTERS = {"25%": 0.25, "50%": 0.5, "75%": 0.75}


def is_quick(column: pd.Series) -> bool:
    """Return whether a column has many values, which are numbers or dates of NumPy."""
    dtype = column.dtype
    is_time = isinstance(dtype, np.dtype) and dtype.kind == "M"
    return len(column) > FEW and (is_time or is_number(dtype))


def describe_column(column: pd.Series) -> pd.Series:
    """Return the same statistics as ``column.describe()``."""
    if not is_quick(column):
        return column.describe()
    is_time = column.dtype.kind == "M"
    start = {"count": column.count(), "mean": column.mean()}
    if not is_time:
        start["std"] = column.std()
    start["min"] = column.min()
    quarters = quantiles(column, [*QUARTERS.values()])
    figures = start | dict(zip(QUARTERS, quarters, strict=True)) | {"max": column.max()}
    return pd.Series(figures, name=column.name, dtype=object if is_time else float)


class DescribedColumn:
    """A column of numbers or dates for D-Tale's ``load_describe``, which asks for statistics.

    Args:
        counts: the number of occurrences of each value, if D-Tale asks for the mode.
    """

    def __init__(self, column: pd.Series, counts: pd.Series | None = None) -> None:
        self.column, self.counts = column, counts
        self.figures = describe_column(column)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.column, name)

    def __len__(self) -> int:
        return len(self.column)

    def describe(self) -> pd.Series:
        return self.figures

    def median(self) -> float:
        # Between two infinities, pandas calculates medians and quantiles differently.
        median = self.figures["50%"]
        return median if np.isfinite(median) else self.column.median()

    def sem(self) -> float:
        with np.errstate(all="ignore"):
            return self.figures["std"] / np.sqrt(self.figures["count"])

    def mode(self) -> pd.Series:
        if self.counts is None:
            return self.column.mode()
        return self.counts[self.counts == self.counts.max()].index.to_series()


def describe_quickly(load_describe: Callable) -> Callable:
    """Calculate the statistics of many numbers faster."""

    @functools.wraps(load_describe)
    def described(
        column_series: "pd.Series | DescribedColumn",
        additional_aggs: list[str] | None = None,
    ) -> tuple[dict[str, Any], list[str]]:
        column: Any = column_series
        if is_quick(column) and not isinstance(column, DescribedColumn):
            column = DescribedColumn(column)
        return load_describe(column, additional_aggs)

    return described


PATCHES = [("dtale.views:load_describe", describe_quickly)]
