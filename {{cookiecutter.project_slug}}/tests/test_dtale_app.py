"""D-Tale as this site serves it: its links, its frames, and what it is checked for."""

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from django.conf import settings
from werkzeug.test import Client

from frames import dtale_app, dtale_scripts
from frames.dtale_app import MAX_ROOTS, REPLACED, build_dtale, find, open_frame
from frames.dtale_scripts import SUBSTITUTIONS, DtaleChanged, mended_files, substitute

ROOT = f"/{settings.DTALE_PREFIX}"
STORE = find(dtale_app.STORE)


@pytest.fixture(scope="module")
def dtale():
    return build_dtale()


@pytest.fixture(autouse=True)
def empty_store():
    STORE.clear_store()
    yield
    STORE.clear_store()


@pytest.fixture
def get(dtale):
    """Ask D-Tale for a path below where it is mounted."""

    def get(path, root=ROOT):
        return Client(dtale).get(path, environ_overrides={"SCRIPT_NAME": root})

    return get


def frame():
    return pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})


# Links --------------------------------------------------------------------------------


@pytest.mark.parametrize("root", [ROOT, f"/tools{ROOT}", f"/a/b{ROOT}"])
@pytest.mark.parametrize(
    "path, target",
    [
        ("", "/"),
        ("/", "/dtale/main/1"),
        ("/dtale", "/dtale/main/1"),
        ("/dtale/main", "/dtale/main/1"),
        ("/dtale/iframe", "/dtale/iframe/1"),
        ("/dtale/network", "/dtale/network/1"),
        ("/dtale/popup/describe", "/dtale/popup/describe/1"),
        ("/dtale/iframe/popup/filter", "/dtale/popup/filter"),
        ("/dtale/iframe/popup/filter/1", "/dtale/popup/filter/1"),
        ("/dtale/charts", "/dtale/charts/"),
        ("/favicon.ico", "/dtale/static/images/favicon.ico"),
    ],
)
def test_redirects_stay_below_the_root(get, root, path, target):
    open_frame(frame())
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
        "main/1",
        "popup/merge",
        "charts/1",
        "network/1",
        "code-popup",
        "calculation/skew",
    ],
)
def test_every_address_in_a_page_begins_with_the_root(get, root, path):
    open_frame(frame())
    answer = get(f"/dtale/{path}", root)
    assert answer.status_code == 200
    addresses = re.findall(r"""(?:href|src)=["']?(/[^"'> ]+)""", answer.text)
    assert addresses
    assert [each for each in addresses if not each.startswith(f"{root}/dtale/")] == []


def test_charts_ask_below_the_root(get):
    open_frame(frame())
    page = get("/dtale/charts/1", f"/tools{ROOT}").text
    config = json.loads(re.search(r'id="_dash-config"[^>]*>(.*?)<', page)[1])
    assert config["requests_pathname_prefix"] == f"/tools{ROOT}/dtale/charts/"


def test_forced_script_name_comes_before_the_prefix(settings):
    settings.FORCE_SCRIPT_NAME = "/tools"
    dtale = build_dtale()
    answer = Client(dtale).get("/", environ_overrides={"SCRIPT_NAME": ROOT})
    assert answer.headers["Location"] == f"/tools{ROOT}/dtale/popup/upload"
    assert list(dtale.apps) == [f"/tools{ROOT}"]


@pytest.mark.parametrize("root", [f"//host{ROOT}", "/'+alert(1)+'", "/<b>", "/é"])
def test_a_root_that_is_no_plain_path_is_not_written_into_pages(dtale, get, root):
    assert get("/", root).headers["Location"] == f"{ROOT}/dtale/popup/upload"
    assert root not in dtale.apps


def test_roots_are_bounded(dtale, get):
    for number in range(2 * MAX_ROOTS):
        assert get("/health", f"/{number}{ROOT}").text == "ok"
    assert len(dtale.apps) == MAX_ROOTS


