"""Saved views: what a person sees, or a chart, gets a name and a link."""

import dataclasses
import io
import logging
import re
from urllib.parse import parse_qs, urlencode

import pandas as pd
import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.contrib.auth.signals import user_logged_in
from django.db import connection
from django.template import RequestContext, Template
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import django_dtale
from django_dtale import Chart, View
from django_dtale.compat.missing_columns import without_missing
from django_dtale.dtale import saved_views
from django_dtale.models import Change, Frame, PersonalView, Role, SavedView, Share
from django_dtale.models.data_ids import data_id
from django_dtale.unit_of_work import going_back
from django_dtale.workspace import SESSION_KEY, Workspace, bind

from .conftest import Visitor, csrf_token

pytestmark = pytest.mark.django_db

ORDERS = pd.DataFrame(
    {
        "city": ["Rome", "Berlin", "Paris", "Oslo"],
        "late": [True, False, True, True],
        "price": [120.5, 99.0, 10.0, 300.25],
        "qty": [3, 1, 4, 1],
    }
)
LATE = {"type": "bool", "value": ["True"]}
DOWN = [["price", "DESC"]]
CHART = {"chart_type": "bar", "x": "city", "y": '["qty"]', "agg": "sum"}


@pytest.fixture
def frame(stored, ann):
    return django_dtale.publish(ORDERS, owner=ann, name="Orders")


@pytest.fixture
def editor(frame, visitor, bob):
    Share.objects.grant(frame, bob, Role.EDITOR)
    return visitor(bob)


@pytest.fixture
def eve(user):
    return user("eve")


@pytest.fixture
def reader(frame, visitor, eve):
    Share.objects.grant(frame, eve)
    return visitor(eve)


def post(visitor, action, *args, **data):
    """Send one of the forms, with the CSRF token of another page."""
    token = csrf_token(visitor.browser.get(reverse("frames:tokens")))
    url = reverse(f"frames:{action}", args=args)
    return visitor.browser.post(url, data={**data, **token})


def save(visitor, number, name="late orders", **data):
    """Save what a person sees, and return the view."""
    answer = post(visitor, "save_view", number, name=name, **data)
    assert answer.status_code == 302, answer.text
    saved = SavedView.objects.get(name=name)
    assert answer.location == saved.get_absolute_url()
    return saved


def show_late(visitor, number):
    """Filter and sort the orders, and hide a column."""
    visitor.get(f"save-column-filter/{number}", col="late", cfg=LATE)
    visitor.post(f"update-visibility/{number}", json={"toggle": "qty"})
    assert visitor.column(number, "city", sort=DOWN) == ["Oslo", "Rome", "Paris"]


@pytest.fixture
def late(owner, frame):
    """A view of the late orders, which Ann has saved. Her own view is reset."""
    show_late(owner, frame.pk)
    saved = save(owner, frame.pk)
    owner.get(f"save-column-filter/{frame.pk}", col="late", cfg={"type": "bool"})
    owner.post(f"update-visibility/{frame.pk}", json={"toggle": "qty"})
    owner.column(frame.pk)
    return saved


@pytest.fixture(autouse=True)
def first_column(monkeypatch):
    """Let `Visitor.column` return the cities by default."""
    monkeypatch.setattr(Visitor.column, "__defaults__", ("city",))


def cities(visitor, number, sort=DOWN):
    return visitor.column(number, sort=sort) if sort else visitor.column(number)


def columns(visitor, number):
    dtypes = visitor.get(f"dtypes/{number}").json["dtypes"]
    return [each["name"] for each in dtypes if each["visible"]]


def data_of(frame):
    return Frame.objects.get(pk=frame.pk).to_dataframe()


def without_token(page):
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)


# Saving and opening -------------------------------------------------------------------


def test_view_is_what_its_author_saw(late, frame, owner, reader):
    assert late.data_id == data_id(frame.pk, 2 * late.pk)
    assert late.get_absolute_url().endswith(f"/dtale/main/{late.data_id}")
    page = reader.get(f"main/{late.data_id}")
    assert page.status_code == 200
    assert "sortInfo" in page.text and "DESC" in page.text
    for person in owner, reader:
        assert cities(person, late.data_id) == ["Oslo", "Rome", "Paris"]
        assert columns(person, late.data_id) == ["city", "late", "price"]
        assert cities(person, frame.pk, None) == ORDERS["city"].tolist()
        assert columns(person, frame.pk) == ORDERS.columns.tolist()


def test_formats_and_highlights_are_saved(frame, owner, reader):
    owner.get(
        f"update-formats/{frame.pk}",
        col="price",
        format={"fmt": "0,0.00", "style": {"redNegs": True}},
        nanDisplay="–",
    )
    ranges = {"qty": {"active": True, "greaterThan": {"active": True, "value": 2}}}
    owner.post(f"save-range-highlights/{frame.pk}", json={"ranges": str(ranges)})
    owner.get(f"update-settings/{frame.pk}", settings={"verticalHeaders": True})
    saved = save(owner, frame.pk)
    page = reader.get(f"main/{saved.data_id}").text
    for part in "0,0.00", "redNegs", "verticalHeaders&#34;: true":
        assert part in page, part


