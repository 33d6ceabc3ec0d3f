"""Convert columns of Python objects that come from JSON and Excel files."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..arrow import columns_to_frame
from ..batch_inference import PlainText, infer_columns
from ..inference import infer_column
from ..limits import check_columns

Convert = Callable[[list[pa.ChunkedArray]], Iterator[pa.ChunkedArray]]


def frame_from_objects(frame: pd.DataFrame, convert: Convert = iter) -> pd.DataFrame:
    """Convert each column whose Python objects all have the same type."""
    check_columns(frame.shape[1])
    columns = [frame.iloc[:, at] for at in range(frame.shape[1])]
    arrays = [array_of(column) for column in columns]
    if not any(array is not None for array in arrays):
        return frame
    made = [
        column if array is None else pa.chunked_array([array])
        for column, array in zip(columns, arrays, strict=True)
    ]
    del columns, arrays
    joined = join_columns(range(len(made)), made, convert)
    joined.index, joined.columns = frame.index, frame.columns
    return joined


def array_of(values: Iterable[Any]) -> pa.Array | None:
    """Return Python objects as an Arrow array, or None if it would change them."""
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeError):
        return None
    # Arrow would give all objects of a column the same keys, and turn True into 1.0.
    if pa.types.is_nested(array.type):
        return None
    if pa.types.is_floating(array.type) and bool in set(map(type, values)):
        return None
    return array


def join_columns(
    names: Sequence[Any],
    columns: list[pa.ChunkedArray | pd.Series],
    convert: Convert = iter,
) -> pd.DataFrame:
    """Return a frame of Arrow columns and of columns of Python objects.

    Args:
        columns: is emptied, to free the memory of each column when it is converted.
        convert: is applied to the Arrow columns.
    """
    objects = {
        at: column.reset_index(drop=True)
        for at, column in enumerate(columns)
        if isinstance(column, pd.Series)
    }
    places = [at for at in range(len(columns)) if at not in objects]
    arrays = [columns[at] for at in places]
    columns.clear()
    if not objects:
        return columns_to_frame(names, convert(arrays))
    others = pd.DataFrame(objects, dtype=object, copy=False)
    if not places:
        return others.set_axis(names, axis=1)
    both = pd.concat([columns_to_frame(places, convert(arrays)), others], axis=1)
    ordered = both.iloc[:, np.argsort([*places, *objects])]
    return ordered.set_axis(names, axis=1)


def infer_dates(columns: list[pa.ChunkedArray]) -> Iterator[pa.ChunkedArray]:
    """Yield the columns, with text converted to dates where possible.

    Each column is removed from the list when it is yielded, to free its memory.
    """
    texts = [at for at, each in enumerate(columns) if pa.types.is_string(each.type)]
    converted = infer_columns([columns[at] for at in texts], only_dates=True)
    made = dict(zip(texts, converted, strict=True))
    for at in range(len(columns)):
        column, columns[at] = columns[at], None
        found = made.pop(at, PlainText)
        if found is None:
            yield infer_column(column, only_dates=True)
        else:
            yield column if found is PlainText else found


def width_of(data: Any) -> int:
    """Return how many columns the DataFrame of this JSON data will have."""
    if isinstance(data, dict):
        return len(data)
    names = {key for record in data if isinstance(record, dict) for key in record}
    lengths = (len(record) for record in data if isinstance(record, list))
    return max(len(names), *lengths, 1)
