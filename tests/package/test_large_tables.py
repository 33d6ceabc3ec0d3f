"""Tables larger than memory are counted, limited and sampled where they are.

``LARGE_ROWS=60000000`` runs the test of time and memory with that many rows.
"""

import datetime
import os
import time
import uuid
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from django.contrib.auth.models import Group
from django.db import (
    DatabaseError,
    NotSupportedError,
    connection,
    models,
    transaction,
)
from django.db.models import Count, Sum
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pyarrow import csv, dataset

import django_dtale
from django_dtale import Sql
from django_dtale.compat.notes import notes_of
from django_dtale.exceptions import LimitExceeded
from django_dtale.models import Frame
from django_dtale.readers import querysets
from django_dtale.readers.dataframe import to_dataframe
from django_dtale.readers.lazy import databases

duckdb = pytest.importorskip("duckdb")
ibis = pytest.importorskip("ibis")

TOTAL = 1_000
ROWS = int(os.environ.get("LARGE_ROWS", 5_000_000))
QUERY = "SELECT id, name FROM auth_group ORDER BY id"


class Reading(models.Model):
    """A row with a column of each kind."""

    number = models.BigIntegerField(null=True)
    weight = models.FloatField()
    price = models.DecimalField(max_digits=9, decimal_places=2)
    paid = models.BooleanField()
    text = models.TextField()
    code = models.UUIDField()
    day = models.DateField()
    at = models.DateTimeField()

    class Meta:
        app_label = "tests"

    def __str__(self):
        return self.text


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    """A directory of two Parquet files with ids from 0 to TOTAL - 1."""
    directory = tmp_path_factory.mktemp("large") / "parquet"
    for part in (0, 1):
        ids = range(part * TOTAL // 2, (part + 1) * TOTAL // 2)
        table = pa.table(
            {"id": ids, "text": [f"t{each}" for each in ids], "part": [part] * len(ids)}
        )
        to = directory / f"{part}"
        dataset.write_dataset(
            table, to, format="parquet", max_rows_per_group=100, max_rows_per_file=500
        )
    return directory


@pytest.fixture
def groups(db):
    """TOTAL rows in the database."""
    Group.objects.bulk_create(Group(name=f"t{each:04}") for each in range(TOTAL))
    return Group.objects.order_by("id")


def from_duckdb(path, groups):
    return duckdb.connect().read_parquet(f"{path}/*/*.parquet").order("id")


def from_ibis(path, groups):
    return ibis.duckdb.connect().read_parquet(f"{path}/*/*.parquet").order_by("id")


def from_dataset(path, groups):
    return dataset.dataset(path)


def from_csv(path, groups):
    file = path.parent / "all.csv"
    csv.write_csv(dataset.dataset(path).to_table(), file)
    return dataset.dataset(file, format="csv")


def from_filtered_dataset(path, groups):
    return dataset.dataset(path).filter(dataset.field("id") >= 0)


def from_sql(path, groups):
    return Sql(QUERY)


def from_queryset(path, groups):
    return groups


def from_values(path, groups):
    return groups.values("id", "name")


def from_dataframe(path, groups):
    return dataset.dataset(path).to_table().to_pandas()


LARGE = from_duckdb, from_ibis, from_dataset, from_csv, from_filtered_dataset, from_sql
OTHERS = from_queryset, from_values, from_dataframe


@pytest.fixture(params=LARGE, ids=lambda make: make.__name__)
def large(request, parquet, groups):
    """A table that can be larger than memory."""
    return request.param(parquet, groups)


@pytest.fixture(params=[*LARGE, *OTHERS], ids=lambda make: make.__name__)
def table(request, parquet, groups):
    """Data with the rows of ``groups``, or as many."""
    return request.param(parquet, groups)


def texts(frame):
    return frame.iloc[:, 1].tolist()


# Parts of a table ---------------------------------------------------------------------


def test_first_rows_are_read_with_a_note(table):
    whole = to_dataframe(table, limit=TOTAL)
    assert len(whole) == TOTAL and notes_of(whole) == []
    part = to_dataframe(table, limit=10)
    pd.testing.assert_frame_equal(part, whole.head(10), check_flags=False)
    assert notes_of(part) == ["10 of 1,000 rows."]
    assert len(set(texts(part))) == 10
    with translation.override("de"):
        assert notes_of(to_dataframe(table, limit=10)) == ["10 von 1.000 Zeilen."]


def test_random_rows_are_read_with_a_note(table):
    drawn = [to_dataframe(table, limit=200, sample=True) for __ in range(2)]
    for part in drawn:
        # Some engines draw each row with the same probability, so the number of rows
        # varies. Its standard deviation is 13.
        assert 120 <= len(part) <= 200
        [note] = notes_of(part)
        assert note == f"Random sample: {len(part)} of 1,000 rows."
        assert len(set(texts(part))) == len(part)
        # Each tenth of the table has 20 rows on average.
        assert len({text[:-2] for text in texts(part)}) >= 8
    assert set(texts(drawn[0])) != set(texts(drawn[1]))


def test_limit_of_large_tables_is_a_setting(large, dtale_settings):
    dtale_settings.SOURCE_ROWS = 30
    part = to_dataframe(large)
    assert (len(part), notes_of(part)) == (30, ["30 of 1,000 rows."])
    assert len(to_dataframe(large, limit=40)) == 40


def test_other_data_are_read_completely(parquet, groups, dtale_settings):
    dtale_settings.SOURCE_ROWS = 30
    for make in OTHERS:
        whole = to_dataframe(make(parquet, groups))
        assert (len(whole), notes_of(whole)) == (TOTAL, [])
        sample = to_dataframe(make(parquet, groups), sample=True)
        assert notes_of(sample) == ["Random sample: 30 of 1,000 rows."]


def test_part_fits_a_frame(large, dtale_settings):
    dtale_settings.MAX_CELLS = 100
    if isinstance(large, Sql):  # The number of its columns is unknown before.
        with pytest.raises(LimitExceeded):
            to_dataframe(large)
        return
    part = to_dataframe(large, limit=400)
    assert part.size <= 100 < part.size + len(part.columns)


def test_too_many_columns_are_refused_before_they_are_read(large, dtale_settings):
    dtale_settings.MAX_COLUMNS = 1
    with pytest.raises(LimitExceeded, match="columns; the limit is 1"):
        to_dataframe(large)


def test_aggregation_is_done_by_the_engine(parquet):
    path = f"{parquet}/*/*.parquet"
    by_part = duckdb.connect().read_parquet(path).aggregate("part, count(*) AS n")
    assert to_dataframe(by_part.order("part"))["n"].tolist() == [500, 500]
    rows = ibis.duckdb.connect().read_parquet(path)
    by_part = rows.group_by("part").agg(n=rows.count()).order_by("part")
    assert to_dataframe(by_part)["n"].tolist() == [500, 500]
    assert to_dataframe(rows.id.max()).values.tolist() == [[TOTAL - 1]]
    assert len(to_dataframe(rows.id, limit=5)) == 5


# Spark's client does not close its sockets.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_same_expression_runs_on_spark(parquet):
    """Run this test after `uv pip install pyspark`. It needs Java."""
    sql = pytest.importorskip("pyspark.sql", reason="a check by hand")
    local = sql.SparkSession.builder.master("local[1]").config(
        "spark.ui.enabled", False
    )
    for name in ("spark.driver.host", "spark.driver.bindAddress"):
        local = local.config(name, "127.0.0.1")
    session = local.getOrCreate()
    try:
        rows = ibis.pyspark.connect(session).read_parquet(f"{parquet}/*/*.parquet")
        part = to_dataframe(rows.order_by("id"), limit=10)
        assert (part["id"].tolist(), notes_of(part)) == (
            [*range(10)],
            ["10 of 1,000 rows."],
        )
        [note] = notes_of(to_dataframe(rows, limit=200, sample=True))
        assert note.startswith("Random sample: ")
        by_part = rows.group_by("part").agg(n=rows.count()).order_by("part")
        assert to_dataframe(by_part)["n"].tolist() == [500, 500]
    finally:
        session.stop()


def test_views_of_a_duckdb_connection_stay(parquet):
    with duckdb.connect() as database:
        database.sql("CREATE VIEW v AS SELECT 1 AS one")
        rows = database.read_parquet(f"{parquet}/*/*.parquet")
        to_dataframe(rows, limit=10, sample=True)
        assert database.sql("FROM v").fetchall() == [(1,)]


# QuerySets ----------------------------------------------------------------------------


def test_queryset_that_is_too_large_for_a_frame_is_read_in_part(groups, dtale_settings):
    dtale_settings.MAX_CELLS, dtale_settings.SOURCE_ROWS = TOTAL, 10
    part = to_dataframe(groups)
    assert texts(part)[-1] == "t0009"
    assert notes_of(part) == ["10 of 1,000 rows."]


def test_columns_of_related_texts_count(dtale_settings, ann):
    dtale_settings.MAX_CELLS = 11
    frames = Frame.objects.only("owner").order_by("id")
    for __ in range(4):
        Frame.objects.create(owner=ann)
    assert notes_of(to_dataframe(frames, limit=10)) == ["3 of 4 rows."]


def test_groups_of_a_queryset_are_not_counted(groups):
    by_name = Group.objects.values("name").annotate(n=Count("id")).order_by("name")
    with CaptureQueriesContext(connection) as queries:
        assert len(to_dataframe(by_name)) == TOTAL
    assert len(queries) == 1


def test_sample_of_groups_keeps_their_totals(groups):
    rows = Group.objects.values(tenth=models.functions.Left("name", 3))
    by_tenth = rows.annotate(total=Sum(1)).order_by("tenth")
    assert set(to_dataframe(by_tenth, limit=5, sample=True)["total"]) == {100}
    query = "SELECT substr(name, 1, 3), count(*) AS n FROM auth_group GROUP BY 1"
    sample = to_dataframe(Sql(query), limit=5, sample=True)
    assert set(sample["n"]) <= {100}


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows[:900],
        lambda rows: rows.distinct(),
        lambda rows: rows.union(rows),
    ],
    ids=["slice", "distinct", "union"],
)
def test_queryset_without_single_rows_has_no_sample(groups, change):
    rows = change(groups.order_by())
    assert len(to_dataframe(rows, limit=10)) == 10
    with pytest.raises(ValueError, match="cannot be sampled"):
        to_dataframe(rows, limit=10, sample=True)