def test_view_stays_when_its_author_changes_their_own_view(late, frame, owner, reader):
    owner.post(f"update-visibility/{frame.pk}", json={"toggle": "price"})
    cities(owner, frame.pk, [["city", "ASC"]])
    assert columns(owner, frame.pk) == ["city", "late", "qty"]
    assert columns(reader, late.data_id) == ["city", "late", "price"]
    assert cities(reader, late.data_id) == ["Oslo", "Rome", "Paris"]


def test_view_shows_new_columns_that_its_author_hides(late, frame, owner, reader):
    owner.get(f"duplicate-col/{frame.pk}", col="city")
    owner.post(f"update-visibility/{frame.pk}", json={"toggle": "city_2"})
    assert "city_2" not in columns(owner, frame.pk)
    assert "city_2" in columns(reader, late.data_id)


def test_opening_a_view_stores_nothing(late, frame, owner, reader):
    before = Frame.objects.values().get(pk=frame.pk)
    PersonalView.objects.all().delete()
    for person in owner, reader:
        for path in "main", "iframe", "dtypes", "popup/describe", "charts":
            assert person.get(f"{path}/{late.data_id}").status_code == 200
        cities(person, late.data_id)
    assert not PersonalView.objects.exists()
    now = Frame.objects.values().get(pk=frame.pk)
    del before["last_opened_at"], now["last_opened_at"]
    assert now == before


def test_opening_a_view_stores_nothing_on_a_site_with_filters(
    dtale_settings, late, reader
):
    dtale_settings.PREDEFINED_FILTERS = {"many": {"filter": "qty > 1"}}
    reader.get(f"main/{late.data_id}")
    cities(reader, late.data_id)
    assert not PersonalView.objects.exists()


def test_changes_within_a_view_are_ones_own(late, owner, reader, editor):
    reader.get(
        f"save-column-filter/{late.data_id}",
        col="price",
        cfg={"type": "float", "operand": ">", "value": 100},
    )
    reader.post(f"update-visibility/{late.data_id}", json={"toggle": "city"})
    assert cities(reader, late.data_id) == ["Oslo", "Rome"]
    assert columns(reader, late.data_id) == ["late", "price"]
    for person in owner, editor:
        assert cities(person, late.data_id) == ["Oslo", "Rome", "Paris"]
    answer = post(reader, "reset_view", late.frame_id, late.pk)
    assert answer.location == late.get_absolute_url()
    assert cities(reader, late.data_id) == ["Oslo", "Rome", "Paris"]
    assert columns(reader, late.data_id) == ["city", "late", "price"]


def test_update_saves_what_the_author_sees(late, owner, reader):
    owner.get(
        f"save-column-filter/{late.data_id}",
        col="price",
        cfg={"type": "float", "operand": "<", "value": 100},
    )
    assert cities(reader, late.data_id) == ["Oslo", "Rome", "Paris"]
    answer = post(owner, "update_view", late.frame_id, late.pk)
    assert answer.location == late.get_absolute_url()
    assert cities(reader, late.data_id) == cities(owner, late.data_id) == ["Paris"]
    assert not PersonalView.objects.exists()


def test_view_can_be_saved_from_within_a_view(late, owner, reader):
    owner.get(
        f"save-column-filter/{late.data_id}",
        col="price",
        cfg={"type": "float", "operand": "<", "value": 100},
    )
    other = save(owner, late.data_id, "cheap")
    assert cities(reader, other.data_id) == ["Paris"]
    assert cities(reader, late.data_id) == ["Oslo", "Rome", "Paris"]


def test_bar_lists_the_views(late, frame, owner, reader):
    other = save(owner, frame.pk, "a <b>")
    page = reader.get(f"main/{late.data_id}").text
    current = f'<a href="{late.get_absolute_url()}" aria-current="page">'
    assert current in page and "View: late orders" in page
    assert f'<a href="{other.get_absolute_url()}">a &lt;b&gt;</a>' in page
    assert f'<a href="{frame.get_absolute_url()}">All data</a>' in page
    assert "Discard my changes" in page
    assert "Save as a new view" not in page and "Update this view" not in page
    page = owner.get(f"main/{late.data_id}").text
    assert "Save as a new view" in page and "Update this view" in page
    page = owner.get(f"main/{frame.pk}").text
    assert 'aria-current="page">All data</a>' in page
    assert "views-menu" not in owner.get(f"iframe/{late.data_id}").text


def test_reader_of_a_table_without_views_sees_no_menu(reader, frame):
    assert "views-menu" not in reader.get(f"main/{frame.pk}").text


