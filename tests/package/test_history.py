"""Changes of data are kept: they can be undone, and earlier states opened and restored."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

import django_dtale
from django_dtale.compat.dtypes import make_displayable
from django_dtale.history import log
from django_dtale.history.difference import MAX_CELLS, compare, put_back
from django_dtale.models import Change, Frame, Role, Share
from django_dtale.models.data_ids import data_id, variant_of_state
from django_dtale.storage import blobs
from django_dtale.unit_of_work import going_back, unit_of_work
from django_dtale.workspace import Workspace, bind

from .kinds import KINDS

pytestmark = pytest.mark.django_db

DATA = pd.DataFrame(
    {
        "city": ["Rome", "Berlin", None, "Paris"],
        "price": [1.5, 2.5, np.nan, -0.0],
        "qty": [1, 2, 3, 4],
        "day": pd.to_datetime(["2026-01-01", "2026-01-02", None, "2026-01-04"]),
    }
)


@pytest.fixture
def table(stored, ann, bob):
    """A table of Ann's that Bob can edit."""
    frame = django_dtale.publish(DATA, owner=ann, name="Orders")
    Share.objects.grant(frame, bob, Role.EDITOR)
    return frame


@pytest.fixture
def editor(visitor, bob):
    return visitor(bob)


def data_of(frame):
    return Frame.objects.get(pk=frame.pk).to_dataframe()


def edit(visitor, frame, column="price", row=0, value="9"):
    path = f"edit-cell/{frame.pk}"
    answer = visitor.get(path, col=column, rowIndex=row, updated=value)
    assert answer.json.get("success"), answer.json


def undo(frame, user):
    with bind(Workspace(user)):
        return going_back.undo(frame.pk)


def texts(frame):
    return [change.text for change in frame.changes.all()]


# Each of these changes the data of the table in another way.
CHANGES = {
    "edited 1 cell of price": lambda who, pk: who.get(
        f"edit-cell/{pk}", col="price", rowIndex=1, updated="7.25"
    ),
    "edited 1 cell of city": lambda who, pk: who.get(
        f"edit-cell/{pk}", col="city", rowIndex=2, updated="Oslo"
    ),
    "edited 1 cell of day": lambda who, pk: who.get(
        f"edit-cell/{pk}", col="day", rowIndex=0, updated="20261231"
    ),
    "changed qty": lambda who, pk: who.get(
        f"edit-cell/{pk}", col="qty", rowIndex=0, updated="nan"
    ),
    "deleted the column qty": lambda who, pk: who.get(f"delete-col/{pk}", cols=["qty"]),
    "renamed qty to pieces": lambda who, pk: who.get(
        f"rename-col/{pk}", col="qty", rename="pieces"
    ),
    "added total": lambda who, pk: who.get(
        f"build-column/{pk}",
        type="numeric",
        name="total",
        cfg={"left": {"col": "price"}, "operation": "sum", "right": {"col": "qty"}},
    ),
    "deleted 2 rows": lambda who, pk: (
        who.get(f"test-filter/{pk}", query="qty > 2", save="true"),
        who.get(f"drop-filtered-rows/{pk}"),
    )[1],
}


@pytest.mark.parametrize("who", ["owner", "editor"])
@pytest.mark.parametrize("text", CHANGES)
def test_change_is_recorded_and_undone(request, table, who, text, ann, bob):
    person = request.getfixturevalue(who)
    answer = CHANGES[text](person, table.pk)
    assert answer.json["success"], answer.json
    assert texts(table) == [text]
    [change] = table.changes.all()
    assert change.user == (ann if who == "owner" else bob)
    after = data_of(table)
    assert not after.equals(DATA)
    # Owner and editor can undo each other's changes.
    other, user = ("editor", bob) if who == "owner" else ("owner", ann)
    assert undo(table, user) == change
    pd.testing.assert_frame_equal(data_of(table), DATA)
    columns = request.getfixturevalue(other).get(f"dtypes/{table.pk}").json["dtypes"]
    assert [each["name"] for each in columns] == list(DATA)
    # The state before the undo is in the history, too.
    with bind(Workspace(ann)):
        going_back.restore(table.pk, table.changes.last().pk)
    pd.testing.assert_frame_equal(data_of(table), after)
    assert [each.kind for each in table.changes.all()][1:] == ["undone", "restored"]