# SQL queries --------------------------------------------------------------------------


@pytest.fixture
def readings(transactional_db, monkeypatch):
    """Rows of each kind of column, in several chunks."""
    for module in (querysets, databases):
        monkeypatch.setattr(module, "CHUNK", 2)
    with connection.schema_editor() as editor:
        editor.create_model(Reading)
    start = datetime.datetime(2026, 3, 28, 1, 30, 0, 123456, datetime.UTC)
    Reading.objects.bulk_create(
        Reading(
            number=None if at == 3 else 2**60 + at,
            weight=at + 0.5,
            price=Decimal(at) / 4,
            paid=at % 2,
            text=f"t{at}",
            code=uuid.UUID(int=at),
            day=start + datetime.timedelta(at),
            at=start + datetime.timedelta(at),
        )
        for at in range(5)
    )
    yield Reading.objects.order_by("id")
    with connection.schema_editor() as editor:
        editor.delete_model(Reading)


def test_values_of_a_query_are_those_of_a_queryset(readings):
    expected = to_dataframe(readings)
    frame = to_dataframe(Sql("SELECT * FROM tests_reading ORDER BY id"))
    if not connection.features.has_native_uuid_field:  # SQLite does not store types.
        expected["code"] = [each.hex for each in expected["code"]]
    if connection.vendor == "sqlite":
        expected["price"] = expected["price"].astype(float)
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize(
    "values, dtype",
    [
        (["1", "0.5"], "float64"),
        (["1", "NULL"], "Int64"),
        (["NULL", "1"], "Int64"),
        (["NULL", "'x'"], "str"),
        (["NULL", "NULL"], "object"),
    ],
)
def test_chunks_of_different_types_become_one_column(db, monkeypatch, values, dtype):
    monkeypatch.setattr(databases, "CHUNK", 1)
    rows = " UNION ALL ".join(
        f"SELECT {at} AS n, {each} AS x" for at, each in enumerate(values)
    )
    frame = to_dataframe(Sql(f"{rows} ORDER BY n"))
    if connection.vendor == "postgresql" and "0.5" in values:  # These are decimals.
        dtype = "object"
    assert str(frame["x"].dtype) == dtype


