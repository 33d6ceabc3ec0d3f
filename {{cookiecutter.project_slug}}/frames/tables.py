"""From an Arrow table to a DataFrame, without a value that changes on the way."""

import numpy as np
import pandas as pd
import pyarrow as pa

# pandas' own kinds that know missing values: Arrow would make floats and objects of
# integers and booleans with some.
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

SHORT = 4_096  # Rows of columns that are converted together, and
NBYTES = 8 << 20  # their bytes.


def table_to_frame(table, nullable=()):
    """Return an Arrow table as a DataFrame.

    Dates become datetime64, Decimals stay, integers and booleans with missing values
    are Int64 and boolean, text is str.

    Args:
        table: ``pyarrow.Table``; an index that pandas has written into it comes back.
        nullable: names of columns that are to be of a kind which knows missing values
            although there are none.

    Returns:
        pandas.DataFrame
    """
    gaps = [
        at
        for at, (name, column) in enumerate(
            zip(table.column_names, table.columns, strict=True)
        )
        if column.type in NULLABLE and (column.null_count or name in nullable)
    ]
    index = (table.schema.pandas_metadata or {}).get("index_columns", ())
    is_in_index = any(table.column_names[at] in index for at in gaps)
    if not gaps:
        frame = table.to_pandas(date_as_object=False)
    elif is_in_index or (index and len(gaps) == table.num_columns):
        frame = table.to_pandas(types_mapper=NULLABLE.get, date_as_object=False)
    else:
        # Arrow converts columns of numpy's kinds together, and pandas' own one by one.
        places = sorted(set(range(table.num_columns)) - set(gaps))
        whole = pd.DataFrame(index=range(len(table)))
        if places:
            whole = table_to_frame(table.select(places), nullable)
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


def _nullable(column):
    """Return a column as an array of pandas' own kind, which knows missing values."""
    array = column.combine_chunks()
    missing = array.is_null().to_numpy(zero_copy_only=False)
    filled = array.fill_null(pa.scalar(0).cast(column.type))
    values = filled.to_numpy(zero_copy_only=False)
    make = NULLABLE[column.type].construct_array_type()
    return make(np.array(values), missing)  # A copy: Arrow's cannot be written to.


def columns_to_frame(names, columns):
    """The same of columns, a few after the other, so that they are not in memory twice.

    Long columns get an array each: an edit of one does not copy the others.

    Args:
        names: list of str.
        columns: iterable of ``pyarrow.ChunkedArray``, which does not hold what it has
            given.

    Returns:
        pandas.DataFrame
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
    frame = table_to_frame(table)
    del table
    pa.default_memory_pool().release_unused()
    return frame
