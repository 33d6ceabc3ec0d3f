"""Statistics of a column of many numbers, from one sort instead of one for each quantile."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..columns import FEW, in_order, is_number

QUARTILES = {"25%": 0.25, "50%": 0.5, "75%": 0.75}


class SortedColumn:
    """A column that sorts its values for the statistics that need their order.

    D-Tale's ``load_describe`` uses it like the column. All values are finite or NaN.
    """

    def __init__(self, column: pd.Series, values: np.ndarray) -> None:
        """Args: the column, and its values in ascending order without NaN."""
        self.column, self.values = column, values

    def __getattr__(self, name: str) -> Any:
        return getattr(self.column, name)

    def __len__(self) -> int:
        return len(self.column)

    def describe(self) -> pd.Series:
        figures = {
            "count": len(self.values),
            "mean": self.column.mean(),
            "std": self._std,
            "min": self.values[0],
            **{name: self._quantile(q) for name, q in QUARTILES.items()},
            "max": self.values[-1],
        }
        return pd.Series(figures, name=self.column.name, dtype=float)

    def median(self) -> float:
        return self._quantile(0.5)

    def sem(self) -> float:
        return self._std / np.sqrt(len(self.values))

    def mode(self) -> pd.Series:
        starts = np.flatnonzero(np.append(True, self.values[1:] != self.values[:-1]))
        counts = np.diff(starts, append=len(self.values))
        return pd.Series(self.values[starts[counts == counts.max()]])

    @functools.cached_property
    def _std(self):
        return self.column.std()

    def _quantile(self, share):
        position = (len(self.values) - 1) * share
        places = [int(position), int(np.ceil(position))]
        return float(np.quantile(self.values[places], position - places[0]))


def describe_sorted(load_describe: Callable) -> Callable:
    """Sort a column of many numbers once for all its statistics."""

    @functools.wraps(load_describe)
    def described(
        column_series: pd.Series, additional_aggs: list[str] | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        if len(column_series) <= FEW or not is_number(column_series.dtype):
            return load_describe(column_series, additional_aggs)
        values = in_order(column_series.dropna()).to_numpy()
        if not (len(values) and np.isfinite(values[[0, -1]]).all()):
            return load_describe(column_series, additional_aggs)
        return load_describe(SortedColumn(column_series, values), additional_aggs)

    return described


PATCHES = [("dtale.views:load_describe", describe_sorted)]
