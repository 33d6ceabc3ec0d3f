"""New data replace old data at the same address, or are appended to them."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import RequestFactory

import django_dtale
from django_dtale.exceptions import Conflict, LimitExceeded, SourceError
from django_dtale.models import Frame, Origin
from django_dtale.storage import blobs
from django_dtale.unit_of_work import unit_of_work
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db

OLD = pd.DataFrame({"city": ["Rome", "Berlin", "Paris"], "sales": [1, 2, 3]})
NEW = pd.DataFrame({"city": ["Oslo", "Rome"], "sales": [4, 5]})


@pytest.fixture
def table(publish, ann, bob):
    """A table of Ann's that Bob can read."""
    return django_dtale.publish(OLD, owner=ann, name="Sales", shared_with=[bob])


@pytest.fixture
def reader(visitor, bob):
    return visitor(bob)


def filter_column(visitor, pk, column, **cfg):
    answer = visitor.get(f"save-column-filter/{pk}", col=column, cfg=cfg)
    assert answer.json["success"], answer.json
    return answer


def test_data_are_replaced_at_the_same_address(owner, reader, table):
    assert owner.column(table.pk, "sales") == [1, 2, 3]
    before = table.data_at
    table.replace(NEW)
    assert (table.rows, table.name, table.data_version) == (2, "Sales", 1)
    assert table.data_at > before
    for each in (owner, reader):
        assert each.column(table.pk, "sales") == [4, 5]
    assert Frame.objects.count() == 1


def test_rows_are_appended(owner, table):
    table.append(NEW[["sales", "city"]])
    assert owner.column(table.pk, "sales") == [1, 2, 3, 4, 5]
    assert owner.column(table.pk, "city")[3:] == ["Oslo", "Rome"]
    with pytest.raises(SourceError, match="missing: city.*not in the table: town"):
        table.append(NEW.rename(columns={"city": "town"}))
    assert Frame.objects.get().rows == 5


def test_filters_formats_and_hidden_columns_stay(owner, reader, table, ann):
    for each, text in ((owner, "Rome"), (reader, "Oslo")):
        filter_column(each, table.pk, "city", type="string", value=[text])
    answer = owner.get(
        f"update-formats/{table.pk}", col="sales", format={"fmt": "0.00"}, all=False
    )
    assert answer.json["success"], answer.json
    owner.post(f"update-visibility/{table.pk}", json={"toggle": "city"})
    table.replace(NEW.assign(more=1.5))
    assert owner.column(table.pk, "sales") == [5]
    assert reader.column(table.pk, "sales") == [4]
    assert owner.column(table.pk, "more") == [1.5]
    with bind(Workspace(ann)), unit_of_work() as unit:
        kept = unit.get(table.pk).view_state["settings"]
        columns = unit.get(table.pk).shared_state["dtypes"]
    visible = {each["name"]: each["visible"] for each in columns}
    assert visible == {"city": False, "sales": True, "more": True}
    assert kept["columnFormats"]["sales"] == {"fmt": "0.00"}
    assert table.conversion_notes == ""


def test_sorting_stays(owner, table):
    owner.column(table.pk, "sales", sort=[["sales", "DESC"]])
    table.replace(NEW)
    assert owner.column(table.pk, "sales", sort=[["sales", "DESC"]]) == [5, 4]
    assert blobs.load(table.payload)["sales"].tolist() == [4, 5]


@pytest.mark.parametrize(
    "new",
    [NEW.drop(columns="city"), NEW.assign(city=[1.5, 2.5])],
    ids=["gone", "float"],
)
def test_filter_that_does_not_fit_is_dropped_with_a_note(owner, reader, table, new):
    for each in (owner, reader):
        filter_column(each, table.pk, "city", type="string", value=["Rome"])
    table.replace(new)
    assert "The filter of the column city was removed" in table.conversion_notes
    for each in (owner, reader):
        assert each.column(table.pk, "sales") == [4, 5]
    table.replace(new)
    assert table.conversion_notes == ""


