"""A unit of work writes only changes. It writes nothing if the request fails."""

import pickle
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_dtale import unit_of_work
from django_dtale.dtale.application import resolve
from django_dtale.models import AuditEntry, Frame, Record
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


def everything():
    """Return the database rows of all frames without last_opened_at."""
    rows = list(Frame.objects.order_by("pk").values())
    for row in rows:
        row["settings"] = bytes(row["settings"])
        del row["last_opened_at"]
    records = Record.objects.order_by("pk").values_list("pk", "content")
    return rows, [(pk, bytes(content)) for pk, content in records]


@contextmanager
def unit(user):
    with bind(Workspace(user)), unit_of_work.unit_of_work() as unit:
        yield unit


# Writes -------------------------------------------------------------------------------

READS = [
    ("main/{}", {}),
    ("data/{}", dict(ids=["0-2"])),
    ("dtypes/{}", {}),
    ("describe/{}", dict(col="a")),
    ("column-analysis/{}", dict(col="a", type="histogram")),
    ("correlations/{}", {}),
    ("column-filter-data/{}", dict(col="a")),
    ("outliers/{}", dict(col="a")),
    ("variance/{}", dict(col="a")),
    ("filter-info/{}", {}),
    ("load-filtered-ranges/{}", {}),
    ("code-export/{}", {}),
    ("chart-data/{}", dict(x="a", y=["b"])),
    ("test-filter/{}", dict(query="a > 1", save="true")),
    ("processes", dict(dtypes="true")),
    ("popup/describe/{}", {}),
    ("charts/{}", {}),
]


@pytest.mark.parametrize("path, query", READS, ids=[path for path, _ in READS])
def test_read_request_writes_nothing(owner, frame, path, query):
    owner.get(path.format(frame.pk), **query)  # This request updates `last_opened_at`.
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        assert owner.get(path.format(frame.pk), **query).status_code == 200
    written = [each["sql"] for each in queries if not each["sql"].startswith("SELECT")]
    assert written == []
    assert everything() == before


def test_export_writes_only_to_the_audit_log(owner, frame):
    before = everything()
    assert owner.get(f"data-export/{frame.pk}", type="csv").status_code == 200
    assert everything() == before
    assert AuditEntry.objects.count() == 1


def test_scrolling_a_sorted_grid_writes_once(owner, frame):
    down = [["a", "DESC"]]
    owner.column(frame.pk, sort=down)
    before = everything()
    for _ in range(3):
        assert owner.column(frame.pk, sort=down) == [3, 2, 1]
    assert everything() == before


QUESTIONS = {
    "data/{}": 3,
    "describe/{}": 3,
    "dtypes/{}": 3,
    "column-analysis/{}": 3,
    "load-filtered-ranges/{}": 3,
    "update-settings/{}": 4,  # One query writes the new filter.
    # Four queries read the preferences, the lists of frames and of saved views, and the
    # last change.
    "main/{}": 7,
    "processes": 3,
}


@pytest.mark.parametrize("path", QUESTIONS)
def test_session_user_and_frame_take_one_query_each(owner, frame, path):
    query = {"ids": ["0-2"], "col": "a", "type": "histogram", "dtypes": "true"}
    owner.get(path.format(frame.pk), **query)
    with CaptureQueriesContext(connection) as queries:
        owner.get(path.format(frame.pk), **query, settings={"query": "a > 1"})
    asked = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert len(asked) == QUESTIONS[path]
    assert len(set(asked)) == len(asked)


def test_shared_frame_takes_two_more_queries(
    visitor, bob, publish, ann, django_assert_num_queries
):
    pk = publish(ann, shared_with=[bob]).pk
    reader = visitor(bob)
    with django_assert_num_queries(5):  # The share, and the view of the reader.
        assert reader.column(pk) == [1, 2, 3]


def test_page_does_not_read_records_of_other_frames(owner, frame, publish, ann):
    for _ in range(3):
        publish(ann)
    with CaptureQueriesContext(connection) as queries:
        owner.get(f"main/{frame.pk}")
    read = [each for each in queries if '"content"' in each["sql"]]
    assert len(read) == 1


def test_setting_writes_one_small_row(owner, publish, ann, stored):
    frame = publish(ann, **{f"c{number}": range(1000) for number in range(300)})
    names = stored.names()
    with CaptureQueriesContext(connection) as queries:
        owner.get(f"update-settings/{frame.pk}", settings={"invertFilter": True})
    written = [each["sql"] for each in queries if each["sql"].startswith("UPDATE")]
    # SQL text has two hexadecimal digits for each byte.
    assert len(written) == 1 and len(written[0]) < 2 * 20_000
    assert stored.names() == names


# Changed or unchanged values ----------------------------------------------------------

