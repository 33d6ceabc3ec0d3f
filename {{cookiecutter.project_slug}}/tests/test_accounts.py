"""Signing in and out, how often that may fail, and who may have frames."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.contrib.auth import aauthenticate, authenticate
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.module_loading import import_string
from pytest_django.asserts import assertContains, assertNotContains, assertRedirects

from accounts.models import SignInTry
from accounts.throttle import TooManyTries, address_of
from frames.explore import explore
from frames.gate import Gate
from frames.models import Frame

from .conftest import Browser

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery"


@pytest.fixture
def ann(user):
    return user("ann", password=PASSWORD, is_staff=True)


@pytest.fixture
def bob(user):
    return user("bob", password=PASSWORD)


@pytest.fixture
def login_required(settings):
    settings.FRAMES_LOGIN_REQUIRED = True


def sign_in(client, username="ann", password=PASSWORD, page="/accounts/login/", **more):
    data = {"username": username, "password": password}
    return client.post(page, data, **more)


def fail(client, times, **options):
    """Sign in with a wrong password, and see that it is refused as such."""
    for _ in range(times):
        response = sign_in(client, password="wrong", **options)
        assertContains(response, "Please enter a correct")


# Signing in and out -------------------------------------------------------------------


def test_pages_have_a_link_to_sign_in(client):
    assertContains(client.get("/"), 'href="/accounts/login/?next=/"')


def test_sign_in_and_out(client, ann):
    assertRedirects(sign_in(client), "/")
    assertContains(client.get("/"), "Signed in as <strong>ann</strong>")
    assertRedirects(client.post("/accounts/logout/"), "/")
    assertNotContains(client.get("/"), "Signed in as")


def test_a_link_signs_nobody_out(client, ann):
    client.force_login(ann)
    assert client.get("/accounts/logout/").status_code == 405
    assertContains(client.get("/"), "Signed in as")


def test_login_page_has_the_sites_name(client, settings):
    title = f"<title>Sign in – {escape(settings.SITE_NAME)}</title>"
    assertContains(client.get("/accounts/login/"), title)


def test_sign_in_comes_back(client, ann):
    path = f"/{site.DTALE_PREFIX}/dtale/main/1"
    page = client.get("/accounts/login/", {"next": path})
    assertContains(page, f'name="next" value="{path}"')
    response = client.post(
        "/accounts/login/", {"username": "ann", "password": PASSWORD, "next": path}
    )
    assertRedirects(response, path, fetch_redirect_response=False)


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "a:b"])
def test_sign_in_comes_back_to_this_site_alone(client, ann, url):
    data = {"username": "ann", "password": PASSWORD, "next": url}
    assertRedirects(client.post("/accounts/login/", data), "/")


def test_sign_in_wants_a_token_and_says_so_in_the_sites_look(ann):
    client = Client(enforce_csrf_checks=True)
    assertContains(sign_in(client), "<h1>Please try again</h1>", status_code=403)


def test_sign_in_changes_the_session_key(client, ann):
    client.post("/create-df/")
    before = client.cookies["sessionid"].value
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def test_a_new_site_says_how_the_first_account_comes(client, django_user_model):
    hint = "manage.py createsuperuser"
    assertContains(client.get("/accounts/login/"), hint)
    django_user_model.objects.create_user("ann")
    assertNotContains(client.get("/accounts/login/"), hint)


def test_inactive_user_cannot_sign_in(client, ann):
    ann.is_active = False
    ann.save()
    fail(client, 1)
    assertContains(sign_in(client), "Please enter a correct")


def test_one_can_change_ones_password(client, ann):
    sign_in(client)
    assertContains(client.get("/"), 'href="/accounts/password_change/"')
    new = "another horse battery"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    page = client.get("/accounts/password_change/")
    assertContains(page, "<h1>Change password</h1>")
    response = client.post("/accounts/password_change/", data, follow=True)
    assertContains(response, "<h1>Password changed</h1>")
    assertRedirects(sign_in(Client(), password=new), "/")


def test_nobody_has_no_password_to_change(client):
    path = "/accounts/password_change/"
    assertRedirects(client.get(path), f"/accounts/login/?next={path}")


def test_who_has_no_password_is_not_asked_to_change_it(client, user):
    client.force_login(user("eve"))
    response = client.get("/")
    assertContains(response, "Signed in as <strong>eve</strong>")
    assertNotContains(response, "password_change")


# How often it may fail ----------------------------------------------------------------


def test_too_many_tries(client, ann):
    fail(client, site.SIGN_IN_TRIES)
    for password in ("wrong", PASSWORD):
        response = sign_in(client, password=password)
        assertContains(response, "<h1>Too many tries</h1>", status_code=429)
        assert "15 minutes" in response.text
        assert 890 < int(response["Retry-After"]) <= 900
    assertNotContains(client.get("/"), "Signed in as")


def test_waiting_helps(client, ann):
    fail(client, site.SIGN_IN_TRIES)
    then = timezone.now() - timedelta(seconds=site.SIGN_IN_WINDOW - 50)
    SignInTry.objects.update(at=then)
    # What is refused does not make anybody wait longer.
    for _ in range(3):
        response = sign_in(client)
        assertContains(response, "1 minute<", status_code=429)
        assert 40 < int(response["Retry-After"]) <= 50
    SignInTry.objects.update(at=then - timedelta(seconds=50))
    assertRedirects(sign_in(client), "/")


def test_others_may_still_sign_in(client, ann, bob):
    fail(client, site.SIGN_IN_TRIES)
    # Somebody else from the same address, and she herself from another one.
    assertRedirects(sign_in(Client(), "bob"), "/")
    assertRedirects(sign_in(Client(REMOTE_ADDR="192.0.2.1")), "/")
    assert sign_in(client).status_code == 429


def test_one_who_succeeds_may_fail_as_often_again(client, ann):
    for _ in range(2):
        fail(client, site.SIGN_IN_TRIES - 1)
        assertRedirects(sign_in(client), "/")
    assert not SignInTry.objects.exists()


def test_names_that_are_tried_one_after_the_other(client, ann, bob, settings):
    settings.SIGN_IN_TRIES_OF_ADDRESS = 8
    for number in range(7):
        fail(client, 1, username=f"nobody-{number}")
        # An account of one's own does not help.
        assertRedirects(sign_in(Client(), "bob"), "/")
    fail(client, 1)
    assert sign_in(client).status_code == 429
    assertRedirects(sign_in(Client(REMOTE_ADDR="192.0.2.1")), "/")


def test_an_unknown_name_is_counted_and_not_kept(client):
    fail(client, site.SIGN_IN_TRIES, username="my-Pa55word")
    assert sign_in(client, "my-Pa55word").status_code == 429
    [row] = SignInTry.objects.values().order_by("pk")[:1]
    assert re.fullmatch("[0-9a-f]{64}", row["person"])


def test_old_tries_go(client, ann):
    fail(client, 3)
    SignInTry.objects.update(at=timezone.now() - timedelta(days=1))
    fail(client, 1, username="bob")
    assert SignInTry.objects.count() == 1


def test_the_admin_has_the_same_limit(client, ann):
    page = "/admin/login/"
    fail(client, 3)
    for _ in range(site.SIGN_IN_TRIES - 3):
        assertContains(sign_in(client, password="wrong", page=page), "errornote")
    response = sign_in(client, page=page)
    assertContains(response, "<h1>Too many tries</h1>", status_code=429)


def test_other_ways_to_ask_have_the_same_limit(client, ann):
    request = RequestFactory().post("/")
    ask = dict(username="ann", password="wrong")
    for _ in range(site.SIGN_IN_TRIES):
        assert authenticate(request, **ask) is None
    with pytest.raises(TooManyTries):
        authenticate(request, **ask)


@pytest.mark.django_db(transaction=True)
def test_asynchronous_views_have_the_same_limit(client, ann):
    async def ask(times):
        for _ in range(times):
            ask = dict(username="ann", password="wrong")
            assert await aauthenticate(RequestFactory().post("/"), **ask) is None

    asyncio.run(ask(site.SIGN_IN_TRIES))
    assert sign_in(client).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_many_tries_at_once(ann):
    def ask(_):
        try:
            request = RequestFactory().post("/")
            return authenticate(request, username="ann", password="wrong")
        except TooManyTries:
            return "refused"
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(24)))
    assert answers.count(None) <= site.SIGN_IN_TRIES
    assert SignInTry.objects.count() == answers.count(None)


def test_a_program_of_ones_own_has_no_limit(ann):
    for _ in range(site.SIGN_IN_TRIES + 1):
        assert authenticate(username="ann", password="wrong") is None
    assert authenticate(username="ann", password=PASSWORD) == ann


@pytest.mark.parametrize(
    "address, counted",
    [
        ("192.0.2.7", "192.0.2.7/32"),
        ("::ffff:192.0.2.7", "192.0.2.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_what_counts_as_one_address(rf, address, counted):
    assert address_of(rf.get("/", REMOTE_ADDR=address)) == counted


def test_the_address_behind_a_proxy(rf, settings):
    request = rf.get(
        "/",
        REMOTE_ADDR="10.0.0.1",
        headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.7"},
    )
    assert address_of(request) == "10.0.0.1/32"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert address_of(request) == "192.0.2.7/32"
    assert address_of(rf.get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1/32"


# Who may have frames ------------------------------------------------------------------


def test_nobody_makes_a_frame(client, login_required):
    for ask in (client.get, client.post):
        response = ask("/create-df/")
        assertRedirects(response, "/accounts/login/?next=/create-df/")
    assert not Frame.objects.exists()
    assert client.get("/").status_code == 200


def test_who_signs_in_makes_a_frame(client, ann, login_required, stored):
    path = client.post("/create-df/").url
    page = client.post(path, {"username": "ann", "password": PASSWORD}, follow=True)
    assertContains(page, "Open the sample frame")
    response = client.post("/create-df/")
    assert response.url == Frame.objects.get(owner=ann).get_absolute_url()


def test_who_has_signed_out_is_nobody(client, ann, login_required):
    client.force_login(ann)
    cookie = client.cookies["sessionid"].value
    assert client.get("/create-df/").status_code == 200
    client.post("/accounts/logout/")
    client.cookies["sessionid"] = cookie  # As somebody who has copied it.
    assert client.get("/create-df/").status_code == 302


def test_who_is_not_active_any_more_is_nobody(client, ann, login_required):
    client.force_login(ann)
    ann.is_active = False
    ann.save()
    assert client.get("/create-df/").status_code == 302


def test_nobody_copies_a_frame(client, frame, login_required):
    path = reverse("frames:copy", args=[frame.pk])
    for ask in (client.get, client.post):
        assertRedirects(ask(path), f"/accounts/login/?next={path}")
    assert Frame.objects.count() == 1


def test_a_view_of_ones_own_sends_nobody_to_sign_in(client, rf, login_required):
    request = rf.get("/orders/?year=2026")
    request.user, request.session = client.get("/").context["user"], client.session
    response = explore(request, [{"a": 1}])
    assert response.url == "/accounts/login/?next=/orders/%3Fyear%3D2026"
    assert not Frame.objects.exists()


# Somebody else knows who it is --------------------------------------------------------


@pytest.fixture
def single_sign_on(settings, stored, login_required):
    """A browser at the site, behind a server that signs people in (REMOTE_USER)."""
    middleware = list(settings.MIDDLEWARE)
    own = middleware.index("accounts.middleware.AuthenticationMiddleware")
    remote = "django.contrib.auth.middleware.RemoteUserMiddleware"
    settings.MIDDLEWARE = [*middleware[: own + 1], remote, *middleware[own + 1 :]]
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "django.contrib.auth.backends.RemoteUserBackend",
    ]
    application = import_string(site.WSGI_APPLICATION)
    dtale = application.get_application(site.DTALE_PREFIX).dtale
    again = type(application)(WSGIHandler(), lambda prefix: Gate(dtale, prefix))
    return Browser(again)


def test_remote_user(single_sign_on, django_user_model):
    as_eve = {"environ_overrides": {"REMOTE_USER": "eve"}}
    page = single_sign_on.get("/", **as_eve)
    assert "Signed in as <strong>eve</strong>" in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    data = {"csrfmiddlewaretoken": token}
    answer = single_sign_on.post("/create-df/", data=data, **as_eve)
    frame = Frame.objects.get(owner__username="eve")
    assert answer.location == frame.get_absolute_url()
    assert single_sign_on.get(answer.location, **as_eve).status_code == 200
    listed = single_sign_on.get(f"/{site.DTALE_PREFIX}/dtale/processes", **as_eve)
    assert [int(each["data_id"]) for each in listed.json["data"]] == [frame.pk]


def test_another_remote_user_sees_nothing_of_it(single_sign_on, frame):
    as_eve = {"environ_overrides": {"REMOTE_USER": "eve"}}
    listed = single_sign_on.get(f"/{site.DTALE_PREFIX}/dtale/processes", **as_eve)
    assert listed.json["data"] == []


# Behind every page --------------------------------------------------------------------


def test_policy_of_the_sites_pages(client, ann):
    for path in ("/", "/accounts/login/", "/admin/login/", "/create-df/", "/nothing"):
        response = client.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "<style" not in response.text and "style=" not in response.text
        assert not re.search(r"<script(?![^>]* src=)", response.text)
        assert response["X-Frame-Options"] == "DENY"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response["Referrer-Policy"] == "same-origin"
        assert response["X-Content-Type-Options"] == "nosniff"


def test_an_answer_keeps_the_policy_that_it_has():
    [name] = (name for name in site.MIDDLEWARE if name.endswith("PolicyMiddleware"))
    middleware = import_string(name)
    own = {"Content-Security-Policy": "script-src 'nonce-1'"}
    answer = middleware(lambda request: HttpResponse(headers=own))
    response = answer(RequestFactory().get("/"))
    assert response["Content-Security-Policy"] == "script-src 'nonce-1'"


def test_cookies_are_not_for_scripts_or_other_sites(client, ann):
    client.get("/accounts/login/")
    sign_in(client)
    for name in ("sessionid", "csrftoken"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_nobody_fills_the_disk(client, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a")
    with file.open() as sent:
        response = client.post("/accounts/login/", {"username": "x", "file": sent})
    assert not response.wsgi_request.FILES
    assert client.post("/accounts/login/", {"username": "x" * 2**20}).status_code == 413
