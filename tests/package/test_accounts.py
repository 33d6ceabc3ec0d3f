"""Sign-in and sign-out, rate limiting of sign-in attempts, and LOGIN_REQUIRED."""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.contrib.auth import aauthenticate, authenticate
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import CommandError, call_command
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
from django_dtale.api import explore
from django_dtale.conf import dtale_settings
from django_dtale.gateway.gateway import Gateway
from django_dtale.models import Frame

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
def login_required(dtale_settings):
    dtale_settings.LOGIN_REQUIRED = True


def sign_in(client, username="ann", password=PASSWORD, page="/accounts/login/", **more):
    data = {"username": username, "password": password}
    return client.post(page, data, **more)


def fail(client, times, **options):
    """Try to sign in with a wrong password, and check that this fails."""
    for _ in range(times):
        response = sign_in(client, password="wrong", **options)
        assertContains(response, "Please enter a correct")


# Sign-in and sign-out -----------------------------------------------------------------


def test_home_page_has_a_link_to_sign_in(client):
    assertContains(client.get("/"), 'href="/accounts/login/?next=/"')


def test_sign_in_and_out(client, ann):
    assertRedirects(sign_in(client), "/")
    assertContains(client.get("/"), "Signed in as <strong>ann</strong>")
    assertRedirects(client.post("/accounts/logout/"), "/")
    assertNotContains(client.get("/"), "Signed in as")


def test_get_request_does_not_sign_out(client, ann):
    client.force_login(ann)
    assert client.get("/accounts/logout/").status_code == 405
    assertContains(client.get("/"), "Signed in as")


def test_login_page_shows_the_site_name(client, settings):
    title = f"<title>Sign in – {escape(settings.SITE_NAME)}</title>"
    assertContains(client.get("/accounts/login/"), title)


def test_sign_in_redirects_to_next(client, ann):
    path = f"/{dtale_settings.PREFIX}/dtale/main/1"
    page = client.get("/accounts/login/", {"next": path})
    assertContains(page, f'name="next" value="{path}"')
    response = client.post(
        "/accounts/login/", {"username": "ann", "password": PASSWORD, "next": path}
    )
    assertRedirects(response, path, fetch_redirect_response=False)


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "a:b"])
def test_sign_in_does_not_redirect_to_other_sites(client, ann, url):
    data = {"username": "ann", "password": PASSWORD, "next": url}
    assertRedirects(client.post("/accounts/login/", data), "/")


def test_sign_in_without_csrf_token_shows_the_error_page(ann):
    client = Client(enforce_csrf_checks=True)
    assertContains(sign_in(client), "<h1>Please try again</h1>", status_code=403)


def test_sign_in_changes_the_session_key(client, ann):
    client.post("/create-df/")
    before = client.cookies["sessionid"].value
    sign_in(client)
    assert client.cookies["sessionid"].value != before


def test_login_page_explains_how_to_create_the_first_account(client, django_user_model):
    hint = "manage.py createsuperuser"
    assertContains(client.get("/accounts/login/"), hint)
    django_user_model.objects.create_user("ann")
    assertNotContains(client.get("/accounts/login/"), hint)


def test_inactive_user_cannot_sign_in(client, ann):
    ann.is_active = False
    ann.save()
    fail(client, 1)
    assertContains(sign_in(client), "Please enter a correct")


def test_user_can_change_their_password(client, ann):
    sign_in(client)
    assertContains(client.get("/"), 'href="/accounts/password_change/"')
    new = "another horse battery"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    page = client.get("/accounts/password_change/")
    assertContains(page, "<h1>Change password</h1>")
    response = client.post("/accounts/password_change/", data, follow=True)
    assertContains(response, "<h1>Password changed</h1>")
    assertRedirects(sign_in(Client(), password=new), "/")


def test_password_change_requires_sign_in(client):
    path = "/accounts/password_change/"
    assertRedirects(client.get(path), f"/accounts/login/?next={path}")


