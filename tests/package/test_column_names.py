"""Column names that filters would misread are refused or sanitized everywhere."""

import json

import pandas as pd
import pytest

from django_dtale.models import Frame
from django_dtale.unit_of_work import unit_of_work
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db

# For this name, plain D-Tale would write the filter `a`==`a` > 2, which selects rows by
# another column.
HOSTILE = "a`==`a"
UNUSABLE = [HOSTILE, "`", "a`", "``", "", "  ", "dtale_index", "__filtered"]

COLUMNS = {"a": [1, 2, 3], "b": [9, 1, 1]}


@pytest.fixture
def frame(publish, ann):
    return publish(ann, **COLUMNS, t=["A", "`y`", "A"])


@pytest.fixture
def names(frame, ann):
    """A function that returns the names of all columns in Ann's frame."""

    def names():
        with bind(Workspace(ann)), unit_of_work() as unit:
            opened = unit.get(frame.pk)
            names = [column["name"] for column in opened.shared_state["dtypes"]]
            assert names == list(opened.frame.columns)
        return names

    return names


def above_2(owner, pk, name):
    """Filter a column for values above 2, and return the remaining values."""
    config = {"type": "int", "operand": ">", "value": "2"}
    saved = owner.get(f"save-column-filter/{pk}", col=name, cfg=config).json
    assert saved["success"], saved
    return owner.column(pk, name)