def test_decimals_keep_their_digits(db):
    frame = to_dataframe(Sql("SELECT 1.10 AS x UNION ALL SELECT 0.5 ORDER BY x"))
    last = "1.1" if connection.vendor == "sqlite" else "1.10"  # SQLite has no decimals.
    assert [*map(str, frame["x"])] == ["0.5", last]


def test_order_parameters_comments_and_names_of_a_query(groups):
    for text, params in [
        ("SELECT name FROM auth_group WHERE name < %s ORDER BY id DESC;", ["t0003"]),
        (
            "SELECT name FROM auth_group WHERE name < %(n)s ORDER BY id DESC -- last",
            {"n": "t0003"},
        ),
        (
            "WITH g AS (SELECT * FROM auth_group WHERE name LIKE 't000%' AND name < "
            "'t0003') SELECT name FROM g ORDER BY id DESC ;\n",
            (),
        ),
    ]:
        frame = to_dataframe(Sql(text, params))
        assert frame["name"].tolist() == ["t0002", "t0001", "t0000"]
    frame = to_dataframe(Sql("SELECT id, id AS second FROM auth_group WHERE 1 = 0"))
    assert frame.columns.tolist() == ["id", "second"] and len(frame) == 0


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM auth_group",
        "INSERT INTO auth_group (name) VALUES ('new')",
        "WITH gone AS (DELETE FROM auth_group RETURNING id) SELECT id FROM gone",
    ],
)
def test_query_cannot_write(groups, text):
    with transaction.atomic(), pytest.raises((DatabaseError, NotSupportedError)):
        to_dataframe(Sql(text))
    assert Group.objects.count() == TOTAL


