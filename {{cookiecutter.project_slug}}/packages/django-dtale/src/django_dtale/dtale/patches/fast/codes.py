"""The sorted distinct values of a column, and the position of each row's value in them."""

import weakref
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..columns import FEW

# The codes and the values of texts, or None if there are many different ones, keyed by the
# ID of the Arrow array. The array never changes, and its entry is dropped together with it.
_known: dict[int, tuple[np.ndarray, Any] | None] = {}


def codes_of(column: pd.Series) -> tuple[np.ndarray, Any] | None:
    """Return the code of each row and the values, which have the dtype of the column.

    A missing value has the code -1. The result is None if the dtype is not supported here,
    or if there are many different texts.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        values = pd.Categorical.from_codes(range(len(dtype.categories)), dtype=dtype)
        return column.cat.codes.to_numpy(), values
    if has_arrow_texts(column):
        return _codes_of_texts(column)
    if isinstance(dtype, np.dtype) and dtype.kind in "biufM":
        return pd.factorize(column, sort=True)
    return None


def count_distinct(column: pd.Series, dropna: bool = True) -> int:
    """Return the same number as ``Series.nunique``."""
    found = _codes_of_texts(column) if has_arrow_texts(column) else None
    if found is None:
        return column.nunique(dropna=dropna)
    codes, values = found
    return len(values) + bool(not dropna and (codes < 0).any())


def has_arrow_texts(column: pd.Series) -> bool:
    """Return whether a column has the dtype of texts that Arrow stores."""
    dtype = column.dtype
    return isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow"


def _codes_of_texts(column):
    texts = column.array.__arrow_array__()
    if id(texts) not in _known:
        _known[id(texts)] = _encode(pa.chunked_array(texts), column.dtype)
        weakref.finalize(texts, _known.pop, id(texts), None)
    return _known[id(texts)]


def _encode(texts, dtype):
    if pc.count_distinct(texts[:FEW]).as_py() > FEW // 2:
        return None
    encoded = texts.combine_chunks().dictionary_encode()
    order = pc.array_sort_indices(encoded.dictionary)
    most = len(order)
    # The last rank is that of missing values.
    ranks = np.full(most + 1, -1, np.min_scalar_type(-most - 1))
    ranks[order.to_numpy()] = np.arange(most)
    codes = ranks[encoded.indices.fill_null(most).to_numpy()]
    return codes, pd.array(encoded.dictionary.take(order), dtype=dtype)
