"""D-Tale as this site serves it: its links, its frames, and what it is checked for."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime

import pandas as pd
import pytest
from django.conf import settings
from django.db import connection
from werkzeug.test import Client

from frames import dtale_app, dtale_replaced, dtale_scripts
from frames.dtale_app import MAX_ROOTS, build_dtale
from frames.dtale_frames import open_frame
from frames.dtale_replaced import REPLACED, find
from frames.dtale_scripts import SUBSTITUTIONS, mended_files
from frames.exceptions import FrameMissing
from frames.gate import Gate
from frames.models import Frame
from frames.static_files import static_url
from frames.substitutions import DtaleChanged, substitute
from frames.unit_of_work import unit_of_work
from frames.workspace import Workspace, bind

from .conftest import Browser

ROOT = f"/{settings.DTALE_PREFIX}"
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
    """Ask D-Tale for a path below where it is mounted, as the owner of the frames."""
    client.force_login(owner)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    browser = Browser(Gate(dtale, settings.DTALE_PREFIX))
    browser.set_cookie(settings.SESSION_COOKIE_NAME, session)

    def get(path, root=ROOT, **options):
        return browser.get(path, environ_overrides={"SCRIPT_NAME": root}, **options)

    return get


@pytest.fixture
def first(owner):
    """The number (str) of the owner's first frame."""
    return str(Frame.objects.publish(frame(), owner=owner).pk)


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
def test_without_frames_the_first_page_is_the_upload(get, path):
    assert get(path).headers["Location"] == f"{ROOT}/dtale/popup/upload"


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
def test_every_address_in_a_page_begins_with_the_root(get, first, root, path):
    answer = get(f"/dtale/{path}".replace("FIRST", first), root)
    assert answer.status_code == 200
    addresses = re.findall(r"""(?:href|src)=["']?(/[^"'> ]+)""", answer.text)
    assert addresses
    ours = f"{root}/dtale/", settings.STATIC_URL
    site = root.removesuffix(ROOT)
    others = {each for each in addresses if not each.startswith(ours)}
    assert others <= {f"{site}/frames/", f"{site}/accounts/login/"}
    assert f"{root}/dtale/static/" not in answer.text


def test_charts_ask_below_the_root(get, first):
    page = get(f"/dtale/charts/{first}", f"/tools{ROOT}").text
    config = json.loads(re.search(r'id="_dash-config"[^>]*>(.*?)<', page)[1])
    assert config["requests_pathname_prefix"] == f"/tools{ROOT}/dtale/charts/"


def test_forced_script_name_comes_before_the_prefix(settings):
    settings.FORCE_SCRIPT_NAME = "/tools"
    dtale = build_dtale()
    gate = Gate(dtale, settings.DTALE_PREFIX)
    answer = Client(gate).get("/", environ_overrides={"SCRIPT_NAME": ROOT})
    assert answer.headers["Location"] == f"/tools{ROOT}/dtale/popup/upload"
    assert list(dtale.apps) == [f"/tools{ROOT}"]


@pytest.mark.parametrize("root", [f"//host{ROOT}", "/'+alert(1)+'", "/<b>", "/Ã©"])
def test_a_root_that_is_no_plain_path_is_not_written_into_pages(dtale, get, root):
    assert get("/", root).headers["Location"] == f"{ROOT}/dtale/popup/upload"
    assert root not in dtale.apps


def test_roots_are_bounded(dtale, get):
    for number in range(2 * MAX_ROOTS):
        assert get("/dtale/code-popup", f"/{number}{ROOT}").status_code == 200
    assert len(dtale.apps) == MAX_ROOTS


# Frames that are not there ------------------------------------------------------------


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
def test_unknown_frame_is_a_page(get, first, path):
    answer = get(f"/dtale/{path}", f"/tools{ROOT}")
    assert answer.status_code == 404
    assert "Frame not found" in answer.text
    assert '<a href="/tools/frames/">Back to the start</a>' in answer.text
    assert get("/dtale/process-keys").json["data"] == [{"id": first, "name": ""}]


def test_name_of_an_unknown_frame_is_text(get):
    assert "&lt;b&gt;" in get("/dtale/main/<b>").text


