"""Predictive power scores, without growing trees and shuffling all rows for each pair.

D-Tale chooses 5,000 rows with the same seed for each pair of columns. scikit-learn then grows
four trees, which split the rows until the values of the other column are equal.
"""

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeRegressor

# Trees do not separate rows whose values differ by less.
THRESHOLD = np.float32(1e-7)
# Trees do not separate rows if the results differ so little, relative to the largest one. The
# score is not affected as long as only few of the differences are so small.
SMALL, FEW_SMALL, LEAST_DEVIATION = 1e-6, 0.05, 1e-3


@lru_cache(8)  # Missing values are left out, so frames have several lengths.
def sampled_positions(rows: int, number: int, seed: int) -> np.ndarray:
    """Return the positions of the rows that ``DataFrame.sample`` chooses."""
    return np.random.RandomState(seed).choice(rows, number, replace=False)


def sample_once(maybe_sample: Callable) -> Callable:
    """Choose the rows once for all pairs of columns. D-Tale uses one seed for all pairs."""

    @wraps(maybe_sample)
    def sampled(
        df: pd.DataFrame, sample: int | None, random_seed: int | None = None
    ) -> pd.DataFrame:
        if not sample or len(df) <= sample or random_seed is None:
            return maybe_sample(df, sample, random_seed)
        return df.iloc[sampled_positions(len(df), sample, random_seed)]

    return sampled


def score_without_trees(cross_val_score: Callable) -> Callable:
    """Predict numbers from another number as a tree does, from the nearest rows."""

    @wraps(cross_val_score)
    def scores(model: Any, features: Any, target: Any, cv: int, scoring: str) -> Any:
        is_plain = type(model) is DecisionTreeRegressor and isinstance(
            features, np.ndarray
        )
        if is_plain and features.dtype.kind in "iuf" and target.dtype.kind in "iuf":
            with np.errstate(over="ignore"):
                # Trees store the numbers in this type.
                values = features.ravel().astype(np.float32)
            results = target.astype(float)
            if (
                len(values) >= 2 * cv
                and np.isfinite(values).all()
                and _is_clear(results)
            ):
                folds = np.array_split(np.arange(len(values)), cv)
                return np.array([-_error(values, results, fold) for fold in folds])
        return cross_val_score(model, features, target, cv=cv, scoring=scoring)

    return scores


def _is_clear(results):
    """Return whether a tree separates nearly all results that differ."""
    largest = np.abs(results).max()
    differences = np.diff(np.unique(results))
    is_small = differences < largest * SMALL
    return bool(results.std() > LEAST_DEVIATION and is_small.mean() < FEW_SMALL)


def _error(values, results, fold):
    """Return the mean absolute error of the predictions for the rows of a fold.

    A tree that is not limited has a leaf for each value of the other rows, or for several
    values in a row with the same result. It splits halfway between two values.
    """
    others = np.ones(len(values), dtype=bool)
    others[fold] = False
    values, results, tested, expected = (
        values[others],
        results[others],
        values[fold],
        results[fold],
    )
    order = np.argsort(values, kind="stable")
    values, results = values[order], results[order]
    starts = np.flatnonzero(values[1:] > values[:-1] + THRESHOLD) + 1
    halves = values.astype(float) / 2
    limits = halves[starts - 1] + halves[starts]
    starts = np.append(0, starts)
    leaves = np.add.reduceat(results, starts) / np.diff(starts, append=len(values))
    predicted = leaves[np.searchsorted(limits, tested)]
    return np.abs(expected - predicted).mean()


PATCHES = [
    ("dtale.ppscore.calculation:_maybe_sample", sample_once),
    ("dtale.ppscore.calculation:cross_val_score", score_without_trees),
]