# Frames that are not there ------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "main/9",
        "main/%39",
        "main/name/nobody",
        "iframe/9",
        "network/9",
        "charts/9",
        "popup/describe/9",
        "iframe/popup/describe/9",
    ],
)
def test_unknown_frame_is_a_page(get, path):
    open_frame(frame())
    answer = get(f"/dtale/{path}", f"/tools{ROOT}")
    assert answer.status_code == 404
    assert "Frame not found" in answer.text
    assert '<a href="/tools/">Back to the start</a>' in answer.text
    assert STORE.keys() == ["1"]


def test_name_of_an_unknown_frame_is_text(get):
    assert "&lt;b&gt;" in get("/dtale/main/<b>").text


@pytest.mark.parametrize("path", ["data/9", "dtypes/9", "update-settings/9"])
def test_unknown_frame_is_an_error_of_data(get, path):
    open_frame(frame())
    answer = get(f"/dtale/{path}")
    assert answer.status_code == 404
    assert answer.json == {"success": False, "error": "There is no frame 9 here."}
    assert STORE.keys() == ["1"]


def test_charts_never_draw_another_frame_than_the_one_asked_for():
    first = open_frame(frame())
    get_data_id = find("dtale.dash_application.views:get_data_id")
    assert get_data_id(f"{ROOT}/dtale/charts/") == first
    assert get_data_id(f"{ROOT}/dtale/charts/{first}") == first
    with pytest.raises(dtale_app.FrameMissing):
        get_data_id(f"{ROOT}/dtale/charts/9")


# Frames that are ----------------------------------------------------------------------


def test_frames_opened_at_once_have_ids_of_their_own(get):
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: open_frame(frame()), range(40)))
    assert sorted(ids, key=int) == [str(number) for number in range(1, 41)]
    assert len(get("/dtale/processes").json["data"]) == 40


def test_name_that_is_taken_gets_a_number():
    ids = [open_frame(frame(), "sales") for _ in range(3)]
    assert [STORE.get_name(each) for each in ids] == ["sales", "sales 2", "sales 3"]


def test_frame_that_dtale_cannot_show_leaves_nothing(get):
    with pytest.raises(Exception, match="data loaded must be"):
        open_frame("no frame")
    assert STORE.keys() == []
    assert get("/dtale/processes").json["success"]


# The application ----------------------------------------------------------------------


def test_key_is_the_same_in_each_worker_and_not_djangos():
    keys = {build_dtale().app(ROOT).secret_key for _ in range(2)}
    assert len(keys) == 1
    assert settings.SECRET_KEY not in keys


def test_no_reaper(dtale):
    assert dtale.app(ROOT).reaper_on is False


def test_mended_script_is_cached_by_its_content(dtale, get):
    path = "/dtale/static/dist/dtale_bundle.js"
    answer = get(path)
    assert answer.mimetype == "text/javascript"
    assert "window.resourceBaseUrl+" in answer.text
    again = Client(dtale).get(
        path,
        headers={"If-None-Match": answer.headers["ETag"]},
        environ_overrides={"SCRIPT_NAME": ROOT},
    )
    assert again.status_code == 304


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
    with pytest.raises(DtaleChanged, match="file is missing in static/dash"):
        mended_files("static")


@pytest.mark.parametrize("target", [target for target, _ in REPLACED])
def test_name_that_is_gone_is_named(monkeypatch, target):
    monkeypatch.setattr(dtale_app, "REPLACED", [(f"{target}_", lambda name: name)])
    module, _, name = target.partition(":")
    with pytest.raises(DtaleChanged, match=f"{name}_ is missing in {module}"):
        dtale_app.mend.__wrapped__()


def test_endpoint_that_is_gone_is_named(monkeypatch):
    monkeypatch.setattr(dtale_app, "PAGES", {"dtale.view_moon"})
    with pytest.raises(DtaleChanged, match="dtale.view_moon"):
        build_dtale()
