"""Correct the metadata that pandas stores in Parquet and Feather files."""

import functools
import json

import pandas as pd
import pyarrow as pa


def with_valid_metadata(table: pa.Table) -> pa.Table:
    """Return a table whose metadata pandas can read.

    pandas writes the names of some Arrow dtypes, such as "list<item: int64>[pyarrow]",
    and cannot read them. Such columns get their usual dtype.
    """
    metadata = table.schema.pandas_metadata
    if not metadata:
        return table
    unknown = [
        column for column in metadata["columns"] if not _is_dtype(column["numpy_type"])
    ]
    if not unknown:
        return table
    for column in unknown:
        column["numpy_type"] = "object"
    others = table.schema.metadata
    return table.replace_schema_metadata({**others, b"pandas": json.dumps(metadata)})


@functools.lru_cache(1_000)
def _is_dtype(name: str) -> bool:
    try:
        pd.api.types.pandas_dtype(name)
    except (TypeError, ValueError, NotImplementedError):
        return False
    return True