@pytest.mark.parametrize("name", ["", "  ", "\u200b", "late orders", " late  orders "])
def test_name_has_to_be_new_and_visible(late, frame, owner, name):
    answer = post(owner, "save_view", frame.pk, name=name)
    assert answer.status_code == 200
    assert 'class="errorlist"' in answer.text
    assert SavedView.objects.count() == 1


def test_number_of_views_is_limited(monkeypatch, late, frame, owner):
    monkeypatch.setattr(saved_views, "MAX_VIEWS", 1)
    answer = post(owner, "save_view", frame.pk, name="more")
    assert answer.status_code == 413 and "1 saved views" in answer.text
    with pytest.raises(django_dtale.exceptions.LimitExceeded):
        frame.save_view("more", View())
    frame.save_view("late orders", View())


def test_pages_of_views_rename_and_delete(late, frame, owner, reader):
    for person, sees_author in (owner, True), (reader, False):
        page = person.browser.get(reverse("frames:views", args=[frame.pk])).text
        assert late.get_absolute_url() in page
        assert f'value="http://localhost{late.get_absolute_url()}" readonly' in page
        assert ("by ann" in page) is sees_author
        assert ("Rename" in page) is sees_author
    PersonalView.objects.create(frame=frame, user=frame.owner, variant=late.variant)
    post(owner, "rename_view", frame.pk, late.pk, name="late")
    late.refresh_from_db()
    assert late.name == "late"
    page = owner.submit(reverse("frames:delete_view", args=[frame.pk, late.pk]))
    assert page.location == reverse("frames:views", args=[frame.pk])
    assert not SavedView.objects.exists() and not PersonalView.objects.exists()


def test_deleted_view_answers_like_a_missing_table(late, frame, reader):
    number = late.data_id
    late.delete()
    for path in "main", "iframe", "charts", "popup/describe":
        page, missing = reader.get(f"{path}/{number}"), reader.get(f"{path}/999")
        assert page.status_code == missing.status_code == 404
        assert without_token(page) == without_token(missing).replace("999", str(number))
    assert reader.get(f"data/{number}", ids=["0-9"]).status_code == 404


# The whole of D-Tale within a view ----------------------------------------------------

