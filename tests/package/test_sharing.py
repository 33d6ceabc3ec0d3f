"""Readers of a shared frame have their own view and can copy it, but cannot edit it."""

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

import django_dtale
from django_dtale import EVERYONE
from django_dtale.models import (
    Action,
    AuditEntry,
    Frame,
    PersonalView,
    RemovedShare,
    Share,
)
from django_dtale.unit_of_work import unit_of_work
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(visitor, ann):
    return visitor(ann)


@pytest.fixture
def shared(ann, bob, publish):
    """Return one of Ann's frames that Bob may read."""
    return publish(ann, "sales", shared_with=[bob])


@pytest.fixture
def reader(visitor, bob):
    return visitor(bob)


def test_reader_sees_a_shared_frame(shared, reader):
    assert reader.frames() == [shared.pk]
    assert reader.get(f"main/{shared.pk}").status_code == 200
    assert reader.column(shared.pk) == [1, 2, 3]


CHANGES = [
    ("edit-cell/{}", dict(col="a", rowIndex=0, updated="9")),
    ("rename-col/{}", dict(col="a", rename="z")),
    ("delete-col/{}", dict(cols=["a"])),
    ("duplicate-col/{}", dict(col="a")),
    ("build-column/{}", dict(type="cumsum", cfg={"cols": ["a"]}, name="z")),
    (
        "build-replacement/{}",
        dict(col="a", type="value", cfg=[{"value": 1, "type": "raw", "replace": 4}]),
    ),
    ("update-column-position/{}", dict(action="back", col="a")),
    ("drop-filtered-rows/{}", {}),
    (
        "reshape/{}",
        dict(
            type="transpose", cfg={"index": ["a"], "columns": ["b"]}, output="override"
        ),
    ),
    ("cleanup-datasets", dict(dataIds="{}")),
]


@pytest.mark.parametrize("path, query", CHANGES, ids=[path for path, _ in CHANGES])
def test_reader_cannot_change_the_data(shared, reader, owner, path, query, stored):
    before = Frame.objects.values().get(pk=shared.pk)
    query = {
        name: value.format(shared.pk) if isinstance(value, str) else value
        for name, value in query.items()
    }
    answer = reader.get(path.format(shared.pk), **query)
    assert f"Table {shared.pk} sales belongs to ann" in answer.json["error"]
    assert answer.json["copy_url"] == f"/frames/{shared.pk}/copy/"
    assert Frame.objects.values().get(pk=shared.pk) == before
    assert stored.names() == {shared.payload}
    assert owner.column(shared.pk) == [1, 2, 3]


def test_in_place_changes_for_a_reader_are_not_saved(shared, bob):
    with bind(Workspace(bob)), unit_of_work() as unit:
        unit.get(shared.pk).shared_state["dtypes"][0]["min"] = 7
    with bind(Workspace(bob)), unit_of_work() as unit:
        assert unit.get(shared.pk).shared_state["dtypes"][0]["min"] == 1


def test_sorting_and_filters_are_kept_per_user(shared, reader, owner):
    down, up = [["a", "DESC"]], [["a", "ASC"]]
    assert reader.column(shared.pk, sort=down) == [3, 2, 1]
    assert owner.column(shared.pk) == [1, 2, 3]
    assert reader.column(shared.pk, sort=down) == [3, 2, 1]
    reader.get(
        f"save-column-filter/{shared.pk}",
        col="a",
        cfg={"type": "int", "operand": ">", "value": 1},
    )
    assert reader.column(shared.pk, sort=down) == [3, 2]
    assert owner.column(shared.pk, sort=up) == [1, 2, 3]
    assert (
        reader.get(f"describe/{shared.pk}", col="b", filtered="true").json["describe"][
            "count"
        ]
        == "2"
    )


def test_hidden_columns_are_kept_per_user(shared, reader, owner):
    def visible(person):
        dtypes = person.get(f"dtypes/{shared.pk}").json["dtypes"]
        return [each["name"] for each in dtypes if each["visible"]]

    reader.post(f"update-visibility/{shared.pk}", json={"toggle": "a"})
    assert (visible(reader), visible(owner)) == (["b"], ["a", "b"])
    owner.post(f"update-visibility/{shared.pk}", json={"toggle": "b"})
    assert (visible(reader), visible(owner)) == (["b"], ["a"])


def test_reader_sees_edits_of_the_owner(shared, reader, owner):
    assert reader.column(shared.pk, sort=[["a", "DESC"]]) == [3, 2, 1]
    owner.edit(shared.pk, 10)
    assert reader.column(shared.pk, sort=[["a", "DESC"]]) == [10, 3, 2]


def test_frame_that_is_no_longer_shared_is_not_found(shared, reader):
    shared.shared_with.clear()
    assert reader.frames() == []
    assert reader.get(f"main/{shared.pk}").status_code == 404


def test_owner_who_is_also_a_reader_can_still_edit(publish, ann, owner):
    frame = publish(ann, shared_with=[ann])
    with bind(Workspace(ann)), unit_of_work() as unit:
        assert unit.get(frame.pk).access.is_owner
    assert owner.edit(frame.pk, 10).json["success"]


# From code ----------------------------------------------------------------------------


@pytest.fixture
def team(bob):
    team = Group.objects.create(name="Team")
    bob.groups.add(team)
    return team


