"""One request, one unit of work: what it writes, and what it leaves when it fails."""

import pickle
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from frames import unit_of_work
from frames.dtale_app import find
from frames.models import Frame, Record
from frames.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


def everything():
    """All that is stored of all frames, as the database has it."""
    rows = list(Frame.objects.order_by("pk").values())
    for row in rows:
        row["settings"] = bytes(row["settings"])
        del row["opened"]
    records = Record.objects.order_by("pk").values_list("pk", "content")
    return rows, [(pk, bytes(content)) for pk, content in records]


@contextmanager
def unit(user):
    with bind(Workspace(user)), unit_of_work.unit_of_work() as unit:
        yield unit


# What is written ----------------------------------------------------------------------

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
    ("data-export/{}", dict(type="csv")),
    ("chart-data/{}", dict(x="a", y=["b"])),
    ("test-filter/{}", dict(query="a > 1", save="true")),
    ("processes", dict(dtypes="true")),
    ("popup/describe/{}", {}),
    ("charts/{}", {}),
]


@pytest.mark.parametrize("path, query", READS, ids=[path for path, _ in READS])
def test_looking_writes_nothing(owner, frame, path, query):
    owner.get(path.format(frame.pk), **query)  # The first time, that it was opened.
    before = everything()
    with CaptureQueriesContext(connection) as queries:
        assert owner.get(path.format(frame.pk), **query).status_code == 200
    written = [each["sql"] for each in queries if not each["sql"].startswith("SELECT")]
    assert written == []
    assert everything() == before


def test_scroll_in_an_order_writes_once(owner, frame):
    down = [["a", "DESC"]]
    owner.column(frame.pk, sort=down)
    before = everything()
    for _ in range(3):
        assert owner.column(frame.pk, sort=down) == [3, 2, 1]
    assert everything() == before


QUESTIONS = {
    "data/{}": 2,
    "describe/{}": 2,
    "dtypes/{}": 2,
    "column-analysis/{}": 2,
    "load-filtered-ranges/{}": 2,
    "update-settings/{}": 3,  # A new filter: one is an answer.
    "main/{}": 4,  # Preferences, and which other frames there are.
    "processes": 2,
}


@pytest.mark.parametrize("path", QUESTIONS)
def test_session_with_user_and_frame_are_one_question_each(owner, frame, path):
    query = {"ids": ["0-2"], "col": "a", "type": "histogram", "dtypes": "true"}
    owner.get(path.format(frame.pk), **query)
    with CaptureQueriesContext(connection) as queries:
        owner.get(path.format(frame.pk), **query, settings={"query": "a > 1"})
    asked = [each["sql"] for each in queries if "SAVEPOINT" not in each["sql"]]
    assert len(asked) == QUESTIONS[path]
    assert len(set(asked)) == len(asked)


def test_shared_frame_is_one_question_more(
    visitor, bob, publish, ann, django_assert_num_queries
):
    pk = publish(ann, shared_with=[bob]).pk
    reader = visitor(bob)
    with django_assert_num_queries(3):
        assert reader.column(pk) == [1, 2, 3]


def test_page_reads_no_other_frames_record(owner, frame, publish, ann):
    for _ in range(3):
        publish(ann)
    with CaptureQueriesContext(connection) as queries:
        owner.get(f"main/{frame.pk}")
    read = [each for each in queries if '"content"' in each["sql"]]
    assert len(read) == 1


def test_setting_writes_the_row_and_nothing_large(owner, publish, ann, stored):
    frame = publish(ann, **{f"c{number}": range(1000) for number in range(300)})
    names = stored.names()
    with CaptureQueriesContext(connection) as queries:
        owner.get(f"update-settings/{frame.pk}", settings={"invertFilter": True})
    written = [each["sql"] for each in queries if each["sql"].startswith("UPDATE")]
    assert len(written) == 1 and len(written[0]) < 2 * 20_000  # As hexadecimal.
    assert stored.names() == names