PAGES = [
    *("main", "iframe", "network", "charts", "popup/describe", "popup/correlations"),
    *("popup/filter", "popup/build", "popup/duplicates", "popup/charts"),
    *("popup/reshape", "popup/missingno", "popup/pps", "popup/merge"),
    *("popup/variance", "popup/replacement", "popup/instances"),
]
REQUESTS = [
    ("data", {"ids": ["0-9"]}),
    ("dtypes", {}),
    ("describe", {"col": "price"}),
    ("code-export", {}),
    ("filter-info", {}),
    ("column-filter-data", {"col": "city"}),
    ("async-column-filter-data", {"col": "city", "input": "o"}),
    ("column-analysis", {"col": "price", "type": "histogram", "bins": 5}),
    ("correlations", {}),
    ("chart-data", {"x": "city", "y": ["price"], "agg": "sum"}),
    ("variance", {"col": "price"}),
    ("outliers", {"col": "price"}),
    ("load-filtered-ranges", {}),
    ("sorted-sequential-diffs", {"col": "price", "sort": "ASC"}),
    ("test-filter", {"query": "price > 1", "save": "false"}),
    ("duplicates", {"type": "columns", "cfg": {"keep": "first"}, "action": "test"}),
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_open_a_view(late, reader, path):
    page = reader.get(f"{path}/{late.data_id}")
    assert page.status_code == 200
    assert str(late.data_id) in page.text or path == "charts"


@pytest.mark.parametrize("path, query", REQUESTS, ids=[path for path, _ in REQUESTS])
def test_requests_for_a_view(late, reader, path, query):
    answer = reader.get(f"{path}/{late.data_id}", **query)
    assert answer.status_code == 200 and '"error"' not in answer.text, answer.text


def test_description_and_export_are_those_of_the_view(late, reader):
    query = {"col": "price", "filtered": "true"}
    described = reader.get(f"describe/{late.data_id}", **query).json["describe"]
    assert described["count"] == "3"
    cities(reader, late.data_id)
    sent = reader.get(f"data-export/{late.data_id}", type="csv")
    found = pd.read_csv(io.BytesIO(sent.data))
    assert found["city"].tolist() == ["Oslo", "Rome", "Paris"]
    code = reader.get(f"code-export/{late.data_id}").json["code"]
    assert "late" in code and "sort_values" in code


def test_download_and_copy_of_a_view(late, frame, owner, reader, eve):
    url = reverse("frames:csv", args=[late.data_id])
    found = pd.read_csv(io.StringIO(reader.browser.get(f"{url}?view=1").text))
    assert found["city"].tolist() == ["Oslo", "Rome", "Paris"]
    assert found.columns.tolist() == ["city", "late", "price"]
    page = reader.get(f"main/{late.data_id}").text
    url = reverse("frames:copy", args=[late.data_id])
    assert f'href="{url}"' in page
    reader.submit(url)
    copy = Frame.objects.get(owner=eve)
    assert cities(reader, copy.pk) == ["Oslo", "Rome", "Paris"]
    assert columns(reader, copy.pk) == ["city", "late", "price"]
    assert copy.name == "Orders: late orders"


def test_lists_of_dtale_contain_frames_only(late, frame, reader):
    assert reader.frames() == [frame.pk]
    assert reader.get("process-keys").json == {
        "data": [{"id": str(frame.pk), "name": "Orders"}],
        "success": True,
    }
    page = reader.get(f"charts/{late.data_id}").text
    links = re.findall('<a href="../main/(.*?)" class="dropdown-item data-grid', page)
    assert links == [str(frame.pk)]


@pytest.mark.parametrize("who", ["owner", "editor"])
def test_edit_within_a_view_changes_the_table(late, frame, request, who):
    person = request.getfixturevalue(who)
    cities(person, late.data_id)
    answer = person.edit(late.data_id, "Bergen", "city", 0)
    assert answer.json["success"], answer.json
    assert data_of(frame)["city"].tolist() == ["Rome", "Berlin", "Paris", "Bergen"]
    assert cities(person, late.data_id) == ["Bergen", "Rome", "Paris"]
    assert Change.objects.get().columns == ["city"]


def test_reader_cannot_edit_within_a_view(late, frame, reader):
    answer = reader.edit(late.data_id, "Bergen", "city", 0)
    assert "belongs to ann" in answer.json["error"]
    assert data_of(frame).equals(ORDERS)


def test_rule_of_edits_holds_within_a_view(late, frame, owner):
    Frame.objects.update(can_edit={"qty": None})
    answer = owner.edit(late.data_id, "Bergen", "city", 0)
    assert "you can only change cells" in answer.json["error"]
    settings = owner.get(f"main/{late.data_id}").text
    assert "allow_cell_edits&#34;: [&#34;qty&#34;]" in settings


CHANGES = [
    ("rename-col", dict(col="qty", rename="count")),
    ("delete-col", dict(cols=["qty"])),
    ("duplicate-col", dict(col="price")),
    ("build-column", dict(type="cumsum", cfg={"cols": ["price"]}, name="total")),
    ("update-column-position", dict(action="front", col="price")),
    ("update-locked", dict(action="lock", col="price")),
    ("drop-filtered-rows", {}),
    (
        "reshape",
        dict(
            type="aggregate",
            cfg={
                "index": ["city"],
                "agg": {"type": "func", "cols": ["price"], "func": "sum"},
            },
            output="override",
        ),
    ),
]


@pytest.mark.parametrize("path, query", CHANGES, ids=[path for path, _ in CHANGES])
@pytest.mark.parametrize("who", ["owner", "editor"])
def test_changes_within_a_view_change_the_table(
    late, frame, request, reader, who, path, query
):
    person = request.getfixturevalue(who)
    cities(person, late.data_id)
    version = Frame.objects.get(pk=frame.pk).version
    answer = person.get(f"{path}/{late.data_id}", **query)
    assert answer.json.get("success"), answer.json
    assert Frame.objects.get(pk=frame.pk).version > version
    for number in frame.pk, late.data_id:
        for each in person, reader:
            shown = each.get(f"data/{number}", ids=["0-9"]).json
            assert "error" not in shown, shown
            names = [column["name"] for column in shown["columns"][1:]]
            assert names == data_of(frame).columns.tolist()


def test_cleanup_deletes_neither_a_view_nor_its_table(late, frame, owner):
    owner.get("cleanup-datasets", dataIds=str(late.data_id))
    assert SavedView.objects.exists()
    assert cities(owner, late.data_id) == ["Oslo", "Rome", "Paris"]


def test_page_of_a_view_does_not_mix_old_and_new_rows(late, frame, reader):
    page = reader.get(f"main/{late.data_id}").text
    version = re.search(r'data-frame="(\d+)" data-version="(\d+)"', page)
    assert int(version[1]) == late.data_id
    header = {"X-Data-Version": f"{version[1]}={version[2]}"}
    path = late.get_absolute_url().replace("/main/", "/data/")
    query = {"ids": '["0-9"]'}
    answer = reader.browser.get(path, query_string=query, headers=header)
    assert answer.status_code == 200
    frame.replace(ORDERS)
    answer = reader.browser.get(path, query_string=query, headers=header)
    assert answer.status_code == 409


# Columns that are missing -------------------------------------------------------------


@pytest.mark.parametrize("person", ["owner", "editor"])
def test_view_of_a_renamed_column_opens_without_its_filter(
    late, frame, request, reader, person, ann
):
    changer = request.getfixturevalue(person)
    changer.get(f"rename-col/{frame.pk}", col="late", rename="overdue")
    assert cities(reader, late.data_id) == ["Oslo", "Rome", "Berlin", "Paris"]
    page = reader.get(f"main/{late.data_id}")
    assert page.status_code == 200
    assert "These columns do not exist any more: late." in page.text
    assert not PersonalView.objects.filter(variant=late.variant).exists()
    with bind(Workspace(ann)):
        going_back.undo(frame.pk)
    assert cities(reader, late.data_id) == ["Oslo", "Rome", "Paris"]
    page = reader.get(f"main/{late.data_id}")
    assert "do not exist any more" not in page.text


def test_views_of_others_open_without_a_deleted_column(late, frame, owner, reader):
    show_late(reader, frame.pk)
    owner.get(f"delete-col/{late.data_id}", cols=["late", "price"])
    for number in frame.pk, late.data_id:
        assert len(reader.column(number)) == 4
        assert reader.get(f"main/{number}").status_code == 200
    assert owner.column(frame.pk) == ORDERS["city"].tolist()


def test_own_filter_of_a_deleted_column_is_left_out(frame, owner):
    show_late(owner, frame.pk)
    owner.get(f"delete-col/{frame.pk}", cols=["late"])
    assert len(owner.column(frame.pk)) == 4


def test_parts_that_name_missing_columns_are_left_out():
    settings = {
        "columnFilters": {
            "a": {"query": "`a` > 1"},
            "gone": {"query": "`gone` > 1"},
            "b": {"query": "`b` > `other`"},
        },
        "outlierFilters": {"gone": {"query": "gone > 1"}},
        "query": "a > 1 and `the last` < 3",
        "namedFilters": {"high": "high > 1", "a": "a > 1"},
        "predefinedFilters": {"high": {"active": True}, "a": {"active": True}},
        "locked": ["a", "gone"],
        "sortInfo": [["gone", "ASC"], ["b", "ASC"]],
        "backgroundMode": "heatmap-col-gone",
        "columnFormats": {"gone": {"fmt": "0"}},
    }
    kept, missing = without_missing(settings, {"a", "b"})
    assert missing == {"gone", "other", "the last", "high"}
    assert kept == {
        "columnFilters": {"a": {"query": "`a` > 1"}},
        "outlierFilters": {},
        "query": "",
        "namedFilters": {"high": "high > 1", "a": "a > 1"},
        "predefinedFilters": {"a": {"active": True}},
        "locked": ["a"],
        "sortInfo": [["b", "ASC"]],
        "backgroundMode": None,
        "columnFormats": {"gone": {"fmt": "0"}},
    }
    names = {"a", "b", "gone", "other", "the last", "high"}
    assert without_missing(settings, names) == (settings, set())
    heat = {"backgroundMode": "heatmap-col-all", "query": "not (a filter"}
    assert without_missing(heat, {"a"}) == (heat, set())


def test_views_are_carried_over_when_the_data_are_replaced(late, frame, owner, reader):
    show_late(reader, late.data_id)
    texts = ORDERS.assign(late=["yes", "no", "yes", "no"], more=1)
    frame.replace(texts)
    for person in owner, reader:
        assert cities(person, late.data_id) == ["Oslo", "Rome", "Berlin", "Paris"]
        assert person.get(f"main/{late.data_id}").status_code == 200
    assert "qty" not in columns(owner, late.data_id)
    frame.append(texts)
    assert len(cities(reader, late.data_id)) == 8


# Rights -------------------------------------------------------------------------------


FORMS = {"save_view", "rename_view", "update_view", "delete_view"}  # For editors.


def paths_in_dtale(view):
    pages = "main", "iframe", "charts", "popup/describe", "dtypes"
    return [view.frame.path_of(page, view.variant) for page in pages]


def url(name, view):
    """Return the path of one of the site's pages of a view."""
    if name in ("save_view", "copy", "csv"):
        return reverse(f"frames:{name}", args=[view.data_id])
    if name in ("views", "state"):
        return reverse(f"frames:{name}", args=[view.frame_id])
    return reverse(f"frames:{name}", args=[view.frame_id, view.pk])


def statuses(user, view, **data):
    """Return the status of each of the site's pages of a view for a user.

    All forms are sent with these data.
    """
    client, found = Client(), {}
    if user is not None:
        client.force_login(user)
    for name in ["views", "state", "csv", "copy", "reset_view", *sorted(FORMS)]:
        send = client.post if name in {*FORMS, "reset_view"} else client.get
        answer = send(url(name, view), data)
        found[name] = answer.status_code
        answer.close()
    return found


def test_people_without_a_right_cannot_find_a_view(late, visitor, user):
    stranger = user("mallory")
    for path in paths_in_dtale(late):
        page = visitor(stranger).browser.get(path)
        assert page.status_code == 404 and "late orders" not in page.text
        number, other = str(late.data_id), str(data_id(late.frame_id, 98))
        missing = visitor(stranger).browser.get(path.replace(number, other))
        assert without_token(page) == without_token(missing).replace(other, number)
        assert visitor().browser.get(path).status_code in (302, 401, 404)
    assert set(statuses(stranger, late, name="x").values()) == {404}
    assert set(statuses(None, late, name="x").values()) <= {302, 404}
    assert SavedView.objects.get().name == "late orders"


def test_readers_open_but_do_not_change_views(late, reader, eve):
    found = statuses(eve, late, name="x")
    assert {name for name, status in found.items() if status == 403} == FORMS
    assert SavedView.objects.get().name == "late orders"


def test_editors_change_only_their_own_views(late, editor, bob, ann):
    found = statuses(bob, late, name="of Bob")
    refused = {name for name, status in found.items() if status == 403}
    assert refused == FORMS - {"save_view"}
    client = Client()
    client.force_login(bob)
    page = client.get(url("rename_view", late))
    assert "only by the owner of the table" in page.text
    assert "Update this view" not in editor.get(f"main/{late.data_id}").text
    own = SavedView.objects.get(name="of Bob")
    assert own.user == bob
    assert "Update this view" in editor.get(f"main/{own.data_id}").text
    client.post(url("rename_view", own), {"name": "Bob's"})
    own.refresh_from_db()
    assert own.name == "Bob's"
    # The owner can change all views.
    client.force_login(ann)
    assert client.post(url("delete_view", own)).status_code == 302
    assert list(SavedView.objects.all()) == [late]


def test_editor_who_becomes_a_reader_cannot_change_their_views(editor, frame, bob):
    own = save(editor, frame.pk, "of Bob")
    Share.objects.grant(frame, bob, Role.READER)
    found = statuses(bob, own, name="x")
    assert {name for name, status in found.items() if status == 403} == FORMS
    assert SavedView.objects.get() == own


def test_members_of_a_group_open_views(late, frame, visitor, user):
    group, member = Group.objects.create(name="team"), user("gus")
    Share.objects.grant(frame, group)
    person = visitor(member)
    assert person.get(f"main/{late.data_id}").status_code == 404
    member.groups.add(group)
    assert cities(person, late.data_id) == ["Oslo", "Rome", "Paris"]
    member.groups.remove(group)
    assert person.get(f"data/{late.data_id}", ids=["0-9"]).status_code == 404


@pytest.mark.parametrize("role", [Role.READER, Role.EDITOR])
def test_removed_right_closes_a_view_at_once(late, frame, visitor, eve, role):
    share = Share.objects.grant(frame, eve, role)
    person = visitor(eve)
    own = save(person, frame.pk, "of Eve") if role == Role.EDITOR else late
    show_late(person, own.data_id)
    share.remove()
    for view in late, own:
        for path in paths_in_dtale(view):
            assert person.browser.get(path).status_code == 404
        assert person.get(f"data/{view.data_id}", ids=["0-9"]).status_code == 404
        answer = person.edit(view.data_id, "x", "city")
        assert answer.status_code == 404
        assert set(statuses(eve, view, name="x").values()) == {404}
    assert data_of(frame).equals(ORDERS)


def test_pages_need_no_more_queries_for_more_views(
    late, frame, owner, django_assert_max_num_queries
):
    for path in (late.get_absolute_url(), reverse("frames:views", args=[frame.pk])):
        owner.browser.get(path)
        with CaptureQueriesContext(connection) as few:
            owner.browser.get(path)
        for number in range(5):
            frame.save_view(f"{path} {number}", View())
        with django_assert_max_num_queries(len(few)):
            page = owner.browser.get(path)
        assert f"{path} 4" in page.text


def test_view_belongs_to_one_frame(late, owner, publish, ann, bob):
    other, foreign = publish(ann, "other"), publish(bob, "foreign")
    for frame in other, foreign:
        number = data_id(frame.pk, late.variant)
        assert owner.get(f"main/{number}").status_code == 404
        client = Client()
        client.force_login(ann)
        path = reverse("frames:delete_view", args=[frame.pk, late.pk])
        assert client.post(path).status_code == 404
    assert SavedView.objects.exists()


def test_visitor_saves_a_view(visitor, ann, rf):
    def person_request(pk):
        request = rf.get("/")
        request.session = {SESSION_KEY: Frame.objects.get(pk=pk).visitor_token}
        return request

    person = visitor()
    pk = person.upload("city,qty\nRome,1\nOslo,2\n")
    page = person.get(f"main/{pk}").text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    cfg = {"type": "int", "operand": ">", "value": 1}
    person.get(f"save-column-filter/{pk}", col="qty", cfg=cfg)
    answer = person.browser.post(
        reverse("frames:save_view", args=[pk]),
        data={"name": "many", "csrfmiddlewaretoken": token},
    )
    saved = SavedView.objects.get()
    assert answer.location == saved.get_absolute_url()
    assert saved.user is None
    assert person.column(saved.data_id) == ["Oslo"]
    assert visitor().get(f"data/{saved.data_id}", ids=["0-9"]).status_code == 401
    # It stays when the visitor signs in, and so does what they have changed in it.
    person.get(f"save-column-filter/{saved.data_id}", col="qty", cfg={"type": "int"})
    assert len(person.column(saved.data_id)) == 2
    user_logged_in.send(type(ann), request=person_request(pk), user=ann)
    saved.refresh_from_db()
    assert saved.user == saved.frame.owner == ann
    assert len(visitor(ann).column(saved.data_id)) == 2


# Charts -------------------------------------------------------------------------------


def test_chart_is_saved_and_opened(late, owner, reader):
    chart = save(owner, late.data_id, "sums", chart=urlencode(CHART))
    assert chart.chart == CHART
    page = reader.get(f"charts/{chart.data_id}")
    assert page.status_code == 302
    path, _, query = page.location.partition("?")
    assert path == chart.get_absolute_url()
    assert {name: value[0] for name, value in parse_qs(query).items()} == CHART
    page = reader.browser.get(page.location)
    assert page.status_code == 200 and "View: sums" in page.text
    # The grid of the view has its filter.
    assert cities(reader, chart.data_id) == ["Oslo", "Rome", "Paris"]
    other = urlencode({**CHART, "agg": "mean"})
    post(owner, "update_view", chart.frame_id, chart.pk, chart=other)
    chart.refresh_from_db()
    assert chart.chart["agg"] == "mean"
    post(owner, "update_view", chart.frame_id, chart.pk)
    chart.refresh_from_db()
    assert chart.chart["agg"] == "mean"


REFUSED = [
    {**CHART, "data_id": "1"},
    {**CHART, "app_root": "//example.org"},
    {**CHART, "chart_type": "none"},
    {"x": "city"},
    {**CHART, "y": "qty"},
    {**CHART, "window": "many"},
    {**CHART, "query": "__import__('os')"},
    {**CHART, "query": "a" * 5_000},
    {**CHART, "y": "x" * 100_000},
]


@pytest.mark.parametrize("chart", REFUSED, ids=range(len(REFUSED)))
def test_chart_with_other_parameters_is_refused(frame, owner, chart):
    answer = post(owner, "save_view", frame.pk, name="x", chart=urlencode(chart))
    assert answer.status_code in (400, 413)
    assert not SavedView.objects.exists()


def test_known_parameters_are_those_of_dtale():
    from dtale.dash_application import charts

    class Any:
        """Parameters with a value for each name."""

        def __init__(self, **given):
            self.given, self.asked = given, set()

        def get(self, name, default=None):
            self.asked.add(name)
            return self.given.get(name, [name] if name != "yaxis" else {})

        def __getitem__(self, name):
            return self.get(name)

    kinds = {each["value"] for each in saved_views.layout.CHARTS}
    for kind in kinds:
        for map_type in "scattergeo", "mapbox", "choropleth":
            given = Any(chart_type=kind, map_type=map_type, loc_mode="geojson-id")
            charts.chart_url_querystring(given, data={"min": {}, "max": {}})
            assert given.asked <= saved_views.CHART_PARAMETERS


def test_chart_bar(late, owner, reader, frame):
    page = owner.get(f"charts/{frame.pk}").text
    assert 'id="chart-bar"' in page and "chart_view.js" in page
    assert reverse("frames:save_view", args=[frame.pk]) in page
    share = reverse("frames:share", args=[frame.pk])
    assert share in page
    of_reader = reader.get(f"charts/{frame.pk}").text
    assert "Save this view" not in of_reader and share not in of_reader
    assert f'href="{frame.path_of("charts")}"' in owner.get(f"main/{frame.pk}").text
    headers = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}
    path = late.get_absolute_url().replace("/main/", "/charts/")
    page = owner.browser.get(path, headers=headers)
    assert page.status_code == 200 and "chart-bar" not in page.text
    assert ".app-header" in page.text
    path = frame.path_of("charts")
    assert ".app-header" not in owner.browser.get(path, headers=headers).text


