"""Convert Arrow tables to DataFrames without changing any value."""

from collections.abc import Container, Iterable, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from .parsers.exact_values import needs_objects, simplify, to_objects
from .parsers.pandas_metadata import with_valid_metadata

# Without these nullable dtypes, Arrow converts integers and booleans with missing
# values to floats and objects.
NULLABLE = {
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}

# The identifiers of types that pandas converts exactly.
PLAIN = {
    kind.id
    for kind in (*NULLABLE, pa.float32(), pa.float64(), pa.string(), pa.timestamp("us"))
}

# Short columns are converted together, up to NBYTES bytes at a time.
SHORT = 4_096  # Rows.
NBYTES = 8 << 20


def to_pandas(table: pa.Table, nullable: Container[str] = ()) -> pd.DataFrame:
    """Return an Arrow table as a DataFrame.

    Dates become datetime64, decimals stay ``Decimal`` objects, integers and booleans
    with missing values become Int64 and boolean, text becomes str, and lists and
    structs become Python objects.

    Args:
        table: if pandas stored an index in its metadata, this index is restored.
        nullable: the names of columns that get a nullable dtype even if they have no
            missing values.
    """
    names = table.column_names
    if len(set(names)) < len(names):  # pandas would give all of them the same dtype.
        table = table.replace_schema_metadata(None).rename_columns(
            [str(at) for at in range(len(names))]
        )
        again = {str(at) for at, name in enumerate(names) if name in nullable}
        return to_pandas(table, again).set_axis(names, axis="columns")
    table = with_valid_metadata(_simplified(table))
    objects = [at for at in _special(table) if needs_objects(table.column(at))]
    index = (table.schema.pandas_metadata or {}).get("index_columns", ())
    if objects:
        plain = _with_columns(table, {at: pa.nulls(len(table)) for at in objects})
        frame = to_pandas(plain, nullable)
        places = [at for at, name in enumerate(table.column_names) if name not in index]
        for at in objects:
            values = to_objects(table.column(at))
            frame.isetitem(places.index(at), values.set_axis(frame.index))
        return frame
    gaps = [
        at
        for at, (name, column) in enumerate(
            zip(table.column_names, table.columns, strict=True)
        )
        if (column.null_count or name in nullable) and column.type in NULLABLE
    ]
    is_in_index = any(table.column_names[at] in index for at in gaps)
    if not gaps:
        frame = table.to_pandas(date_as_object=False)
    elif is_in_index or (index and len(gaps) == table.num_columns):
        frame = table.to_pandas(types_mapper=NULLABLE.get, date_as_object=False)
    else:
        # Arrow converts columns with NumPy dtypes together, but columns with nullable
        # dtypes one by one.
        places = sorted(set(range(table.num_columns)) - set(gaps))
        whole = pd.DataFrame(index=range(len(table)))
        if places:
            whole = to_pandas(table.select(places), nullable)
        arrays = {at: _nullable(table.column(at)) for at in gaps}
        with_gaps = pd.DataFrame(arrays, whole.index, copy=False)
        with_gaps.columns = table.select(gaps).slice(0, 0).to_pandas().columns
        both = pd.concat([whole, with_gaps], axis=1) if places else with_gaps
        columns = [at for at in places if table.column_names[at] not in index]
        return both.iloc[:, np.argsort([*columns, *gaps])]
    known = set(NULLABLE.values())
    for at, (name, dtype) in enumerate(frame.dtypes.items()):
        if dtype in known and name not in nullable and not frame.iloc[:, at].hasnans:
            frame.isetitem(at, frame.iloc[:, at].astype(dtype.numpy_dtype))
    return frame


def _special(table):
    """Return the positions of columns whose types may need a special conversion."""
    return [at for at, kind in enumerate(table.schema.types) if kind.id not in PLAIN]


def _simplified(table):
    simple = {at: simplify(table.column(at)) for at in _special(table)}
    changed = {
        at: column
        for at, column in simple.items()
        if column.type != table.column(at).type
    }
    return _with_columns(table, changed)


def _with_columns(table, columns):
    for at, column in columns.items():
        table = table.set_column(at, table.column_names[at], column)
    return table


def _nullable(column):
    """Return a column as a nullable pandas array."""
    array = column.combine_chunks()
    missing = array.is_null().to_numpy(zero_copy_only=False)
    filled = array.fill_null(pa.scalar(0).cast(column.type))
    values = filled.to_numpy(zero_copy_only=False)
    make = NULLABLE[column.type].construct_array_type()
    return make(np.array(values), missing)  # Arrow's array is read-only: copy it.


def columns_to_frame(
    names: Sequence, columns: Iterable[pa.ChunkedArray]
) -> pd.DataFrame:
    """Return Arrow columns as a DataFrame.

    The columns are converted a few at a time, so that memory never holds all of them
    twice. Each long column gets its own array: editing one does not copy the others.

    Args:
        columns: an iterator, which should not keep references to the columns that it
            has yielded.
    """
    pieces, batch, nbytes = [], [], 0
    for column in columns:
        is_long, nbytes = len(column) > SHORT, nbytes + column.nbytes
        batch.append(column)
        del column
        if is_long or nbytes > NBYTES:
            pieces.append(_frame_of(batch))
            batch, nbytes = [], 0
    if batch:
        pieces.append(_frame_of(batch))
    frame = pd.concat(pieces, axis=1) if len(pieces) > 1 else pieces[0]
    return frame.set_axis(names, axis=1)


def _frame_of(batch):
    table = pa.table(batch, names=[str(at) for at in range(len(batch))])
    batch.clear()
    frame = to_pandas(table)
    del table
    pa.default_memory_pool().release_unused()
    return frame
