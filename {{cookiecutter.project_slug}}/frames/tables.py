"""From an Arrow table to a DataFrame, without a value that changes on the way."""

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
    frame = table.to_pandas(types_mapper=NULLABLE.get, date_as_object=False)
    known = set(NULLABLE.values())
    for at, (name, dtype) in enumerate(frame.dtypes.items()):
        if dtype in known and name not in nullable and not frame.iloc[:, at].hasnans:
            frame.isetitem(at, frame.iloc[:, at].astype(dtype.numpy_dtype))
    return frame


def columns_to_frame(names, columns):
    """The same of columns, one after the other, so that they are not in memory twice.

    Args:
        names: list of str.
        columns: iterable of ``pyarrow.ChunkedArray``, which does not hold what it has
            given.

    Returns:
        pandas.DataFrame
    """
    made = {}
    for at, column in enumerate(columns):
        made[at] = table_to_frame(pa.table([column], names=["column"]))["column"]
        del column
        pa.default_memory_pool().release_unused()
    return pd.DataFrame(made, copy=False).set_axis(names, axis=1)