def test_chart_of_a_missing_column_opens(frame, owner, reader):
    chart = save(owner, frame.pk, "sums", chart=urlencode(CHART))
    owner.get(f"delete-col/{frame.pk}", cols=["qty"])
    page = reader.get(f"charts/{chart.data_id}")
    assert reader.browser.get(page.location).status_code == 200
    answer = reader.call_back(
        "popup-content.children",
        {
            "url.pathname": chart.get_absolute_url(),
            "url.search": f"?{urlencode(CHART)}",
        },
        {},
    )
    assert answer.status_code == 200


# Embedding ----------------------------------------------------------------------------


@pytest.fixture
def render(rf):
    """Return a function that renders the tag for a user."""

    def render(arguments, user=None, **context):
        request = rf.get("/orders/")
        request.user, request.session = user or AnonymousUser(), {}
        text = f"{{% load dtale %}}{{% dtale_frame frame {arguments} %}}"
        with bind(Workspace(request.user, request.session)):
            return Template(text).render(RequestContext(request, context))

    return render


def test_views_are_embedded(late, frame, render, ann, owner):
    chart = save(owner, frame.pk, "sums", chart=urlencode(CHART))
    html = render('view="late orders" height=300', ann, frame=frame)
    iframe = late.get_absolute_url().replace("/main/", "/iframe/")
    assert f'src="{iframe}"' in html and 'height="300"' in html
    assert f'<a href="{late.get_absolute_url()}">' in html
    assert f'title="View late orders of table {frame} in D-Tale"' in html
    html = render("view=chart", ann, frame=frame, chart=chart)
    assert f'src="{chart.get_absolute_url()}"' in html


