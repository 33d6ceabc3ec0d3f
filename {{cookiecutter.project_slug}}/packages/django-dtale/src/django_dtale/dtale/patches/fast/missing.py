"""The picture of missing values of a large frame, without drawing each row."""

import numpy as np
import pandas as pd

# The picture has 1,000 rows of pixels. With this many rows of data, each pixel shows the same
# row as the picture of all rows, or one that is at most a tenth of a pixel away.
ROWS = 10_000


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
