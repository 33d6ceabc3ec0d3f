"""D-Tale's global settings are stored separately for each person."""

import base64
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_dtale.gateway.gateway import MAX_REPLAY
from django_dtale.models import Preferences

pytestmark = pytest.mark.django_db
STYLES = "map-mapbox-style-dropdown.options"
UPLOAD = "..output-geojson-upload.children...geojson-dropdown.options.."


@pytest.fixture
def people(visitor, ann, bob):
    """Return visitors for Ann and Bob, and two visitors who are not signed in."""
    return visitor(ann), visitor(bob), visitor(), visitor()


def setting(person, name):
    """Return the value of a setting as D-Tale's page shows it."""
    page = person.get("popup/merge").text
    return re.search(rf'id="{name}" value="?(.*?)"? />', page)[1]


def token(person, token=None):
    """Save a Mapbox token, and return the map styles that the charts page offers."""
    return person.call_back(STYLES, {"mapbox-token-input.value": token}, {}).data


def upload(person, name, content):
    """Upload a map on the charts page, and return the names of all available maps."""
    text = base64.b64encode(json.dumps(content).encode()).decode()
    answer = person.call_back(
        UPLOAD,
        {"upload-geojson.contents": f"data:application/json;base64,{text}"},
        {"upload-geojson.filename": name},
    )
    options = answer.json["response"]["geojson-dropdown"]["options"]
    return [each["value"] for each in options]


# Theme, language, menu, sizes ---------------------------------------------------------

SETTINGS = [
    ("update-theme", "theme", "dark", "theme", "dark", "system"),
    ("update-language", "language", "pt", "language", "pt", "en"),
    ("update-pin-menu", "pinned", "true", "pin_menu", "True", "False"),
    ("update-maximum-column-width", "width", "80", "max_column_width", "80", "None"),
    ("update-maximum-row-height", "height", "60", "max_row_height", "60", "None"),
]


@pytest.mark.parametrize("route, parameter, value, name, shown, default", SETTINGS)
def test_setting_is_kept_per_user(
    people, visitor, ann, route, parameter, value, name, shown, default
):
    first, *others = people
    assert first.get(route, **{parameter: value}).json == {"success": True}
    assert setting(first, name) == shown
    assert setting(visitor(ann), name) == shown
    assert {setting(each, name) for each in others} == {default}


@pytest.mark.parametrize("route, parameter, value, name, shown, default", SETTINGS)
def test_setting_is_kept_per_visitor(
    people, route, parameter, value, name, shown, default
):
    *others, last = people
    last.get(route, **{parameter: value})
    assert setting(last, name) == shown
    assert {setting(each, name) for each in others} == {default}


@pytest.mark.parametrize(
    "route, parameter, value",
    [
        ("update-theme", "theme", "<script>"),
        ("update-theme", "theme", ""),
        ("update-language", "language", "../en"),
        ("update-maximum-column-width", "width", "9"),
        ("update-maximum-column-width", "width", "5001"),
        ("update-maximum-column-width", "width", "-1"),
        ("update-maximum-column-width", "width", "x"),
        ("update-maximum-row-height", "height", "1e3"),
        # All users share one query engine.
        ("update-query-engine", "engine", "numexpr"),
        ("update-query-engine", "engine", "x"),
    ],
)
def test_invalid_value_is_refused(people, route, parameter, value):
    first = people[0]
    answer = first.get(route, **{parameter: value}).json
    assert answer["error"] and not answer.get("success")
    assert not Preferences.objects.exists()


def test_maximum_column_width_can_be_reset(people):
    first = people[0]
    first.get("update-maximum-column-width", width="80")
    first.get("update-maximum-column-width")
    assert setting(first, "max_column_width") == "None"


def test_two_settings_are_both_kept(people):
    first = people[0]
    first.get("update-theme", theme="dark")
    first.get("update-language", language="cn")
    assert (setting(first, "theme"), setting(first, "language")) == ("dark", "cn")


