"""Python's objects as a number for their kind and a text, and back."""

import datetime
from decimal import Decimal
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa

BYTES_OF_A_VALUE = 100  # A Decimal takes 104, a time 40, and the pointer to it 8.


def _of_numpy(kind):
    """NumPy's scalars are their bytes."""
    dtype = np.dtype(kind)

    def read(text):
        [value] = np.frombuffer(bytes.fromhex(text), dtype)
        return value

    return (lambda value: value.tobytes().hex()), read


# Which kinds of values ``kinds.prepare`` leaves as they are, with what writes and what
# reads them. The number of a kind is its place.
CODED = {
    type(None): (lambda value: "", lambda text: None),
    type(pd.NA): (lambda value: "", lambda text: pd.NA),
    type(pd.NaT): (lambda value: "", lambda text: pd.NaT),
    str: (str, str),
    bool: (lambda value: "true" if value else "", bool),
    int: (hex, lambda text: int(text, 16)),  # Python reads few decimal digits at once.
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


def can_be_written(column):
    """Say whether all values of a Series of objects are of these kinds."""
    return set(map(type, column)) <= CODED.keys()


def write_objects(column):
    """Return the values of a Series as two arrays: NumPy's of numbers, Arrow's of texts."""
    kinds = np.fromiter((NUMBERS[type(each)] for each in column), "uint8", len(column))
    texts = [CODED[type(each)][0](each) for each in column]
    return kinds, pa.array(texts, pa.large_string())


def read_objects(kinds, texts):
    """Return the values (``numpy.ndarray`` of objects) of two such arrays."""
    values = np.empty(len(kinds), object)
    for at, (kind, text) in enumerate(
        zip(kinds.tolist(), texts.to_pylist(), strict=True)
    ):
        values[at] = READERS[kind](text)
    return values