def test_user_without_a_password_has_no_password_change_link(client, user):
    client.force_login(user("eve"))
    response = client.get("/")
    assertContains(response, "Signed in as <strong>eve</strong>")
    assertNotContains(response, "password_change")


# Rate limiting ------------------------------------------------------------------------


def test_too_many_attempts_are_refused(client, ann):
    fail(client, site.SIGN_IN_TRIES)
    for password in ("wrong", PASSWORD):
        response = sign_in(client, password=password)
        assertContains(response, "<h1>Too many attempts</h1>", status_code=429)
        assert "15 minutes" in response.text
        assert 890 < int(response["Retry-After"]) <= 900
    assertNotContains(client.get("/"), "Signed in as")


def test_sign_in_is_possible_again_after_the_wait(client, ann):
    fail(client, site.SIGN_IN_TRIES)
    then = timezone.now() - timedelta(seconds=site.SIGN_IN_WINDOW - 50)
    SignInTry.objects.update(at=then)
    # Rejected attempts do not extend the wait.
    for _ in range(3):
        response = sign_in(client)
        assertContains(response, "1 minute<", status_code=429)
        assert 40 < int(response["Retry-After"]) <= 50
    SignInTry.objects.update(at=then - timedelta(seconds=50))
    assertRedirects(sign_in(client), "/")


def test_limit_applies_per_user_and_address(client, ann, bob):
    fail(client, site.SIGN_IN_TRIES)
    # Bob can still sign in from the same address, and Ann can sign in from another one.
    assertRedirects(sign_in(Client(), "bob"), "/")
    assertRedirects(sign_in(Client(REMOTE_ADDR="192.0.2.1")), "/")
    assert sign_in(client).status_code == 429


def test_successful_sign_in_resets_the_count(client, ann):
    for _ in range(2):
        fail(client, site.SIGN_IN_TRIES - 1)
        assertRedirects(sign_in(client), "/")
    assert not SignInTry.objects.exists()


def test_attempts_for_many_usernames_are_limited_per_address(
    client, ann, bob, settings
):
    settings.SIGN_IN_TRIES_OF_ADDRESS = 8
    for number in range(7):
        fail(client, 1, username=f"nobody-{number}")
        # A successful sign-in to another account does not reset the address's count.
        assertRedirects(sign_in(Client(), "bob"), "/")
    fail(client, 1)
    assert sign_in(client).status_code == 429
    assertRedirects(sign_in(Client(REMOTE_ADDR="192.0.2.1")), "/")


def test_unknown_username_is_counted_and_stored_as_a_hash(client):
    fail(client, site.SIGN_IN_TRIES, username="my-Pa55word")
    assert sign_in(client, "my-Pa55word").status_code == 429
    [row] = SignInTry.objects.values().order_by("pk")[:1]
    assert re.fullmatch("[0-9a-f]{64}", row["person"])


def test_old_attempts_are_deleted(client, ann):
    fail(client, 3)
    SignInTry.objects.update(at=timezone.now() - timedelta(days=1))
    fail(client, 1, username="bob")
    assert SignInTry.objects.count() == 1


def test_admin_login_is_rate_limited(client, ann):
    page = "/admin/login/"
    fail(client, 3)
    for _ in range(site.SIGN_IN_TRIES - 3):
        assertContains(sign_in(client, password="wrong", page=page), "errornote")
    response = sign_in(client, page=page)
    assertContains(response, "<h1>Too many attempts</h1>", status_code=429)


def test_authenticate_with_a_request_is_rate_limited(client, ann):
    request = RequestFactory().post("/")
    ask = dict(username="ann", password="wrong")
    for _ in range(site.SIGN_IN_TRIES):
        assert authenticate(request, **ask) is None
    with pytest.raises(TooManyTries):
        authenticate(request, **ask)


@pytest.mark.django_db(transaction=True)
def test_asynchronous_authentication_is_rate_limited(client, ann):
    async def ask(times):
        for _ in range(times):
            ask = dict(username="ann", password="wrong")
            assert await aauthenticate(RequestFactory().post("/"), **ask) is None

    asyncio.run(ask(site.SIGN_IN_TRIES))
    assert sign_in(client).status_code == 429


