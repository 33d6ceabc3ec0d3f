"""How a table opens, from code: the options of ``View``, as the grid receives them."""

import dataclasses
import html
import json
import re

import pandas as pd
import pytest
from django.test import RequestFactory

import django_dtale
from django_dtale import Chart, View
from django_dtale.models import Frame

pytestmark = pytest.mark.django_db

ORDERS = pd.DataFrame(
    {
        "city": ["Rome", "Berlin", "Paris", "Oslo"],
        "status": ["open", "closed", "open", "open"],
        "price": [120.5, 99.0, None, 300.25],
        "count": [3, 1, 4, 1],
        "day": pd.date_range("2026-01-05", periods=4),
    }
)


@pytest.fixture
def opened(stored, ann):
    """Return a function that publishes the orders with the options of a view."""

    def opened(data=ORDERS, **options):
        view = View(**options)
        return django_dtale.publish(data, owner=ann, name="Orders", view=view)

    return opened


@pytest.fixture
def reader(visitor, bob):
    return visitor(bob)


def hidden(page, name):
    """Return the value that a page of D-Tale passes to its script."""
    found = re.search(rf'id="{name}" value="([^"]*)"', page.text)[1]
    return html.unescape(found)


def settings_of(person, frame):
    return json.loads(hidden(person.get(f"main/{frame.pk}"), "settings"))


def columns_of(person, frame):
    """Return the visible columns of the grid, and the others."""
    sent = person.get(f"data/{frame.pk}", ids=["0-3"]).json["columns"][1:]
    return [
        [c["name"] for c in sent if c["visible"] is shown] for shown in (True, False)
    ]


# Options over HTTP --------------------------------------------------------------------


def test_table_opens_sorted(owner, opened):
    frame = opened(sort=[("status", "ASC"), ("price", "DESC")])
    sort = settings_of(owner, frame)["sortInfo"]
    assert sort == [["status", "ASC"], ["price", "DESC"]]
    version = Frame.objects.get(pk=frame.pk).version
    assert owner.column(frame.pk, "count", sort=sort) == [1, 1, 3, 4]
    assert Frame.objects.get(pk=frame.pk).version == version


def test_columns_are_shown_in_the_given_order(owner, opened):
    frame = opened(columns=["price", "city"])
    assert columns_of(owner, frame) == [["price", "city"], ["status", "count", "day"]]
    frame = opened(columns=["price", "city"], data=ORDERS.set_index("day"))
    assert columns_of(owner, frame)[0] == ["day", "price", "city"]


def test_columns_beyond_the_hundredth_are_shown(owner, opened):
    names = [f"c{n}" for n in range(130)]
    wide = pd.DataFrame({name: [1] for name in names})
    assert columns_of(owner, opened(wide, columns=names))[0] == names


def test_columns_are_hidden(owner, opened):
    frame = opened(hide=["status", "day"])
    assert columns_of(owner, frame) == [["city", "price", "count"], ["status", "day"]]


def test_locked_columns_come_first(owner, opened):
    frame = opened(locked=["count"], columns=["city", "count"])
    assert columns_of(owner, frame)[0] == ["count", "city"]
    assert settings_of(owner, frame)["locked"] == ["count"]
    frame = opened(locked=["count"], data=ORDERS.set_index("day"))
    assert settings_of(owner, frame)["locked"] == ["day", "count"]


@pytest.mark.parametrize(
    "options, expected",
    [
        ({"precision": 4}, {"precision": 4}),
        ({"precision": 0}, {"precision": 0}),
        ({}, {"precision": 2, "backgroundMode": None}),
        (
            {"formats": {"price": "0,0.0", "day": "DD.MM.", "city": {"truncate": 3}}},
            {
                "columnFormats": {
                    "price": {"fmt": "0,0.0", "style": {}},
                    "day": {"fmt": "DD.MM.", "style": {}},
                    "city": {"fmt": {"link": False, "truncate": 3}},
                }
            },
        ),
        (
            {"formats": {"price": {"red_negatives": True}, "city": {"link": True}}},
            {
                "columnFormats": {
                    "price": {"style": {"redNegs": True}},
                    "city": {"fmt": {"link": True}},
                }
            },
        ),
        ({"background": "heatmap"}, {"backgroundMode": "heatmap-col-all"}),
        (
            {"background": ("heatmap", "count")},
            {"backgroundMode": "heatmap-col-count"},
        ),
        ({"background": "missing"}, {"backgroundMode": "missing"}),
        ({"background": "outliers"}, {"backgroundMode": "outliers"}),
        ({"background": "dtypes"}, {"backgroundMode": "dtypes"}),
        ({"background": "low-variance"}, {"backgroundMode": "lowVariance"}),
        ({"query": "price > 100"}, {"query": "price > 100"}),
        ({"title": "Shop"}, {"main_title": "Shop"}),
        ({"nan_display": ""}, {"nanDisplay": ""}),
    ],
)
def test_settings_of_the_grid(owner, opened, options, expected):
    assert settings_of(owner, opened(**options)).items() >= expected.items()


