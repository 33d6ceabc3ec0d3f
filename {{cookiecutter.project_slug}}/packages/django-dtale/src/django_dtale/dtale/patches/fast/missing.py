"""Pictures of the missing values of a large frame, without drawing or copying each row."""

from collections.abc import Callable
from functools import wraps
from itertools import combinations

import numpy as np
import pandas as pd
from missingno import missingno

from ...assets.patching import Substitution
from .sources import rebuilt

# The picture has 1,000 rows of pixels. With this many rows of data, each pixel shows the same
# row as the picture of all rows, or one that is at most a tenth of a pixel away.
ROWS = 10_000

VARYING = Substitution(
    "missingno.py",
    "`null_correlations` leaves out complete and empty columns.",
    r"df = df\.iloc\[:, \[i for i, n in enumerate\(np\.var\(.*\)\) if n > 0\]\]",
    "",
)
CORRELATIONS = Substitution(
    "missingno.py",
    "pandas converts all cells to numbers.",
    r"df\.isnull\(\)\.corr\(\)",
    "null_correlations(df)",
)
DISTANCES = Substitution(
    "missingno.py",
    "SciPy copies all cells as numbers, three times.",
    r"np\.transpose\(df\.isnull\(\)\.astype\(int\)\.values\)",
    "null_distances(df)",
)


def rows_of_picture(data: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that missingno's matrix shows, in their order.

    The line beside the matrix names the numbers of values in the fullest and in the
    emptiest row, so these rows are always shown.
    """
    if len(data) <= ROWS:
        return data
    missing = np.zeros(len(data), dtype=np.uint16)
    for number in range(data.shape[1]):
        missing += data.iloc[:, number].isna().to_numpy()
    even = np.linspace(0, len(data) - 1, ROWS).round().astype(int)
    positions = np.union1d(even, [missing.argmin(), missing.argmax()])
    return data.iloc[positions]


def _rows_with_both_missing(data):
    """Return the number of rows without a value, for each pair of columns."""
    missing = [
        data.iloc[:, number].isna().to_numpy() for number in range(data.shape[1])
    ]
    found = np.diag([np.count_nonzero(each) for each in missing])
    for first, second in combinations(np.flatnonzero(found.diagonal()), 2):
        both = np.count_nonzero(missing[first] & missing[second])
        found[first, second] = found[second, first] = both
    return found


def null_correlations(data: pd.DataFrame) -> pd.DataFrame:
    """Return how the missing values of columns correlate, without columns of one kind."""
    both = _rows_with_both_missing(data)
    counts, rows = both.diagonal(), len(data)
    varying = np.flatnonzero((counts > 0) & (counts < rows))
    counts, both = counts[varying].astype(float), both[np.ix_(varying, varying)]
    deviations = np.sqrt(counts * (rows - counts))
    found = (both * float(rows) - np.outer(counts, counts)) / np.outer(
        deviations, deviations
    )
    names = data.columns[varying]
    return pd.DataFrame(found.clip(-1, 1), names, names)


def null_distances(data: pd.DataFrame) -> np.ndarray:
    """Return the distances between columns, as ``scipy.spatial.distance.pdist``.

    The square of a distance is the number of rows in which only one of the columns has a value.
    """
    both = _rows_with_both_missing(data)
    counts = both.diagonal()
    one = counts[:, None] + counts - 2 * both
    return np.sqrt(one[np.triu_indices(len(one), 1)])


def correlate_nulls(heatmap: Callable) -> Callable:
    """Count the rows for the heatmap. The rest of the function is missingno's."""
    changes = [VARYING, CORRELATIONS]
    return wraps(heatmap)(rebuilt(heatmap, missingno, changes, null_correlations))


def compare_nulls(dendrogram: Callable) -> Callable:
    """Count the rows for the dendrogram. The rest of the function is missingno's."""
    return wraps(dendrogram)(
        rebuilt(dendrogram, missingno, [DISTANCES], null_distances)
    )


PATCHES = [
    ("missingno:heatmap", correlate_nulls),
    ("missingno:dendrogram", compare_nulls),
]
