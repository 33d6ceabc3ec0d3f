"""The gate: Django's request handling in front of D-Tale, and one unit of work each."""

import pytest
from werkzeug.test import Client

from frames.dtale_app import find
from frames.workspace import NoWorkspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def somebody(visitor):
    return visitor()


def test_unknown_host_is_refused(somebody, settings):
    path = f"/{settings.DTALE_PREFIX}/dtale/popup/upload"
    assert somebody.browser.get(path, base_url="http://elsewhere/").status_code == 400


def test_unknown_page_is_named(somebody, settings):
    path = f"/{settings.DTALE_PREFIX}/no-such-page"
    page = somebody.browser.get(path)
    assert page.status_code == 404
    assert f"There is no page at <code>{path}</code>." in page.text


def test_answer_that_differs_by_person_says_so(somebody, ann):
    somebody.upload()
    assert "Cookie" in somebody.get("processes").headers["Vary"]


@pytest.mark.parametrize("length", ["x", "-1", "", "1e3"])
def test_length_that_is_none_is_no_failure_of_the_server(somebody, length):
    answer = somebody.post("upload", environ_overrides={"CONTENT_LENGTH": length})
    assert answer.status_code < 500


def test_upload_larger_than_what_is_kept(somebody):
    lines = "\n".join(f"{number},{'x' * 100}" for number in range(12_000))
    pk = somebody.upload(f"a,b\n{lines}\n")
    assert somebody.get(f"data/{pk}", ids=["11999"]).json["total"] == 12_000


def test_shutdown_empties_nothing(somebody, settings):
    pk = somebody.upload()
    somebody.browser.get(f"/{settings.DTALE_PREFIX}/shutdown")
    assert somebody.column(pk) == [1, 2, 3]


def test_dtale_outside_of_a_request_has_no_frames():
    with pytest.raises(NoWorkspace):
        find("dtale.global_state:keys")()


def test_links_follow_the_path_of_a_proxy(somebody, publish, ann, bob, settings):
    frame = publish(ann, shared_with=[bob])
    somebody.sign_in(bob)
    browser: Client = somebody.browser
    answer = browser.get(
        f"/{settings.DTALE_PREFIX}/dtale/rename-col/{frame.pk}?col=a&rename=z",
        environ_overrides={"SCRIPT_NAME": "/tools"},
    )
    assert f"/tools/frames/{frame.pk}/copy/" in answer.json["error"]