def test_data_can_be_replaced_and_appended_and_taken_back(table, ann):
    table.replace(DATA.head(2).assign(qty=0), origin_name="sales.csv")
    table.append(DATA.head(1))
    assert texts(table) == ["replaced the data with sales.csv", "added 1 row"]
    assert len(data_of(table)) == 3
    undo(table, ann)
    assert data_of(table)["qty"].tolist() == [0, 0]
    undo(table, ann)
    pd.testing.assert_frame_equal(data_of(table), DATA)
    with pytest.raises(django_dtale.exceptions.NothingToUndo):
        undo(table, ann)
    again = Frame.objects.get()
    # Open grids learn about each of these.
    assert (again.rows, again.origin_name, again.data_version) == (4, "", 4)
    assert again.data_at == Frame.objects.get().data_at


def going_back_once(table, owner):
    """Delete a column, and undo that."""
    assert owner.get(f"delete-col/{table.pk}", cols=["qty"]).json["success"]
    with bind(Workspace.of(table)):
        going_back.undo(table.pk)


def test_undo_goes_back_step_by_step(table, owner, ann):
    for value in "123":
        edit(owner, table, value=value)
    undo(table, ann)
    assert data_of(table)["price"][0] == 2
    edit(owner, table, value="8")
    undo(table, ann)
    undo(table, ann)
    assert data_of(table)["price"][0] == 1
    undo(table, ann)
    pd.testing.assert_frame_equal(data_of(table), DATA)


def test_each_earlier_state_can_be_opened(table, owner, editor):
    values = []
    for text in CHANGES:
        if "renamed" in text or "changed" in text:
            continue
        if text == "added total":
            going_back_once(table, owner)
            table.replace(DATA.assign(city="Oslo"))
        before = data_of(table)
        assert CHANGES[text](owner, table.pk).json["success"]
        values.append((table.changes.last(), before))
    assert len(values) == 6
    for change, value in values:
        key = data_id(table.pk, variant_of_state(change.pk))
        for person in owner, editor:
            assert person.get(f"main/{key}").status_code == 200
            expected = (
                value["price"].astype(object).where(value["price"].notna(), "nan")
            )
            assert person.column(key, "price") == expected.tolist()
            shown = person.get(f"data/{key}", ids=["0-9"]).json["columns"]
            assert [each["name"] for each in shown[1:]] == list(value)
            answer = person.get(
                f"edit-cell/{key}", col="price", rowIndex=0, updated="1"
            )
            assert "earlier state" in answer.json["error"]
    # A program that has the present data gets the earlier ones.
    present = owner.browser.get(f"/frames/{table.pk}/csv/")
    headers = {"If-None-Match": present.headers["ETag"]}
    earlier = owner.browser.get(f"/frames/{key}/csv/", headers=headers)
    assert earlier.status_code == 200 and earlier.text.count("\n") == 1 + len(value)
    # A filter of an earlier state is not one of the table.
    answer = owner.get(f"test-filter/{key}", query="price > 2", save="true")
    assert answer.json["success"], answer.json
    assert owner.column(key, "price") == [2.5] != owner.column(table.pk, "price")


def test_reader_sees_no_history(table, visitor, user, ann, client, owner):
    edit(owner, table)
    eve = user("eve")
    Share.objects.grant(table, eve)
    reader, key = (
        visitor(eve),
        data_id(table.pk, variant_of_state(Change.objects.get().pk)),
    )
    assert reader.column(table.pk, "price")[0] == 9
    assert reader.get(f"data/{key}", ids=["0-9"]).status_code == 404
    client.force_login(eve)
    change = Change.objects.get().pk
    for name, args in [("history", []), ("undo", []), ("restore", [change])]:
        url = reverse(f"frames:{name}", args=[table.pk, *args])
        assert client.post(url).status_code == 403
    assert data_of(table)["price"][0] == 9


@pytest.mark.parametrize("group", [False, True])
def test_editor_sees_changes_since_they_were_an_editor(
    table, owner, visitor, user, client, group
):
    edit(owner, table, value="7")
    eve = user("eve")
    people = Group.objects.create(name="team") if group else eve
    if group:
        eve.groups.add(people)
    Share.objects.grant(table, people, Role.EDITOR)
    before, editor = Change.objects.get(), visitor(eve)
    client.force_login(eve)
    page = client.get(reverse("frames:history", args=[table.pk])).text
    assert "edited" not in page
    restore = reverse("frames:restore", args=[table.pk, before.pk])
    assert client.get(restore).status_code == 404
    assert client.post(restore).status_code == 404
    key = data_id(table.pk, variant_of_state(before.pk))
    assert editor.get(f"data/{key}", ids=["0-9"]).status_code == 404
    assert client.post(reverse("frames:undo", args=[table.pk])).status_code == 409
    edit(editor, table, value="8")
    assert (
        "edited 1 cell of price"
        in client.get(reverse("frames:history", args=[table.pk])).text
    )
    assert client.post(reverse("frames:undo", args=[table.pk])).status_code == 302
    assert data_of(table)["price"][0] == 7
    # The owner can show them all of it.
    Share.objects.grant(table, people, Role.EDITOR, all_history=True)
    assert editor.column(key, "price")[0] == 1.5
    assert client.post(reverse("frames:undo", args=[table.pk])).status_code == 302
    assert data_of(table)["price"][0] == 1.5


