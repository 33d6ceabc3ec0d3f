"""Frames in the admin: search, changes, sharing, and deletion with payloads."""

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.urls import reverse
from django.utils.html import escape
from pytest_django.asserts import assertContains, assertNotContains

from django_dtale import unit_of_work
from django_dtale.models import (
    Action,
    AuditEntry,
    Frame,
    Record,
    RemovedShare,
    Share,
)
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/frames/frame/"


@pytest.fixture
def frames(publish, ann, bob):
    return publish(ann, "Q3 sales"), publish(bob, "budget", a=[1])


def change(frame):
    return reverse("admin:frames_frame_change", args=[frame.pk])


def form(frame, **fields):
    """Return the data of the admin's change form."""
    forms = {"shares-TOTAL_FORMS": 1, "shares-INITIAL_FORMS": 0}
    forms["shares-0-role"] = "reader"
    return {"name": frame.name, "owner": frame.owner_id, **forms, **fields}


def test_list_shows_frames_and_their_owners(admin_client, frames):
    page = admin_client.get(LIST)
    for text in ("Q3 sales", "ann", "3 × 2", "budget", "bob", "1 × 1"):
        assertContains(page, text)


def test_list_makes_no_query_per_frame(
    admin_client, publish, ann, django_assert_max_num_queries
):
    for _ in range(12):
        publish(ann)
    with django_assert_max_num_queries(10):
        admin_client.get(LIST)


@pytest.mark.parametrize(
    "query, found",
    [
        ("q=sales", {0}),
        ("q=bob", {1}),
        ("q=nobody", set()),
        ("last_opened_at__gte=2020-01-01T00:00Z", {0, 1}),
        ("last_opened_at__lt=2020-01-01T00:00Z", set()),
        ("owner__id__exact={ann}", {0}),
        ("q={first}", {0}),
    ],
)
def test_frames_can_be_searched_and_filtered(admin_client, frames, ann, query, found):
    query = query.format(ann=ann.pk, first=frames[0].pk)
    results = admin_client.get(f"{LIST}?{query}").context["cl"].queryset
    assert set(results) == {frames[number] for number in found}


def test_only_accessible_frames_have_a_link(admin_client, admin_user, frames):
    link = f'href="{frames[0].get_absolute_url()}"'
    page = admin_client.get(LIST)
    assertNotContains(page, link)
    assertContains(page, "not shared with you", 2)
    frames[0].shared_with.add(admin_user)
    page = admin_client.get(LIST)
    assertContains(page, link)
    assertContains(page, "not shared with you", 1)


def test_frames_cannot_be_added_in_the_admin(admin_client):
    assert admin_client.get(f"{LIST}add/").status_code == 403


def test_frame_can_be_shared_in_the_admin(admin_client, frames, bob, visitor):
    answer = admin_client.post(
        change(frames[0]), form(frames[0], **{"shares-0-user": bob.pk})
    )
    assert answer.status_code == 302, (answer.content, answer.headers)
    assert visitor(bob).column(frames[0].pk) == [1, 2, 3]


def test_shares_in_the_admin_follow_the_rules_of_the_owners_page(
    admin_client, admin_user, frames, bob, ann, visitor
):
    """Removed shares can be restored, and the audit log names the administrator."""
    team = Group.objects.create(name="Team")
    path, name = change(frames[0]), "shares-0"
    fields = {f"{name}-group": team.pk, f"{name}-role": "editor"}
    admin_client.post(path, form(frames[0], **fields))
    [share] = Share.objects.all()
    assert (share.people, share.role, share.shared_by) == ("Team", "editor", admin_user)

    def saved(**values):
        values = {
            "shares-INITIAL_FORMS": 1,
            f"{name}-id": share.pk,
            f"{name}-frame": frames[0].pk,
            **{f"{name}-{key}": value for key, value in values.items()},
        }
        return admin_client.post(path, form(frames[0], **values))

    saved(group=team.pk, role="reader")
    share.refresh_from_db()
    assert (share.people, share.role) == ("Team", "reader")
    saved(user=bob.pk, role="reader")
    [share] = Share.objects.all()
    assert share.people == "bob" and RemovedShare.objects.get().people == "Team"
    assert visitor(bob).column(frames[0].pk) == [1, 2, 3]
    saved(user=bob.pk, role="reader", DELETE="on")
    assert not Share.objects.exists() and RemovedShare.objects.count() == 2
    assert [
        (each.user, each.action, each.detail)
        for each in AuditEntry.objects.order_by("pk")
    ] == [
        (admin_user, Action.SHARED, "Team: Can edit"),
        (admin_user, Action.SHARED, "Team: Can view"),
        (admin_user, Action.UNSHARED, "Team: Can view"),
        (admin_user, Action.SHARED, "bob: Can view"),
        (admin_user, Action.UNSHARED, "bob: Can view"),
    ]