SAME = [1, 0.0, -0.0, True, "a", None, [1, "x"], {"a": [1.5]}, float("nan"), "é\u2028"]
DIFFERENT = [
    (0.0, -0.0),
    (1, True),
    (0, False),
    (1, 1.0),
    (None, float("nan")),
    ("1", 1),
    ([1], (1,)),
    ({"a": 1}, {"a": True}),
    (np.float64(1), 1.0),
    (pd.Timestamp("2020"), pd.Timestamp("2020", tz="UTC")),
]


def set_setting(user, pk, value):
    with unit(user) as work:
        view = work.get(pk).view_state
        view["settings"] = {**view["settings"], "x": value}


@pytest.mark.parametrize("value", SAME, ids=repr)
def test_equal_setting_is_not_written(ann, frame, value):
    set_setting(ann, frame.pk, value)
    before = everything()
    # This value is equal to the stored one, but is not the same object.
    set_setting(ann, frame.pk, pickle.loads(pickle.dumps(value)))
    assert everything() == before


@pytest.mark.parametrize("one, other", DIFFERENT, ids=repr)
def test_setting_that_only_compares_equal_is_written(ann, frame, one, other):
    set_setting(ann, frame.pk, one)
    set_setting(ann, frame.pk, other)
    with unit(ann) as work:
        kept = work.get(frame.pk).view_state["settings"]["x"]
    assert (type(kept), repr(kept)) == (type(other), repr(other))


def test_equal_record_is_not_written_again(owner, frame):
    def send(**more):
        owner.get(f"update-formats/{frame.pk}", col="a", format={"fmt": "0.0"}, **more)

    # First, both columns share one object for "fmt". Afterwards, they have equal ones.
    send(all="true")
    before = everything()
    send()
    assert everything() == before


def test_in_place_change_of_the_state_is_written(ann, frame):
    with unit(ann) as work:
        work.get(frame.pk).shared_state["dtypes"][0]["visible"] = False
    with unit(ann) as work:
        assert work.get(frame.pk).shared_state["dtypes"][0]["visible"] is False


def test_in_place_change_of_the_data_is_not_written(ann, frame, owner):
    with unit(ann) as work:
        work.get(frame.pk).frame.loc[0, "a"] = 9
    assert owner.column(frame.pk) == [1, 2, 3]


def test_version_grows_by_one_with_each_change(owner, frame):
    versions = []
    for value in (7, 8, 8):
        owner.edit(frame.pk, value)
        frame.refresh_from_db()
        versions.append(frame.version)
    assert versions == [1, 2, 3]


def test_new_frame_does_not_conflict_with_changes_of_another(ann, frame):
    with unit(ann) as here:
        opened = here.add(here.reserve_id())
        opened.frame = pd.DataFrame({"a": [1]})
        opened.name = "new"  # This assignment reads the name of the existing frame.
        Frame.objects.filter(pk=frame.pk).update(version=frame.version + 1)
    assert Frame.objects.filter(name="new").exists()


# Failures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, query",
    [
        # In this request, D-Tale fails only after it has changed the data.
        ("edit-cell/{}", dict(col="a", rowIndex=0, updated="no number")),
        ("edit-cell/{}", dict(col="z", rowIndex=0, updated="1")),
        ("rename-col/{}", dict(col="a", rename="b")),
        ("delete-col/{}", dict(cols="no list")),
        ("build-column/{}", dict(type="numeric", cfg={}, name="z")),
        ("update-column-position/{}", dict(action="front", col="z")),
        ("update-settings/{}", dict(settings={"enable_custom_filters": True})),
    ],
)
def test_failed_view_changes_nothing(owner, frame, path, query, stored):
    before = everything()
    answer = owner.get(path.format(frame.pk), **query)
    assert answer.json["error"]
    assert everything() == before
    assert stored.names() == {frame.payload}
    assert owner.column(frame.pk) == [1, 2, 3]


@pytest.mark.parametrize("name", ["set_dtypes", "set_history"])
def test_view_that_fails_halfway_changes_nothing(
    owner, frame, stored, monkeypatch, name
):
    def fail(*args):
        raise RuntimeError("half way")

    before = everything()
    monkeypatch.setattr(resolve("dtale.global_state"), name, fail)
    assert owner.edit(frame.pk, 9).json["error"].startswith("half way (request ")
    assert everything() == before
    monkeypatch.undo()
    assert owner.column(frame.pk) == [1, 2, 3]
    assert stored.names() == {frame.payload}


def test_deletion_of_several_frames_is_all_or_nothing(visitor, ann, bob, publish):
    own, shared = publish(bob), publish(ann, shared_with=[bob])
    visitor(bob).get("cleanup-datasets", dataIds=f"{own.pk},{shared.pk}")
    assert set(Frame.objects.values_list("pk", flat=True)) == {own.pk, shared.pk}
