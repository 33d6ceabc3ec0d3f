"""Rows of Django's databases, which count, limit and sample them."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.db import connections, transaction
from django.db.models import QuerySet
from django.db.models.functions import Random
from django.db.models.sql import Query

from ..arrow import to_pandas
from ..limits import check_cells
from ..querysets import CHUNK, columns_of, read_queryset
from .sql import Sql


class QuerySetTable:
    """The rows of a QuerySet."""

    def __init__(self, queryset: QuerySet) -> None:
        self.queryset = queryset
        names, foreign_keys = columns_of(queryset)
        self.columns = len(names) + len(foreign_keys)

    @property
    def is_grouped(self) -> bool:
        return self.queryset.query.group_by is not None

    def count(self) -> int:
        return self.queryset.count()

    def head(self, rows: int) -> pd.DataFrame:
        return read_queryset(self.queryset[:rows])

    def sample(self, rows: int, total: int) -> pd.DataFrame:
        query = self.queryset.query
        if query.is_sliced or query.distinct or query.combinator:
            raise ValueError(
                "A QuerySet with a slice, distinct() or union() cannot be sampled."
            )
        return read_queryset(self.queryset.order_by("?")[:rows])


class SqlTable:
    """The rows of a SQL query."""

    columns = 1  # The number is unknown until the query has run.

    def __init__(self, query: Sql) -> None:
        self.query = query
        self.connection = connections[query.using]
        # As a subquery, the text can only be a query: databases refuse any other
        # statement. The newline ends a comment at the end of the text.
        self.rows = f"({query.text.rstrip().rstrip(';')}\n) query_rows"

    def count(self) -> int:
        with self._cursor(f"SELECT COUNT(*) FROM {self.rows}") as cursor:
            return cursor.fetchone()[0]

    def head(self, rows: int) -> pd.DataFrame:
        return self._read(f"SELECT * FROM {self.rows}", rows)

    def sample(self, rows: int, total: int) -> pd.DataFrame:
        compiler = Query(None).get_compiler(self.query.using)
        random, __ = compiler.compile(Random())
        condition = f"{random} < {rows / total:.12f}"
        return self._read(f"SELECT * FROM {self.rows} WHERE {condition}", rows)

    def _read(self, statement: str, rows: int) -> pd.DataFrame:
        limit = self.connection.ops.limit_offset_sql(0, rows)
        columns: dict[int, list[pa.Array | list]] = defaultdict(list)
        count = 0
        with self._cursor(f"{statement} {limit}") as cursor:
            while chunk := cursor.fetchmany(CHUNK):
                count += len(chunk)
                check_cells(count, len(chunk[0]))
                for at, values in enumerate(zip(*chunk, strict=True)):
                    columns[at].append(self._array(values))
            names = [column[0] for column in cursor.description]
        data = {at: _series(columns[at]) for at in range(len(names))}
        return pd.DataFrame(data, range(count)).set_axis(names, axis="columns")

    def _array(self, values: tuple) -> pa.Array | list:
        """Return values as an Arrow array, or as a list if they stay Python objects."""
        # Arrow would give all decimals of a column the same number of digits.
        if any(isinstance(value, Decimal | dict) for value in values):
            return list(values)
        try:
            array = pa.array(values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return list(values)
        is_naive = pa.types.is_timestamp(array.type) and array.type.tz is None
        has_zones = self.connection.features.supports_timezones
        if is_naive and settings.USE_TZ and not has_zones:
            # Django stores times in the time zone of the connection.
            return pc.assume_timezone(array, self.connection.timezone_name)
        return array

    @contextlib.contextmanager
    def _cursor(self, statement: str) -> Iterator[Any]:
        """Run a statement that only reads, and yield its cursor."""
        connection = self.connection
        use_server = not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
        with contextlib.ExitStack() as stack:
            if connection.vendor == "postgresql":
                # A query can call functions that write. Inside another transaction,
                # only this savepoint is read-only.
                stack.enter_context(transaction.atomic(using=self.query.using))
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION READ ONLY")
            make = connection.chunked_cursor if use_server else connection.cursor
            cursor = stack.enter_context(make())
            cursor.execute(statement, self.query.params or None)
            yield cursor


def _series(chunks: list[pa.Array | list]) -> pd.Series:
    """Return the chunks of a column, whose types may differ, as a Series."""
    if not any(isinstance(chunk, list) for chunk in chunks):
        tables = [pa.table([chunk], names=["values"]) for chunk in chunks]
        with contextlib.suppress(pa.ArrowException):
            table = pa.concat_tables(tables, promote_options="permissive")
            return to_pandas(table)["values"]
    values: list = []
    for chunk in chunks:
        values += chunk if isinstance(chunk, list) else chunk.to_pylist()
    return pd.Series(values, dtype=object)
