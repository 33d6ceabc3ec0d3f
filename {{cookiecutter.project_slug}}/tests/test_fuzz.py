"""Ten thousand hostile requests at every route, by people who may and who may not.

Each test is a block of them, and each block has its own seed: FUZZ_SEED, and the test's
own name. ``FUZZ_SEED=2 FUZZ_REQUESTS=100000`` sends others, and more.
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

from accounts.models import SignInTry
from frames.models import Frame

from .hostile import Attacker, routes
from .hostile_values import a_frame

SEED = os.environ.get("FUZZ_SEED", "1")
BLOCK = 250
BLOCKS = max(1, int(os.environ.get("FUZZ_REQUESTS", "10000")) // BLOCK // 5)
SLOW = 20  # Seconds, for one request: these machines are shared.

OURS = tuple(
    str(Path(site.BASE_DIR, name)) + os.sep
    for name in ("frames", "accounts", site.ROOT_URLCONF.partition(".")[0])
)
# Its admin looks up what stands in a form before it has looked at that: whoever may change
# rows there, and sends a text for a number, gets an error. No other file of it does so.
OF_DJANGO = os.path.join("django", "contrib", "admin", "widgets.py")
TOLD = re.compile(
    rb'Traceback \(most recent call last\)|site-packages|File "[^"]+\.py"'
)

pytestmark = pytest.mark.django_db(transaction=True)


class Failures(logging.Handler):
    """Exceptions in the log that no foreign code has to answer for.

    D-Tale stumbles over what it does not expect, and pages of a frame over what its owner
    has put there. That is answered with a number, under which the log has its traceback;
    this site's own code looks before it goes.

    Attributes:
        found: list of str.
        is_foreign: bool, whether one was another's since this was last set to False.
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
    """Somebody (User) with two frames, one shared with bob; nobody else's business."""
    return user("victim", email="victim@example.com", password="correct horse battery")


@pytest.fixture
def shared(victim, user, stored):
    frames = [
        Frame.objects.publish(a_frame(), owner=victim, name=name, shared_with=readers)
        for name, readers in (("secret one", []), ("secret two", [user("reader")]))
    ]
    return [frame.pk for frame in frames]


def state(victim, stored):
    """What is the victim's: their rows, and the bytes of their frames."""
    frames = list(Frame.objects.filter(owner=victim).order_by("pk").values())
    for frame in frames:
        frame.pop("opened")  # A reader may be the last who has.
        frame["bytes"] = stored.read(frame["payload"])
    people = list(get_user_model().objects.filter(pk=victim.pk).values())
    return people, frames


def counts():
    """How many rows each table has (dict); tries to sign in are counted, for a while."""
    models = set(apps.get_models()) - {SignInTry}
    return {model: model._base_manager.count() for model in models}


def send(application, request, cookies):
    """Answer a Request as a server does: its status (int), headers, and body (bytes)."""
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
    """What holds for each answer."""
    assert not failures.found, what + "\n" + "\n".join(failures.found)
    assert status < 500 or failures.is_foreign, what
    assert not TOLD.search(body), what
    assert seconds < SLOW, f"{seconds} s, {what}"


@pytest.fixture
def application(settings):
    settings.FRAMES_LOGIN_REQUIRED = True
    application = import_string(site.WSGI_APPLICATION)
    application.get_application(application.prefix)
    return application


@pytest.fixture
def attack(application, visitor, victim, shared, stored, failures, request):
    """Send a block of requests as somebody: attack(user)."""

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
                status, headers, body = send(application, sent, cookies)
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
    return [Frame.objects.publish(a_frame(), owner=user).pk for _ in range(2)]


@pytest.mark.parametrize("block", range(BLOCKS))
def test_nobody(attack, victim, stored, block):
    before = state(victim, stored), stored.names(), counts()
    attack()
    assert (state(victim, stored), stored.names(), counts()) == before


@pytest.mark.parametrize("block", range(BLOCKS))
def test_visitor_of_a_site_without_signing_in(attack, victim, stored, settings, block):
    before = state(victim, stored)
    settings.FRAMES_LOGIN_REQUIRED = False
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
    """Whose requests may do anything to anybody's rows, but not fail."""
    root = django_user_model.objects.create_superuser("root")
    attack(root, own_frames(root))
