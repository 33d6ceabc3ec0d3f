"""Read Parquet and Feather files."""

from typing import IO

import pandas as pd
import pyarrow.feather
import pyarrow.parquet

from ..arrow import to_pandas
from ..limits import check_columns


def read_parquet(file: IO[bytes]) -> pd.DataFrame:
    """Read a Parquet file."""
    # Unlike `read_table`, it accepts several columns with the same name.
    parquet = pyarrow.parquet.ParquetFile(file, pre_buffer=True)
    check_columns(len(parquet.schema_arrow))
    return to_pandas(parquet.read())


def read_feather(file: IO[bytes]) -> pd.DataFrame:
    """Read a Feather file."""
    table = pyarrow.feather.read_table(file)
    check_columns(table.num_columns)
    return to_pandas(table)