def test_missing_values_are_shown_as_the_given_text(owner, opened):
    frame = opened(nan_display="unknown")
    assert owner.column(frame.pk, "price") == [120.5, 99.0, "unknown", 300.25]


def test_widths_stay_when_a_cell_is_edited(owner, opened):
    frame = opened(widths={"city": 240})
    for _ in range(2):
        sent = owner.get(f"data/{frame.pk}", ids=["0-3"]).json["columns"]
        resized = {c["name"]: c["width"] for c in sent if c.get("resized")}
        assert resized == {"city": 240}
        assert owner.edit(frame.pk, "Bonn", column="city").json["success"]


def test_highlights(owner, opened):
    rules = {"above": (100, "red"), "equal": (99, "#010203")}
    settings = settings_of(owner, opened(highlight={"price": rules}))
    assert settings["backgroundMode"] == "range"
    modes = settings["rangeHighlight"]["price"]
    assert modes["active"] and not modes["lessThan"]["active"]
    assert modes["equals"] == {
        "active": True,
        "value": 99,
        "color": {"r": 1, "g": 2, "b": 3, "a": 1},
    }
    assert modes["greaterThan"]["value"] == 100


def test_query_filters_the_grid_and_can_be_changed(owner, opened):
    frame = opened(query="price > 100")
    assert owner.column(frame.pk, "city") == ["Rome", "Oslo"]
    owner.get(f"update-settings/{frame.pk}", settings={"query": ""})
    assert len(owner.column(frame.pk, "city")) == 4


NAMED = {"Big": "price > 100", "Open": "status == 'open' or count == 9"}


def test_named_filters_are_offered_or_switched_on(owner, reader, opened, bob):
    frame = opened(filters=NAMED, active_filters=["Open"])
    frame.shared_with.add(bob)
    page = owner.get(f"main/{frame.pk}")
    offered = json.loads(hidden(page, "predefined_filters"))
    assert [each["name"] for each in offered] == ["Big", "Open"]
    values = settings_of(owner, frame)["predefinedFilters"]
    assert values["Big"] == {"value": "price > 100", "active": False}
    assert owner.column(frame.pk, "city") == ["Rome", "Paris", "Oslo"]
    # A reader switches the other one on, in their own view.
    values["Big"]["active"] = True
    settings = {"predefinedFilters": values}
    assert reader.get(f"update-settings/{frame.pk}", settings=settings).json["success"]
    assert reader.column(frame.pk, "city") == ["Rome", "Oslo"]
    assert owner.column(frame.pk, "city") == ["Rome", "Paris", "Oslo"]
    described = owner.get(f"describe/{frame.pk}", col="count", filtered="true")
    assert described.json["describe"]["count"] == "3"
    # Another table does not offer them.
    other = opened()
    assert hidden(owner.get(f"main/{other.pk}"), "predefined_filters") == "[]"


def test_text_of_a_named_filter_cannot_be_changed(owner, opened):
    frame = opened(filters=NAMED)
    states = {"Big": {"value": "price.system()", "active": True}}
    owner.get(f"update-settings/{frame.pk}", settings={"predefinedFilters": states})
    states = settings_of(owner, frame)["predefinedFilters"]
    assert states["Big"] == {"value": "price > 100", "active": True}
    assert owner.column(frame.pk, "city") == ["Rome", "Oslo"]


