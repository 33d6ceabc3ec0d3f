"""Infer the types of many columns of text at once.

The results are the same as those of ``inference``, which converts one column after
another. For short columns, Arrow takes longer to prepare a conversion than to do it.
This module therefore guesses the type of each column from its first values, and
converts all columns of one type together. If that fails, ``inference`` has to convert
the column.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from . import inference
from .grid import Grid
from .inference import USUAL, Rules

FIRST = 32  # The guess looks at this number of values of each column.
MANY = 4_096  # Columns of this length are converted just as fast one by one.
NBYTES = 8 << 20  # Bytes of text to convert together, to limit memory use.

INTEGER = r"^-?[0-9]{1,18}$"
POINT = rf"{INTEGER}|^-?([0-9]+\.[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
COMMA = rf"{INTEGER}|^-?[0-9.]*,[0-9]+$"
BOOLEAN = r"(?i)^(true|false)$"
TIME = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"
)
# Only text begins like this, or a date that begins with the name of a month.
WORD = r"(?i)^([^0-9+\-.,tfin]|t[^r]|f[^a]|i[^n]|n[^a])"
MONTH = r"(?i)^(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"


class PlainText:
    """Sentinel: the column is text, regardless of its remaining values."""


@dataclass(frozen=True)
class Block:
    """Columns that were converted together.

    Attributes:
        places: the positions of the columns.
        made: their values, column after column, or PlainText.
    """

    places: np.ndarray
    made: Any

    @property
    def is_solid(self) -> bool:
        """Return whether the columns can share a NumPy array."""
        made = self.made
        return made is not PlainText and (
            not made.null_count or made.type == pa.float64()
        )

    def columns(self) -> Iterator[tuple[int, Any]]:
        """Yield the position and the ``pyarrow.ChunkedArray`` of each column."""
        places = self.places.tolist()
        if self.made is PlainText:
            return zip(places, itertools.repeat(PlainText))
        rows = len(self.made) // len(places)
        return zip(places, Grid(self.made, rows).columns, strict=True)

    def frame(self) -> pd.DataFrame:
        """Return solid columns as a frame whose column names are their positions."""
        values = self.made.to_numpy(zero_copy_only=False)
        shared = np.require(values.reshape(len(self.places), -1), requirements="W")
        return pd.DataFrame(shared.T, columns=self.places, copy=False)


def infer_columns(
    columns: list[pa.ChunkedArray], rules: Rules = USUAL, only_dates: bool = False
) -> list[Any]:
    """Infer columns as ``inference.infer_column`` and ``inference.infer_part`` do.

    Args:
        columns: columns of strings, all of the same length.
        rules, only_dates: see ``inference.infer_column``.

    Returns:
        For each column the converted ``pyarrow.ChunkedArray``, PlainText, or None if
        this function could not infer its type.
    """
    found: list[Any] = [None] * len(columns)
    rows = len(columns[0]) if columns else 0
    if not 0 < rows < MANY:
        return found
    nbytes = sum(column.nbytes for column in columns)
    at_once = 1 + len(columns) * NBYTES // max(nbytes, NBYTES)
    for start in range(0, len(columns), at_once):
        grid = Grid.of(columns[start : start + at_once], rows)
        for block in infer_blocks(grid, rules, only_dates):
            for at, made in block.columns():
                found[start + at] = made
    return found


def infer_blocks(
    grid: Grid, rules: Rules = USUAL, only_dates: bool = False
) -> Iterator[Block]:
    """Infer the columns of a grid as ``infer_columns`` does.

    Columns whose type this function could not infer are in no block.
    """
    if 0 < grid.rows < MANY:
        for convert, places in _guesses(grid, rules, only_dates):
            if convert is PlainText:
                yield Block(places, PlainText)
            else:
                yield from _convert_together(convert, grid, places, rules)


def _guesses(
    grid: Grid, rules: Rules, only_dates: bool
) -> Iterator[tuple[Any, np.ndarray]]:
    """Yield conversions and the positions of the columns that each probably fits."""
    heads = grid.head(FIRST)
    words = Grid(inference._clean(heads.cells), heads.rows)
    missing = np.asarray(words.cells.is_null()).reshape(words.shape)
    left = np.flatnonzero(~missing.all(axis=1))

    def matching(pattern):
        cells = words.select(left).cells
        matched = pc.match_substring_regex(cells, pattern).fill_null(False)
        return np.asarray(matched).reshape(len(left), words.rows)

    number = POINT if rules.decimal == "." else COMMA
    patterns = [(_integers, INTEGER), (_floats, number), (_booleans, BOOLEAN)]
    for convert, pattern in [*([] if only_dates else patterns), (_times, TIME)]:
        is_found = (matching(pattern) | missing[left]).all(axis=1)
        yield convert, left[is_found]
        left = left[~is_found]
        if not len(left):
            return
    is_word = matching(WORD) & ~matching(MONTH)
    yield PlainText, left[is_word.any(axis=1)]


def _convert_together(
    convert: Any, grid: Grid, places: np.ndarray, rules: Rules
) -> Iterator[Block]:
    """Yield the columns that can be converted.

    If converting all of them together fails, try each half separately.
    """
    if len(places) < 2:
        return
    cells = grid.select(places).cells
    made = convert(cells, rules)
    if made is None:
        made = convert(inference._clean(cells), rules)
    if made is not None:
        yield Block(places, made)
        return
    for half in np.array_split(places, 2):
        yield from _convert_together(convert, grid, half, rules)


# Conversions: each returns None if it cannot convert one of the strings ---------------


def _numbers(words, kind, rules):
    if inference.has_identifier(words):
        return None
    if rules.decimal != ".":
        words = inference._with_point(words, rules)
    return inference._cast(words, kind)


def _integers(words, rules):
    return _numbers(words, pa.int64(), rules)


def _floats(words, rules):
    floats = _numbers(words, pa.float64(), rules)
    # Leave NaN and large numbers to ``inference``.
    is_sure = floats is not None and pc.max(pc.abs(floats)).as_py() < 1e15
    return floats if is_sure and not inference._any(pc.is_nan(floats)) else None


def _booleans(words, rules):
    return inference._cast(words, pa.bool_())


def _times(words, rules):
    return inference._cast(words, inference.TIMESTAMPS[0])