@pytest.mark.django_db(transaction=True)
def test_concurrent_attempts_do_not_exceed_the_limit(ann):
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


def test_authenticate_without_a_request_is_not_rate_limited(ann):
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
def test_address_is_reduced_to_its_network(rf, address, counted):
    assert address_of(rf.get("/", REMOTE_ADDR=address)) == counted


def test_forwarded_address_is_used_only_behind_a_proxy(rf, settings):
    request = rf.get(
        "/",
        REMOTE_ADDR="10.0.0.1",
        headers={"X-Forwarded-For": "198.51.100.1, 192.0.2.7"},
    )
    assert address_of(request) == "10.0.0.1/32"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert address_of(request) == "192.0.2.7/32"
    assert address_of(rf.get("/", REMOTE_ADDR="10.0.0.1")) == "10.0.0.1/32"


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8:1:2:3:4:5:6"])
def test_unlock_an_address(client, ann, address, capsys):
    here, there = Client(REMOTE_ADDR=address), Client(REMOTE_ADDR="192.0.2.2")
    for each in (here, there):
        fail(each, site.SIGN_IN_TRIES)
    call_command("unlock", address)
    assert f"Deleted {site.SIGN_IN_TRIES} failed" in capsys.readouterr().out
    assertRedirects(sign_in(here), "/")
    assert sign_in(there).status_code == 429


def test_unlock_all(client, ann):
    fail(client, site.SIGN_IN_TRIES)
    call_command("unlock", "--all")
    assertRedirects(sign_in(client), "/")


@pytest.mark.parametrize("arguments", [[], ["192.0.2.1", "--all"], ["ann"]])
def test_unlock_requires_an_address_or_all(client, arguments):
    fail(client, 1)
    with pytest.raises(CommandError):
        call_command("unlock", *arguments)
    assert SignInTry.objects.count() == 1


def test_admin_lists_and_deletes_failed_attempts(client, ann, admin_client):
    fail(Client(REMOTE_ADDR="192.0.2.1"), site.SIGN_IN_TRIES)
    page = "/admin/accounts/signintry/"
    assertContains(admin_client.get(page, {"q": "192.0.2.1"}), "192.0.2.1/32</a>", 5)
    assertNotContains(admin_client.get(page, {"q": "192.0.2.2"}), "192.0.2.1/32")
    assert admin_client.get(f"{page}add/").status_code == 403
    rows = list(SignInTry.objects.values_list("pk", flat=True))
    action = {"action": "delete_selected", "_selected_action": rows, "post": "yes"}
    assertRedirects(admin_client.post(page, action), page)
    assertRedirects(sign_in(Client(REMOTE_ADDR="192.0.2.1")), "/")


# LOGIN_REQUIRED -----------------------------------------------------------------------


def test_anonymous_visitor_cannot_create_a_frame(client, login_required):
    for ask in (client.get, client.post):
        response = ask("/create-df/")
        assertRedirects(response, "/accounts/login/?next=/create-df/")
    assert not Frame.objects.exists()
    assert client.get("/").status_code == 200


def test_visitor_can_create_a_frame_after_signing_in(
    client, ann, login_required, stored
):
    path = client.post("/create-df/").url
    page = client.post(path, {"username": "ann", "password": PASSWORD}, follow=True)
    assertContains(page, "Open the sample table")
    response = client.post("/create-df/")
    assert response.url == Frame.objects.get(owner=ann).get_absolute_url()


def test_session_is_invalid_after_sign_out(client, ann, login_required):
    client.force_login(ann)
    cookie = client.cookies["sessionid"].value
    assert client.get("/create-df/").status_code == 200
    client.post("/accounts/logout/")
    client.cookies["sessionid"] = cookie  # Simulate a stolen session cookie.
    assert client.get("/create-df/").status_code == 302