@pytest.mark.parametrize(
    "values",
    [
        {"Big": {"active": "yes"}},
        {"Big": "price > 1"},
        {"Other": {"value": "price > 1", "active": True}},
    ],
)
def test_states_of_named_filters_are_checked(owner, opened, values):
    frame = opened(filters=NAMED)
    before = settings_of(owner, frame)
    answer = owner.get(
        f"update-settings/{frame.pk}", settings={"predefinedFilters": values}
    )
    assert "error" in answer.json
    assert settings_of(owner, frame) == before


@pytest.mark.parametrize(
    "page, path",
    [
        ("grid", "/main/{}"),
        ("charts", "/charts/{}"),
        ("describe", "/popup/describe/{}"),
        ("correlations", "/popup/correlations/{}"),
    ],
)
def test_table_opens_on_its_page(owner, ann, page, path, stored):
    request = RequestFactory().get("/")
    request.user, request.session = ann, {}
    answer = django_dtale.explore(request, ORDERS, view=View(page=page))
    assert answer.url.endswith(path.format(Frame.objects.get().pk))
    assert owner.browser.get(answer.url).status_code == 200


def test_page_of_charts_opens_with_the_chart(owner, opened):
    chart = Chart("bar", x="city", y=["price", "count"], aggregation="mean")
    frame = opened(page="charts", chart=chart)
    answer = owner.get(f"charts/{frame.pk}")
    assert answer.status_code == 302
    assert answer.location == (
        f"{frame.get_absolute_url()}?chart_type=bar&x=city"
        "&y=%5B%22price%22%2C+%22count%22%5D&agg=mean"
    )
    assert owner.browser.get(answer.location).status_code == 200
    assert owner.get(f"charts/{frame.pk}", chart_type="pie").status_code == 200


def test_title_is_escaped(owner, opened):
    frame = opened(title="<b>&'\"")
    for path in ("main", "popup/describe"):
        page = owner.get(f"{path}/{frame.pk}")
        assert hidden(page, "main_title") == "<b>&'\""
        assert "<title>&lt;b&gt;" in page.text
        assert "<b>" not in page.text


# Invalid options ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sort": [("price", "down")]}, "sort: 'down' is not known.*ASC, DESC"),
        ({"sort": ["price"]}, "sort has to be a list of pairs"),
        ({"columns": "price"}, "columns has to be a list"),
        ({"precision": 99}, "precision has to be a number from 0 to 15"),
        ({"precision": True}, "precision"),
        ({"widths": {"price": "9"}}, "widths of price"),
        ({"background": "rainbow"}, "background: 'rainbow' is not known.*outliers"),
        ({"background": ("missing", "price")}, "background has to be a pair"),
        ({"highlight": {"price": {"over": (1, "red")}}}, "highlight of price: 'over'"),
        ({"highlight": {"price": {"above": 1}}}, "highlight of price has to be"),
        ({"highlight": {"price": {"above": (1, "pink")}}}, "'pink' is not a color"),
        (
            {"highlight": {"price": {"above": (1, "red")}}, "background": "missing"},
            "cannot be combined",
        ),
        ({"active_filters": ["Big"]}, "active_filters: 'Big' is not known"),
        ({"editable": "price"}, "editable has to be True, False"),
        ({"editable": {"price": "a"}}, "editable: price has to be a list"),
        ({"editable": {"price": []}}, "editable: price has to be a list with choices"),
        ({"page": "home"}, "page: 'home' is not known"),
        ({"chart": "bar"}, "chart has to be a Chart"),
        ({"title": "x" * 101}, "title has to be at most 100"),
    ],
)
def test_invalid_option_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        View(**options)


def test_invalid_chart_is_refused():
    with pytest.raises(ValueError, match="kind: 'blob' is not known"):
        Chart("blob", x="a")
    with pytest.raises(ValueError, match="aggregation: 'most' is not known"):
        Chart("bar", x="a", aggregation="most")


