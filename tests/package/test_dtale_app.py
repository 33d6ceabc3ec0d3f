"""D-Tale as the site serves it: links, frames, and checks of D-Tale's release."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pandas as pd
import pytest
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db import connection
from werkzeug.test import Client

import django_dtale
from django_dtale.conf import dtale_settings
from django_dtale.dtale import application
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.assets import patches
from django_dtale.dtale.assets.finder import static_url
from django_dtale.dtale.assets.patches import SUBSTITUTIONS, patched_files
from django_dtale.dtale.assets.patching import DtaleChanged, substitute
from django_dtale.dtale.instances import open_frame
from django_dtale.dtale.patches import registry
from django_dtale.dtale.patches.registry import PATCHES, resolve
from django_dtale.exceptions import FrameNotFound
from django_dtale.gateway.gateway import Gateway
from django_dtale.models import Frame
from django_dtale.unit_of_work import unit_of_work
from django_dtale.workspace import Workspace, bind

from .conftest import Browser

ROOT = f"/{dtale_settings.PREFIX}"
UNKNOWN = 10**9
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def dtale():
    return build_dtale()


@pytest.fixture
def owner(django_user_model):
    return django_user_model.objects.create_user("owner")


@pytest.fixture
def get(dtale, client, owner):
    """Return a function that requests a page of D-Tale as the owner of the frames."""
    client.force_login(owner)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser = Browser(Gateway(get_wsgi_application(), dtale_settings.PREFIX, dtale))
    browser.set_cookie(settings.SESSION_COOKIE_NAME, session)

    def get(path, root=ROOT, **options):
        return browser.get(path, environ_overrides={"SCRIPT_NAME": root}, **options)

    return get


@pytest.fixture
def first(owner):
    """The id of the owner's first frame, as text."""
    return str(django_dtale.publish(frame(), owner=owner).pk)


def frame():
    return pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})


# Links --------------------------------------------------------------------------------


@pytest.mark.parametrize("root", [ROOT, f"/tools{ROOT}", f"/a/b{ROOT}"])
@pytest.mark.parametrize(
    "path, target",
    [
        ("", "/"),
        ("/", "/dtale/main/FIRST"),
        ("/dtale", "/dtale/main/FIRST"),
        ("/dtale/main", "/dtale/main/FIRST"),
        ("/dtale/iframe", "/dtale/iframe/FIRST"),
        ("/dtale/network", "/dtale/network/FIRST"),
        ("/dtale/popup/describe", "/dtale/popup/describe/FIRST"),
        ("/dtale/iframe/popup/filter", "/dtale/popup/filter"),
        ("/dtale/iframe/popup/filter/FIRST", "/dtale/popup/filter/FIRST"),
        ("/dtale/charts", "/dtale/charts/"),
    ],
)
def test_redirects_stay_below_the_root(get, first, root, path, target):
    path, target = path.replace("FIRST", first), target.replace("FIRST", first)
    assert get(path, root).headers["Location"] == root + target


@pytest.mark.parametrize(
    "path", ["/", "/dtale/main", "/dtale/network", "/dtale/popup/describe"]
)
def test_first_page_without_frames_is_the_upload(get, path):
    assert get(path).headers["Location"] == f"{ROOT}/dtale/popup/upload"


@pytest.mark.parametrize("path", ["popup/upload", "popup/upload/FIRST"])
@pytest.mark.parametrize("front", ["", "/tools"])
def test_load_data_redirects_to_the_home_page(get, first, front, path):
    answer = get(f"/dtale/{path}".replace("FIRST", first), f"{front}{ROOT}")
    assert answer.headers["Location"] == f"{front}/frames/"


