"""Convert each Python object to a number for its type and a text, and back."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

BYTES_OF_A_VALUE = 100  # A Decimal takes 104, a time 40, and a reference to it 8.


def _of_numpy(kind):
    """Return functions that convert NumPy scalars to their bytes as text, and back."""
    dtype = np.dtype(kind)

    def read(text):
        [value] = np.frombuffer(bytes.fromhex(text), dtype)
        return value

    return (lambda value: value.tobytes().hex()), read


# The types of values that ``make_displayable`` leaves unchanged, with functions that
# write and read them. The number of a type is its position.
CODED: dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]] = {
    type(None): (lambda value: "", lambda text: None),
    type(pd.NA): (lambda value: "", lambda text: pd.NA),
    type(pd.NaT): (lambda value: "", lambda text: pd.NaT),
    str: (str, str),
    bool: (lambda value: "true" if value else "", bool),
    # Python limits the number of digits of decimal integers.
    int: (hex, lambda text: int(text, 16)),
    float: (repr, float),
    complex: (repr, complex),
    Decimal: (str, Decimal),
    datetime.date: (str, datetime.date.fromisoformat),
    datetime.time: (str, datetime.time.fromisoformat),
    UUID: (str, UUID),
    **{
        kind: _of_numpy(kind)
        for kind in (np.bool_, np.int8, np.int16, np.int32, np.int64)
    },
    **{kind: _of_numpy(kind) for kind in (np.uint8, np.uint16, np.uint32, np.uint64)},
    **{kind: _of_numpy(kind) for kind in (np.float16, np.float32, np.float64)},
    **{kind: _of_numpy(kind) for kind in (np.complex64, np.complex128)},
}
NUMBERS = {kind: number for number, kind in enumerate(CODED)}
READERS = [read for _, read in CODED.values()]


def can_be_serialized(column: pd.Series) -> bool:
    """Return whether all values of a Series of objects have one of these types."""
    return set(map(type, column)) <= CODED.keys()


def write_objects(column: pd.Series) -> tuple[np.ndarray, pa.Array]:
    """Return the numbers for the types of the values, and the texts of the values."""
    kinds = np.fromiter((NUMBERS[type(each)] for each in column), "uint8", len(column))
    texts = [CODED[type(each)][0](each) for each in column]
    return kinds, pa.array(texts, pa.large_string())


def read_objects(kinds: np.ndarray, texts: pa.ChunkedArray) -> np.ndarray:
    """Return the values that ``write_objects`` converted to these arrays."""
    values = np.empty(len(kinds), object)
    for at, (kind, text) in enumerate(
        zip(kinds.tolist(), texts.to_pylist(), strict=True)
    ):
        values[at] = READERS[kind](text)
    return values