def test_everyone_has_to_be_chosen_in_the_admin(admin_client, frames, bob):
    """A role without people must not open the table to everyone."""
    team = Group.objects.create(name="Team")
    for wrong in (
        {"role": "editor"},
        {"role": "reader", "user": bob.pk, "group": team.pk},
        {"role": "reader", "user": bob.pk, "everyone": "on"},
    ):
        fields = {f"shares-0-{key}": value for key, value in wrong.items()}
        page = admin_client.post(change(frames[0]), form(frames[0], **fields))
        assertContains(page, "Choose one user, one group, or everyone.")
    assert not Share.objects.exists()
    everyone = {"shares-0-everyone": "on"}
    admin_client.post(change(frames[0]), form(frames[0], **everyone))
    assert Share.objects.get().people == "Everyone who is signed in"
    page = admin_client.get(change(frames[0]))
    assertContains(page, 'name="shares-0-everyone" id="id_shares-0-everyone" checked')


def test_owner_can_be_changed_in_the_admin(admin_client, frames, ann, bob, visitor):
    admin_client.post(change(frames[0]), form(frames[0], owner=bob.pk))
    assert visitor(ann).frames() == []
    assert visitor(bob).edit(frames[0].pk, 9).json["success"]


@pytest.mark.parametrize("name", ["<b>", "a'b", 'a"b', "a&b"])
def test_name_may_have_html_characters(admin_client, frames, name):
    admin_client.post(change(frames[0]), form(frames[0], name=f"{name}\u202e"))
    assert Frame.objects.get(pk=frames[0].pk).name == name
    page = admin_client.get("/admin/frames/frame/")
    assertContains(page, f'<td class="field-name">{escape(name)}</td>')


def test_admin_change_does_not_overwrite_a_concurrent_edit(
    admin_client, frames, ann, stored, visitor, monkeypatch
):
    """The edit happens between the admin's read and its write of the row."""
    save = Frame.save_base

    def edit_first(self, *args, **kwargs):
        monkeypatch.undo()
        with bind(Workspace(ann)), unit_of_work.unit_of_work() as unit:
            opened = unit.get(frames[0].pk)
            opened.frame = opened.frame.assign(a=9)
        return save(self, *args, **kwargs)

    monkeypatch.setattr(Frame, "save_base", edit_first)
    admin_client.post(change(frames[0]), form(frames[0], name="Q4 sales"))
    stored.forget()
    row = Frame.objects.get(pk=frames[0].pk)
    assert (row.name, row.payload in stored.names()) == ("Q4 sales", True)
    assert visitor(ann).column(row.pk) == [9, 9, 9]


# Deletion -----------------------------------------------------------------------------


def delete_one(client, frame):
    url = reverse("admin:frames_frame_delete", args=[frame.pk])
    assert client.get(url).status_code == 200
    client.post(url, {"post": "yes"})


def delete_selected(client, frame):
    action = {"action": "delete_selected", "_selected_action": [frame.pk]}
    assert client.post(LIST, action).status_code == 200
    client.post(LIST, {**action, "post": "yes"})


def delete_owner(client, frame):
    url = reverse("admin:accounts_user_delete", args=[frame.owner_id])
    client.post(url, {"post": "yes"})


@pytest.mark.parametrize("delete", [delete_one, delete_selected, delete_owner])
def test_deletion_removes_payload_record_and_shares(
    admin_client, frames, admin_user, stored, delete
):
    frames[0].shared_with.add(admin_user)
    delete(admin_client, frames[0])
    assert list(Frame.objects.all()) == [frames[1]]
    assert list(Record.objects.values_list("pk", flat=True)) == [frames[1].pk]
    assert not Share.objects.exists()
    assert stored.names() == {frames[1].payload}


def test_rolled_back_deletion_keeps_the_payload(frames, stored, visitor, ann):
    with pytest.raises(RuntimeError), transaction.atomic():
        Frame.objects.filter(owner=ann).delete()
        raise RuntimeError
    assert {frame.payload for frame in frames} == stored.names()
    assert visitor(ann).column(frames[0].pk) == [1, 2, 3]
