"""The site's own pages, through Django's test client."""

import re

import pytest
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.db import OperationalError
from django.test import Client
from django.urls import resolve, set_script_prefix
from django.utils.html import escape
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects


def test_index_shows_the_name_and_a_button(client, settings):
    response = client.get("/")
    assertContains(response, f'<a href="/">{escape(settings.SITE_NAME)}</a>', html=True)
    assertContains(response, 'action="/create-df/"')


@pytest.mark.django_db
def test_index_is_public(client, dtale_settings, ann):
    dtale_settings.LOGIN_REQUIRED = True
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
        "/frames/FRAME/download/",
        "/frames/models/",
        "/frames/tokens/",
        "/accounts/login/",
        "/accounts/password_change/",
        "/admin/frames/frame/FRAME/change/",
        "/no-such-page",
    ],
)
def test_pages_are_not_cached(visitor, publish, django_user_model, db, path):
    user = django_user_model.objects.create_superuser("ada")
    frame = publish(user)
    answer = visitor(user).browser.get(path.replace("FRAME", str(frame.pk)))
    assert answer.status_code == (404 if "no-such" in path else 200)
    assert "no-store" in answer.headers["Cache-Control"]


def test_get_of_create_df_shows_a_button(client):
    response = client.get("/create-df/")
    assertContains(response, "<button>Open the sample table</button>", html=True)


@pytest.mark.django_db
def test_create_df_redirects_to_the_frame(client, dtale_settings):
    response = client.post("/create-df/")
    # D-Tale serves the new path, so Django only redirects to it.
    assert response.status_code == 302
    start = f"/{dtale_settings.PREFIX}/dtale/main/"
    assert response.url.startswith(start)
    assert response.url.removeprefix(start).isdigit()


def test_create_df_requires_a_csrf_token():
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
def test_missing_prefix_is_added(client, dtale_settings, path):
    response = client.get(f"/dtale/{path}")
    expected = f"/{dtale_settings.PREFIX}/dtale/{path}"
    assertRedirects(response, expected, 307, fetch_redirect_response=False)


def test_missing_prefix_is_added_to_a_post(dtale_settings):
    client = Client(enforce_csrf_checks=True)
    response = client.post("/dtale/merge")
    expected = f"/{dtale_settings.PREFIX}/dtale/merge"
    assertRedirects(response, expected, 307, fetch_redirect_response=False)


def test_missing_prefix_is_added_below_a_proxy_path(rf, settings, dtale_settings):
    settings.FORCE_SCRIPT_NAME = "/tools"
    add_prefix = resolve("/dtale/main/1").func
    # WSGIHandler sets the prefix, but the test client does not.
    set_script_prefix("/tools/")
    response = add_prefix(rf.get("/dtale/main/1?x=1"), rest="main/1")
    assert response.url == f"/tools/{dtale_settings.PREFIX}/dtale/main/1?x=1"


@pytest.mark.parametrize(
    "error, status, text",
    [(OperationalError, 503, "The database is not"), (KeyError, 500, "went wrong")],
)
def test_error_page_shows_the_request_id_of_the_log(
    client, monkeypatch, caplog, error, status, text
):
    def fail(*args, **kwargs):
        raise error("")

    # Django handles exceptions in middleware differently from exceptions in views.
    monkeypatch.setattr(AuthenticationMiddleware, "process_request", fail)
    client.raise_request_exception = False
    answer = client.get("/")
    assertContains(answer, text, status_code=status)
    # The error page cannot know whether the user is signed in, so it must not say so.
    assertNotContains(answer, "/accounts/", status_code=status)
    number = re.search(r"request ([0-9a-f]{32})", answer.text)[1]
    [failed] = [each for each in caplog.records if each.name == "django_dtale.errors"]
    assert number in failed.getMessage() and failed.exc_info


@pytest.mark.django_db
def test_admin_requires_login(client):
    assertRedirects(client.get("/admin/"), "/admin/login/?next=/admin/")


def test_unknown_page_is_not_found(client):
    assertContains(client.get("/no-such-page"), "/no-such-page", status_code=404)


@pytest.mark.parametrize(
    "path, host, status", [("/none", "localhost", 404), ("/admin/", "elsewhere", 400)]
)
def test_malformed_form_is_not_a_server_error(client, path, host, status):
    broken = dict(data=b"--x", content_type="multipart/form-data; boundary=")
    client.raise_request_exception = False
    assert client.post(path, **broken, HTTP_HOST=host).status_code == status
