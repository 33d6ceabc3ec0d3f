"""The bar below the grid: its parts for each role, renaming, and who else is here."""

import re
import sqlite3
from contextlib import closing
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

import django_dtale
from django_dtale import EVERYONE, View
from django_dtale.models import Change, Frame, Presence
from django_dtale.models.data_ids import data_id, variant_of_state

from .test_ways_in import bar

pytestmark = pytest.mark.django_db

JSON = {"Accept": "application/json"}


@pytest.fixture
def eve(user):
    return user("eve")


@pytest.fixture
def table(publish, ann, bob, eve):
    """A table of Ann's that Bob can view and Eve can edit."""
    frame = publish(ann, "Orders", shared_with=[bob])
    frame.share(eve, "editor")
    return frame


@pytest.fixture
def ask(client):
    """Return a function that asks for the state of a frame as an open page does."""

    def ask(user, frame):
        if client.session.get("_auth_user_id") != str(user.pk):
            client.force_login(user)
        return client.get(f"/frames/{frame.pk}/state/").json()

    return ask


# The parts for each role --------------------------------------------------------------

OWNER = "frames/{}/share/", 'id="frame-name"', 'id="rename"'
EDITOR = 'id="undo"', "frames/{}/history/", "undo.js"
READER = ("frames/{}/copy/", "This table is read-only.", "Ask the owner")
ALL = (
    *("Your tables", "Orders", 'id="copy-link"', "frames/{}/views/", 'id="here"'),
    *("frames/{}/download/", 'name="theme" value="dark"'),
)


@pytest.mark.parametrize(
    "name, found, missing",
    [
        ("ann", ALL + OWNER + EDITOR, READER),
        ("eve", ALL + EDITOR, OWNER + READER),
        ("bob", ALL + READER, OWNER + EDITOR),
    ],
)
def test_bar_offers_what_a_person_can_do(
    visitor, table, django_user_model, name, found, missing
):
    django_user_model.objects.filter(username="ann").update(email="ann@example.com")
    table.save_view("cheap", View(query="a > 1"))
    page = visitor(django_user_model.objects.get(username=name)).get(f"main/{table.pk}")
    for text in found:
        assert text.format(table.pk) in page.text, text
    for text in missing:
        assert text.format(table.pk) not in page.text, text


def test_visitor_without_account_has_no_share_page_and_meets_nobody(
    visitor, dtale_settings
):
    dtale_settings.LOGIN_REQUIRED = False
    somebody = visitor()
    pk = somebody.upload("a\n1\n")
    html = bar(somebody.get(f"main/{pk}"))
    assert 'id="frame-name"' in html
    assert "/share/" not in html and 'id="here"' not in html
    state = somebody.browser.get(f"/frames/{pk}/state/")
    assert state.status_code == 200 and "people" not in state.json
    assert not Presence.objects.exists()


def test_earlier_state_is_read_only_and_can_be_restored(owner, table):
    owner.edit(table.pk, 9)
    change = Change.objects.get()
    page = owner.get(f"main/{data_id(table.pk, variant_of_state(change.pk))}")
    html = bar(page)
    assert "An earlier state cannot be edited. Restore it first." in html
    assert f"/frames/{table.pk}/history/{change.pk}/" in html
    assert 'id="frame-name"' not in html and 'id="undo"' not in html
    assert allowed_edits(page) == "false"


def allowed_edits(page):
    """Return the rule that D-Tale's grid gets: true, false, or names of columns."""
    settings = re.search(r'id="settings" value="(.*?)" />', page.text)[1]
    return re.search(r"allow_cell_edits&#34;: (.*?), &#34;", settings)[1]


def test_grid_offers_no_edits_to_readers(visitor, table, bob, eve, ann):
    for user, rule in ((ann, "true"), (eve, "true"), (bob, "false")):
        for page in ("main", "iframe"):
            assert allowed_edits(visitor(user).get(f"{page}/{table.pk}")) == rule


def test_rule_of_a_reader_is_not_stored(visitor, table, bob):
    """A reader who becomes an editor, or copies the table, can edit."""
    reader = visitor(bob)
    reader.get(f"update-settings/{table.pk}", settings='{"precision": 4}')
    copied = reader.submit(f"/frames/{table.pk}/copy/")
    assert allowed_edits(reader.get(copied.location.partition("dtale/")[2])) == "true"
    table.share(bob, "editor")
    assert allowed_edits(reader.get(f"main/{table.pk}")) == "true"


@pytest.mark.parametrize("rule", [{"a": None}, False])
def test_bar_says_which_cells_can_be_edited(owner, ann, stored, rule):
    view = View(editable=rule)
    frame = django_dtale.publish({"a": [1], "b": [2]}, owner=ann, view=view)
    html = bar(owner.get(f"main/{frame.pk}"))
    text = "these columns: a." if rule else "The data of this table cannot be changed."
    assert text in html and "Copy this table" in html