def test_inactive_user_is_signed_out(client, ann, login_required):
    client.force_login(ann)
    ann.is_active = False
    ann.save()
    assert client.get("/create-df/").status_code == 302


def test_anonymous_visitor_cannot_copy_a_frame(client, frame, login_required):
    path = reverse("frames:copy", args=[frame.pk])
    for ask in (client.get, client.post):
        assertRedirects(ask(path), f"/accounts/login/?next={path}")
    assert Frame.objects.count() == 1


def test_explore_redirects_anonymous_visitor_to_login(client, rf, login_required):
    request = rf.get("/orders/?year=2026")
    request.user, request.session = client.get("/").context["user"], client.session
    response = explore(request, [{"a": 1}])
    assert response.url == "/accounts/login/?next=/orders/%3Fyear%3D2026"
    assert not Frame.objects.exists()


# Single sign-on -----------------------------------------------------------------------


@pytest.fixture
def single_sign_on(settings, stored, login_required):
    """A browser behind a proxy that authenticates users and sets REMOTE_USER."""
    middleware = list(settings.MIDDLEWARE)
    own = middleware.index("django.contrib.auth.middleware.AuthenticationMiddleware")
    remote = "django.contrib.auth.middleware.RemoteUserMiddleware"
    settings.MIDDLEWARE = [*middleware[: own + 1], remote, *middleware[own + 1 :]]
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "django.contrib.auth.backends.RemoteUserBackend",
    ]
    application = import_string(site.WSGI_APPLICATION)
    dtale = application.get_application(dtale_settings.PREFIX).dtale
    django = WSGIHandler()
    again = type(application)(django, lambda prefix: Gateway(django, prefix, dtale))
    return Browser(again)


def test_remote_user_can_create_and_open_a_frame(single_sign_on, django_user_model):
    as_eve = {"environ_overrides": {"REMOTE_USER": "eve"}}
    page = single_sign_on.get("/", **as_eve)
    assert "Signed in as <strong>eve</strong>" in page.text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
    data = {"csrfmiddlewaretoken": token}
    answer = single_sign_on.post("/create-df/", data=data, **as_eve)
    frame = Frame.objects.get(owner__username="eve")
    assert answer.location == frame.get_absolute_url()
    assert single_sign_on.get(answer.location, **as_eve).status_code == 200
    listed = single_sign_on.get(f"/{dtale_settings.PREFIX}/dtale/processes", **as_eve)
    assert [int(each["data_id"]) for each in listed.json["data"]] == [frame.pk]


def test_remote_user_cannot_see_frames_of_another_user(single_sign_on, frame):
    as_eve = {"environ_overrides": {"REMOTE_USER": "eve"}}
    listed = single_sign_on.get(f"/{dtale_settings.PREFIX}/dtale/processes", **as_eve)
    assert listed.json["data"] == []


# Middleware ---------------------------------------------------------------------------


def test_site_pages_have_strict_security_headers(client, ann):
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


def test_middleware_keeps_an_existing_content_security_policy():
    [name] = (name for name in site.MIDDLEWARE if name.endswith("CSPMiddleware"))
    middleware = import_string(name)
    own = {"Content-Security-Policy": "script-src 'nonce-1'"}
    answer = middleware(lambda request: HttpResponse(headers=own))
    response = answer(RequestFactory().get("/"))
    assert response["Content-Security-Policy"] == "script-src 'nonce-1'"


def test_cookies_are_httponly_and_samesite(client, ann):
    client.get("/accounts/login/")
    sign_in(client)
    for name in ("sessionid", "csrftoken"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_login_page_ignores_files_and_refuses_large_bodies(client, tmp_path):
    file = tmp_path / "x.csv"
    file.write_text("a")
    with file.open() as sent:
        response = client.post("/accounts/login/", {"username": "x", "file": sent})
    assert not response.wsgi_request.FILES
    assert client.post("/accounts/login/", {"username": "x" * 2**20}).status_code == 413
