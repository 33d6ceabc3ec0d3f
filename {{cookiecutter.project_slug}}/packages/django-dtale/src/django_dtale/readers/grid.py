"""The values of many columns of text in a single array, to work on all of them at once.

An Arrow function takes much longer to be called than to process a short column.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Grid:
    """Columns of the same length.

    Attributes:
        cells: the values, column after column.
        rows: the length of each column.
        is_whole: these are all rows of a file.
    """

    cells: pa.Array
    rows: int
    is_whole: bool = False

    @classmethod
    def of(cls, columns: Iterable[pa.ChunkedArray], rows: int) -> Self:
        chunks = [chunk for column in columns for chunk in column.chunks]
        return cls(pa.concat_arrays(chunks), rows)

    @property
    def shape(self) -> tuple[int, int]:
        """Return the number of columns and of rows."""
        return len(self.cells) // self.rows, self.rows

    @property
    def columns(self) -> list[pa.ChunkedArray]:
        starts = range(0, len(self.cells), self.rows)
        cells, rows = self.cells, self.rows
        return [pa.chunked_array([cells.slice(start, rows)]) for start in starts]

    def select(self, places: Sequence[int] | np.ndarray) -> "Grid":
        """Return the columns at these positions, which are sorted."""
        if len(places) == self.shape[0]:
            return self
        starts = np.asarray(places, int)[:, None] * self.rows
        return self._taken(starts + np.arange(self.rows), self.rows)

    def head(self, rows: int) -> "Grid":
        """Return the first rows."""
        if rows >= self.rows:
            return self
        starts = np.arange(0, len(self.cells), self.rows)[:, None]
        return self._taken(starts + np.arange(rows), rows)

    def _taken(self, places, rows):
        return Grid(self.cells.take(pa.array(places.ravel())), rows, self.is_whole)