@pytest.mark.parametrize(
    "options, message",
    [
        (
            {"sort": [("prise", "ASC")]},
            "sort: there is no column 'prise'. Did you mean ",
        ),
        ({"columns": ["x"]}, "columns: .*'x'. The columns are: city, status, price"),
        ({"hide": ["x"]}, "hide: there is no column"),
        ({"locked": ["x"]}, "locked: there is no column"),
        ({"formats": {"x": "0"}}, "formats: there is no column"),
        ({"widths": {"x": 90}}, "widths: there is no column"),
        ({"highlight": {"x": {"above": (1, "red")}}}, "highlight: there is no column"),
        ({"background": ("heatmap", "x")}, "background: there is no column"),
        ({"editable": {"x": None}}, "editable: there is no column"),
        ({"chart": Chart("bar", x="city", y=["x"])}, "chart: there is no column"),
        ({"columns": ["city"], "hide": ["city"]}, "both contain city"),
        ({"columns": []}, "At least one column"),
        ({"hide": list(ORDERS)}, "At least one column"),
        (
            {"formats": {"city": "0.0"}},
            "format of city .* shown as text.* truncate, link",
        ),
        ({"formats": {"day": {"link": True}}}, "format of day .* dates.* format"),
        ({"formats": {"price": {"format": 2}}}, "format of price has to be str"),
        ({"formats": {"price": 2}}, "format of price has to be a text or a dict"),
        ({"highlight": {"city": {"above": (1, "red")}}}, "city contains no numbers"),
        ({"background": ("heatmap", "day")}, "day contains no numbers"),
        ({"filters": {"Big": "prise > 1"}}, "filters: Big: .*prise"),
        ({"filters": {"Big": "price.system()"}}, "filters: Big: .*system"),
        ({"filters": {"Big": 5}}, "filters: Big has to be a text"),
        ({"query": "price >"}, "query: The filter"),
    ],
)
def test_option_that_does_not_fit_the_data_is_refused(opened, options, message, stored):
    with pytest.raises(ValueError, match=message):
        opened(**options)
    assert not Frame.objects.exists()
    assert not stored.names()
    frame = opened()
    with pytest.raises(ValueError, match=message):
        frame.replace(ORDERS, view=View(**options))
    assert Frame.objects.get().data_version == 0


# Replacement --------------------------------------------------------------------------


def test_replacement_renews_only_title_page_and_rule(owner, reader, ann, bob, opened):
    frame = opened(precision=4, title="Old", editable=False, page="describe")
    frame.shared_with.add(bob)
    reader.get(f"update-settings/{frame.pk}", settings={"query": "count > 1"})
    new = View(precision=1, title="New", editable={"city": None}, query="count > 3")
    again = django_dtale.publish(
        ORDERS, owner=ann, name="Orders", replace=True, view=new
    )
    assert (again.pk, again.can_edit, again.page) == (frame.pk, {"city": None}, "grid")
    for person, query in ((owner, None), (reader, "count > 1")):
        settings = settings_of(person, frame)
        assert (settings["precision"], settings["main_title"]) == (4, "New")
        assert settings.get("query") == query
    again = django_dtale.publish(ORDERS, owner=ann, name="Orders", replace=True)
    assert again.can_edit == {"city": None}
    assert settings_of(owner, frame)["main_title"] == "New"


def test_named_filter_that_does_not_fit_new_data_is_dropped(owner, opened):
    frame = opened(filters=NAMED, active_filters=["Big"], widths={"price": 99})
    frame.replace(ORDERS.drop(columns="price"))
    assert "The filter Big was removed" in frame.conversion_notes
    settings = settings_of(owner, frame)
    assert settings["predefinedFilters"].keys() == {"Open"}
    assert settings["widths"] == {}
    assert len(owner.column(frame.pk, "city")) == 4


def test_names_of_the_sites_filters_are_taken(opened, dtale_settings):
    dtale_settings.PREDEFINED_FILTERS = {"Big": {"filter": "price > 9"}}
    with pytest.raises(ValueError, match="filters: this site already has a filter Big"):
        opened(filters=NAMED)


def test_named_filters_can_use_values_of_the_site(owner, opened, dtale_settings):
    dtale_settings.FILTER_VALUES = {"home": "Rome"}
    frame = opened(filters={"Home": "city == @home"}, active_filters=["Home"])
    assert owner.column(frame.pk, "city") == ["Rome"]
    with pytest.raises(ValueError, match="filters: Home: .*town"):
        opened(filters={"Home": "town == @home"})


def test_views_can_be_derived():
    view = View(precision=3, title="Shop")
    assert dataclasses.replace(view, title="Store") == View(precision=3, title="Store")
