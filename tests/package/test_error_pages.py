"""Error pages know who is signed in, and offer the next step."""

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.test import Client
from pytest_django.asserts import assertContains, assertNotContains

from django_dtale.exceptions import LimitExceeded, NotRefreshable

pytestmark = pytest.mark.django_db
PAGE = "/frames/sources/"


@pytest.fixture
def failing(at, monkeypatch):
    """Return a function that opens a page whose view raises an exception."""
    at.raise_request_exception = False

    def failing(error):
        monkeypatch.setattr(
            "django.shortcuts.loader.render_to_string", render_unless(error)
        )
        return at.get(PAGE)

    return failing


def render_unless(error):
    """Return a function that renders all templates except that of the page."""
    from django.template.loader import render_to_string

    def render(template, *args, **kwargs):
        if template == "frames/sources.html":
            raise error
        return render_to_string(template, *args, **kwargs)

    return render


@pytest.mark.parametrize(
    "error, status, text, link",
    [
        (PermissionDenied(), 403, "do not have permission", "another account"),
        (SuspiciousOperation(), 400, "incomplete or invalid", "Try again"),
        (NotRefreshable("Sales"), 409, "cannot be refreshed", "Try again"),
        (LimitExceeded("Too large."), 413, "Too large.", "Try again"),
        (KeyError("x"), 500, "went wrong", "Try again"),
    ],
)
def test_error_page_has_the_user_and_a_next_step(failing, error, status, text, link):
    page = failing(error)
    for each in (text, link, "Back to the home page", "Sign out", 'class="skip"'):
        assertContains(page, each, status_code=status)
    assertContains(page, "Signed in as <strong>ann</strong>", status_code=status)


def test_page_of_a_broken_database_has_no_user(failing, at):
    at.cookies["dtale_theme"] = "dark"
    page = failing(OperationalError("gone"))
    assertContains(page, "The database is not", status_code=503)
    for each in ("Sign", 'class="theme"'):
        assertNotContains(page, each, status_code=503)


def test_error_while_the_user_is_read_still_gives_a_page(failing, monkeypatch):
    def no_user(request):
        raise OperationalError("gone")

    page = failing(KeyError("x"))
    assertContains(page, "Signed in as", status_code=500)
    monkeypatch.setattr("django.contrib.auth.middleware.get_user", no_user)
    page = failing(KeyError("x"))
    assert page.status_code in (500, 503)
    assertNotContains(page, "Signed in as", status_code=page.status_code)


def test_unknown_page_has_the_user(at):
    page = at.get("/nothing/")
    assertContains(page, "Signed in as <strong>ann</strong>", status_code=404)


def test_expired_form_has_the_user(ann):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    page = client.post("/frames/tokens/", {"name": "a"})
    assertContains(page, "Signed in as <strong>ann</strong>", status_code=403)
    assertContains(page, "the form had expired", status_code=403)


@pytest.mark.parametrize(
    "came_from, link",
    [
        ("http://testserver/frames/tokens/", "http://testserver/frames/tokens/"),
        ("https://example.com/", ""),
        ("", ""),
    ],
)
def test_failed_form_links_to_the_page_before(at, came_from, link):
    form, headers = {"table": "x"}, {"Referer": came_from}
    page = at.post("/frames/tables/csv/", form, headers=headers)
    assert page.status_code == 400
    assert ("Back to the previous page" in page.text) == bool(link)
    assert not link or f'href="{link}"' in page.text