@pytest.mark.parametrize("kind", ["user", "group", "everyone"])
def test_code_shares_with_users_groups_and_everyone(
    publish, ann, bob, team, reader, kind
):
    frame = publish(ann)
    people = {"user": bob, "group": team, "everyone": EVERYONE}[kind]
    frame.share(people)
    assert reader.column(frame.pk) == [1, 2, 3]
    assert "belongs to ann" in reader.edit(frame.pk, 9).json["error"]
    frame.share(people, role="editor")
    assert reader.edit(frame.pk, 9).json["success"]
    assert frame.shares.count() == 1
    frame.unshare(people)
    assert reader.frames() == []
    assert RemovedShare.objects.get().restore().role == "editor"
    assert reader.column(frame.pk) == [9, 2, 3]


def test_unsharing_removes_only_the_share_with_these_people(publish, ann, bob, team):
    frame = publish(ann, shared_with=[bob, team, EVERYONE])
    frame.unshare(EVERYONE)
    assert [each.people for each in frame.shares.order_by("pk")] == ["bob", "Team"]
    frame.unshare(team)
    frame.unshare(team)  # This is harmless.
    assert [each.people for each in frame.shares.all()] == ["bob"]


def test_unknown_role_is_an_error(publish, ann, bob):
    frame = publish(ann)
    with pytest.raises(ValueError, match="owner"):
        frame.share(bob, "owner")
    assert not Share.objects.exists()


def test_publishing_again_keeps_the_role_of_people(ann, bob, team, stored):
    """A job that publishes each night must not take rights away."""

    def publish():
        return django_dtale.publish(
            {"a": [1]},
            owner=ann,
            name="sales",
            replace=True,
            shared_with=[bob, team, EVERYONE],
        )

    frame = publish()
    assert {each.role for each in frame.shares.all()} == {"reader"}
    frame.share(bob, "editor")
    frame.share(EVERYONE, "editor")
    assert publish() == frame
    roles = {each.people: each.role for each in frame.shares.all()}
    everyone = "Everyone who is signed in"
    assert roles == {"bob": "editor", "Team": "reader", everyone: "editor"}


def test_audit_log_names_who_shares_from_code(publish, ann, bob, team):
    frame = publish(ann, "sales", shared_with=[bob])
    frame.share(bob)  # Nothing changes.
    frame.share(team, "editor")
    frame.unshare(bob)
    entries = AuditEntry.objects.order_by("pk")
    assert [(each.user, each.action, each.detail) for each in entries] == [
        (ann, Action.SHARED, "bob: Can view"),
        (ann, Action.SHARED, "Team: Can edit"),
        (ann, Action.UNSHARED, "bob: Can view"),
    ]


# Copies -------------------------------------------------------------------------------


def test_copy_belongs_to_the_reader_and_keeps_their_view(shared, reader, owner, bob):
    down = [["a", "DESC"]]
    Frame.objects.update(
        note="The orders of 2026.", conversion_notes="Column c was a list."
    )
    reader.column(shared.pk, sort=down)
    answer = reader.submit(f"/frames/{shared.pk}/copy/")
    copy = Frame.objects.get(owner=bob)
    assert answer.location == copy.get_absolute_url()
    assert (copy.name, copy.note) == ("sales 2", "The orders of 2026.")
    assert copy.conversion_notes == "Column c was a list."
    assert reader.column(copy.pk, sort=down) == [3, 2, 1]
    assert reader.edit(copy.pk, 30).json["success"]
    assert reader.column(copy.pk, sort=down) == [30, 2, 1]
    assert owner.column(shared.pk) == [1, 2, 3]


def test_get_of_the_copy_page_copies_nothing(shared, reader):
    page = reader.browser.get(f"/frames/{shared.pk}/copy/")
    assert "<button>Save a copy</button>" in page.text
    assert Frame.objects.count() == 1


def test_copy_of_a_frame_that_is_not_shared_is_not_found(reader, ann, publish):
    frame = publish(ann)
    assert reader.submit(f"/frames/{frame.pk}/copy/").status_code == 404
    assert Frame.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_existing_shares_and_views_stay(visitor, ann, bob, publish):
    """Before this update, the view of a reader was a part of the share."""
    before = [("frames", "0007_live_data")]
    after = MigrationExecutor(connection).loader.graph.leaf_nodes("frames")
    frame, reader = publish(ann, shared_with=[bob]), visitor(bob)
    reader.get(f"test-filter/{frame.pk}", query="a > 2", save="true")
    view = bytes(PersonalView.objects.get().settings)
    MigrationExecutor(connection).migrate(before)
    try:
        state = MigrationExecutor(connection).loader.project_state(before)
        share = state.apps.get_model("frames", "Share").objects.get()
        share.settings = view
        share.save()
    finally:
        MigrationExecutor(connection).migrate(after)
    assert reader.column(frame.pk) == [3]
    assert visitor(ann).column(frame.pk) == [1, 2, 3]
    assert Share.objects.get().role == "reader"


@pytest.mark.parametrize("people", [None, AnonymousUser(), "bob", 1])
def test_nobody_gets_access_by_mistake(publish, ann, people):
    """For example, a user's manager can be None, which is not everyone."""
    frame = publish(ann)
    for share in (
        lambda: frame.share(people),
        lambda: frame.unshare(people),
        lambda: publish(ann, shared_with=[people]),
    ):
        with pytest.raises(TypeError, match="a user, a group, or EVERYONE"):
            share()
    assert Frame.objects.count() == 1 and not Share.objects.exists()
