"""Users update a table from a file, and open grids notice that there are newer data."""

import pandas as pd
import pytest
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

import django_dtale
from django_dtale.models import Frame, Origin

from .test_uploads import data_of, excel, options_of, send, waiting

pytestmark = pytest.mark.django_db

OLD = b"city;sales\nRome;1,5\nBerlin;2,5\n"
NEW = b"city;sales\nOslo;3,5\n"


@pytest.fixture
def table(stored, at):
    """A table of Ann's that was opened from a file."""
    send(at, "sales.csv", OLD)
    return Frame.objects.get()


def update(at, table, content, name="new.csv", how="replace", **fields):
    return send(at, name, content, frame=table.pk, how=how, **fields)


# The page -----------------------------------------------------------------------------


def test_file_replaces_the_data(at, table):
    page = at.get(f"/frames/{table.pk}/update/")
    assertContains(page, f'name="frame" value="{table.pk}"')
    assertContains(page, "sales.csv")
    answer = update(at, table, NEW)
    assertRedirects(answer, table.get_absolute_url(), fetch_redirect_response=False)
    frame = Frame.objects.get()
    assert data_of(frame).values.tolist() == [["Oslo", 3.5]]
    assert (frame.name, frame.origin, frame.origin_name) == (
        "sales",
        Origin.FILE,
        "new.csv",
    )


def test_file_is_appended(at, table):
    update(at, table, NEW, how="append")
    assert data_of(Frame.objects.get())["sales"].tolist() == [1.5, 2.5, 3.5]
    answer = update(at, table, b"town;sales\nBonn;1,5\n", how="append")
    assertContains(answer, "need the same columns", status_code=400)
    assert len(data_of(Frame.objects.get())) == 3


def test_options_of_the_last_file_are_used_again(at, stored):
    uncertain = b"day;n\n01/02/2026;1\n"
    path = send(at, "a.csv", uncertain)["Location"]
    options = options_of(at.get(path)) | {"day_first": "False"}
    at.post(path, {**options, "open": ""})
    table = Frame.objects.get()
    assert data_of(table)["day"].tolist() == [pd.Timestamp(2026, 1, 2)]
    answer = update(at, table, b"day;n\n03/04/2026;1\n")
    assert answer["Location"] == table.get_absolute_url()
    assert data_of(Frame.objects.get())["day"].tolist() == [pd.Timestamp(2026, 3, 4)]


def test_options_that_do_not_fit_the_new_file_can_be_corrected(at, stored):
    path = send(at, "a.csv", OLD, check="on")["Location"]
    options = options_of(at.get(path))
    at.post(path, {**options, "types.city": "category", "open": ""})
    table = Frame.objects.get()
    assert data_of(table)["city"].dtype == "category"
    path = update(at, table, b"town;sales\nBonn;1,5\n")["Location"]
    page = at.get(path)
    assertContains(page, "Update the table")
    answer = at.post(path, {**options_of(page), "open": ""})
    assert answer["Location"] == table.get_absolute_url()
    assert list(data_of(Frame.objects.get())) == ["town", "sales"]
    assert waiting() == []


def test_one_sheet_updates_the_table(at, table):
    sheet = pd.DataFrame({"city": ["Oslo"], "sales": [1]})
    book = excel(a=sheet, b=sheet.assign(sales=2))
    path = update(at, table, book, "new.xlsx")["Location"]
    page = at.post(path, {"table": ["0", "1"], "open": ""})
    assertContains(page, "Choose one table")
    at.post(path, {"table": ["1"], "open": ""})
    assert data_of(Frame.objects.get())["sales"].tolist() == [2]


def test_reader_cannot_update_a_table(at, table, bob, client):
    table.share(bob)
    client.force_login(bob)
    assert client.get(f"/frames/{table.pk}/update/").status_code == 403
    assert update(client, table, NEW).status_code == 403
    assertNotContains(client.get("/frames/"), "Update from a file")
    table.unshare(bob)
    assert client.get(f"/frames/{table.pk}/update/").status_code == 404
    assert update(client, table, NEW).status_code == 404
    assert not Frame.objects.filter(owner=bob).exists()
    assert len(data_of(Frame.objects.get())) == 2


def test_editor_can_update_a_table(at, table, bob, client):
    table.share(bob, "editor")
    client.force_login(bob)
    assertContains(client.get("/frames/"), f"/frames/{table.pk}/update/")
    assertContains(client.get(f"/frames/{table.pk}/update/"), 'name="frame"')
    update(client, table, NEW)
    frame = Frame.objects.get()
    assert frame.owner.username == "ann"
    assert data_of(frame)["city"].tolist() == ["Oslo"]
    [change] = frame.changes.all()
    assert (change.user, change.detail) == (bob, "new.csv")


@pytest.mark.parametrize("rule", [{}, {"sales": None}])
def test_table_whose_data_cannot_be_edited_cannot_be_updated(at, table, rule):
    table.can_edit = rule
    table.save()
    assert at.get(f"/frames/{table.pk}/update/").status_code == 403
    assertNotContains(at.get("/frames/"), "Update from a file")
    assert update(at, table, NEW).status_code == 403
    assert len(data_of(Frame.objects.get())) == 2


def test_failed_update_keeps_the_data(at, table, stored):
    answer = update(at, table, b"a,b\n" + b"1,2\n" * 200 + b"1,2,3\n")
    assertContains(answer, "Line 202 has 3 values", status_code=400)
    frame = Frame.objects.get()
    assert frame.data_version == 0 and len(data_of(frame)) == 2


# Open grids ---------------------------------------------------------------------------


def test_grid_is_refused_after_its_data_were_replaced(owner, ann, publish):
    frame = publish(ann)
    headers = {"X-Data-Version": f"{frame.pk}=0"}
    path = f"/flask/dtale/data/{frame.pk}?ids=%5B%220-9%22%5D"
    edit = f"/flask/dtale/edit-cell/{frame.pk}?col=a&rowIndex=0&updated=9"
    assert owner.browser.get(path, headers=headers).status_code == 200
    assert owner.browser.get(edit, headers=headers).json["success"]
    django_dtale.publish(pd.DataFrame({"a": [5]}), owner=ann, name="other")
    frame.refresh_from_db()
    frame.replace(pd.DataFrame({"a": [7, 8]}))
    for each in (path, edit):
        answer = owner.browser.get(each, headers=headers)
        assert answer.status_code == 409
        assert "newer data" in answer.json["error"]
    assert owner.column(frame.pk) == [7, 8]
    headers = {"X-Data-Version": f"{frame.pk}=1"}
    assert owner.browser.get(path, headers=headers).status_code == 200
    assert owner.browser.get(path, headers={"X-Data-Version": "9=0"}).status_code == 200


def test_bar_shows_when_and_from_where_the_data_are(owner):
    pk = owner.upload()
    page = owner.get(f"main/{pk}").text
    assert "As of" in page and "s.csv" in page
    assert f'data-frame="{pk}" data-version="0"' in page
    assert "As of" in owner.get(f"iframe/{pk}").text


def test_list_shows_when_and_from_where_the_data_are(at, table):
    assertContains(at.get("/frames/"), "As of")
    assertContains(at.get("/frames/"), ">sales.csv<")
    assert at.get(f"/frames/{table.pk}/state/").json() == {
        "version": 0,
        "as_of": table.data_at.isoformat(),
    }


def test_state_is_visible_only_to_those_who_see_the_table(client, table, bob):
    client.force_login(bob)
    assert client.get(f"/frames/{table.pk}/state/").status_code == 404
