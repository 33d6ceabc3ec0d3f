"""Links to missing or inaccessible frames show a page that offers to sign in."""

import re

import pytest
from django.contrib.sessions.models import Session

from django_dtale.conf import dtale_settings

from .test_accounts import PASSWORD

pytestmark = pytest.mark.django_db

PAGES = [
    *(f"/{dtale_settings.PREFIX}/dtale/main/FRAME", "/frames/FRAME/copy/"),
    *(f"/{dtale_settings.PREFIX}/dtale/iframe/FRAME", "/frames/FRAME/csv/"),
    f"/{dtale_settings.PREFIX}/dtale/charts/FRAME",
    "/frames/FRAME/download/",
    f"/{dtale_settings.PREFIX}/dtale/popup/describe/FRAME?selectedCol=a",
]


@pytest.fixture
def ann(user):
    return user("ann", password=PASSWORD)


def main(pk):
    return f"/{dtale_settings.PREFIX}/dtale/main/{pk}"


def offer(page):
    """Return the login link in the main part of the page, not in the header."""
    text = re.search("<main .*</main>", page.text, re.S)[0]
    return re.search(r'href="(/accounts/login/\?next=[^"]*)"', text)[1]


def sign_in(browser, path, name):
    """Submit the login form, and return the URL that it redirects to."""
    form = browser.get(path).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)"', form))
    answer = browser.post(path, data={**hidden, "username": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return answer.location


# Visitors -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_visitor_returns_to_the_link_after_sign_in(visitor, ann, frame, path):
    path = path.replace("FRAME", str(frame.pk))
    browser = visitor().browser
    page = browser.get(path)
    assert page.status_code == 404
    assert "You are not signed in." in page.text
    assert sign_in(browser, offer(page), "ann") == path
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("is_required", [True, False])
def test_user_without_a_session_returns_to_the_link_after_sign_in(
    owner, frame, dtale_settings, is_required
):
    dtale_settings.LOGIN_REQUIRED = is_required
    Session.objects.all().delete()
    answer = owner.browser.get(main(frame.pk))
    path = answer.location if is_required else offer(answer)
    assert sign_in(owner.browser, path, "ann") == main(frame.pk)
    assert owner.browser.get(main(frame.pk)).status_code == 200


def test_data_request_without_a_session_asks_to_sign_in(owner, frame):
    assert 'id="signed-out"' in owner.get(f"main/{frame.pk}").text
    Session.objects.all().delete()
    answer = owner.get(f"data/{frame.pk}", ids=["0-9"])
    assert answer.status_code == 401  # D-Tale's page then offers to sign in again.
    assert "If it is yours, sign in" in answer.json["error"]


def test_page_of_a_visitor_has_no_signed_out_dialog(visitor):
    somebody = visitor()
    page = somebody.get(f"main/{somebody.upload()}")
    assert page.status_code == 200
    assert "signed-out" not in page.text and "signed_out" not in page.text


# Signed-in users ----------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_page_shows_the_signed_in_user(visitor, bob, frame, path):
    browser = visitor(bob).browser
    page = browser.get(path.replace("FRAME", str(frame.pk)))
    assert page.status_code == 404
    assert "Signed in as <strong>bob</strong>" in page.text
    assert ">Sign in</a>" not in page.text
    token, *_ = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    answer = browser.post("/accounts/logout/", data={"csrfmiddlewaretoken": token})
    assert answer.status_code == 302
    assert not Session.objects.exists()


def test_user_returns_to_the_link_after_switching_accounts(visitor, bob, ann, frame):
    browser = visitor(bob).browser
    page = browser.get(main(frame.pk))
    assert "is not shared with <strong>bob</strong>" in page.text
    assert "You are signed in as <strong>bob</strong>" in browser.get(offer(page)).text
    assert sign_in(browser, offer(page), "ann") == main(frame.pk)
    assert browser.get(main(frame.pk)).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("name", ["bob", None])
def test_page_does_not_reveal_whether_a_frame_exists(visitor, bob, frame, path, name):
    path = path.replace("FRAME", str(frame.pk))

    def told():
        page = visitor(bob if name else None).browser.get(path)
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)
        return page.status_code, text, {name for name, _ in page.headers}

    before = told()
    frame.delete()
    assert told() == before
