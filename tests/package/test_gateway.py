"""The gateway runs each D-Tale request inside Django's handlers and a unit of work."""

import pytest
from werkzeug.test import Client

from django_dtale.dtale.application import resolve
from django_dtale.workspace import NoWorkspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def somebody(visitor):
    return visitor()


def test_unknown_host_is_refused(somebody, dtale_settings):
    path = f"/{dtale_settings.PREFIX}/dtale/popup/merge"
    assert somebody.browser.get(path, base_url="http://elsewhere/").status_code == 400


def test_error_page_names_the_unknown_page(somebody, dtale_settings):
    path = f"/{dtale_settings.PREFIX}/no-such-page"
    page = somebody.browser.get(path)
    assert page.status_code == 404
    assert f"The page <code>{path}</code> does not exist." in page.text


def test_response_varies_on_cookie(somebody, ann):
    somebody.upload()
    assert "Cookie" in somebody.get("processes").headers["Vary"]


@pytest.mark.parametrize("length", ["x", "-1", "", "1e3"])
def test_invalid_content_length_is_not_a_server_error(somebody, length):
    answer = somebody.post("merge", environ_overrides={"CONTENT_LENGTH": length})
    assert answer.status_code < 500


def test_shutdown_deletes_no_frames(somebody, dtale_settings):
    pk = somebody.upload()
    somebody.browser.get(f"/{dtale_settings.PREFIX}/shutdown")
    assert somebody.column(pk) == [1, 2, 3]


def test_dtale_outside_of_a_request_has_no_workspace():
    with pytest.raises(NoWorkspace):
        resolve("dtale.global_state:keys")()


def test_links_include_the_path_of_a_proxy(somebody, publish, ann, bob, dtale_settings):
    frame = publish(ann, shared_with=[bob])
    somebody.sign_in(bob)
    browser: Client = somebody.browser
    answer = browser.get(
        f"/{dtale_settings.PREFIX}/dtale/rename-col/{frame.pk}?col=a&rename=z",
        environ_overrides={"SCRIPT_NAME": "/tools"},
    )
    assert answer.json["copy_url"] == f"/tools/frames/{frame.pk}/copy/"