def test_setting_changes_no_frame(people, ann, publish):
    frame = publish(ann)
    people[0].get("update-theme", theme="dark")
    version = frame.version
    frame.refresh_from_db()
    assert frame.version == version


def test_page_does_not_load_maps(people, ann, publish):
    pk = publish(ann).pk
    upload(people[0], "parks.json", COLLECTION)
    with CaptureQueriesContext(connection) as queries:
        people[0].get(f"main/{pk}")
    assert [each for each in queries if "geojson" in each["sql"]] == []


# Maps ---------------------------------------------------------------------------------

COLLECTION = {
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"name": "x"}, "geometry": None}],
}


def test_uploaded_map_is_kept_per_person(people):
    for person in people:
        assert upload(person, "parks.json", COLLECTION) == ["parks"]
    assert upload(people[0], "rivers.json", COLLECTION) == ["parks", "rivers"]
    answer = people[1].call_back(
        "..featureidkey-dropdown.options...featureidkey-dropdown.disabled..."
        "featureidkey-dropdown.placeholder..",
        {"geojson-dropdown.value": "rivers"},
        {},
    )
    assert answer.json["response"]["featureidkey-dropdown"]["options"] == []


def test_map_larger_than_the_replay_limit_is_saved(people):
    content = {**COLLECTION, "note": "x" * MAX_REPLAY}
    assert upload(people[0], "parks.json", content) == ["parks"]


def test_invalid_map_is_not_saved(people):
    assert None not in upload(people[0], "parks.txt", COLLECTION)
    assert upload(people[0], "parks.json", COLLECTION) == ["parks"]


def test_map_signed_with_a_lost_key_does_not_break_the_charts(
    people, ann, publish, settings
):
    frame = publish(ann)
    upload(people[0], "parks.json", COLLECTION)
    Preferences.objects.update(geojson=b"x" * 100)
    assert people[0].get(f"charts/{frame.pk}").status_code == 200
    assert upload(people[0], "rivers.json", COLLECTION) == ["rivers"]


def test_mapbox_token_is_kept_per_person(people):
    without = token(people[0])
    assert b"satellite-streets" not in without
    assert b"satellite-streets" in token(people[0], "pk.a-token-of-mapbox")
    assert b"satellite-streets" in token(people[0])
    assert {token(each) for each in people[1:]} == {without}


@pytest.mark.parametrize("bad", ["é", "x" * 201, ["x"], 7, {"a": 1}])
def test_invalid_mapbox_token_is_not_saved(people, bad):
    token(people[0], bad)
    assert not Preferences.objects.exclude(mapbox_token="").exists()


# Signing in ---------------------------------------------------------------------------


def test_preferences_of_a_visitor_are_kept_after_sign_in(visitor, bob):
    somebody = visitor()
    somebody.get("update-theme", theme="dark")
    token(somebody, "pk.a-token-of-mapbox")
    upload(somebody, "parks.json", COLLECTION)
    somebody.sign_in(bob)
    assert setting(somebody, "theme") == "dark"
    assert upload(visitor(bob), "rivers.json", COLLECTION) == ["parks", "rivers"]
    assert Preferences.objects.get().owner == bob


def test_existing_preferences_are_kept_at_sign_in(visitor, bob):
    visitor(bob).get("update-language", language="pt")
    somebody = visitor()
    somebody.get("update-theme", theme="dark")
    somebody.sign_in(bob)
    assert setting(somebody, "language") == "pt"
    # Bob has not chosen a theme, so this browser keeps its own.
    assert setting(somebody, "theme") == "dark"
    assert setting(visitor(bob), "theme") == "system"
    assert Preferences.objects.get().owner == bob


def test_preferences_are_deleted_with_their_user(people, ann):
    people[0].get("update-theme", theme="dark")
    ann.delete()
    assert not Preferences.objects.exists()