def test_query_is_read_only_within_a_transaction_that_writes(groups):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has read-only parts of a transaction")
    sequence = Sql("SELECT nextval(pg_get_serial_sequence('auth_group', 'id'))")
    for query in (sequence, Sql("SELECT * FROM nothing")):
        with pytest.raises(DatabaseError):
            to_dataframe(query)
        Group.objects.create(name=query.text[:100])
    to_dataframe(Sql(QUERY))
    assert Group.objects.count() == TOTAL + 2


@pytest.mark.parametrize("use_server", [True, False])
def test_rows_are_fetched_with_a_cursor_of_the_server(groups, monkeypatch, use_server):
    made = []
    chunked = connection.chunked_cursor
    monkeypatch.setattr(
        connection, "chunked_cursor", lambda: made.append(1) or chunked()
    )
    monkeypatch.setitem(
        connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", not use_server
    )
    assert len(to_dataframe(Sql(QUERY), limit=10)) == 10
    assert bool(made) == use_server


# Frames -------------------------------------------------------------------------------


@pytest.fixture
def request_of_ann(ann):
    request = RequestFactory().get("/")
    request.user, request.session = ann, {}
    return request


def test_note_is_on_the_page_of_the_frame(parquet, owner, request_of_ann):
    rows = from_duckdb(parquet, None)
    answer = django_dtale.explore(request_of_ann, rows, name="Events", limit=10)
    assert "10 of 1,000 rows." in owner.browser.get(answer.url).text
    frame = Frame.objects.get()
    assert (frame.rows, frame.conversion_notes) == (10, "10 of 1,000 rows.")
    assert owner.column(frame.pk, "id") == list(range(10))


def test_replacement_has_its_own_note(parquet, stored, ann):
    rows = from_dataset(parquet, None)
    frame = django_dtale.publish(rows, owner=ann, name="Events", limit=10)
    frame.replace(rows, limit=20, sample=True)
    assert frame.conversion_notes.startswith("Random sample: ")
    again = django_dtale.publish(rows, owner=ann, name="Events", replace=True, limit=30)
    assert again.pk == frame.pk
    assert again.conversion_notes == "30 of 1,000 rows."
    frame.replace(rows)
    assert (frame.rows, frame.conversion_notes) == (TOTAL, "")
    frame.append(rows, limit=5)
    assert (frame.rows, frame.conversion_notes) == (TOTAL + 5, "5 of 1,000 rows.")


# Time and memory ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory):
    """The path of a Parquet file with ROWS rows and 4 columns."""
    path = tmp_path_factory.mktemp("large") / "rows.parquet"
    with duckdb.connect() as database:
        database.sql(
            """SELECT range AS id, hash(range) % 100003 AS customer,
                hash(range) % 100000 / 100 AS price,
                DATE '2020-01-01' + (range % 2000)::INTEGER AS day
            FROM range(?)""",
            params=[ROWS],
        ).write_parquet(str(path))
    yield path
    path.unlink()  # pytest would keep the file.


def megabytes(line):
    status = Path("/proc/self/status").read_text().splitlines()
    [value] = [each.split()[1] for each in status if each.startswith(f"{line}:")]
    return int(value) / 1024


@pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="only Linux measures the peak"
)
@pytest.mark.parametrize(
    "make",
    [
        lambda path: duckdb.connect().read_parquet(str(path)),
        lambda path: ibis.duckdb.connect().read_parquet(path),
        dataset.dataset,
    ],
    ids=["DuckDB", "ibis", "Arrow"],
)
def test_first_grid_takes_little_time_and_memory(
    many_rows, make, owner, request_of_ann, capsys
):
    def open_grid(rows):
        answer = django_dtale.explore(request_of_ann, rows)
        assert owner.browser.get(answer.url).status_code == 200
        pk = Frame.objects.latest("pk").pk
        assert owner.column(pk, "id") == list(range(100))

    # D-Tale and the engines are loaded by now.
    open_grid(to_dataframe(make(many_rows), limit=100))
    Path("/proc/self/clear_refs").write_text("5")  # Reset the peak.
    before, start = megabytes("VmRSS"), time.process_time()
    open_grid(make(many_rows))
    seconds, more = time.process_time() - start, megabytes("VmHWM") - before
    with capsys.disabled():
        print(f"\n{ROWS:,} rows: {seconds:.2f} s of CPU time, {more:.0f} MB more")
    assert Frame.objects.latest("pk").conversion_notes == f"100,000 of {ROWS:,} rows."
    # On CPUs that are not busy, the elapsed time is at most the CPU time.
    assert seconds < 2
    assert more < 150