def test_two_embedded_views_do_not_mix(late, frame, owner, reader):
    other = save(owner, frame.pk, "all")
    paths = [view.get_iframe_url() for view in (late, other)]
    for _ in range(2):
        for path in paths:
            assert reader.browser.get(path).status_code == 200
        assert cities(reader, late.data_id) == ["Oslo", "Rome", "Paris"]
        assert cities(reader, other.data_id, None) == ORDERS["city"].tolist()


@pytest.mark.parametrize("given", ["no such view", "", "of another table"])
def test_missing_view_is_not_embedded(late, frame, publish, ann, render, caplog, given):
    view = given
    if given == "of another table":
        view = publish(ann, "other", city=["Rome"]).save_view("x", View())
    with caplog.at_level(logging.WARNING, "django_dtale"):
        html = render("view=view", ann, frame=frame, view=view)
    assert "<iframe" not in html and "that does not exist" in html
    assert f"Frame {frame.pk} has no view" in caplog.text


def test_view_of_a_foreign_table_is_not_embedded(late, frame, render, bob, caplog):
    for name in "late orders", "no such view":
        html = render(f'view="{name}"', bob, frame=frame)
        assert "not shared with you" in html
        assert "<iframe" not in html and "orders" not in html.replace("/orders/", "")
    assert not caplog.records


