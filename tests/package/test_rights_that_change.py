"""Rights end at once, also for pages that are open, and roles cannot be exceeded.

A user owns a table. Bob has access to it, directly, in a group, or as everyone. He opens
its pages, and then loses his access.
"""

import re
from io import BytesIO

import pandas as pd
import pytest
from django.contrib.auth.models import Group
from pytest_django.asserts import assertContains, assertNotContains

import django_dtale
from django_dtale import EVERYONE
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.endpoints import STATIC, kind_of
from django_dtale.exceptions import LimitExceeded
from django_dtale.models import (
    Change,
    Frame,
    PersonalView,
    RemovedShare,
    SavedView,
    Share,
    Token,
)
from django_dtale.models.data_ids import data_id, variant_of_state
from django_dtale.models.tokens import Scope
from django_dtale.workspace import Workspace

from .conftest import csrf_token
from .test_uploads import options_of, send

pytestmark = pytest.mark.django_db

SECRET = "Quixote"  # A value of the table.
NAME = "Windmills"
OWNER = "sancho_panza"  # Random tokens on pages do not contain this name.
DATA = pd.DataFrame(
    {"a": [1, 2, 3, 4], "b": [5, 6, 9, 8], "s": [SECRET, "x", "y", "x"]}
)
NEW = "a,b,s\n7,7,new\n"


@pytest.fixture
def ann(user):
    return user(OWNER)


@pytest.fixture
def table(stored, ann):
    return django_dtale.publish(DATA, owner=ann, name=NAME)


@pytest.fixture
def team(bob):
    team = Group.objects.create(name="Team")
    bob.groups.add(team)
    return team


class Person:
    """Bob, who requests everything that concerns a table.

    Attributes:
        answers: all of his responses.
    """

    def __init__(self, visitor, user):
        self.visitor = visitor(user)
        self.browser = self.visitor.browser
        self.keys = {
            scope: Token.objects.create_token(user, "job", scope) for scope in Scope
        }

    def dtale(self, pk):
        """Return the responses of D-Tale to each kind of request that reads."""
        asked = {
            path: self.visitor.get(path.format(pk=pk), **query)
            for path, query in READS.items()
        }
        inputs = {"url.pathname": f"/flask/dtale/charts/{pk}", "url.search": ""}
        asked["callback"] = self.visitor.call_back("popup-content.children", inputs, {})
        return asked

    def site(self, pk):
        """Return the responses of the site to requests that read."""
        paths = [f"/frames/{pk}/{page}" for page in SITE]
        asked = {path: self.browser.get(path) for path in paths}
        headers = {"Authorization": f"Bearer {self.keys[Scope.READ]}"}
        path = f"/frames/{pk}/csv/"
        asked["download by a program"] = self.browser.get(path, headers=headers)
        return asked

    def changes_view(self, pk):
        return {
            path: self.visitor.get(path.format(pk=pk), **query)
            for path, query in OWN_VIEW.items()
        }

    def edits(self, pk):
        """Return the responses to requests that change the data."""
        return {
            **{
                path: self.visitor.get(path.format(pk=pk), **query)
                for path, query in EDITS.items()
            },
            "push": self.push(pk),
            "append": self.push(pk, "append=1"),
            "update": self.update(pk),
            "undo": self.submit(f"/frames/{pk}/undo/"),
        }

    def push(self, pk, query=""):
        headers = {"Authorization": f"Bearer {self.keys[Scope.WRITE]}"}
        path = f"/frames/{pk}/push/?{query}"
        options = {"data": NEW, "content_type": "text/csv", "headers": headers}
        return self.browser.post(path, **options)

    def update(self, pk, **fields):
        """Send a file to the form that updates a table."""
        data = self.token() | {"frame": str(pk), "how": "replace", **fields}
        data["file"] = BytesIO(NEW.encode()), "new.csv"
        return self.browser.post("/frames/upload/", data=data)

    def submit(self, path, **data):
        return self.browser.post(path, data=self.token() | data)

    def token(self):
        return csrf_token(self.browser.get("/frames/"))