@pytest.mark.parametrize("root", [ROOT, f"/tools{ROOT}"])
@pytest.mark.parametrize(
    "path",
    [
        "main/FIRST",
        "popup/merge",
        "charts/FIRST",
        "network/FIRST",
        "code-popup",
        "calculation/skew",
    ],
)
def test_urls_in_pages_begin_with_the_root(get, first, root, path):
    answer = get(f"/dtale/{path}".replace("FIRST", first), root)
    assert answer.status_code == 200
    addresses = re.findall(r"""(?:href|src)=["']?(/[^"'> ]+)""", answer.text)
    assert addresses
    ours = f"{root}/dtale/", settings.STATIC_URL
    site = root.removesuffix(ROOT)
    ours = *ours, f"{site}/frames/", f"{site}/accounts/login/"
    assert not [each for each in addresses if not each.startswith(ours)]
    assert f"{root}/dtale/static/" not in answer.text


def charts_prefix(get, first, root):
    """Return the URL prefix that the charts page uses for its requests."""
    page = get(f"/dtale/charts/{first}", root).text
    config = json.loads(re.search(r'id="_dash-config"[^>]*>(.*?)<', page)[1])
    return config["requests_pathname_prefix"]


def test_charts_send_requests_below_the_root(get, first):
    root = f"/tools{ROOT}"
    assert charts_prefix(get, first, root) == f"{root}/dtale/charts/"


def test_forced_script_name_comes_before_the_prefix(settings, dtale_settings):
    settings.FORCE_SCRIPT_NAME = "/tools"
    dtale = build_dtale()
    gateway = Gateway(get_wsgi_application(), dtale_settings.PREFIX, dtale)
    answer = Client(gateway).get("/", environ_overrides={"SCRIPT_NAME": ROOT})
    assert answer.headers["Location"] == f"/tools{ROOT}/dtale/popup/upload"
    assert dtale.usual_root == f"/tools{ROOT}"


@pytest.mark.parametrize("root", [f"//host{ROOT}", "/'+alert(1)+'", "/<b>", "/Ã©"])
def test_unsafe_root_is_not_written_into_pages(dtale, get, root):
    assert get("/", root).headers["Location"] == f"{ROOT}/dtale/popup/upload"
    assert root not in get("/dtale/charts/", root).text


def test_root_can_change_with_each_request(get, first):
    for root in (ROOT, f"/tools{ROOT}", ROOT, f"/a/b{ROOT}"):
        assert get("/", root).headers["Location"] == f"{root}/dtale/main/{first}"
        assert charts_prefix(get, first, root) == f"{root}/dtale/charts/"


def test_application_is_built_once_per_root(dtale, get):
    get("/dtale/code-popup", f"/tools{ROOT}")
    built = dtale.app(f"/tools{ROOT}")
    get("/dtale/code-popup", f"/tools{ROOT}")
    assert dtale.app(f"/tools{ROOT}") is built


# Missing frames -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        f"main/{UNKNOWN}",
        f"main/%31{UNKNOWN}",
        "main/name/nobody",
        f"iframe/{UNKNOWN}",
        f"network/{UNKNOWN}",
        f"charts/{UNKNOWN}",
        f"popup/describe/{UNKNOWN}",
        f"iframe/popup/describe/{UNKNOWN}",
    ],
)
def test_page_of_an_unknown_frame_is_not_found(get, first, path):
    answer = get(f"/dtale/{path}", f"/tools{ROOT}")
    assert answer.status_code == 404
    assert "Table not found" in answer.text
    assert '<a href="/tools/frames/">Back to the home page</a>' in answer.text
    assert get("/dtale/process-keys").json["data"] == [{"id": first, "name": ""}]


def test_name_of_an_unknown_frame_is_escaped(get):
    assert "&lt;b&gt;" in get("/dtale/main/<b>").text


@pytest.mark.parametrize("path", ["data", "dtypes", "update-settings"])
def test_data_of_an_unknown_frame_is_a_json_error(get, first, path):
    answer = get(f"/dtale/{path}/{UNKNOWN}")
    assert answer.status_code == 404
    error = f"Table {UNKNOWN} does not exist, or is not shared with you."
    assert answer.json == {"success": False, "error": error}
    assert get("/dtale/process-keys").json["data"] == [{"id": first, "name": ""}]


