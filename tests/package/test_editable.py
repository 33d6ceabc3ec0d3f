"""Data that code has declared as not editable: D-Tale's endpoints refuse changes."""

import html
import json
import re

import pandas as pd
import pytest

import django_dtale
from django_dtale import View
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.endpoints import OPEN, STATIC
from django_dtale.models import Frame
from django_dtale.storage import blobs

from .hostile_values import EXAMPLES, POSTED, a_frame

pytestmark = pytest.mark.django_db

# The endpoints that change data. All others only read, or change views.
CHANGING = {
    "dtale.build_column",
    "dtale.build_replacement",
    "dtale.delete_col",
    "dtale.drop_filtered_rows",
    "dtale.duplicate_col",
    "dtale.edit_cell",
    "dtale.get_duplicates",
    "dtale.rename_col",
    "dtale.reshape_data",
}
# Requests of endpoints that the examples of `hostile_values` do not contain.
MORE = """
drop-filtered-rows/PK
dtypes/PK
duplicate-col/PK col=a
duplicates/PK type=rows action=execute cfg={"subset":["s"],"keep":"first"}
variance/PK col=a
"""
# These endpoints get no id of a frame, only read, or are D-Tale's pages.
HARMLESS = {
    *("root", "dtale_base", "/dtale/charts/_dash-layout"),
    *("/dtale/charts/_dash-dependencies", "/dtale/charts/_dash-update-component"),
    *("/dtale/charts/", "dtale.view_calculation"),
    *("dtale.view_main_by_name", "dtale.view_iframe", "dtale.iframe_popup"),
    *("dtale.view_code_popup", "dtale.chart_export_all"),
    *("dtale.cleanup_datasets", "dtale.get_code_export", "dtale.get_corr_analysis"),
    *("dtale.get_processes", "dtale.load_filtered_ranges", "dtale.process_keys"),
    *("dtale.toggle_outlier_filter", "dtale.update_language"),
    *("dtale.update_maximum_column_width", "dtale.update_maximum_row_height"),
    *("dtale.update_pin_menu", "dtale.update_query_engine", "dtale.update_theme"),
}


@pytest.fixture(scope="module")
def examples():
    """The examples of each endpoint: paths with a query or a body."""
    app, found = build_dtale()._app, {}
    for text in (EXAMPLES, MORE, POSTED):
        for line in text.strip().splitlines():
            if line.startswith("cleanup-datasets"):
                continue  # It deletes whole tables, which the owner may do.
            path, *pairs = re.split(r" (?=\w+=)", line)
            path, _, body = path.partition(" ")
            method = "POST" if body else "GET"
            rule, _ = app.find_route(f"/dtale/{path.replace('PK', '1')}", method)
            query = dict(pair.split("=", 1) for pair in pairs)
            found.setdefault(rule.endpoint, []).append((path, query, body))
    return found


def send(person, frame, path, query, body):
    path = path.replace("PK", str(frame.pk))
    if body:
        return person.post(path, json=json.loads(body.replace("PK", str(frame.pk))))
    return person.get(path, **query)


def contents(frame):
    """Return the stored data of a frame, without the order of its columns and rows."""
    frame.refresh_from_db()
    data = blobs.load(frame.payload).sort_index(axis=0).sort_index(axis=1)
    return [data.columns.tolist(), data.astype(str).to_numpy().tolist()]


@pytest.mark.parametrize("endpoint", sorted(OPEN.keys() - STATIC))
def test_no_endpoint_changes_data_that_cannot_be_edited(
    endpoint, examples, owner, ann, stored
):
    """If this test fails for a new endpoint, add an example of a request to it."""
    assert (endpoint in examples) != (endpoint in HARMLESS)
    changes = False
    for request in examples.get(endpoint, ()):
        frame, fixed = (
            # One of the requests drops the rows that a filter does not find.
            django_dtale.publish(a_frame(), owner=ann, view=view)
            for view in (
                View(query="a > 0"),
                View(query="a > 0", editable=False),
            )
        )
        before = contents(fixed)
        send(owner, frame, *request)
        answer = send(owner, fixed, *request)
        assert contents(fixed) == before, request
        assert Frame.objects.get(pk=fixed.pk).columns == 8
        if contents(frame) != before:
            changes = True
            assert f"The data of table {fixed.pk} cannot be changed." in answer.text
            assert f"/frames/{fixed.pk}/copy/" in answer.text
    assert changes == (endpoint in CHANGING)