WAYS = {
    "rename": ("rename-col", lambda name: {"col": "b", "rename": name}),
    "build": (
        "build-column",
        lambda name: {
            "type": "numeric",
            "name": name,
            "cfg": {"left": {"val": "1"}, "operation": "sum", "right": {"col": "a"}},
        },
    ),
    "replace": (
        "build-replacement",
        lambda name: {
            "type": "value",
            "col": "b",
            "name": name,
            "cfg": [{"value": 9, "type": "raw", "replace": 8}],
        },
    ),
    "split": (
        "build-column",
        lambda name: {
            "type": "split",
            "name": name,
            "cfg": {"col": "t", "delimiter": "y"},
        },
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
@pytest.mark.parametrize("way", WAYS)
def test_unusable_name_is_refused_with_a_reason(owner, frame, names, caplog, way, name):
    if (way == "split" and "`" not in name) or (way == "replace" and not name):
        return  # Here D-Tale appends _0 to the name, or edits the column in place.
    path, query = WAYS[way]
    answer = owner.get(f"{path}/{frame.pk}", **query(name)).json
    assert not answer.get("success")
    if name or way != "build":  # D-Tale itself reports a missing name.
        assert "names must be unique and not empty" in answer["error"]
        assert not [each for each in caplog.records if each.levelname == "ERROR"]
    assert names() == ["a", "b", "t"]
    assert owner.column(frame.pk, "b") == [9, 1, 1]


def test_rename_without_a_name_is_refused(owner, frame, names):
    answer = owner.get(f"rename-col/{frame.pk}", col="b").json
    assert "must be unique and not empty" in answer["error"]
    assert names() == ["a", "b", "t"]
    assert owner.frames() == [frame.pk]


def test_unusable_names_made_from_values_are_refused(owner, frame, names):
    query = {"type": "encoder", "name": "e", "cfg": {"col": "t", "algo": "one_hot"}}
    answer = owner.get(f"build-column/{frame.pk}", **query).json
    assert "t_`y`" in answer["error"]
    assert names() == ["a", "b", "t"]


@pytest.mark.parametrize("name", ["c d", "c'd", 'c"d', "c > 2 or a", "ü", "class", "1"])
@pytest.mark.parametrize("way", ["rename", "build", "replace"])
def test_other_names_are_accepted_and_usable_in_filters(owner, frame, names, way, name):
    path, query = WAYS[way]
    assert owner.get(f"{path}/{frame.pk}", **query(name)).json == {"success": True}
    assert name in names()
    rows = above_2(owner, frame.pk, name)
    assert rows == {"rename": [9], "build": [3.0, 4.0], "replace": [8]}[way]


def test_duplicated_column_is_usable_in_filters(owner, frame, names):
    copied = owner.get(f"duplicate-col/{frame.pk}", col="b").json
    assert copied == {"success": True, "col": "b_2"}
    assert names() == ["a", "b", "b_2", "t"]
    assert above_2(owner, frame.pk, "b_2") == [9]


# Names from other sources -------------------------------------------------------------


@pytest.fixture
def sanitized(owner):
    """A function that checks that HOSTILE was renamed and can be filtered."""

    def check(pk, name="a'=='a", found=(9,)):
        dtypes = owner.get(f"dtypes/{pk}").json["dtypes"]
        assert name in [column["name"] for column in dtypes]
        assert above_2(owner, pk, name) == list(found)
        assert HOSTILE not in owner.get(f"main/{pk}").text.split("The column")[0]
        note = Frame.objects.get(pk=pk).conversion_notes
        assert f"renamed to {name}" in note

    return check


def test_name_in_a_published_frame_is_sanitized(publish, ann, sanitized):
    sanitized(publish(ann, **{**COLUMNS, HOSTILE: [1, 9, 2]}).pk)


def test_name_in_an_uploaded_file_is_sanitized(owner, sanitized):
    sanitized(owner.upload(f"a,{HOSTILE}\n1,1\n2,9\n3,2\n"))


def test_name_made_by_a_pivot_is_sanitized(owner, publish, ann, sanitized):
    pk = publish(ann, a=[1, 1, 2], t=[HOSTILE, "x", HOSTILE], v=[9, 1, 2]).pk
    cfg = {"index": ["a"], "columns": ["t"], "values": ["v"], "aggfunc": "sum"}
    answer = owner.get(f"reshape/{pk}", type="pivot", output="new", cfg=cfg).json
    assert answer["success"], answer
    sanitized(int(answer["data_id"]))


def test_name_made_by_a_transposition_is_sanitized(owner, publish, ann, sanitized):
    pk = publish(ann, t=[HOSTILE, "x"], v=[9, 1], w=[1, 1]).pk
    cfg = {"index": ["t"], "columns": ["v", "w"]}
    answer = owner.get(f"reshape/{pk}", type="transpose", output="new", cfg=cfg).json
    assert answer["success"], answer
    sanitized(int(answer["data_id"]))


def test_name_made_by_a_merge_is_sanitized(owner, publish, ann, sanitized):
    pks = [publish(ann, **COLUMNS).pk, publish(ann, **COLUMNS).pk]
    datasets = [
        {"dataId": str(pk), "index": ["a"], "columns": ["b"], "suffix": suffix}
        for pk, suffix in zip(pks, ("`==`a", "_2"), strict=True)
    ]
    config = {"how": "inner", "sort": False, "indicator": False}
    body = {
        "action": "merge",
        "config": json.dumps(config),
        "datasets": json.dumps(datasets),
    }
    answer = owner.post("merge", json=body).json
    assert answer["success"], answer
    sanitized(int(answer["data_id"]), "b'=='a")


# Frames stored before names were checked ----------------------------------------------


@pytest.fixture
def old(publish, ann):
    """A function that stores a frame with any name, as early releases did."""

    def old(name):
        pk = publish(ann, **COLUMNS).pk
        with bind(Workspace(ann)), unit_of_work() as unit:
            opened = unit.get(pk)
            # pandas replaces the name None with NaN.
            frame = opened.frame.rename(columns={"b": name})
            opened.override_data(frame)
            opened._has_new_data = True
            opened.shared_state["dtypes"][1]["name"] = name
            query = f"`{name}` > 2"
            opened.view_state["settings"] |= {
                "columnFilters": {name: {"query": query}, "a": {"query": "`a` < 3"}},
                "outlierFilters": {name: {"query": query}},
                "sortInfo": [[name, "DESC"]],
                "locked": [name],
            }
        return pk

    return old


@pytest.mark.parametrize(
    "name, shown", [(None, "None"), (HOSTILE, "a'=='a"), ("", "column")]
)
def test_older_frame_can_be_listed_opened_and_changed(owner, old, name, shown):
    pk = old(name)
    assert owner.frames() == [pk]
    for dtypes in ("true", "false"):
        assert owner.get("processes", dtypes=dtypes).json["success"]
    assert owner.get(f"main/{pk}").status_code == 200
    # Saved filters of a renamed column could match the wrong rows, so they are deleted.
    assert owner.column(pk, shown) == [9, 1]
    assert owner.browser.get(f"/frames/{pk}/csv/").text.startswith(f"a,{shown}")
    assert owner.edit(pk, 7, column=shown).json == {"success": True}
    assert owner.column(pk, shown) == [7, 1]
    assert owner.get(f"rename-col/{pk}", col=shown, rename="b").json["success"]
    assert owner.column(pk, "b") == [7, 1]
    assert above_2(owner, pk, "b") == [7]


def test_shared_older_frame_can_be_read(visitor, ann, bob, old):
    pk = old(None)
    Frame.objects.get().shared_with.add(bob)
    reader = visitor(bob)
    assert reader.frames() == [pk]
    assert reader.column(pk, "None") == [9, 1]
    config = {"type": "int", "operand": ">", "value": "2"}
    reader.get(f"save-column-filter/{pk}", col="None", cfg=config)
    assert reader.column(pk, "None") == [9]


def test_names_in_an_older_frame_become_strings(old, ann):
    pk = old(None)
    with bind(Workspace(ann)), unit_of_work() as unit:
        assert unit.get(pk).frame.columns.equals(pd.Index(["a", "None"]))