@pytest.mark.parametrize("path", ["data", "dtypes", "update-settings"])
def test_unknown_frame_is_an_error_of_data(get, first, path):
    answer = get(f"/dtale/{path}/{UNKNOWN}")
    assert answer.status_code == 404
    error = f"There is no frame {UNKNOWN} here."
    assert answer.json == {"success": False, "error": error}
    assert get("/dtale/process-keys").json["data"] == [{"id": first, "name": ""}]


def test_charts_never_draw_another_frame_than_the_one_asked_for(dtale, owner, first):
    get_data_id = find("dtale.dash_application.views:get_data_id")
    with bind(Workspace(owner)), unit_of_work():
        assert get_data_id(f"{ROOT}/dtale/charts/") == first
        assert get_data_id(f"{ROOT}/dtale/charts/{first}") == first
        with pytest.raises(FrameMissing):
            get_data_id(f"{ROOT}/dtale/charts/{UNKNOWN}")


# Frames that are ----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_frames_opened_at_once_have_ids_of_their_own(get, owner):
    def publish(_):
        with closing(connection):
            return str(Frame.objects.publish(frame(), owner=owner).pk)

    with ThreadPoolExecutor(8) as threads:
        ids = set(threads.map(publish, range(40)))
    assert len(ids) == 40
    assert {each["data_id"] for each in get("/dtale/processes").json["data"]} == ids


@pytest.mark.parametrize(
    "hour, start", [(0, "12:05:00 AM"), (9, "9:05:00 AM"), (22, "10:05:00 PM")]
)
def test_list_says_since_when_a_frame_is_there(get, owner, hour, start):
    """As D-Tale writes it, on every system."""
    Frame.objects.publish(frame(), owner=owner)
    Frame.objects.update(created=datetime(2026, 11, 27, hour, 5, tzinfo=UTC))
    [listed] = get("/dtale/processes").json["data"]
    assert listed["start"] == start


def test_frame_that_dtale_cannot_show_leaves_nothing(get, owner):
    with bind(Workspace(owner)), pytest.raises(AttributeError):
        open_frame("no frame")
    assert get("/dtale/processes").json == {"data": [], "success": True}


# The application ----------------------------------------------------------------------


def test_key_is_the_same_in_each_worker_and_not_djangos():
    keys = {build_dtale().app(ROOT).secret_key for _ in range(2)}
    assert len(keys) == 1
    assert settings.SECRET_KEY not in keys


def test_shutdown_is_not_offered(get, first):
    page = get(f"/dtale/main/{first}").text
    assert 'id="hide_shutdown" value="True"' in page


def test_no_reaper(dtale):
    assert dtale.app(ROOT).reaper_on is False


def test_icon_is_a_static_file(get):
    location = get("/favicon.ico").headers["Location"]
    assert location == static_url("dtale/static/images/favicon.ico")


# Another D-Tale -----------------------------------------------------------------------


@pytest.mark.parametrize("each", SUBSTITUTIONS, ids=lambda each: each.why[:30])
def test_substitution_that_no_longer_matches_is_named(each):
    text = (dtale_scripts.PACKAGE / each.file).read_text("utf-8")
    once_less = re.sub(each.pattern, "", text, count=1)
    with pytest.raises(DtaleChanged) as error:
        substitute(once_less, [each])
    message = str(error.value)
    assert each.file in message and each.why in message
    assert "pip install 'dtale==3.22.*'" in message


def test_file_that_is_gone_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(dtale_scripts, "PACKAGE", tmp_path)
    with pytest.raises(DtaleChanged, match="file is missing in static/"):
        mended_files("static")


@pytest.mark.parametrize("target", [target for target, _ in REPLACED])
def test_name_that_is_gone_is_named(monkeypatch, target):
    monkeypatch.setattr(dtale_replaced, "REPLACED", [(f"{target}_", lambda name: name)])
    module, _, name = target.partition(":")
    with pytest.raises(DtaleChanged, match=f"{name}_ is missing in {module}"):
        dtale_replaced.mend.__wrapped__()


def test_endpoint_that_is_gone_is_named(monkeypatch):
    monkeypatch.setattr(dtale_app, "OPEN", {"dtale.view_moon": None})
    with pytest.raises(DtaleChanged, match="dtale.view_moon"):
        build_dtale()