# Changed or not -----------------------------------------------------------------------

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
        view = work.get(pk).view
        view["settings"] = {**view["settings"], "x": value}


@pytest.mark.parametrize("value", SAME, ids=repr)
def test_equal_setting_is_not_written(ann, frame, value):
    set_setting(ann, frame.pk, value)
    before = everything()
    # Equal, and not the same object.
    set_setting(ann, frame.pk, pickle.loads(pickle.dumps(value)))
    assert everything() == before


@pytest.mark.parametrize("one, other", DIFFERENT, ids=repr)
def test_setting_that_only_compares_equal_is_written(ann, frame, one, other):
    set_setting(ann, frame.pk, one)
    set_setting(ann, frame.pk, other)
    with unit(ann) as work:
        kept = work.get(frame.pk).view["settings"]["x"]
    assert (type(kept), repr(kept)) == (type(other), repr(other))


def test_equal_record_in_other_objects_is_not_written(owner, frame):
    def send(**more):
        owner.get(f"update-formats/{frame.pk}", col="a", format={"fmt": "0.0"}, **more)

    # Once the word "fmt" is one object in both columns, once it is another one.
    send(all="true")
    before = everything()
    send()
    assert everything() == before


def test_what_is_changed_in_place_is_written(ann, frame):
    with unit(ann) as work:
        work.get(frame.pk).record["dtypes"][0]["visible"] = False
    with unit(ann) as work:
        assert work.get(frame.pk).record["dtypes"][0]["visible"] is False


def test_data_changed_in_place_and_not_set_are_not_written(ann, frame, owner):
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


def test_new_frame_minds_no_change_of_another(ann, frame):
    with unit(ann) as here:
        opened = here.add(here.reserve())
        opened.frame = pd.DataFrame({"a": [1]})
        opened.name = "new"  # Which reads the other one's.
        Frame.objects.filter(pk=frame.pk).update(version=frame.version + 1)
    assert Frame.objects.filter(name="new").exists()


# Failures -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, query",
    [
        # D-Tale has changed the data when it finds that the rest cannot be done.
        ("edit-cell/{}", dict(col="a", rowIndex=0, updated="no number")),
        ("edit-cell/{}", dict(col="z", rowIndex=0, updated="1")),
        ("rename-col/{}", dict(col="a", rename="b")),
        ("delete-col/{}", dict(cols="no list")),
        ("build-column/{}", dict(type="numeric", cfg={}, name="z")),
        ("update-column-position/{}", dict(action="front", col="z")),
        ("update-settings/{}", dict(settings={"enable_custom_filters": True})),
    ],
)
def test_view_that_fails_changes_nothing(owner, frame, path, query, stored):
    before = everything()
    answer = owner.get(path.format(frame.pk), **query)
    assert answer.json["error"]
    assert everything() == before
    assert stored.names() == {frame.payload}
    assert owner.column(frame.pk) == [1, 2, 3]


@pytest.mark.parametrize("name", ["set_dtypes", "set_history"])
def test_view_that_fails_half_way_changes_nothing(
    owner, frame, stored, monkeypatch, name
):
    def fail(*args):
        raise RuntimeError("half way")

    before = everything()
    monkeypatch.setattr(find("dtale.global_state"), name, fail)
    assert owner.edit(frame.pk, 9).json["error"].startswith("half way (request ")
    assert everything() == before
    monkeypatch.undo()
    assert owner.column(frame.pk) == [1, 2, 3]
    assert stored.names() == {frame.payload}


def test_two_deletions_of_which_one_is_refused_delete_nothing(
    visitor, ann, bob, publish
):
    own, shared = publish(bob), publish(ann, shared_with=[bob])
    visitor(bob).get("cleanup-datasets", dataIds=f"{own.pk},{shared.pk}")
    assert set(Frame.objects.values_list("pk", flat=True)) == {own.pk, shared.pk}
