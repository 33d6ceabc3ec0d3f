"""Histograms, density curves and Q-Q plots of columns with many values.

D-Tale evaluates the kernel of each value for a density curve, filters the frame once for
each group of a histogram, and sends all points of a Q-Q plot. ``patches.registry``
applies these patches.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from dtale import column_analysis, global_state
from dtale.describe import load_describe
from dtale.utils import (
    find_dtype,
    find_dtype_formatter,
    grid_columns,
    grid_formatter,
    json_float,
    json_timestamp,
)
from scipy.stats import probplot
from werkzeug import Request

from .dtypes import classify_type

MAX_DECIMALS = 10  # D-Tale writes the labels of bins with at most this many decimals.
# Up to this number of values, D-Tale's own density curve takes less than 10 ms.
EXACT_VALUES = 10_000
# With this number of bins for each bandwidth, the error is below 1e-3 of the height.
BINS_PER_BANDWIDTH = 20
MAX_BINS = 1_000_000
MAX_POINTS = 2_000  # A Q-Q plot with more points looks the same.
ENDS = 50  # The lowest and highest points are always shown: outliers are there.
# The query parameters of an analysis that name columns.
COLUMN_ARGS = "col", "target", "categoryCol", "ordinalCol", "latCol", "lonCol"


def only_needed_columns(load_filterable_data: Callable) -> Callable:
    """Return only the columns that an analysis of a column uses.

    D-Tale drops the rows with missing values, which copies all columns.
    """

    @functools.wraps(load_filterable_data)
    def loaded(data_id: str, req: Request, **options: Any) -> pd.DataFrame:
        data = load_filterable_data(data_id, req, **options)
        names = {req.args.get(name) for name in COLUMN_ARGS}
        names.update(req.args.get("splits", "").split(","))
        if req.args.get("col") not in data:
            return data
        return data[[name for name in data.columns if name in names]]

    return loaded


def binned_density(build_kde: Callable) -> Callable:
    """Calculate a density curve from counts of values.

    The bandwidth is that of ``scipy.stats.gaussian_kde``, by Scott's rule.
    """

    @functools.wraps(build_kde)
    def built(
        s: pd.Series, points: np.ndarray, name: str
    ) -> tuple[list[float] | None, list[str]]:
        if len(s) <= EXACT_VALUES:
            return build_kde(s, points, name)
        values = s.to_numpy(dtype=float)
        low, high = values.min(), values.max()
        bandwidth = values.std(ddof=1) * len(values) ** -0.2
        # SciPy decides what happens for infinite and for constant values.
        if not (np.isfinite(bandwidth) and bandwidth > 0):
            return build_kde(s, points, name)
        bins = int((high - low) / bandwidth * BINS_PER_BANDWIDTH) + 1
        if bins > MAX_BINS:
            return build_kde(s, points, name)
        density = density_at(np.asarray(points, dtype=float), values, bandwidth, bins)
        _, code = build_kde(pd.Series([0.0, 1.0]), np.zeros(1), name)
        return [json_float(each, precision=12) for each in density], code

    return built


def density_at(
    points: np.ndarray, values: np.ndarray, bandwidth: float, bins: int
) -> np.ndarray:
    """Return the density of values at some points, from Gaussian kernels of bins.

    Each kernel is at the mean of the values in its bin.
    """
    counts, _ = np.histogram(values, bins)
    sums, _ = np.histogram(values, bins, weights=values)
    used = np.flatnonzero(counts)
    counts, centers = counts[used], sums[used] / counts[used]
    kernels = [
        (counts * np.exp(-0.5 * ((point - centers) / bandwidth) ** 2)).sum()
        for point in points
    ]
    return np.array(kernels) / (len(values) * bandwidth * np.sqrt(2 * np.pi))


def distinct_bin_labels(build_histogram_data: Callable) -> Callable:
    """Make the labels of bins distinct.

    D-Tale adds decimals until the labels are distinct, and never stops if more than ten
    decimals are needed.
    """

    @functools.wraps(build_histogram_data)
    def built(self, series):
        options = {"density": True} if self.density else {"bins": self.bins}
        counts, edges = np.histogram(series, **options)
        if len({f"{edge:.{MAX_DECIMALS}f}" for edge in edges[1:]}) == len(counts):
            return build_histogram_data(self, series)
        labels = [f"{edge:.17g}" for edge in edges[1:]]
        return {"labels": labels, "data": [json_float(each) for each in counts]}, edges

    return built


def grouped_in_one_pass(build: Callable) -> Callable:
    """Count the values of all groups of a histogram at once."""

    @functools.wraps(build)
    def built(self, parent):
        data, name, target = parent.data, parent.selected_col, self.target
        if target is None or not is_simple(data, name, target):
            return build(self, parent)
        bins = pd.cut(data[name], bins=self.bins)
        labels = [f"{each}" for each in bins.dtype.categories]
        counts, groups = _counts(data[target], bins.cat.codes.to_numpy(), len(labels))
        write = find_dtype_formatter(find_dtype(data[target]))
        targets = [
            {"target": write(group, as_string=True), "data": row}
            for group, row in zip(groups, counts.tolist(), strict=True)
        ]
        desc, code = load_describe(data[name])
        dtype = global_state.get_dtype_info(parent.data_id, name)
        desc |= {each: dtype[each] for each in ("skew", "kurt") if each in dtype}
        found = {"targets": targets, "labels": labels, "desc": desc}
        return found, self._build_code(parent, [], code)

    return built


def is_simple(data: pd.DataFrame, name: str, target: str) -> bool:
    """Return whether `grouped_in_one_pass` counts the values of the groups.

    These are numbers in groups of numbers or texts. Categories have an order of theirs,
    and objects may not be sortable.
    """
    if name == target or not all(each in data for each in (name, target)):
        return False
    numbers = classify_type(find_dtype(data[name])) in ("I", "F")
    dtype = data[target].dtype
    is_numpy = isinstance(dtype, np.dtype) and dtype.kind in "biuf"
    return numbers and (is_numpy or isinstance(dtype, pd.StringDtype))


def _counts(groups: pd.Series, codes: np.ndarray, bins: int) -> tuple[Any, Sequence]:
    """Return the count of each bin in each group, and the sorted groups."""
    numbers, names = pd.factorize(groups, sort=True)
    found = (numbers >= 0) & (codes >= 0)
    cells = numbers[found] * bins + codes[found]
    counts = np.bincount(cells, minlength=len(names) * bins)
    return counts.reshape(len(names), bins), names.tolist()


def quantiles_of_plot(build: Callable) -> Callable:
    """Send at most `MAX_POINTS` points of a Q-Q plot.

    The line is fitted to all points, as in D-Tale.
    """

    @functools.wraps(build)
    def built(self, parent):
        s = parent.data[parent.selected_col]
        if len(s) <= MAX_POINTS:
            return build(self, parent)
        if parent.classifier == "D":
            s = column_analysis.apply(s, json_timestamp)
        x, y = probplot(s, dist="norm", fit=False)
        heights = np.asarray(y, dtype=float)
        slope = np.cov(x, heights, bias=True)[0, 1] / x.var()
        fitted = heights.mean() + slope * (x - x.mean())
        at = _shown(len(y))
        points = pd.DataFrame({"x": x[at], "y": y[at], "x2": x[at], "y2": fitted[at]})
        write = grid_formatter(grid_columns(points), nan_display=None)
        return write.format_lists(points), self._build_code(parent)

    return built


def _shown(count):
    """Return the positions of the points to show: both ends, and some in between."""
    between = np.linspace(ENDS, count - ENDS - 1, MAX_POINTS - 2 * ENDS).astype(int)
    ends = np.arange(ENDS)
    return np.unique(np.concatenate([ends, between, count - 1 - ends]))


ANALYSIS = "dtale.column_analysis"
PATCHES = [
    (f"{ANALYSIS}:load_filterable_data", only_needed_columns),
    (f"{ANALYSIS}:build_kde", binned_density),
    (f"{ANALYSIS}:HistogramAnalysis.build_histogram_data", distinct_bin_labels),
    (f"{ANALYSIS}:HistogramAnalysis.build", grouped_in_one_pass),
    (f"{ANALYSIS}:QQAnalysis.build", quantiles_of_plot),
]
