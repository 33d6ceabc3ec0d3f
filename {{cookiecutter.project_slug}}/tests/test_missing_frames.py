"""A link to a frame that is not there for whoever follows it, and the way on from there."""

import re

import pytest
from django.conf import settings as site

from accounts.models import Session

from .test_accounts import PASSWORD

pytestmark = pytest.mark.django_db

PAGES = [
    *(f"/{site.DTALE_PREFIX}/dtale/main/FRAME", "/frames/FRAME/copy/"),
    *(f"/{site.DTALE_PREFIX}/dtale/iframe/FRAME", "/frames/FRAME/csv/"),
    f"/{site.DTALE_PREFIX}/dtale/charts/FRAME",
    f"/{site.DTALE_PREFIX}/dtale/popup/describe/FRAME?selectedCol=a",
]


@pytest.fixture
def ann(user):
    return user("ann", password=PASSWORD)


def main(pk):
    return f"/{site.DTALE_PREFIX}/dtale/main/{pk}"


def offer(page):
    """The login page (str) that the text of a page leads to, and not only its head."""
    text = re.search("<main>.*</main>", page.text, re.S)[0]
    return re.search(r'href="(/accounts/login/\?next=[^"]*)"', text)[1]


def sign_in(browser, path, name):
    """Fill in the form of the login page: what it leads to."""
    form = browser.get(path).text
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(.*?)"', form))
    answer = browser.post(path, data={**hidden, "username": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.text
    return answer.location


# Visitors -----------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_visitor_signs_in_and_comes_back_to_the_link(visitor, ann, frame, path):
    path = path.replace("FRAME", str(frame.pk))
    browser = visitor().browser
    page = browser.get(path)
    assert page.status_code == 404
    assert "You are not signed in." in page.text
    assert sign_in(browser, offer(page), "ann") == path
    assert browser.get(path).status_code == 200


@pytest.mark.parametrize("is_required", [True, False])
def test_who_is_signed_out_comes_back_to_the_link(owner, frame, settings, is_required):
    settings.FRAMES_LOGIN_REQUIRED = is_required
    Session.objects.all().delete()
    answer = owner.browser.get(main(frame.pk))
    path = answer.location if is_required else offer(answer)
    assert sign_in(owner.browser, path, "ann") == main(frame.pk)
    assert owner.browser.get(main(frame.pk)).status_code == 200


def test_data_of_an_open_page_say_that_one_is_signed_out(owner, frame):
    assert 'id="signed-out"' in owner.get(f"main/{frame.pk}").text
    Session.objects.all().delete()
    answer = owner.get(f"data/{frame.pk}", ids=["0-9"])
    assert answer.status_code == 401  # The page then shows the way back in.
    assert "If it is yours, sign in" in answer.json["error"]


def test_visitor_is_not_told_to_be_signed_out(visitor):
    somebody = visitor()
    page = somebody.get(f"main/{somebody.upload()}")
    assert page.status_code == 200
    assert "signed-out" not in page.text and "signed_out" not in page.text


# People who are signed in -------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_page_knows_who_is_signed_in(visitor, bob, frame, path):
    browser = visitor(bob).browser
    page = browser.get(path.replace("FRAME", str(frame.pk)))
    assert page.status_code == 404
    assert "Signed in as <strong>bob</strong>" in page.text
    assert ">Sign in</a>" not in page.text
    [token] = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    answer = browser.post("/accounts/logout/", data={"csrfmiddlewaretoken": token})
    assert answer.status_code == 302
    assert not Session.objects.filter(user_id=bob.pk)


def test_another_account_comes_back_to_the_link(visitor, bob, ann, frame):
    browser = visitor(bob).browser
    page = browser.get(main(frame.pk))
    assert "is not shared with <strong>bob</strong>" in page.text
    assert "You are signed in as <strong>bob</strong>" in browser.get(offer(page)).text
    assert sign_in(browser, offer(page), "ann") == main(frame.pk)
    assert browser.get(main(frame.pk)).status_code == 200


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("name", ["bob", None])
def test_page_does_not_tell_whether_a_frame_exists(visitor, bob, frame, path, name):
    path = path.replace("FRAME", str(frame.pk))

    def told():
        page = visitor(bob if name else None).browser.get(path)
        text = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)
        return page.status_code, text, {name for name, _ in page.headers}

    before = told()
    frame.delete()
    assert told() == before