def test_pages(table, owner, at):
    for value in "123":
        edit(owner, table, value=value)
    owner.get(f"delete-col/{table.pk}", cols=["qty"])
    url = reverse("frames:history", args=[table.pk])
    page = at.get(url).text
    assert "edited 3 cells of price" in page and "deleted the column qty" in page
    answer = at.post(reverse("frames:undo", args=[table.pk]), follow=True)
    assert "Undone: deleted the column qty." in answer.text
    first = table.changes.first()
    restore = reverse("frames:restore", args=[table.pk, first.pk])
    assert "edited 1 cell of price" in at.get(restore).text
    assert "was restored" in at.post(restore, follow=True).text
    pd.testing.assert_frame_equal(data_of(table), DATA)
    answer = at.post(
        reverse("frames:undo", args=[table.pk]), headers={"Accept": "application/json"}
    )
    assert answer.json() == {"text": "Undone: restored an earlier state."}
    assert data_of(table)["price"][0] == 3


def test_sorting_is_no_change(table, owner, stored):
    names = stored.names()
    for sort in ([["price", "DESC"]], [["city", "ASC"], ["qty", "DESC"]], None):
        owner.column(table.pk, "price", **({"sort": sort} if sort else {}))
    assert stored.names() == names
    answer = owner.get(f"update-column-position/{table.pk}", col="qty", action="front")
    assert answer.json["success"] and next(iter(data_of(table))) == "qty"
    assert not table.changes.exists()


def test_edit_of_a_sorted_and_filtered_grid(table, owner, editor):
    """The positions in an editor's grid are not those of the owner's."""
    owner.column(table.pk, "qty", sort=[["qty", "DESC"]])
    editor.column(table.pk, "qty", sort=[["price", "ASC"]])
    editor.get(f"test-filter/{table.pk}", query="price > 0", save="true")
    sort = {"sort": [["price", "ASC"]]}
    assert editor.column(table.pk, "qty", **sort) == [1, 2]
    edit(editor, table, "city", 1, "Oslo")
    assert data_of(table)["city"].tolist()[:2] == ["Rome", "Oslo"]
    assert owner.column(table.pk, "city", sort=[["qty", "DESC"]])[2:] == [
        "Oslo",
        "Rome",
    ]


# The row that a person sees ------------------------------------------------------------


def rows_of(visitor, pk, **query):
    return visitor.get(f"data/{pk}", ids=["0-99"], **query).json["results"]


def test_edit_reaches_the_row_that_the_page_shows(table, owner, editor):
    seen = rows_of(editor, table.pk)["2"]
    owner.get(f"test-filter/{table.pk}", query="qty > 1", save="true")
    assert owner.get(f"drop-filtered-rows/{table.pk}").json["success"]
    path = f"/flask/dtale/edit-cell/{table.pk}"
    query = {"col": "city", "rowIndex": 2, "updated": "Oslo"}
    answer = editor.browser.get(
        path, query_string=query, headers={"X-Row": str(seen["__row"])}
    )
    assert answer.json == {"success": True}
    now = data_of(table)
    assert now.loc[now["qty"] == 3, "city"].tolist() == ["Oslo"]
    # The first row is gone.
    answer = editor.browser.get(path, query_string=query, headers={"X-Row": "0"})
    assert "was deleted meanwhile" in answer.json["error"]


def test_grid_learns_who_has_changed_the_data(table, owner, editor, client, ann, bob):
    state = reverse("frames:state", args=[table.pk])
    edit(owner, table)
    client.force_login(ann)
    assert "change" not in client.get(state).json()
    client.force_login(bob)
    assert client.get(state).json()["text"] == "ann has changed this table."
    # Readers do not learn who works on the table.
    table.shares.update(role=Role.READER)
    assert client.get(state).json()["text"] == "This table was changed."