def test_address_of_the_owner_is_private(
    visitor, table, ann, bob, user, dtale_settings
):
    ann.email = "a&n@example.com"
    ann.save()
    mail = "mailto:a%26n@example.com?subject=Orders"
    assert mail in bar(visitor(bob).get(f"main/{table.pk}"))
    # Not everyone with whom the table is shared needs to know the address.
    other = visitor(user("other"))
    table.share(EVERYONE)
    assert "mailto:" not in bar(other.get(f"main/{table.pk}"))
    dtale_settings.LIST_USERS = True
    assert mail in bar(other.get(f"main/{table.pk}"))
    ann.email = ""
    ann.save()
    assert "mailto:" not in bar(other.get(f"main/{table.pk}"))


def test_refusal_says_where_to_copy_the_table(visitor, table, bob):
    answer = visitor(bob).get(f"delete-col/{table.pk}", cols='["a"]').json
    assert answer["copy_url"] == f"/frames/{table.pk}/copy/"
    assert answer["error"].endswith("To change the data, save a copy of your own.")
    failed = visitor(bob).get(f"test-filter/{table.pk}", query="nothing > 1").json
    assert not failed["success"] and "copy_url" not in failed


# Renaming -----------------------------------------------------------------------------


def test_script_renames_and_gets_the_title(at, table):
    answer = at.post(f"/frames/{table.pk}/rename/", {"name": " Sales  "}, headers=JSON)
    assert answer.json() == {"name": "Sales", "title": "Sales"}
    assert Frame.objects.get(pk=table.pk).name == "Sales"
    answer = at.post(f"/frames/{table.pk}/rename/", {"name": ""}, headers=JSON)
    assert answer.json() == {"name": "", "title": f"Table {table.pk}"}


def test_script_gets_the_reason_why_a_name_is_refused(at, publish, ann, table):
    publish(ann, "Taken")
    answer = at.post(f"/frames/{table.pk}/rename/", {"name": "Taken"}, headers=JSON)
    assert answer.status_code == 400
    assert "already have a table named Taken" in answer.json()["error"]
    assert Frame.objects.get(pk=table.pk).name == "Orders"


def test_only_the_owner_renames(client, table, eve):
    client.force_login(eve)
    url = f"/frames/{table.pk}/rename/"
    assert client.post(url, {"name": "Mine"}, headers=JSON).status_code == 403
    assert Frame.objects.get(pk=table.pk).name == "Orders"


# Other people at the table ------------------------------------------------------------


def test_people_who_have_the_same_table_open_see_each_other(
    ask, publish, table, ann, bob, eve
):
    assert "people" not in ask(ann, table)
    bob.first_name, bob.last_name = "Bob", "Stone"
    bob.save()
    ask(bob, table)
    ask(eve, publish(eve))  # Eve has another table open.
    answer = ask(ann, table)
    assert answer["people"] == ["Bob Stone"]
    assert answer["people_text"] == "Also here: Bob Stone"


def test_people_are_here_for_a_minute(ask, table, ann, eve):
    ask(eve, table)
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=50))
    assert ask(ann, table)["people"] == ["eve"]
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=70))
    assert "people" not in ask(ann, table)


def test_readers_see_only_the_owner_and_editors(
    ask, table, ann, bob, eve, user, dtale_settings
):
    other = user("other")
    table.share(other)
    for each in (ann, eve, other):
        ask(each, table)
    assert ask(bob, table)["people"] == ["ann", "eve"]
    assert ask(eve, table)["people"] == ["ann", "bob", "other"]
    dtale_settings.LIST_USERS = lambda user: user == bob
    assert ask(bob, table)["people"] == ["ann", "eve", "other"]
    assert ask(other, table)["people"] == ["ann", "eve"]


def test_presence_is_written_at_most_every_20_seconds(ask, table, ann):
    def writes():
        with CaptureQueriesContext(connection) as queries:
            ask(ann, table)
        return [
            each["sql"]
            for each in queries
            if "frames_presence" in each["sql"] and not each["sql"].startswith("SELECT")
        ]

    assert len(writes()) == 1
    assert writes() == []
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=21))
    assert len(writes()) == 1
    assert Presence.objects.count() == 1


def test_presence_does_not_lock_other_rows(ask, table, ann):
    """A row that refers to a frame with a constraint locks the row of the frame."""
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, "frames_presence")
    assert not [each for each in found.values() if each["foreign_key"]]


@pytest.mark.django_db(transaction=True)
def test_busy_database_does_not_break_the_request(ask, table, ann, settings):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite has one lock for all tables")
    ask(ann, table)
    Presence.objects.all().delete()
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name, uri=True, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert ask(ann, table)["version"] == 0
        other.execute("ROLLBACK")
    assert not Presence.objects.exists()
    ask(ann, table)
    assert Presence.objects.exists()


def test_presence_is_deleted(ask, table, ann, eve):
    ask(ann, table)
    ask(eve, table)
    old = timezone.now() - timedelta(minutes=2)
    Presence.objects.filter(user=ann).update(seen_at=old)
    call_command("purge_frames", dry_run=True, stdout=StringIO(), stderr=StringIO())
    assert Presence.objects.count() == 2
    call_command("purge_frames", stdout=StringIO(), stderr=StringIO())
    assert Presence.objects.get().user == eve
    Frame.objects.get(pk=table.pk).delete()
    assert not Presence.objects.exists()
