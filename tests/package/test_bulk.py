"""Actions for several tables at once, with the checkboxes of the home page."""

from io import BytesIO
from zipfile import ZipFile

import pandas as pd
import pytest
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from django_dtale import EVERYONE
from django_dtale.models import Action, AuditEntry, Frame, Share
from django_dtale.views import bulk

pytestmark = pytest.mark.django_db(transaction=True)

HOME, TABLES = "/frames/", "/frames/tables/"
ACTIONS = ["delete", "csv", "parquet", "leave", "share"]


@pytest.fixture
def tables(publish, ann):
    """Three tables of Ann's."""
    return [publish(ann, name, a=[number]) for number, name in enumerate("xyz")]


@pytest.fixture
def shared(publish, ann, bob):
    """A table of Bob's that Ann may read."""
    return publish(bob, "budget", shared_with=[ann])


def keys(*frames):
    return {"table": [frame.pk for frame in frames]}


def archive(answer):
    """Return the files of a zip archive by name."""
    assert answer["Content-Disposition"] == 'attachment; filename="tables.zip"'
    with ZipFile(BytesIO(b"".join(answer))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_lists_have_checkboxes_and_buttons(at, tables, shared):
    page = at.get(HOME)
    for frame, form in ((tables[0], "page-chosen"), (shared, "shared-chosen")):
        box = f'name="table" value="{frame.pk}" form="{form}"'
        assertContains(page, box, 1)
    assertContains(page, 'aria-label="Select budget"')
    assertContains(page, 'formaction="/frames/tables/csv/"', 2)
    assertContains(page, 'formaction="/frames/tables/delete/"', 1)


def test_several_tables_are_deleted_and_restored_together(at, tables):
    page = at.post(f"{TABLES}delete/", keys(*tables[:2]), follow=True)
    assertContains(page, "2 tables were deleted.")
    assert [each.name for each in Frame.objects.kept()] == ["z"]
    undo = f"/frames/trash/restore/?table={tables[0].pk}&amp;table={tables[1].pk}"
    assertContains(page, f'action="{undo}"')
    at.post(undo.replace("&amp;", "&"))
    assert Frame.objects.kept().count() == 3
    entries = AuditEntry.objects.values_list("action", flat=True)
    assert sorted(entries) == ["deleted"] * 2 + ["restored"] * 2


def test_tables_are_downloaded_as_csv(at, tables, shared):
    files = archive(at.post(f"{TABLES}csv/", keys(tables[2], shared)))
    assert files == {"z.csv": b"a\n2\n", "budget.csv": b"a,b\n1,4\n2,5\n3,6\n"}
    exports = AuditEntry.objects.filter(action=Action.EXPORTED)
    assert [*exports.values_list("frame_pk", "detail")] == [
        (shared.pk, "CSV, zip"),
        (tables[2].pk, "CSV, zip"),
    ]


def test_tables_are_downloaded_as_parquet(at, tables):
    files = archive(at.post(f"{TABLES}parquet/", keys(*tables)))
    assert [*files] == ["x.parquet", "y.parquet", "z.parquet"]
    assert pd.read_parquet(BytesIO(files["y.parquet"]))["a"].tolist() == [1]


def test_names_in_the_archive_are_unique_and_have_no_reserved_characters(
    at, publish, ann, bob
):
    names = ["Q1/Q2", "Sales", "sales", "a:b?", "..", ""]
    frames = [publish(ann, name, a=[1]) for name in names]
    frames.append(publish(bob, "Sales", shared_with=[ann], a=[1]))
    files = archive(at.post(f"{TABLES}csv/", keys(*frames)))
    unnamed = f"Table {frames[5].pk}"
    expected = ["Q1_Q2", "Sales", "sales 2", "a_b_", "..", unnamed, "Sales 3"]
    assert [*files] == [f"{name}.csv" for name in expected]


def test_each_table_is_in_the_archive_once(at, tables):
    data = {"table": [tables[0].pk, tables[0].pk]}
    assert [*archive(at.post(f"{TABLES}csv/", data))] == ["x.csv"]


def test_size_of_a_download_is_limited(at, tables, monkeypatch):
    monkeypatch.setattr(bulk, "MAX_ARCHIVE", sum(each.nbytes for each in tables) - 1)
    answer = at.post(f"{TABLES}csv/", keys(*tables))
    assertContains(answer, "Choose fewer tables", status_code=413)
    assert len(archive(at.post(f"{TABLES}csv/", keys(*tables[:2])))) == 2


@pytest.mark.parametrize("action", ACTIONS)
def test_without_a_choice_a_message_says_what_to_do(at, tables, action):
    page = at.post(f"{TABLES}{action}/", follow=True)
    assertContains(page, "Choose one or more tables first.")
    assert Frame.objects.kept().count() == 3


# Share and leave ----------------------------------------------------------------------


def test_several_tables_are_shared_with_the_same_people(at, tables, bob, user):
    eve = user("eve")
    answer = at.post(f"{TABLES}share/", keys(*tables[:2]))
    path = f"{TABLES}share/?table={tables[0].pk}&table={tables[1].pk}"
    assertRedirects(answer, path)
    page = at.get(path)
    assertContains(page, "<li><strong>x</strong></li>")
    assertNotContains(page, "<strong>z</strong>")
    assertNotContains(page, "e-mail</label>")
    form = {"person": "bob, eve", "role": "editor"}
    page = at.post(path, form, follow=True)
    assertRedirects(page, HOME)
    assertContains(page, "2 tables were shared with bob and eve.")
    shares = Share.objects.values_list("frame", "user", "role")
    assert {*shares} == {
        (frame.pk, person.pk, "editor") for frame in tables[:2] for person in (bob, eve)
    }
    entries = AuditEntry.objects.filter(action=Action.SHARED)
    assert entries.count() == 4


def test_invalid_people_are_explained_and_nothing_is_shared(at, tables, bob):
    path = f"{TABLES}share/?table={tables[0].pk}&table={tables[1].pk}"
    for person, reason in (
        ("bob, nobody", "There is no user nobody."),
        ("", "Choose at least one user or group."),
        ("ann", "belongs to you already"),
    ):
        page = at.post(path, {"person": person, "role": "reader"})
        assertContains(page, reason)
    assert not Share.objects.exists()


def test_shared_table_cannot_be_shared_on(at, tables, shared):
    for role in ({}, {"role": "reader", "person": "ann"}):
        answer = at.post(f"{TABLES}share/", keys(*tables, shared) | role)
        assertContains(answer, "bob", status_code=403)
    assert Share.objects.count() == 1


def test_visitors_cannot_share(client):
    client.post("/create-df/")
    pk = Frame.objects.get().pk
    assertNotContains(client.get(HOME), "tables/share/")
    path = f"{TABLES}share/?table={pk}"
    answer = client.post(path, {"person": "ann", "role": "reader"})
    assert answer["Location"].startswith("/accounts/login/")


def test_several_shared_tables_are_removed_from_the_list(
    at, tables, shared, publish, ann, bob
):
    other, kept = publish(bob, "costs"), publish(bob, "kept", shared_with=[ann])
    Share.objects.grant(other, EVERYONE)
    assert at.post(f"{TABLES}leave/", keys(shared, tables[0])).status_code == 404
    page = at.post(f"{TABLES}leave/", keys(shared, other), follow=True)
    assertContains(page, "2 tables are no longer in your list.")
    assert [*page.context["shared"].page] == [kept]
    assert len(page.context["own"].page) == 3
    assert at.get(f"/frames/{shared.pk}/csv/").status_code == 404


# Permissions --------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("is_missing", [False, True], ids=["foreign", "missing"])
def test_foreign_and_missing_tables_look_the_same(
    at, tables, publish, bob, action, is_missing
):
    pk = publish(bob, "secret").pk
    if is_missing:
        Frame.objects.filter(pk=pk).delete()
    answer = at.post(f"{TABLES}{action}/", {"table": [tables[0].pk, pk]})
    text = f"Table {pk} does not exist, or is not shared with you."
    assertContains(answer, text, status_code=404)
    assert "secret" not in answer.text
    assert Frame.objects.kept().count() == 4 - is_missing
    assert not AuditEntry.objects.exists()


def test_reader_cannot_delete_a_shared_table(at, tables, shared):
    answer = at.post(f"{TABLES}delete/", keys(*tables, shared))
    assertContains(answer, "belongs to bob", status_code=403)
    assert Frame.objects.kept().count() == 4


@pytest.mark.parametrize("action", ACTIONS)
def test_nothing_happens_on_get_or_without_csrf_token(tables, ann, action):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ann)
    answer = strict.get(f"{TABLES}{action}/", keys(*tables))
    assert answer.status_code == (200 if action == "share" else 302)
    assert strict.post(f"{TABLES}{action}/", keys(*tables)).status_code == 403
    assert Frame.objects.kept().count() == 3


@pytest.mark.parametrize("action", ACTIONS)
def test_sign_in_is_required_if_the_site_says_so(
    client, tables, action, dtale_settings
):
    dtale_settings.LOGIN_REQUIRED = True
    path = f"{TABLES}{action}/"
    login = f"/accounts/login/?next={path}"
    assertRedirects(client.post(path, keys(*tables)), login)
    assert Frame.objects.kept().count() == 3