# In Python ----------------------------------------------------------------------------

VIEW = View(
    sort=[("price", "DESC")],
    columns=["city", "price"],
    query="late == True",
    formats={"price": "0.0"},
    precision=3,
    filters={"many": "qty > 1"},
    active_filters=["many"],
    title="Late orders",
)


def test_code_saves_a_view(frame, reader, ann, bob):
    saved = frame.save_view("late", VIEW)
    assert list(frame.saved_views.all()) == [saved]
    assert saved.user == ann and saved.chart == {}
    assert cities(reader, saved.data_id) == ["Rome", "Paris"]
    assert columns(reader, saved.data_id) == ["city", "price"]
    page = reader.get(f"main/{saved.data_id}").text
    assert "precision&#34;: 3" in page and "Late orders" in page
    assert not PersonalView.objects.exists()
    assert Frame.objects.get(pk=frame.pk).version == frame.version
    again = frame.save_view("  late ", dataclasses.replace(VIEW, query=""), bob)
    assert again.pk == saved.pk and again.user == bob
    assert cities(reader, saved.data_id, None) == ["Rome", "Paris"]


def test_view_of_code_has_nothing_of_the_owners_own_view(frame, owner, reader):
    show_late(owner, frame.pk)
    saved = frame.save_view("all", View())
    assert cities(reader, saved.data_id, None) == ORDERS["city"].tolist()
    assert columns(reader, saved.data_id) == ORDERS.columns.tolist()
    assert not PersonalView.objects.exists()


