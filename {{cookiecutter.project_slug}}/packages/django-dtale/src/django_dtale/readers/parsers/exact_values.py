"""Prepare Arrow columns that pandas would change or refuse.

For example, pandas converts integers in lists to floats if some are missing.
"""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

BOOL8 = "arrow.bool8"
UUID = "arrow.uuid"


def simplify(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the same values in a type that pandas converts exactly."""
    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == BOOL8:
            return column.cast(pa.int8()).cast(pa.bool_())
        if kind.extension_name == UUID or _has_pandas_dtype(kind):
            return column
        return simplify(column.cast(kind.storage_type))
    if pa.types.is_run_end_encoded(kind):
        return simplify(pc.run_end_decode(column))
    if pa.types.is_dictionary(kind) and not _are_categories(column):
        return simplify(
            pa.chunked_array(
                [each.dictionary_decode() for each in column.chunks], kind.value_type
            )
        )
    # Python's times have a precision of microseconds.
    if kind == pa.time64("ns"):
        try:
            return column.cast(pa.time64("us"))
        except pa.ArrowInvalid:
            return column.cast(pa.string())
    return column


def needs_objects(column: pa.ChunkedArray) -> bool:
    """Return whether pandas would change values of a column of lists or structs."""
    kind = column.type
    if not pa.types.is_nested(kind):
        return False
    is_list = (
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
    )
    # NumPy arrays of numbers are exact, and need less memory than Python objects.
    is_plain = is_list and (
        pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type)
    )
    if not is_plain:
        return True
    # In Arrow, a missing list of a fixed size still contains values.
    has_hidden = pa.types.is_fixed_size_list(kind) and column.null_count
    return bool(has_hidden or pc.list_flatten(column).null_count)


def to_objects(column: pa.ChunkedArray) -> pd.Series:
    """Return lists and structs as Python objects."""
    plain = column.cast(_with_text(column.type))
    values = np.fromiter(plain.to_pylist(), object, len(column))
    return pd.Series(values, dtype=object)


def _has_pandas_dtype(kind: pa.BaseExtensionType) -> bool:
    try:
        return isinstance(kind.to_pandas_dtype(), pd.api.extensions.ExtensionDtype)
    except NotImplementedError:
        return False


def _are_categories(column: pa.ChunkedArray) -> bool:
    """Return whether the dictionary of a column can become pandas categories."""
    kind = column.type.value_type
    if pa.types.is_nested(kind) or _is_nanosecond_time(kind):
        return False
    if pa.types.is_timestamp(kind) and kind.tz:  # pandas would drop the time zone.
        return False
    return all(
        not chunk.dictionary.null_count
        and len(pc.unique(chunk.dictionary)) == len(chunk.dictionary)
        and not _has_nan(chunk.dictionary)
        for chunk in column.chunks
    )


def _has_nan(values: pa.Array) -> bool:
    return pa.types.is_floating(values.type) and pc.any(pc.is_nan(values)).as_py()


def _is_nanosecond_time(kind: pa.DataType) -> bool:
    return kind == pa.time64("ns")


def _with_text(kind: Any) -> pa.DataType:
    """Return a nested type in which text replaces times of day in nanoseconds."""
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_with_text(field.type)) for field in kind])
    if pa.types.is_map(kind):
        return pa.map_(_with_text(kind.key_type), _with_text(kind.item_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(_with_text(kind.value_type), kind.list_size)
    for is_list, make in LISTS:
        if is_list(kind):
            return make(_with_text(kind.value_type))
    return pa.string() if _is_nanosecond_time(kind) else kind


LISTS = [
    (pa.types.is_list, pa.list_),
    (pa.types.is_large_list, pa.large_list),
    (pa.types.is_list_view, pa.list_view),
    (pa.types.is_large_list_view, pa.large_list_view),
]