def test_publish_and_explore_replace_the_table_of_this_name(ann, bob, table):
    again = django_dtale.publish(NEW, owner=ann, name="Sales", replace=True)
    assert again.pk == table.pk
    assert list(again.shared_with.all()) == [bob]
    assert django_dtale.publish(NEW, owner=bob, name="Sales", replace=True) != again
    more = django_dtale.publish(NEW, owner=ann, name="Sales", append=True)
    assert (more.pk, more.rows, more.origin) == (table.pk, 4, Origin.CODE)
    request = RequestFactory().get("/")
    request.user, request.session = ann, {}
    answer = django_dtale.explore(request, OLD, name="Sales", replace=True)
    assert answer.url == table.get_absolute_url()
    assert Frame.objects.get(pk=table.pk).rows == 3
    with pytest.raises(ValueError, match="name of the table"):
        django_dtale.publish(NEW, owner=ann, replace=True)


def test_table_of_a_visitor_can_be_replaced(stored, dtale_settings):
    dtale_settings.LOGIN_REQUIRED = False
    request = RequestFactory().get("/")
    request.user, request.session = AnonymousUser(), {}
    for data in (OLD, NEW):
        django_dtale.explore(request, data, name="Sales", replace=True)
    frame = Frame.objects.get()
    assert frame.rows == 2
    frame.append(NEW)
    assert frame.rows == 4


def test_failed_replacement_changes_nothing(owner, table, dtale_settings, stored):
    files = stored.names()
    dtale_settings.MAX_CELLS = 7
    with pytest.raises(LimitExceeded):
        table.replace(pd.concat([OLD, NEW]))
    assert owner.column(table.pk, "sales") == [1, 2, 3]
    assert Frame.objects.get().data_version == 0
    assert stored.names() == files


def test_replacement_is_repeated_if_the_table_was_changed_meanwhile(
    owner, table, monkeypatch
):
    load, calls = blobs.save, []

    def save(*args):
        if not calls:
            calls.append(Frame.objects.filter(pk=table.pk).update(version=99))
        return load(*args)

    monkeypatch.setattr(blobs, "save", save)
    table.replace(NEW)
    assert calls == [1]
    assert owner.column(table.pk, "sales") == [4, 5]
    monkeypatch.setattr(
        blobs,
        "save",
        lambda *args: (Frame.objects.update(version=time()), load(*args))[1],
    )
    counter = iter(range(200, 300))
    time = lambda: next(counter)  # noqa: E731
    with pytest.raises(Conflict):
        table.replace(OLD)


def test_previous_data_are_deleted_if_no_history_is_kept(
    table, stored, dtale_settings, django_capture_on_commit_callbacks
):
    dtale_settings.HISTORY_COUNT = 0
    [before] = stored.names()
    with django_capture_on_commit_callbacks(execute=True):
        table.replace(NEW)
    [after] = stored.names()
    assert before != after


# At the same time ---------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("exists", [False, True], ids=["new", "existing"])
def test_replacements_at_the_same_time_make_one_table(stored, ann, exists):
    """Each replacement is whole, or raises Conflict. None creates another table."""
    if exists:
        django_dtale.publish(OLD, owner=ann, name="Sales")
    start = threading.Barrier(6)

    def replace(number):
        data = pd.DataFrame({"a": [number] * 1_000, "b": [number] * 1_000})
        start.wait()
        try:
            django_dtale.publish(data, owner=ann, name="Sales", replace=True)
            return True
        except Conflict:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        done = sum(pool.map(replace, range(6)))
    frame = Frame.objects.get()
    assert 0 < done == frame.data_version + (not exists)
    back = frame.to_dataframe()
    assert back.shape == (1_000, 2) and back.nunique().tolist() == [1, 1]
    assert back["a"].equals(back["b"])