@pytest.fixture
def orders(ann, stored):
    """A table in which people can only set the status and write comments."""
    data = pd.DataFrame(
        {"price": [5, 7], "status": ["open", "open"], "comment": ["", None]}
    )
    rule = {"status": ["open", "closed"], "comment": None}
    return django_dtale.publish(
        data, owner=ann, name="Orders", view=View(editable=rule)
    )


def test_some_columns_can_be_edited(owner, orders):
    assert owner.edit(orders.pk, "closed", "status").json["success"]
    assert owner.edit(orders.pk, "Any text", "comment", row=1).json["success"]
    assert owner.column(orders.pk, "status") == ["closed", "open"]
    error = owner.edit(orders.pk, "lost", "status").json["error"]
    assert error == "The column status can only contain: open, closed."
    error = owner.edit(orders.pk, 9, "price").json["error"]
    assert f"In table {orders.pk} Orders, you can only change cells of" in error
    assert "status, comment. To change more, save a copy" in error
    answer = owner.get(f"rename-col/{orders.pk}", col="status", rename="x")
    assert "you can only change cells" in answer.json["error"]
    assert owner.column(orders.pk, "status") == ["closed", "open"]
    assert owner.column(orders.pk, "price") == [5, 7]


def test_grid_offers_only_allowed_edits(owner, orders):
    page = html.unescape(owner.get(f"main/{orders.pk}").text)
    assert '"allow_cell_edits": ["status", "comment"]' in page
    assert '"column_edit_options": {"status": ["open", "closed"]}' in page
    orders.replace(pd.DataFrame({"status": ["new"]}), view=View(editable=False))
    page = html.unescape(owner.get(f"main/{orders.pk}").text)
    assert '"allow_cell_edits": false' in page
    orders.replace(pd.DataFrame({"status": ["new"]}), view=View())
    page = html.unescape(owner.get(f"main/{orders.pk}").text)
    assert '"allow_cell_edits": true' in page
    assert "column_edit_options" not in page
    assert owner.edit(orders.pk, "x", "status").json["success"]


def test_view_of_data_that_cannot_be_edited_can_be_changed(owner, orders):
    down = [["price", "DESC"]]
    assert owner.column(orders.pk, "price", sort=down) == [7, 5]
    for path, query in (
        ("update-column-position/{}", {"action": "back", "col": "price"}),
        ("update-locked/{}", {"action": "lock", "col": "comment"}),
    ):
        assert owner.get(path.format(orders.pk), **query).json["success"]
    columns = blobs.load(Frame.objects.get().payload).columns.tolist()
    assert columns == ["comment", "status", "price"]


def test_rule_of_code_does_not_bind_code(orders):
    orders.append(pd.DataFrame({"price": [1], "status": ["lost"], "comment": [""]}))
    orders.replace(pd.DataFrame({"price": [1]}))
    assert orders.rows == 1
    assert orders.can_edit is not None


def test_copy_can_be_edited_by_the_person_who_made_it(owner, reader, orders, bob):
    orders.shared_with.add(bob)
    assert "belongs to ann" in reader.edit(orders.pk, "closed", "status").json["error"]
    for person in (owner, reader):
        answer = person.submit(f"/frames/{orders.pk}/copy/")
        pk = int(answer.headers["Location"].rpartition("/")[2])
        assert person.edit(pk, 9, "price").json["success"]
        assert Frame.objects.get(pk=pk).can_edit is None


@pytest.fixture
def reader(visitor, bob):
    return visitor(bob)
