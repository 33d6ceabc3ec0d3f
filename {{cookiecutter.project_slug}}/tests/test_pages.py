"""Tests of the site's own pages, sign-in, and languages."""

from io import StringIO

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.html import escape
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from .conftest import PASSWORD

pytestmark = pytest.mark.django_db

OTHERS = [code for code, _ in settings.LANGUAGES if code != settings.LANGUAGE_CODE]


def sign_in(client, password=PASSWORD, page="/accounts/login/"):
    return client.post(page, {"username": "ann", "password": password})


def test_home_page_has_site_name_and_sample_button(client, ann):
    client.force_login(ann)
    page = client.get("/")
    assertContains(page, f"<title>{escape(settings.SITE_NAME)}</title>", html=True)
    assertContains(page, 'action="/create-df/"')


def test_sign_in_and_out(client, ann):
    page = client.get("/accounts/login/")
    assertContains(page, f"Sign in – {escape(settings.SITE_NAME)}")
    assertRedirects(sign_in(client), "/")
    assertContains(client.get("/"), "Signed in as <strong>ann</strong>")
    assertRedirects(client.post("/accounts/logout/"), "/")
    assertNotContains(client.get("/"), "Signed in as")


def test_sample_page_requires_sign_in(client):
    page = client.get("/create-df/")
    assertRedirects(page, "/accounts/login/?next=/create-df/")


@pytest.mark.parametrize("page", ["/accounts/login/", "/admin/login/"])
def test_failed_sign_in_attempts_are_rate_limited(client, ann, page):
    for _ in range(settings.SIGN_IN_TRIES):
        assert sign_in(client, "wrong", page).status_code == 200
    answer = sign_in(client, PASSWORD, page)
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    call_command("unlock", "127.0.0.1", stdout=StringIO())
    assertRedirects(sign_in(client), "/")


def test_unknown_page_returns_404(client):
    assertContains(client.get("/no-such-page"), "/no-such-page", status_code=404)


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/no-such-page"])
@pytest.mark.parametrize("language", OTHERS)
def test_pages_use_the_browser_language(client, path, language):
    ours = client.get(path).text
    page = client.get(path, headers={"Accept-Language": language})
    assert page["Content-Language"] == language
    assert f'<html lang="{language}"' in page.text
    # Each page has a link or a heading with this text.
    assert ">Sign in<" in ours and ">Sign in<" not in page.text


def test_checks_pass_and_no_migrations_are_missing():
    call_command("check", fail_level="WARNING")
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())
