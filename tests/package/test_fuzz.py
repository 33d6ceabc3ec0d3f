"""Ten thousand hostile requests to all routes, from users with and without access.

Each test sends a block of requests. FUZZ_SEED and the name of the test determine the
seed. ``FUZZ_SEED=2 FUZZ_REQUESTS=100000`` sends more, and different, requests.
"""

import logging
import os
import re
import time
import traceback
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest
from django.apps import apps
from django.conf import settings as site
from django.contrib.auth import get_user_model
from django.utils.module_loading import import_string
from werkzeug.test import run_wsgi_app

import django_dtale
from accounts.models import SignInTry
from django_dtale.models import Frame

from .hostile import Attacker, routes
from .hostile_values import a_frame

SEED = os.environ.get("FUZZ_SEED", "1")
BLOCK = 250
BLOCKS = max(1, int(os.environ.get("FUZZ_REQUESTS", "10000")) // BLOCK // 5)
SLOW = 20  # Test machines may be shared, so this limit in seconds is generous.

OURS = tuple(
    str(folder) + os.sep
    for folder in (
        apps.get_app_config("frames").path,
        Path(site.BASE_DIR, "accounts"),
        Path(site.BASE_DIR, site.ROOT_URLCONF.partition(".")[0]),
    )
)
# This module of Django's admin looks up foreign keys before it validates them. If a
# user with the permission to change such rows sends text instead of a number, Django
# therefore responds with a server error.
OF_DJANGO = os.path.join("django", "contrib", "admin", "widgets.py")
TOLD = re.compile(
    rb'Traceback \(most recent call last\)|site-packages|File "[^"]+\.py"'
)

pytestmark = pytest.mark.django_db(transaction=True)


class Failures(logging.Handler):
    """A log handler that collects exceptions raised in the site's own code.

    Exceptions in D-Tale's code do not count: the site reports them with a request id
    and logs the traceback. Only the site's own code has to validate all input.

    Attributes:
        found: the formatted log records of these exceptions.
        is_foreign: whether other code has raised an exception since this attribute was
            last set to False.
    """

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found, self.is_foreign = [], False

    def emit(self, record):
        if record.name.startswith("django.security") or not record.exc_info:
            return
        files = [
            place.filename
            for place in traceback.extract_tb(record.exc_info[1].__traceback__)
        ]
        if any(file.endswith(OF_DJANGO) for file in files):
            self.is_foreign = True
            return
        of_dtale = f"{os.sep}dtale{os.sep}"
        files = [file for file in files if file.startswith(OURS) or of_dtale in file]
        if not files or files[-1].startswith(OURS):
            self.found.append(logging.Formatter().format(record))
        else:
            self.is_foreign = True


@pytest.fixture
def failures():
    handler = Failures()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def victim(user, publish, stored):
    """A user whose data the attackers must neither see nor change."""
    return user("victim", email="victim@example.com", password="correct horse battery")


@pytest.fixture
def shared(victim, user, stored):
    frames = [
        django_dtale.publish(a_frame(), owner=victim, name=name, shared_with=readers)
        for name, readers in (("secret one", []), ("secret two", [user("reader")]))
    ]
    return [frame.pk for frame in frames]


def state(victim, stored):
    """Return the victim's user row, frame rows and payloads."""
    frames = list(Frame.objects.filter(owner=victim).order_by("pk").values())
    for frame in frames:
        frame.pop("last_opened_at")  # A reader who opens the frame updates this time.
        frame["bytes"] = stored.read(frame["payload"])
    people = list(get_user_model().objects.filter(pk=victim.pk).values())
    return people, frames


def counts():
    """Return the number of rows by model. SignInTry is excluded: it may grow."""
    models = set(apps.get_models()) - {SignInTry}
    return {model: model._base_manager.count() for model in models}


def send(application, request, cookies):
    """Send a request as a WSGI server does. Return the status, headers and body."""
    path, _, query = request.target.partition("?")
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in request.headers.items()
    }
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if cookie:
        headers["HTTP_COOKIE"] = "; ".join(
            filter(None, [cookie, headers.get("HTTP_COOKIE")])
        )
    environ = {
        **headers,
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_TYPE": headers.pop("HTTP_CONTENT_TYPE", ""),
        "CONTENT_LENGTH": headers.pop("HTTP_CONTENT_LENGTH", str(len(request.body))),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    chunks, status, answered = run_wsgi_app(application, environ, buffered=True)
    return int(status[:3]), answered, b"".join(chunks)


def check(status, body, seconds, failures, what):
    """Check the conditions that hold for every response."""
    assert not failures.found, what + "\n" + "\n".join(failures.found)
    assert status < 500 or failures.is_foreign, what
    assert not TOLD.search(body), what
    assert seconds < SLOW, f"{seconds} s, {what}"


@pytest.fixture
def application(dtale_settings):
    dtale_settings.LOGIN_REQUIRED = True
    values = {"name": "x", "numbers": [1, 2], "set": {1}}
    dtale_settings.FILTER_VALUES = lambda user: values
    dtale_settings.PREDEFINED_FILTERS = {"Large": {"filter": "a > 1 or s == @name"}}
    application = import_string(site.WSGI_APPLICATION)
    application.get_application(application.prefix)
    return application


@pytest.fixture
def attack(application, visitor, victim, shared, stored, failures, request):
    """A function that sends a block of requests as a user or visitor: attack(user)."""

    dtale = application.get_application(application.prefix).dtale
    dtale = dtale.app(dtale.usual_root)
    callbacks = visitor(victim).get("charts/_dash-dependencies").json

    def attack(user=None, own=()):
        somebody = visitor(user)
        browser = somebody.browser
        page = browser.get("/accounts/password_change/" if user else "/accounts/login/")
        csrf = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        names = site.CSRF_COOKIE_NAME, site.SESSION_COOKIE_NAME
        found = {name: browser.get_cookie(name) for name in names}
        cookies = {name: each.value for name, each in found.items() if each}
        seed = f"{SEED} {request.node.name}"
        attacker = Attacker(seed, routes(dtale), callbacks, own, shared, csrf)
        fields = set()
        for number in range(BLOCK):
            sent = attacker.request(sorted(fields)[:20])
            failures.is_foreign = False
            start = time.perf_counter()
            try:
                status, _headers, body = send(application, sent, cookies)
            except Exception as error:
                raise AssertionError(f"{seed}, {number}: {sent!r:.3000}") from error
            seconds = time.perf_counter() - start
            what = f"{seed}, request {number}, {status}: {sent!r:.3000}\n{body[:500]}"
            check(status, body, seconds, failures, what)
            if b"<form" in body:
                fields |= set(
                    re.findall(r'name="([\w-]+)"', body.decode("utf-8", "replace"))
                )

    return attack


def own_frames(user):
    return [django_dtale.publish(a_frame(), owner=user).pk for _ in range(2)]


@pytest.mark.parametrize("block", range(BLOCKS))
def test_nobody(attack, victim, stored, block):
    before = state(victim, stored), stored.names(), counts()
    attack()
    assert (state(victim, stored), stored.names(), counts()) == before


@pytest.mark.parametrize("block", range(BLOCKS))
def test_visitor_of_a_site_without_signing_in(
    attack, victim, stored, dtale_settings, block
):
    before = state(victim, stored)
    dtale_settings.LOGIN_REQUIRED = False
    attack()
    assert state(victim, stored) == before


@pytest.mark.parametrize("block", range(BLOCKS))
def test_person_with_frames(attack, victim, stored, ann, block):
    before = state(victim, stored)
    attack(ann, own_frames(ann))
    assert state(victim, stored) == before


@pytest.mark.parametrize("block", range(BLOCKS))
def test_reader(attack, victim, shared, stored, block):
    before = state(victim, stored)
    reader = get_user_model().objects.get(username="reader")
    attack(reader, [shared[1], *own_frames(reader)])
    assert state(victim, stored) == before


@pytest.mark.parametrize("block", range(BLOCKS))
def test_administrator(attack, django_user_model, block):
    """Requests of an administrator may change any row, but must not cause errors."""
    root = django_user_model.objects.create_superuser("root")
    attack(root, own_frames(root))