# Requests that read data or what is known about them.
READS = {
    "main/{pk}": {},
    "iframe/{pk}": {},
    "charts/{pk}": {},
    "network/{pk}": {},
    "popup/describe/{pk}": {},
    "popup/correlations/{pk}": {},
    "data/{pk}": {"ids": ["0-9"]},
    "data-export/{pk}": {"type": "csv"},
    "dtypes/{pk}": {},
    "describe/{pk}": {"col": "s"},
    "filter-info/{pk}": {},
    "code-export/{pk}": {},
    "column-analysis/{pk}": {"col": "a", "type": "histogram"},
    "column-filter-data/{pk}": {"col": "s"},
    "async-column-filter-data/{pk}": {"col": "s", "input": "Q"},
    "correlations/{pk}": {},
    "scatter/{pk}": {"cols": ["a", "b"]},
    "chart-data/{pk}": {"x": "a", "y": ["b"]},
    "test-filter/{pk}": {"query": "a > 1"},
    "outliers/{pk}": {"col": "a"},
}
SITE = ["csv/", "csv/?view=1", "parquet/", "copy/", "state/", "leave/"]
OF_EDITORS = ["update/", "history/"]
OF_THE_OWNER = ["rename/", "share/", "delete/", "refresh/"]
# Requests that change only the person's own view.
OWN_VIEW = {
    "update-settings/{pk}": {"settings": {"invertFilter": False}},
    "save-column-filter/{pk}": {
        "col": "a",
        "cfg": {"type": "int", "operand": ">", "value": 0},
    },
    "update-formats/{pk}": {"col": "a", "format": {"fmt": "0.0", "style": {}}},
}
EDITS = {
    "edit-cell/{pk}": {"col": "a", "rowIndex": 0, "updated": "9"},
    "rename-col/{pk}": {"col": "b", "rename": "z"},
    "duplicate-col/{pk}": {"col": "a"},
    "build-column/{pk}": {
        "type": "numeric",
        "cfg": {"left": {"col": "a"}, "right": {"val": 2}, "operation": "sum"},
        "name": "c",
    },
    "delete-col/{pk}": {"cols": ["a"]},
}


@pytest.fixture
def person(visitor, bob):
    return Person(visitor, bob)


def is_open(answer):
    """Return whether a response shows what was requested."""
    if answer.status_code >= 400:
        return False
    return not answer.is_json or "error" not in answer.json


def assert_refused(answers, missing=""):
    """Check that responses have an error status, and reveal nothing about the table."""
    for path, answer in answers.items():
        assert 400 <= answer.status_code < 500, (path, answer.status_code, answer.text)
        for secret in (SECRET, NAME, OWNER):
            assert secret not in answer.text, (path, secret)
        if missing and answer.is_json and "error" in answer.json:
            assert missing in answer.json["error"], path


