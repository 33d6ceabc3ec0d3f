"""Tables of ibis, DuckDB and Arrow, which are read where they are.

ibis and DuckDB are optional, and are never imported here: an object of such a package
exists only if the site has imported the package.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import dataset

from ..arrow import to_pandas


class IbisTable:
    """A table expression of ibis, on any of its engines."""

    def __init__(self, expression: Any) -> None:
        self.expression = expression.as_table()
        self.columns = len(self.expression.columns)

    def count(self) -> int:
        return int(self.expression.count().execute())

    def head(self, rows: int) -> pd.DataFrame:
        return to_pandas(self.expression.limit(rows).to_pyarrow())

    def sample(self, rows: int, total: int) -> pd.DataFrame:
        sample = self.expression.sample(rows / total)
        return to_pandas(sample.limit(rows).to_pyarrow())


class DuckDBTable:
    """A relation of DuckDB."""

    VIEW = "django_dtale_rows"  # DuckDB would replace another view of this name.

    def __init__(self, relation: Any) -> None:
        self.relation = relation
        self.columns = len(relation.columns)

    def count(self) -> int:
        return self.relation.aggregate("count(*)").fetchall()[0][0]

    def head(self, rows: int) -> pd.DataFrame:
        return to_pandas(pa.table(self.relation.limit(rows)))

    def sample(self, rows: int, total: int) -> pd.DataFrame:
        query = f"FROM {self.VIEW} USING SAMPLE reservoir({rows} ROWS)"
        return to_pandas(pa.table(self.relation.query(self.VIEW, query)))


class ArrowDataset:
    """A dataset of Arrow, such as a directory of Parquet files."""

    def __init__(self, data: dataset.Dataset) -> None:
        self.data = data
        self.columns = len(data.schema)

    def count(self) -> int:
        return self.data.count_rows()

    def head(self, rows: int) -> pd.DataFrame:
        return to_pandas(self.data.head(rows, **self._options()))

    def sample(self, rows: int, total: int) -> pd.DataFrame:
        """Return random rows. Arrow cannot draw them, so this reads all batches."""
        batches = self._draw(rows / total)
        return to_pandas(pa.Table.from_batches(batches, self.data.schema)[:rows])

    def _draw(self, fraction: float) -> Iterator[pa.RecordBatch]:
        random = np.random.default_rng()
        for batch in self.data.to_batches(**self._options()):
            drawn = random.random(len(batch)) < fraction
            yield batch.filter(pa.array(drawn))

    def _options(self) -> dict[str, Any]:
        """Return options with which Arrow reads only as much ahead as it needs.

        With its defaults, Arrow would read hundreds of megabytes of a Parquet file.
        """
        options: dict[str, Any] = {"batch_readahead": 1, "fragment_readahead": 1}
        if isinstance(getattr(self.data, "format", None), dataset.ParquetFileFormat):
            scan = dataset.ParquetFragmentScanOptions(pre_buffer=False)
            options["fragment_scan_options"] = scan
        return options
