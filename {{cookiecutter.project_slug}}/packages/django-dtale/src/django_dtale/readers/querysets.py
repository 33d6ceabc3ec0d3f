"""Read a QuerySet into a DataFrame, without creating model instances.

Django converts each value to a Python object, one by one. This module passes all values
of a column from the database driver to Arrow at once, and uses Django's converters only
where Arrow cannot convert the values itself.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import connections
from django.db.models import Field, QuerySet
from django.db.models.expressions import Col
from django.db.models.query import ModelIterable

from .arrow import to_pandas

CHUNK = 20_000  # Rows: enough for Arrow to be fast, without using much memory.
BATCH = 1_000  # Related objects to load in one query, for their text.

TIMESTAMP = pa.timestamp("us")

ARROW = {
    **dict.fromkeys(
        [
            *("AutoField", "BigAutoField", "SmallAutoField"),
            *("IntegerField", "BigIntegerField", "SmallIntegerField"),
            *("PositiveIntegerField", "PositiveBigIntegerField"),
            "PositiveSmallIntegerField",
        ],
        pa.int64(),
    ),
    **dict.fromkeys(
        ["CharField", "TextField", "SlugField", "FileField", "FilePathField"],
        pa.large_string(),
    ),
    "BinaryField": pa.large_binary(),
    "BooleanField": pa.bool_(),
    "DateField": pa.date32(),
    "DateTimeField": TIMESTAMP,
    "DurationField": pa.duration("us"),
    "FloatField": pa.float64(),
    "TimeField": pa.time64("us"),
}


def read_queryset(queryset: QuerySet) -> pd.DataFrame:
    """Read the rows of a QuerySet into a DataFrame.

    Dates and datetimes become datetime64 (in UTC with USE_TZ, as in Django), durations
    timedelta64, nullable integers Int64, and nullable booleans boolean. Decimals,
    UUIDs, times of day and JSON stay Python objects. A QuerySet of model instances
    gives a column for each field that Django would load and for each annotation. A
    foreign key ``customer`` gives two: ``customer_id``, and ``customer`` with the text
    of the related object.

    Args:
        queryset: may also use values() or values_list().
    """
    names, foreign_keys = columns_of(queryset)
    if issubclass(queryset._iterable_class, ModelIterable):
        queryset = queryset.values_list(*names)
    frame = _read(queryset, names)
    for field in foreign_keys:
        texts = _texts(field, frame[field.attname], queryset.db)
        frame.insert(frame.columns.get_loc(field.attname) + 1, field.name, texts)
    return frame


def columns_of(queryset: QuerySet) -> tuple[list[str], list[Field]]:
    """Return the selected columns, and the foreign keys that get a second column."""
    query = queryset.query
    if issubclass(queryset._iterable_class, ModelIterable):
        fields = [
            f for f in queryset.model._meta.concrete_fields if _is_loaded(f, query)
        ]
        names = [field.attname for field in fields]
        names += [*query.extra_select, *query.annotation_select]
        return names, [f for f in fields if f.many_to_one or _is_one_to_one(f)]
    names = list(getattr(query, "selected", None) or ()) or [
        *query.extra_select,
        *query.values_select,
        *query.annotation_select,
    ]
    return names, []


def _is_loaded(field: Field, query: Any) -> bool:
    """Return whether a field is loaded in spite of only() and defer()."""
    names, is_deferred = query.deferred_loading
    is_named = bool(names & {field.name, field.attname})
    return field.primary_key or is_named != is_deferred


def _is_one_to_one(field: Any) -> bool:
    return field.one_to_one and not field.remote_field.parent_link


def _read(queryset, names):
    connection = connections[queryset.db]
    compiler = queryset.query.get_compiler(queryset.db)
    use_server = not connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    rows = compiler.execute_sql(chunked_fetch=use_server, chunk_size=CHUNK)
    expressions = [select[0] for select in compiler.select[: compiler.col_count]]
    converters = compiler.get_converters(expressions)
    columns = [
        Column(name, expression, converters.get(at, ((),))[0], connection)
        for at, (name, expression) in enumerate(zip(names, expressions, strict=True))
    ]
    for chunk in rows:
        for column, values in zip(columns, zip(*chunk, strict=True), strict=True):
            column.add(values)
    return _frame(columns)


class Column:
    """The values of a selected expression that have been read so far.

    Attributes:
        is_nullable: whether the field is nullable.
        kind: the Arrow type, None for Python objects.
        chunks: Arrow arrays, or lists of Python objects.
    """

    def __init__(
        self,
        name: str,
        expression: Any,
        converters: Sequence[Callable],
        connection: Any,
    ) -> None:
        self.name = name
        self.expression, self.converters = expression, converters
        self.connection = connection
        try:
            field = getattr(expression, "output_field", None)
        except FieldError:
            field = None
        self.is_nullable = getattr(getattr(expression, "target", field), "null", False)
        self.is_unknown = type(field) in (Field, type(None))
        while field is not None and field.is_relation:
            field = field.target_field
        # A GeneratedField has an output field.
        field = getattr(field, "output_field", field)
        self.kind = field and ARROW.get(field.get_internal_type())
        is_in_utc = not settings.USE_TZ or connection.timezone_name == "UTC"
        # The values of functions, and of fields with from_db_value(), need conversion.
        self.is_raw = isinstance(expression, Col) and not hasattr(
            field, "from_db_value"
        )
        if self.kind == TIMESTAMP:
            self.is_raw &= is_in_utc
            if settings.USE_TZ:
                self.kind = pa.timestamp("us", connection.timezone_name)
        self.chunks: list[pa.Array | list] = []

    def add(self, values: tuple) -> None:
        """Add values that the database driver has returned."""
        if self.kind is None or not (self.is_raw or not self.converters):
            self.chunks.append(self.converted(values))
            return
        try:
            self.chunks.append(_array(values, self.kind))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            self.chunks.append(self.converted(values))

    def converted(self, values: Sequence) -> pa.Array | list:
        """Return the values, converted by Django, as an Arrow array if possible."""
        for convert in self.converters:
            values = [convert(v, self.expression, self.connection) for v in values]
        if self.kind is not None:
            try:
                return pa.array(values, self.kind)
            except (pa.ArrowException, TypeError, ValueError, OverflowError):
                self.kind = None  # The values do not have the type of the field.
        return list(values)

    def objects(self) -> pd.Series:
        """Return all values as a Series of Python objects."""
        values: list = []
        for chunk in self.chunks:
            values += chunk.to_pylist() if isinstance(chunk, pa.Array) else chunk
        made = pd.Series(values, dtype=object)
        return made.infer_objects() if self.is_unknown else made


def _array(values, kind):
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, TypeError):
        if not (pa.types.is_temporal(kind) or pa.types.is_boolean(kind)):
            raise
    # Databases without such a type return text or numbers.
    array = pa.array(values)
    return array.cast(TIMESTAMP).cast(kind) if _has_zone(kind) else array.cast(kind)


def _has_zone(kind):
    return pa.types.is_timestamp(kind) and kind.tz is not None


def _frame(columns):
    arrays = {c.name: pa.chunked_array(c.chunks, c.kind) for c in columns if c.kind}
    nullable = {column.name for column in columns if column.is_nullable}
    frame = to_pandas(pa.table(arrays), nullable)
    objects = {column.name: column.objects() for column in columns if not column.kind}
    frame = pd.concat([frame, pd.DataFrame(objects)], axis="columns")
    return frame[[column.name for column in columns]]


def _texts(field, ids, using):
    """Return the text of the related object for each id of a foreign key."""
    related = field.target_field
    manager = related.model._base_manager.using(using)
    distinct = ids.dropna().unique().tolist()
    texts = {}
    for start in range(0, len(distinct), BATCH):
        batch = distinct[start : start + BATCH]
        for instance in manager.filter(**{f"{related.attname}__in": batch}):
            texts[getattr(instance, related.attname)] = str(instance)
    return ids.map(texts).astype("str")
