"""Read Parquet and Feather files."""

from typing import IO

import pandas as pd
import pyarrow.feather
import pyarrow.parquet

from ..arrow import to_pandas
from ..limits import check_columns


def read_parquet(file: IO[bytes]) -> pd.DataFrame:
    """Read a Parquet file."""
    check_columns(len(pyarrow.parquet.read_schema(file)))
    file.seek(0)
    return to_pandas(pyarrow.parquet.read_table(file))


def read_feather(file: IO[bytes]) -> pd.DataFrame:
    """Read a Feather file."""
    table = pyarrow.feather.read_table(file)
    check_columns(table.num_columns)
    return to_pandas(table)
