"""Objects, querysets and files become DataFrames with the same values."""

import datetime
import json
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from django.db.models import Avg, Count, F, Max, functions

from django_dtale.readers import querysets
from django_dtale.readers.dataframe import (
    ImportOptions,
    SourceError,
    read_certain,
    read_file,
    to_dataframe,
)

TIME = datetime.datetime(2026, 3, 28, 1, 30, 0, 123456, datetime.UTC)
A = "datetime64[us, UTC]"


def dtypes(frame):
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


# Objects ------------------------------------------------------------------------------


def test_dataframe_is_returned_unchanged():
    frame = pd.DataFrame({"a": [1]})
    assert to_dataframe(frame) is frame


class Stream:
    """A table that only exports an Arrow stream, like those of Polars and DuckDB."""

    def __init__(self, columns):
        self.table = pa.table(columns)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class Foreign:
    def __init__(self, **methods):
        for name, result in methods.items():
            setattr(self, name, lambda result=result, **kwargs: result)


@pytest.mark.parametrize(
    "data, columns, rows",
    [
        (pd.Series([1, 2], name="a"), ["a"], [[1], [2]]),
        (pd.Series([1, 2], index=["x", "y"]), [0], [[1], [2]]),
        (pd.date_range("2026", periods=1, name="d"), ["d"], [[pd.Timestamp("2026")]]),
        (pd.MultiIndex.from_tuples([(1, "x")]), [0, 1], [[1, "x"]]),
        (pd.Index(["a", "b"]), [0], [["a"], ["b"]]),
        ([1, 2], [0], [[1], [2]]),
        ([{"a": 1}, {"a": 2}], ["a"], [[1], [2]]),
        ({"a": [1, 2]}, ["a"], [[1], [2]]),
        ({"a": 1, "b": 2}, [0], [[1], [2]]),
        ([], [], []),
        (np.arange(4).reshape(2, 2), [0, 1], [[0, 1], [2, 3]]),
        (pa.table({"a": [1, 2]}), ["a"], [[1], [2]]),
        (Stream({"a": [1], "b": ["x"]}), ["a", "b"], [[1, "x"]]),
        (pa.chunked_array([[1, 2]]), [0], [[1], [2]]),
        (Foreign(to_pandas=pd.DataFrame({"a": [1]})), ["a"], [[1]]),
        (Foreign(to_dataframe=pd.DataFrame({"a": [1]})), ["a"], [[1]]),
        (Foreign(to_pandas=pd.Series([1], name="a")), ["a"], [[1]]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_supported_objects_become_dataframes(data, columns, rows):
    frame = to_dataframe(data)
    assert list(frame.columns) == columns
    assert frame.values.tolist() == rows


def test_arrow_table_keeps_what_pandas_alone_would_change():
    frame = to_dataframe(
        Stream(
            {
                "large": [2**60 + 1, None],
                "flag": [True, None],
                "text": pa.array(["x", None], pa.string_view()),
                "day": [datetime.date(2026, 1, 1), None],
                "time": [TIME, None],
                "price": [Decimal("1.10"), None],
                "kind": pa.array(["u", "v"]).dictionary_encode(),
            }
        )
    )
    assert dtypes(frame) == {
        "large": "Int64",
        "flag": "boolean",
        "text": "str",
        "day": "datetime64[ms]",
        "time": A,
        "price": "object",
        "kind": "category",
    }
    assert frame.iloc[0].tolist()[:4] == [2**60 + 1, True, "x", pd.Timestamp("2026")]
    assert frame["price"][0] == Decimal("1.10")


@pytest.mark.parametrize("data", ["text", 1, None, object(), {1, 2}, lambda: 1])
def test_unsupported_type_is_named(data):
    with pytest.raises(
        TypeError, match=f"{type(data).__qualname__} is not supported.*Query"
    ):
        to_dataframe(data)


def test_array_of_three_dimensions_is_refused():
    with pytest.raises(TypeError, match="This ndarray is not a table"):
        to_dataframe(np.zeros((2, 2, 2)))


# QuerySets ----------------------------------------------------------------------------


class Customer(models.Model):
    name = models.CharField(max_length=20)

    class Meta:
        app_label = "tests"

    def __str__(self):
        return self.name


class Order(models.Model):
    customer = models.ForeignKey(Customer, models.CASCADE, null=True)
    number = models.BigIntegerField(null=True)
    count = models.PositiveSmallIntegerField()
    weight = models.FloatField(null=True)
    price = models.DecimalField(max_digits=9, decimal_places=2, null=True)
    paid = models.BooleanField(null=True)
    sent = models.BooleanField()
    text = models.TextField(null=True)  # noqa: DJ001
    day = models.DateField(null=True)
    time = models.DateTimeField(null=True)
    hour = models.TimeField(null=True)
    duration = models.DurationField(null=True)
    key = models.UUIDField(null=True)
    data = models.JSONField(null=True)
    raw = models.BinaryField(null=True)

    class Meta:
        app_label = "tests"

    def __str__(self):
        return f"{self.pk}"


FULL = {
    "number": 2**60 + 1,
    "count": 3,
    "weight": 0.5,
    "price": Decimal("1.10"),
    "paid": True,
    "sent": True,
    "text": "é",
    "day": datetime.date(1, 2, 3),
    "time": TIME,
    "hour": datetime.time(1, 2, 3, 4),
    "duration": datetime.timedelta(days=-1, microseconds=1),
    "key": uuid.UUID(int=7),
    "data": {"a": [1]},
    "raw": b"\xff\x00",
}
ORDER_DTYPES = {
    "id": "int64",
    "customer_id": "Int64",
    "customer": "str",
    "number": "Int64",
    "count": "int64",
    "weight": "float64",
    "price": "object",
    "paid": "boolean",
    "sent": "bool",
    "text": "str",
    "day": "datetime64[ms]",
    "time": A,
    "hour": "object",
    "duration": "timedelta64[us]",
    "key": "object",
    "data": "object",
    "raw": "object",
}


@pytest.fixture
def orders(transactional_db):
    """Create the tables of both models, with a complete order and an empty one."""
    with connection.schema_editor() as editor:
        for model in (Customer, Order):
            editor.create_model(model)
    ada = Customer.objects.create(name="Ada")
    Order.objects.create(customer=ada, **FULL)
    Order.objects.create(count=0, sent=False)
    yield Order.objects.order_by("pk")
    with connection.schema_editor() as editor:
        for model in (Order, Customer):
            editor.delete_model(model)


def test_fields_keep_their_dtypes_and_values(orders):
    frame = to_dataframe(orders)
    assert dtypes(frame) == ORDER_DTYPES
    first, second = frame.iloc[0], frame.iloc[1]
    assert first["customer"] == "Ada"
    for name, value in FULL.items():
        assert (
            pd.Timestamp(value) == first[name]
            if name == "day"
            else value == first[name]
        )
    missing = second.drop(["id", "count", "sent"])
    assert missing.isna().all()
    assert second[["count", "sent"]].tolist() == [0, False]


def test_empty_queryset_has_the_same_dtypes(orders):
    assert dtypes(to_dataframe(orders.none())) == ORDER_DTYPES
    assert dtypes(to_dataframe(orders.filter(count=99))) == ORDER_DTYPES


def test_queryset_is_read_in_chunks(orders, monkeypatch):
    monkeypatch.setattr(querysets, "CHUNK", 2)
    monkeypatch.setattr(querysets, "BATCH", 2)
    customers = [Customer.objects.create(name=f"c{number}") for number in range(5)]
    Order.objects.bulk_create(
        Order(count=number, sent=True, customer=each)
        for number, each in enumerate(customers)
    )
    frame = to_dataframe(orders)
    assert dtypes(frame) == ORDER_DTYPES
    assert frame["count"].tolist() == [3, 0, 0, 1, 2, 3, 4]
    assert frame["customer"].tolist()[2:] == [f"c{number}" for number in range(5)]


def test_queryset_creates_no_instances_and_fetches_related_once(
    orders, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(Order, "__init__", None)
    for _ in range(3):
        connection.cursor().execute(
            "INSERT INTO tests_order (customer_id, count, sent) VALUES (1, 1, %s)",
            [True],
        )
    with django_assert_num_queries(3):  # The first one counts the rows.
        frame = to_dataframe(orders)
    assert frame["customer"].tolist() == ["Ada", np.nan, "Ada", "Ada", "Ada"]


@pytest.mark.parametrize(
    "select, expected",
    [
        (lambda rows: rows.values("count", "id"), {"count": [3, 0], "id": [1, 2]}),
        (lambda rows: rows.values_list("count", flat=True), {"count": [3, 0]}),
        (
            lambda rows: rows.values_list("id", "sent", named=True)[:1],
            {"id": [1], "sent": [True]},
        ),
        (lambda rows: rows.values("customer")[:1], {"customer": [1]}),
        (lambda rows: rows.values("customer__name")[:1], {"customer__name": ["Ada"]}),
        (
            lambda rows: rows.only("count")[:1],
            {"id": [1], "count": [3]},
        ),
        (
            lambda rows: rows.only("id").annotate(twice=F("count") * 2),
            {"id": [1, 2], "twice": [6, 0]},
        ),
        (
            lambda rows: rows.only("id").extra(select={"one": "1"}),
            {"id": [1, 2], "one": [1, 1]},
        ),
        (
            lambda rows: (
                rows.order_by()
                .values("sent")
                .annotate(n=Count("id"), top=Max("time"))
                .filter(sent=True)
            ),
            {"sent": [True], "n": [1], "top": [pd.Timestamp(TIME)]},
        ),
        (
            lambda rows: rows.values(month=functions.TruncMonth("time"))[:1],
            {"month": [pd.Timestamp("2026-03-01", tz="UTC")]},
        ),
        (
            lambda rows: (
                rows.order_by()
                .values("sent")
                .annotate(mean=Avg("price"))
                .filter(sent=True)
            ),
            {"sent": [True], "mean": [Decimal("1.1")]},
        ),
        (
            lambda rows: (
                rows.order_by()
                .filter(id=1)
                .union(rows.order_by().filter(id=2))
                .values("id")
            ),
            {"id": [1, 2]},
        ),
    ],
)
def test_selection_of_a_queryset_is_kept(orders, select, expected):
    frame = to_dataframe(select(orders))
    assert {name: column.tolist() for name, column in frame.items()} == expected


def test_value_that_does_not_match_its_field_is_kept(orders):
    if connection.vendor != "sqlite":
        pytest.skip("The database does not support this value.")
    connection.cursor().execute("UPDATE tests_order SET weight = 'heavy' WHERE id = 1")
    assert to_dataframe(orders)["weight"].tolist() == ["heavy", None]


def test_foreign_keys_are_shown_as_text(db):
    user = get_user_model().objects.create_user("ada", date_joined=TIME)
    kind = ContentType.objects.get_for_model(Group)
    for number in range(3):
        LogEntry.objects.create(
            user=user,
            content_type=kind,
            object_id=str(number),
            action_flag=CHANGE,
            action_time=TIME,
        )
    frame = to_dataframe(LogEntry.objects.all())
    assert frame["user"].tolist() == ["ada"] * 3
    assert frame["content_type"].tolist() == [str(kind)] * 3
    assert frame["action_time"].tolist() == [TIME] * 3
    assert to_dataframe(get_user_model().objects.all())["last_login"].isna().all()
    permissions = to_dataframe(Permission.objects.all())
    assert permissions["codename"].tolist() == list(
        Permission.objects.values_list("codename", flat=True)
    )


# Files --------------------------------------------------------------------------------


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    "values, dtype, expected",
    [
        (["1", "-2"], "int64", [1, -2]),
        (["1", ""], "Int64", [1, pd.NA]),
        (["1", "NA"], "Int64", [1, pd.NA]),
        (["4611686018427387905", "1"], "int64", [2**62 + 1, 1]),
        (["1.5", "NaN"], "float64", [1.5, np.nan]),
        (["1,5", "2,5"], "float64", [1.5, 2.5]),
        (["1e3", "-inf"], "float64", [1000, -np.inf]),
        (["true", "FALSE"], "bool", [True, False]),
        (["yes", "no"], "str", ["yes", "no"]),
        # These values look like numbers but are identifiers or too long.
        (["01234", "99999"], "str", ["01234", "99999"]),
        (["+4930123456"], "str", ["+4930123456"]),
        (["12345678901234567", "1.5"], "str", ["12345678901234567", "1.5"]),
        (["0x1F", "0x10"], "str", ["0x1F", "0x10"]),
        (["12345678901234567890", "1"], "str", ["12345678901234567890", "1"]),
        # Words for missing values, such as NA, stay text in columns of text.
        (["NA", "DE"], "str", ["NA", "DE"]),
        (["None", ""], "str", ["None", np.nan]),
        (["", ""], "float64", [np.nan, np.nan]),
        # Only complete, unambiguous dates are parsed.
        (["2026-03-28", "2026-04-01"], "datetime64[us]", ["2026-03-28", "2026-04-01"]),
        (
            ["2026-03-28 01:02:03.000004", "2026-03-28T01:02"],
            "datetime64[us]",
            ["2026-03-28 01:02:03.000004", "2026-03-28 01:02"],
        ),
        (["2026-03-28T01:00:00+02:00"], A, ["2026-03-27 23:00:00+00:00"]),
        (["31.12.2026", "1.2.2026"], "datetime64[us]", ["2026-12-31", "2026-02-01"]),
        (["28 Mar 2026"], "datetime64[us]", ["2026-03-28"]),
        (["28/03/2026", "01/02/2026"], "datetime64[us]", ["2026-03-28", "2026-02-01"]),
        (["03/28/2026", "01/02/2026"], "datetime64[us]", ["2026-03-28", "2026-01-02"]),
        (["01/02/2026"], "str", ["01/02/2026"]),
        (["31.12.26"], "str", ["31.12.26"]),
        (["2026", "2025"], "int64", [2026, 2025]),
        (["2026-03", "2026-04"], "str", ["2026-03", "2026-04"]),
    ],
)
def test_csv_dtypes_are_inferred(write, values, dtype, expected):
    lines = [f'"{value}",x' if value else ",x" for value in values]
    column = read_file(write("a.csv", "\n".join(["a,b", *lines])))["a"]
    assert str(column.dtype) == dtype
    if dtype.startswith("datetime"):
        expected = [pd.Timestamp(each) for each in expected]
    pd.testing.assert_series_equal(column, pd.Series(expected, name="a", dtype=dtype))


@pytest.mark.parametrize(
    "content, columns, rows",
    [
        ("a;b\n1;x\n", ["a", "b"], [[1, "x"]]),
        ("a\tb\n1\tx\n", ["a", "b"], [[1, "x"]]),
        ("a|b\n1|x\n", ["a", "b"], [[1, "x"]]),
        ('"a, b",c\n1,2\n', ["a, b", "c"], [[1, 2]]),
        ('a,b\n"x\n""y""",2\n', ["a", "b"], [['x\n"y"', 2]]),
        ('a,b\n"",2\nx,3\n', ["a", "b"], [["", 2], ["x", 3]]),
        ("a,a\n1,2\n", ["a", "a"], [[1, 2]]),
        ("a,b\n1\n3,x\n", ["a", "b"], [[1, np.nan], [3, "x"]]),
        ("a\nx\n\ny\n", ["a"], [["x"], [np.nan], ["y"]]),
        ("\n\na,b\n1,2\n", ["a", "b"], [[1, 2]]),
        ("\ufeffa,b\n1,ü\n", ["a", "b"], [[1, "ü"]]),
        ("a\tb\n1\tü\n".encode("utf-16"), ["a", "b"], [[1, "ü"]]),
        ("a,b\n", ["a", "b"], []),
    ],
)
def test_csv_columns_and_rows_are_read(write, content, columns, rows):
    frame = read_file(write("a.csv", content))
    assert list(frame.columns) == columns
    made = pd.DataFrame(rows, columns=columns)
    assert frame.astype(object).fillna("-").values.tolist() == (
        made.astype(object).fillna("-").values.tolist()
    )


@pytest.mark.parametrize(
    "data, rows",
    [
        ([{"a": 1, "b": "x"}, {"a": None, "b": "y"}], [[1, "x"], [pd.NA, "y"]]),
        ({"a": [1, 2], "b": ["x", "y"]}, [[1, "x"], [2, "y"]]),
        ({"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}, [[1, "x"], [2, "y"]]),
        ({"columns": ["a", "b"], "index": [0], "data": [[1, "x"]]}, [[1, "x"]]),
        ({"schema": {}, "data": [{"a": 1, "b": "x"}]}, [[1, "x"]]),
        ({"a": 1, "b": "007"}, [[1, "007"]]),
        ([{"a": 2**70, "b": {"c": 1}}], [[2**70, {"c": 1}]]),
        ([{"a": 2**60 + 1, "b": "2026-01-01"}], [[2**60 + 1, pd.Timestamp("2026")]]),
    ],
)
def test_json_layouts_are_read(write, data, rows):
    frame = read_file(write("a.json", json.dumps(data)))
    assert list(frame.columns) == ["a", "b"]
    assert frame.astype(object).fillna("-").values.tolist() == (
        pd.DataFrame(rows, dtype=object).fillna("-").values.tolist()
    )


@pytest.mark.parametrize(
    "lines",
    [
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        [{"a": 1, "b": "x"}, {"a": "z", "b": "y"}],
        [{"a": 1, "b": {"c": 1}}, {"a": 2, "b": {"d": 2}}],
        [{"a": 2**70, "b": [1]}],
    ],
)
def test_json_lines_are_read(write, lines):
    frame = read_file(write("a.jsonl", "\n".join(map(json.dumps, lines))))
    assert frame.to_dict("records") == lines


FRAME = pd.DataFrame(
    {
        "number": [1, 2],
        "float": [0.5, np.nan],
        "text": ["007", "NA"],
        "day": pd.to_datetime(["2026-01-01", "2026-01-02"]),
        "flag": [True, False],
    }
)


@pytest.mark.parametrize("suffix", ["xlsx", "parquet", "feather"])
def test_other_formats_are_read(tmp_path, suffix):
    path = tmp_path / f"a.{suffix.upper()}"
    if suffix == "xlsx":
        FRAME.to_excel(tmp_path / "a.xlsx", index=False)
        (tmp_path / "a.xlsx").rename(path)
    else:
        getattr(FRAME, f"to_{suffix}")(path)
    pd.testing.assert_frame_equal(read_file(path), FRAME)


def test_parquet_keeps_index_and_dtypes(tmp_path):
    frame = FRAME.assign(
        whole=pd.array([1, None], dtype="Int64"), kind=pd.Categorical(["u", "v"])
    ).set_index("number")
    frame.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read_file(tmp_path / "a.parquet"), frame)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx", "json"])
def test_progress_grows_to_the_file_size(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    frame = pd.DataFrame({"a": range(2000)})
    write = getattr(frame, "to_excel" if suffix == "xlsx" else f"to_{suffix}")
    write(path)
    steps = []
    read_file(path, progress=lambda done, total: steps.append((done, total)))
    size = path.stat().st_size
    assert steps[-1] == (size, size)
    assert steps == sorted(steps)
    assert {total for _, total in steps} == {size}


@pytest.mark.parametrize(
    "name, content, reason",
    [
        ("a.doc", "x", "a.doc cannot be read. The supported file extensions are .csv"),
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "\n\n", "a.csv is not a valid CSV file: it is empty"),
        (
            "a.csv",
            "a,b\n1,ü\n".encode("latin-1"),
            "line 2 is not encoded in utf-8. Save",
        ),
        (
            "a.csv",
            "a,b\n" + "1,2\n" * 200 + "1,2,3\n",
            "Line 202 has 3 values, but there are 2 columns.",
        ),
        ("a.xlsx", "no", "a.xlsx is not a valid Excel workbook"),
        ("a.parquet", "no", "a.parquet is not a valid Parquet file"),
        ("a.feather", "no", "a.feather is not a valid Feather file"),
        ("a.json", "{", "a.json is not a valid JSON file"),
        ("a.json", "3", "it contains neither a list nor an object"),
        ("a.json", "[]", "a.json has no columns"),
        ("a.jsonl", '{"a": 1}\n{', "a.jsonl is not a valid JSON Lines file"),
    ],
)
def test_bad_file_is_explained_in_one_line(write, name, content, reason):
    with pytest.raises(SourceError) as error:
        read_file(write(name, content))
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_path_is_read_if_its_options_are_certain(write):
    path = write("a.csv", "a;b\n1;2,5\n")
    assert to_dataframe(path).values.tolist() == [[1, 2.5]]
    with pytest.raises(TypeError, match="str is not supported"):
        to_dataframe(str(path))
    path = write("b.csv", "a;b\n1;2,345\n")
    with pytest.raises(SourceError, match=r"Use decimal='\.' or decimal=','"):
        to_dataframe(path)
    assert read_certain(path, ImportOptions(decimal=",")).values.tolist() == [
        [1, 2.345]
    ]


def test_missing_file_or_directory_is_refused(tmp_path):
    with pytest.raises(SourceError, match="a.csv cannot be read: No such file"):
        read_file(tmp_path / "a.csv")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(SourceError, match="b.csv cannot be read: "):
        read_file(tmp_path / "b.csv")


def test_import_options_are_only_for_files(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a;b\nx;01/02/2026\n")
    frame = to_dataframe(path, ImportOptions(day_first=True))
    assert frame["b"].tolist() == [pd.Timestamp(2026, 2, 1)]
    with pytest.raises(TypeError, match="only for files"):
        to_dataframe(str(path), ImportOptions(day_first=True))