def test_charts_never_draw_another_frame_than_requested(dtale, owner, first):
    get_data_id = resolve("dtale.dash_application.views:get_data_id")
    with bind(Workspace(owner)), unit_of_work():
        assert get_data_id(f"{ROOT}/dtale/charts/") == first
        assert get_data_id(f"{ROOT}/dtale/charts/{first}") == first
        with pytest.raises(FrameNotFound):
            get_data_id(f"{ROOT}/dtale/charts/{UNKNOWN}")


# Existing frames ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_concurrently_published_frames_have_unique_ids(get, owner):
    def publish(_):
        with closing(connection):
            return str(django_dtale.publish(frame(), owner=owner).pk)

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(publish, range(40)))
    assert len(ids) == 40
    assert {each["data_id"] for each in get("/dtale/processes").json["data"]} == ids


@pytest.mark.parametrize(
    "hour, start", [(0, "12:05:00 AM"), (9, "9:05:00 AM"), (22, "10:05:00 PM")]
)
def test_list_shows_when_a_frame_was_created(get, owner, hour, start):
    """Times have D-Tale's usual format on every operating system."""
    django_dtale.publish(frame(), owner=owner)
    Frame.objects.update(created_at=datetime(2026, 11, 27, hour, 5, tzinfo=UTC))
    [listed] = get("/dtale/processes").json["data"]
    assert listed["start"] == start


def test_frame_that_cannot_be_opened_is_not_listed(get, owner):
    with bind(Workspace(owner)), pytest.raises(AttributeError):
        open_frame("no frame")
    assert get("/dtale/processes").json == {"data": [], "success": True}


# The application ----------------------------------------------------------------------


def test_flask_secret_key_is_shared_by_workers_but_not_with_django():
    keys = {build_dtale().app(ROOT).secret_key for _ in range(2)}
    assert len(keys) == 1
    assert settings.SECRET_KEY not in keys


def test_shutdown_is_hidden(get, first):
    page = get(f"/dtale/main/{first}").text
    assert 'id="hide_shutdown" value="True"' in page


def test_reaper_is_disabled(dtale):
    assert dtale.app(ROOT).reaper_on is False


def test_favicon_is_a_static_file(get):
    location = get("/favicon.ico").headers["Location"]
    assert location == static_url("dtale/static/images/favicon.ico")


# Other releases of D-Tale -------------------------------------------------------------


@pytest.mark.parametrize("each", SUBSTITUTIONS, ids=lambda each: each.why[:30])
def test_substitution_that_no_longer_matches_is_named(each):
    text = (patches.PACKAGE / each.file).read_text("utf-8")
    once_less = re.sub(each.pattern, "", text, count=1)
    with pytest.raises(DtaleChanged) as error:
        substitute(once_less, [each])
    message = str(error.value)
    assert each.file in message and each.why in message
    assert "pip install 'dtale==3.22.*'" in message


def test_missing_file_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(patches, "PACKAGE", tmp_path)
    with pytest.raises(DtaleChanged, match="file is missing in static/"):
        patched_files("static")


@pytest.mark.parametrize("target", [target for target, _ in PATCHES])
def test_missing_patch_target_is_named(monkeypatch, target):
    monkeypatch.setattr(registry, "PATCHES", [(f"{target}_", lambda name: name)])
    module, _, name = target.partition(":")
    with pytest.raises(DtaleChanged, match=f"{name}_ is missing in {module}"):
        registry.apply_patches.__wrapped__()


def test_missing_endpoint_is_named(monkeypatch):
    monkeypatch.setattr(application, "OPEN", {"dtale.view_moon": None})
    with pytest.raises(DtaleChanged, match="dtale.view_moon"):
        build_dtale()