def test_code_saves_a_chart(frame, reader):
    chart = Chart(kind="bar", x="city", y=["qty"], aggregation="sum")
    saved = frame.save_view("sums", View(page="charts", chart=chart))
    assert saved.chart == CHART
    assert saved.get_absolute_url() == frame.path_of("charts", saved.variant)
    assert reader.get(f"charts/{saved.data_id}").status_code == 302
    saved = frame.save_view("grid", View(chart=chart))
    assert saved.chart == {} and "/main/" in saved.get_absolute_url()
    assert "agg=sum" in reader.get(f"charts/{saved.data_id}").location


def test_index_stays_locked(stored, ann, visitor):
    data = ORDERS.set_index("city")
    frame = django_dtale.publish(data, owner=ann, name="Indexed")
    saved = frame.save_view("x", View(locked=["qty"], columns=["price"]))
    page = visitor(ann).get(f"main/{saved.data_id}").text
    assert "locked&#34;: [&#34;city&#34;, &#34;qty&#34;]" in page
    assert columns(visitor(ann), saved.data_id) == ["city", "price"]


@pytest.mark.parametrize(
    "name, view, reason",
    [
        (" ", View(), "needs a name"),
        ("x", View(editable=False), "editable"),
        ("x", View(page="describe"), "page"),
        ("x", View(page="charts"), "chart"),
        ("x", View(hide=["none"]), "no column 'none'"),
        ("x", View(query="none > 1"), "no column 'none'"),
    ],
)
def test_invalid_view_is_refused(frame, name, view, reason):
    with pytest.raises(ValueError, match=reason):
        frame.save_view(name, view)
    assert not SavedView.objects.exists()