def snapshot():
    """Return all rows that requests could change."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Frame, Share, RemovedShare, PersonalView, Change)
    ]


# Each way to give access returns a function that takes it away.


def as_reader(table, bob, team):
    share = table.share(bob)
    return share.remove


def as_editor(table, bob, team):
    table.share(bob, "editor")
    return lambda: table.unshare(bob)


def as_member(table, bob, team):
    table.share(team)
    return lambda: bob.groups.remove(team)


def in_a_deleted_group(table, bob, team):
    table.share(team, "editor")
    return team.delete


def in_a_group_that_loses_access(table, bob, team):
    table.share(team, "editor")
    return lambda: table.unshare(team)


def as_everyone(table, bob, team):
    table.share(EVERYONE, "editor")
    return lambda: table.unshare(EVERYONE)


def in_every_way(table, bob, team):
    """Return the removal of the last of several shares; the others end before."""
    for people in (bob, team, EVERYONE):
        table.share(people, "editor")

    def remove():
        for share in Share.objects.all():
            share.remove()

    return remove


def of_a_table_that_is_deleted(table, bob, team):
    table.share(bob, "editor")
    return lambda: Frame.objects.update(deleted_at="2026-01-01T00:00Z")


def of_an_owner_who_is_deleted(table, bob, team):
    table.share(bob, "editor")
    return table.owner.delete


WAYS = [
    as_reader,
    as_editor,
    as_member,
    in_a_deleted_group,
    in_a_group_that_loses_access,
    as_everyone,
    in_every_way,
    of_a_table_that_is_deleted,
    of_an_owner_who_is_deleted,
]


@pytest.mark.parametrize("give", WAYS)
def test_each_kind_of_request_is_refused_after_access_was_lost(
    person, table, bob, team, give
):
    pk = table.pk
    take = give(table, bob, team)
    answers = {**person.dtale(pk), **person.site(pk), **person.changes_view(pk)}
    closed = [path for path, answer in answers.items() if not is_open(answer)]
    assert closed == []  # The requests are valid, so that only the rights matter.
    tag = answers[f"/frames/{pk}/csv/"].headers["ETag"]
    assert SECRET in answers["data/{pk}"].text
    person.visitor.column(pk, sort=[["a", "DESC"]])  # Sorted data are cached.
    take()
    before = snapshot()
    missing = f"Table {pk} does not exist, or is not shared with you."
    answers = {**person.dtale(pk), **person.changes_view(pk), **person.edits(pk)}
    # The response to the callback of the charts page contains the page's text.
    callback = answers.pop("callback")
    assert SECRET not in callback.text and NAME not in callback.text
    assert_refused(answers, missing)
    assert_refused(person.site(pk), missing)
    for page in OF_EDITORS + OF_THE_OWNER:
        assert_refused({page: person.browser.get(f"/frames/{pk}/{page}")})
    # A file that the browser has cached is not confirmed.
    headers = {"If-None-Match": tag}
    answer = person.browser.get(f"/frames/{pk}/csv/", headers=headers)
    assert answer.status_code == 404
    assert person.visitor.frames() == []
    lists = ["processes", "process-keys", "popup/merge", "charts/"]
    for page in [*map(person.visitor.get, lists), person.browser.get("/frames/")]:
        assert NAME not in page.text
    assert snapshot() == before


def test_message_about_a_lost_table_is_that_about_a_missing_one(person, table, bob):
    table.share(bob)
    assert person.visitor.column(table.pk) == [1, 2, 3, 4]
    table.unshare(bob)
    other = table.pk + 1000

    def texts(pk):
        answers = [
            person.visitor.get(f"dtypes/{pk}"),
            person.visitor.get(f"main/{pk}"),
            person.browser.get(f"/frames/{pk}/csv/"),
            person.browser.get(f"/frames/{pk}/share/"),
            person.browser.get(f"/frames/{pk}/history/"),
            person.push(pk),
        ]
        return [
            (each.status_code, re.sub(rf"(Table |/|%2F){pk}\b", r"\1PK", each.text))
            for each in answers
        ]

    nonces = re.compile(r'(nonce|value|csrfmiddlewaretoken)="[^"]+"')
    lost, missing = texts(table.pk), texts(other)
    assert [(status, nonces.sub("", text)) for status, text in lost] == [
        (status, nonces.sub("", text)) for status, text in missing
    ]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_route_of_dtale_shows_a_lost_table(person, table, bob, method):
    """The routes include those that no page of D-Tale uses."""
    table.share(bob, "editor")
    assert person.visitor.column(table.pk) == [1, 2, 3, 4]
    table.unshare(bob)
    before = snapshot()
    rules = build_dtale().app("/flask").url_map.iter_rules()
    keys = dict.fromkeys(("data_id", "data_name", "path"), str(table.pk))
    asked = 0
    for rule in rules:
        if method not in rule.methods or rule.endpoint in STATIC:
            continue
        if not (kind_of(rule.endpoint) and {*keys} & {*rule.arguments}):
            continue
        path = rule.build(dict.fromkeys(rule.arguments, "1") | keys)[1]
        query = (
            "col=s&cols=%5B%22s%22%5D&ids=%5B%220-9%22%5D&type=csv&x=a&y=%5B%22b%22%5D"
        )
        answer = person.browser.open(f"/flask{path}?{query}", method=method)
        assert SECRET not in answer.text and NAME not in answer.text, path
        asked += 1
    assert asked > (40 if method == "GET" else 3)
    assert snapshot() == before


def test_saved_views_and_earlier_states_end_with_the_access(person, table, bob, owner):
    table.share(bob, "editor", all_history=True)
    owner.edit(table.pk, 9)
    saved = SavedView.objects.create(frame=table, name=f"{NAME} of {SECRET}")
    state = variant_of_state(table.changes.get().pk)
    keys = [data_id(table.pk, variant) for variant in (saved.variant, state)]
    assert [person.visitor.column(key)[0] for key in keys] == [9, 1]
    table.unshare(bob)
    for key in keys:
        asked = person.dtale(key)
        assert SECRET not in asked.pop("callback").text
        assert_refused(asked)


def test_user_who_is_deactivated_loses_everything(person, table, bob):
    table.share(bob, "editor")
    pk = table.pk
    assert person.visitor.column(pk) == [1, 2, 3, 4]
    tokens = {"csv": person.site(pk)["download by a program"]}
    assert is_open(tokens["csv"])
    bob.is_active = False
    bob.save()
    answers = person.dtale(pk)
    assert SECRET not in answers.pop("callback").text
    assert_refused(answers)
    assert_refused({"push": person.push(pk)})
    assert SECRET not in person.site(pk)["download by a program"].text


def test_everyone_means_everyone_who_is_signed_in(person, table, visitor):
    table.share(EVERYONE)
    assert person.visitor.column(table.pk) == [1, 2, 3, 4]
    nobody = visitor()
    assert nobody.get(f"data/{table.pk}", ids=["0-9"]).status_code == 401
    answer = nobody.browser.get(f"/frames/{table.pk}/csv/")
    assert answer.status_code == 404 and SECRET not in answer.text
    assert NAME not in nobody.browser.get("/frames/").text


def test_members_who_join_a_group_later_are_in(person, table, bob):
    team = Group.objects.create(name="Team")
    table.share(team, "editor")
    assert_refused({"data": person.visitor.get(f"data/{table.pk}", ids=["0-9"])})
    bob.groups.add(team)
    assert person.visitor.column(table.pk) == [1, 2, 3, 4]
    assert person.visitor.edit(table.pk, 9).json["success"]
    assert NAME in person.browser.get("/frames/").text


# Roles --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_member", [False, True])
def test_editor_who_becomes_a_reader_can_no_longer_edit(
    person, table, bob, team, is_member
):
    people = team if is_member else bob
    table.share(people, "editor")
    assert person.visitor.edit(table.pk, 9).json["success"]
    table.share(people, "reader")
    table.refresh_from_db()
    before = snapshot()
    for path, answer in person.edits(table.pk).items():
        assert not is_open(answer) or answer.status_code == 302, path
        assert "Only the owner" in answer.text or "read-only" in answer.text, path
    for page in OF_EDITORS:
        answer = person.browser.get(f"/frames/{table.pk}/{page}")
        assert answer.status_code == 403
    assert snapshot() == before
    assert person.visitor.column(table.pk) == [9, 2, 3, 4]


@pytest.mark.parametrize("path", [*EDITS, "push", "append", "update", "undo"])
def test_editor_can_edit(person, table, bob, path):
    table.share(bob, "editor")
    if path == "undo":
        assert person.visitor.edit(table.pk, 9).json["success"]
    edits = {
        "push": lambda: person.push(table.pk),
        "append": lambda: person.push(table.pk, "append=1"),
        "update": lambda: person.update(table.pk),
        "undo": lambda: person.submit(f"/frames/{table.pk}/undo/"),
    }
    ask = edits.get(
        path, lambda: person.visitor.get(path.format(pk=table.pk), **EDITS[path])
    )
    version = Frame.objects.get().version
    assert is_open(ask())
    frame = Frame.objects.get()
    assert frame.version > version and frame.owner == table.owner
    # The history names the editor, not the owner.
    assert {change.user for change in frame.changes.all()} == {bob}


@pytest.mark.parametrize("role", ["reader", "editor"])
def test_only_the_owner_can_share_rename_refresh_and_delete(
    person, table, bob, user, role
):
    table.share(bob, role)
    removed = table.share(user("dulcinea")).remove()
    given = table.shares.get()
    before = snapshot()
    path = f"/frames/{table.pk}"
    answers = {
        "rename": person.submit(f"{path}/rename/", name="mine"),
        "share": person.submit(f"{path}/share/", person="dulcinea", role="editor"),
        "shares": person.browser.get(f"{path}/share/"),
        "role": person.submit(
            f"{path}/share/{given.pk}/role/", **{f"share-{given.pk}-role": "editor"}
        ),
        "remove": person.submit(f"{path}/share/{given.pk}/"),
        "restore": person.submit(f"{path}/share/{removed.pk}/restore/"),
        "refresh": person.submit(f"{path}/refresh/"),
        "delete": person.submit(f"{path}/delete/"),
        "cleanup": person.visitor.get("cleanup-datasets", dataIds=str(table.pk)),
    }
    for name, answer in answers.items():
        assert not is_open(answer), name
        text = answer.text if name != "cleanup" else answer.json["error"]
        assert "Only the owner can" in text and f"belongs to {OWNER}" in text, name
        assert "dulcinea" not in text, name
    assert snapshot() == before


def test_editor_cannot_exceed_the_rule_of_a_table(person, ann, bob, stored):
    view = django_dtale.View(editable={"b": None})
    table = django_dtale.publish(DATA, owner=ann, name=NAME, view=view)
    table.share(bob, "editor")
    before = snapshot()
    for name in ("edit-cell/{pk}", "push", "append", "update"):
        assert not is_open(person.edits(table.pk)[name]), name
    assert snapshot() == before
    assert person.visitor.edit(table.pk, 9, column="b").json["success"]


def test_editor_sees_no_history_from_before(person, table, bob, owner):
    owner.edit(table.pk, "1000")
    old = table.changes.get()
    table.share(bob, "editor")
    path = f"/frames/{table.pk}"
    key = data_id(table.pk, variant_of_state(old.pk))
    before = snapshot()
    history = person.browser.get(f"{path}/history/")
    assert history.status_code == 200 and "edited" not in history.text
    asked = person.dtale(key)
    asked.pop("callback")
    asked["restore"] = person.submit(f"{path}/history/{old.pk}/")
    asked["page"] = person.browser.get(f"{path}/history/{old.pk}/")
    for name, answer in asked.items():
        assert answer.status_code == 404, name
    assert person.submit(f"{path}/undo/").status_code == 409
    assert snapshot() == before
    table.share(bob, "editor", all_history=True)
    assert person.visitor.column(key) == [1, 2, 3, 4]
    assert "edited" in person.browser.get(f"{path}/history/").text


def test_former_editor_does_not_see_what_happened_meanwhile(person, table, bob, owner):
    table.share(bob, "editor")
    table.unshare(bob)
    owner.edit(table.pk, "1000")
    table.share(bob, "editor")
    assert "edited" not in person.browser.get(f"/frames/{table.pk}/history/").text


# Uploads that wait --------------------------------------------------------------------


def test_pending_update_of_an_editor_is_refused_after_the_access_ended(
    client, table, bob
):
    """The file was sent, and its preview is open, when the editor loses access."""
    client.force_login(bob)
    table.share(bob, "editor")
    fields = {"frame": table.pk, "how": "replace", "check": "on"}
    waiting = send(client, "new.csv", NEW.encode(), **fields)["Location"]
    page = client.get(waiting)
    assertContains(page, "Update the table")
    table.unshare(bob)
    before = snapshot()
    answer = client.post(waiting, {**options_of(page), "open": ""})
    assertContains(answer, "does not exist, or is not shared with you")
    assertNotContains(answer, NAME)
    assert snapshot() == before
    table.share(bob, "editor")
    answer = client.post(waiting, {**options_of(page), "open": ""})
    assert answer["Location"] == table.get_absolute_url()


def test_view_of_the_owner_stays_valid_when_an_editor_replaces_the_data(
    person, table, bob, owner
):
    """The filter of the owner is for a column that the new data do not have."""
    cfg = {"type": "int", "operand": ">", "value": 5}
    owner.get(f"save-column-filter/{table.pk}", col="b", cfg=cfg)
    assert owner.column(table.pk) == [2, 3, 4]
    table.share(bob, "editor")
    headers = {"Authorization": f"Bearer {person.keys[Scope.WRITE]}"}
    answer = person.browser.post(
        f"/frames/{table.pk}/push/",
        data="a,s\n7,new\n8,new\n",
        content_type="text/csv",
        headers=headers,
    )
    assert answer.status_code == 200
    assert owner.column(table.pk) == person.visitor.column(table.pk) == [7, 8]


def test_editor_does_not_learn_how_much_the_owner_has(
    table, bob, ann, publish, dtale_settings
):
    table.share(bob, "editor")
    dtale_settings.MAX_MB = 1
    publish(ann, s=["x" * 900_000])
    new = pd.DataFrame({"a": [1], "b": [2], "s": ["x" * 400_000]})
    with pytest.raises(LimitExceeded, match="than the owner of the table has left"):
        table.append(new, workspace=Workspace(bob))
    with pytest.raises(LimitExceeded, match="your tables would take"):
        table.append(new)
    assert len(table.to_dataframe()) == 4
