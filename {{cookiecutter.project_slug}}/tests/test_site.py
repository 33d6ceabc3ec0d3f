"""The site's own pages, through Django's test client."""

import re

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import resolve, set_script_prefix
from django.utils.html import escape
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.middleware import AuthenticationMiddleware


def test_index_shows_the_name_and_a_button(client, settings):
    response = client.get("/")
    assertContains(response, f'<a href="/">{escape(settings.SITE_NAME)}</a>', html=True)
    assertContains(response, 'action="/create-df/"')


@pytest.mark.django_db
def test_index_is_for_everybody(client, settings, ann):
    settings.FRAMES_LOGIN_REQUIRED = True
    assertContains(client.get("/"), ">Sign in</a>")
    client.force_login(ann)
    assertContains(client.get("/"), "<button>Sign out</button>", html=True)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/frames/",
        "/frames/FRAME/rename/",
        "/frames/FRAME/share/",
        "/frames/FRAME/csv/",
        "/frames/models/",
        "/frames/tokens/",
        "/accounts/login/",
        "/accounts/password_change/",
        "/admin/frames/frame/FRAME/change/",
        "/no-such-page",
    ],
)
def test_no_page_is_kept_in_a_cache(visitor, publish, django_user_model, db, path):
    user = django_user_model.objects.create_superuser("ada")
    frame = publish(user)
    answer = visitor(user).browser.get(path.replace("FRAME", str(frame.pk)))
    assert answer.status_code == (404 if "no-such" in path else 200)
    assert "no-store" in answer.headers["Cache-Control"]


def test_get_of_create_df_makes_nothing(client):
    response = client.get("/create-df/")
    assertContains(response, "<button>Open the sample frame</button>", html=True)


@pytest.mark.django_db
def test_create_df_goes_to_the_frame(client, settings):
    response = client.post("/create-df/")
    # D-Tale answers that path, not Django: only the redirect is Django's.
    assert response.status_code == 302
    start = f"/{settings.DTALE_PREFIX}/dtale/main/"
    assert response.url.startswith(start)
    assert response.url.removeprefix(start).isdigit()


def test_create_df_wants_a_token():
    client = Client(enforce_csrf_checks=True)
    assert client.post("/create-df/").status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "main/1",
        "data/1?ids=%5B%220-5%22%5D&x=a%26b",
        "popup/describe/1?selectedCol=%E6%97%A5",
        "static/maps/usa_110m.json",
    ],
)
def test_forgotten_prefix_is_added(client, settings, path):
    response = client.get(f"/dtale/{path}")
    expected = f"/{settings.DTALE_PREFIX}/dtale/{path}"
    assertRedirects(response, expected, 307, fetch_redirect_response=False)


def test_forgotten_prefix_of_a_post(settings):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/dtale/upload")
    expected = f"/{settings.DTALE_PREFIX}/dtale/upload"
    assertRedirects(response, expected, 307, fetch_redirect_response=False)


def test_forgotten_prefix_below_a_proxy_path(rf, settings):
    settings.FORCE_SCRIPT_NAME = "/tools"
    add_prefix = resolve("/dtale/main/1").func
    set_script_prefix("/tools/")  # As WSGIHandler does it; the test client does not.
    response = add_prefix(rf.get("/dtale/main/1?x=1"), rest="main/1")
    assert response.url == f"/tools/{settings.DTALE_PREFIX}/dtale/main/1?x=1"


@pytest.mark.parametrize(
    "error, status, text",
    [(OperationalError, 503, "The database does not"), (KeyError, 500, "went wrong")],
)
def test_a_failing_page_has_the_number_that_the_log_has(
    client, monkeypatch, caplog, error, status, text
):
    def fail(*args, **kwargs):
        raise error("")

    # In a middleware, where no view's exceptions are handled.
    monkeypatch.setattr(AuthenticationMiddleware, "process_request", fail)
    client.raise_request_exception = False
    answer = client.get("/")
    assertContains(answer, text, status_code=status)
    # Nobody knows whether the person is signed in: the page says nothing about it.
    assertNotContains(answer, "/accounts/", status_code=status)
    number = re.search(r"request ([0-9a-f]{32})", answer.text)[1]
    [failed] = [each for each in caplog.records if each.name == "frames.exceptions"]
    assert number in failed.getMessage() and failed.exc_info


@pytest.mark.django_db
def test_admin_asks_for_a_login(client):
    assertRedirects(client.get("/admin/"), "/admin/login/?next=/admin/")


def test_unknown_page(client):
    assertContains(client.get("/no-such-page"), "/no-such-page", status_code=404)


@pytest.mark.parametrize(
    "path, host, status", [("/none", "localhost", 404), ("/admin/", "elsewhere", 400)]
)
def test_form_that_cannot_be_read_is_no_failure(client, path, host, status):
    broken = dict(data=b"--x", content_type="multipart/form-data; boundary=")
    client.raise_request_exception = False
    assert client.post(path, **broken, HTTP_HOST=host).status_code == status