# Limits -------------------------------------------------------------------------------


def test_oldest_changes_go_first(table, owner, ann, dtale_settings):
    dtale_settings.HISTORY_COUNT = 3
    for value in "12345":
        edit(owner, table, value=value)
    assert table.changes.count() == 3
    undo(table, ann)
    assert table.changes.count() == 3 and data_of(table)["price"][0] == 4


def test_no_history(table, owner, ann, dtale_settings, stored):
    dtale_settings.HISTORY_COUNT = 0
    edit(owner, table)
    owner.get(f"delete-col/{table.pk}", cols=["qty"])
    assert not table.changes.exists()
    with pytest.raises(django_dtale.exceptions.NothingToUndo):
        undo(table, ann)


@pytest.mark.django_db(transaction=True)
def test_bytes_are_bounded_and_counted(stored, ann, dtale_settings):
    """Each replacement of 8 MB keeps the data before."""
    dtale_settings.HISTORY_MB = 20
    rng = np.random.default_rng(1)
    frame = django_dtale.publish(
        pd.DataFrame({"x": rng.random(1_000_000)}), owner=ann, name="Large"
    )
    for _ in range(4):
        frame.replace(pd.DataFrame({"x": rng.random(1_000_000)}))
    frame.refresh_from_db()
    assert frame.changes.count() == 2
    assert 16_000_000 < frame.history_nbytes < 16_100_000
    assert len(stored.names()) == 3
    frame.delete()
    assert stored.names() == set()


@pytest.mark.django_db(transaction=True)
def test_edits_keep_no_files(stored, ann, owner):
    """An edit of a cell keeps its value, and not the column."""
    frame = django_dtale.publish(
        pd.DataFrame({"x": np.arange(300_000.0), "y": 1.0}), owner=ann
    )
    for number in range(5):
        edit(owner, frame, "x", number, "7.5")
    frame.refresh_from_db()
    assert stored.names() == blobs.files_of(frame.payload)
    assert frame.history_nbytes == 0
    assert max(len(each.cells) for each in frame.changes.all()) < 1_500
    for _ in range(5):
        undo(frame, ann)
    assert data_of(frame)["x"].tolist() == list(range(300_000))


def test_undo_of_an_old_change_after_its_column_was_deleted(table, owner, ann):
    edit(owner, table, "qty", 0, "5")
    first = table.changes.get()
    owner.get(f"delete-col/{table.pk}", cols=["qty"])
    edit(owner, table)
    with bind(Workspace(ann)):
        going_back.restore(table.pk, first.pk)
    pd.testing.assert_frame_equal(data_of(table), DATA)


# All kinds of columns -----------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_cells_of_each_kind_are_put_back(kind):
    before = make_displayable(KINDS[kind]()).frame
    name = before.columns[-1]
    order = np.roll(np.arange(len(before)), 1)
    after = before.copy()
    after[name] = before[name].take(order).set_axis(before.index)
    difference = compare(before, after)
    if difference is not None:
        assert difference.columns == [str(name)] and difference.cells is not None
        after = put_back(after, difference.cells)
    pd.testing.assert_frame_equal(after, before)


def test_many_changed_cells_keep_the_whole_state():
    before = pd.DataFrame({"x": range(MAX_CELLS + 1)})
    found = compare(before, before + 1)
    assert (found.kind, found.count, found.cells) == ("changed", MAX_CELLS + 1, None)


def test_dates_of_a_change_bound_what_an_editor_sees(table, bob, owner):
    edit(owner, table)
    share = table.shares.get()
    change = table.changes.get()
    with bind(Workspace(bob)), unit_of_work() as unit:
        assert unit.get(table.pk).access.can_see(change)
    share.history_since = change.made_at + timedelta(seconds=1)
    share.save()
    with bind(Workspace(bob)), unit_of_work() as unit:
        assert not unit.get(table.pk).access.can_see(change)


def test_names_of_changed_columns_fit_into_postgresql(owner, table):
    """JSON in PostgreSQL contains neither NUL nor a half of a surrogate pair."""
    name = "a\0b\ud800"
    cfg = {"left": {"col": "qty"}, "right": {"val": "1"}, "operation": "sum"}
    query = {"type": "numeric", "name": "c\0d", "cfg": cfg}
    assert owner.get(f"build-column/{table.pk}", **query).json["success"]
    assert Change.objects.get().columns == ["c\N{REPLACEMENT CHARACTER}d"]
    assert log._storable(name) == "a\N{REPLACEMENT CHARACTER}b?"
