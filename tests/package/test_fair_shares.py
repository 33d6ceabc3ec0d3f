"""Limits on concurrent requests and on long bodies, and the log of stuck requests."""

import json
import socket
import threading
import time
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.urls import reverse

from django_dtale.contrib import stuck
from django_dtale.gateway import fair_shares
from django_dtale.gateway.fair_shares import CALCULATION, RUNNING, share
from django_dtale.middleware import MAX_FORM
from django_dtale.models.tokens import Token
from django_dtale.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Shorten all waits. After the test, check that all shares were released."""
    wait_for(0.05, monkeypatch)
    yield
    assert not fair_shares._running and not fair_shares._waiting


@pytest.fixture
def taken(ann):
    """Use up Ann's share, as if she had sent other requests."""
    with ExitStack() as stack:
        stack.enter_context(bind(Workspace(ann)))
        for kind, count in RUNNING.items():
            for _ in range(count):
                stack.enter_context(share(kind))
        yield


def wait_for(seconds, monkeypatch):
    monkeypatch.setattr(fair_shares, "SECONDS", dict.fromkeys(RUNNING, seconds))


def is_refused(answer):
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "5"
    return True


def test_data_request_is_refused_as_json(taken, owner, frame):
    answer = owner.get(f"data/{frame.pk}", ids=["0-1"])
    assert is_refused(answer) and answer.json["success"] is False
    assert "Too many of your calculations" in answer.json["error"]


def test_refused_page_says_what_to_do(taken, owner, frame):
    page = owner.get(f"main/{frame.pk}")
    assert is_refused(page) and "<h1>Too many requests</h1>" in page.text
    assert "Please wait a few seconds" in page.text


@pytest.mark.parametrize("name", ["csv", "parquet", "copy"])
def test_download_or_copy_is_refused(taken, owner, frame, name):
    assert is_refused(owner.browser.get(reverse(f"frames:{name}", args=[frame.pk])))


def test_upload_is_refused(taken, owner):
    page = owner.browser.post(reverse("frames:upload"), data={})
    assert is_refused(page) and "is still being read" in page.text


def test_upload_by_script_is_refused_as_json(taken, owner):
    headers = {"Accept": "application/x-ndjson"}
    answer = owner.browser.post(reverse("frames:upload"), data={}, headers=headers)
    assert (
        is_refused(answer) and "still being read" in json.loads(answer.text)["problem"]
    )


def test_push_is_refused(taken, owner, ann):
    token = Token.objects.create_token(ann, "a program")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
    url = reverse("frames:push")
    answer = owner.browser.post(url, data=b"a\n1\n", headers=headers)
    assert is_refused(answer) and "is still being read" in answer.json["error"]


def test_other_users_and_other_pages_are_not_affected(
    taken, owner, visitor, bob, publish
):
    assert owner.browser.get("/").status_code == 200
    frame = publish(bob)
    other = visitor(bob)
    assert other.column(frame.pk) == [1, 2, 3]
    assert other.upload() > frame.pk
    assert visitor().get("main/1").status_code in (302, 404)


def test_waiting_request_runs_when_a_share_becomes_free(monkeypatch, owner, frame, ann):
    wait_for(10, monkeypatch)
    with ExitStack() as stack, bind(Workspace(ann)):
        for _ in range(RUNNING[CALCULATION]):
            stack.enter_context(share(CALCULATION))
        threading.Timer(0.2, stack.pop_all().close).start()
        assert owner.column(frame.pk) == [1, 2, 3]


def test_gunicorn_pool_has_the_same_share():
    pool = pytest.importorskip(
        "django_dtale.contrib.gunicorn_pool"
    )  # gunicorn does not run on Windows.
    assert RUNNING[CALCULATION] == pool.SHARE


@pytest.mark.parametrize("waits", [True, False])
def test_long_bodies_wait_while_other_files_are_read(monkeypatch, waits):
    """Ten people open large files together, but a worker reads only three at once."""
    pools = pytest.importorskip("django_dtale.contrib.gunicorn_pool")
    monkeypatch.setattr(pools, "MAX_WAIT", 0.2)
    monkeypatch.setattr(pools, "MAX_BODY_WAIT", 60 if waits else 0.2)
    head = b"POST /frames/upload/ HTTP/1.1\r\nContent-Length: 90000000\r\n\r\n"
    pool, is_read = pools.Pool(8), threading.Event()
    with ExitStack() as stack:
        futures = []
        for _ in range(pools.BODIES + 1):
            ours, theirs = map(stack.enter_context, socket.socketpair())
            theirs.sendall(head)
            config = SimpleNamespace(is_ssl=False)
            conn = SimpleNamespace(sock=ours, parser=None, cfg=config)
            futures.append(pool.submit(lambda conn: is_read.wait(60), conn))
        end = time.monotonic() + (0.6 if waits else 10)
        while time.monotonic() < end and not futures[-1].cancelled():
            time.sleep(0.05)
        assert futures[-1].cancelled() is not waits
        is_read.set()
        assert all(future.result(60) for future in futures[: None if waits else -1])
    pool.shutdown()


def test_number_of_waiting_requests_is_limited(monkeypatch, owner, frame, ann):
    monkeypatch.setattr(fair_shares, "WAITING", 0)
    wait_for(60, monkeypatch)
    with ExitStack() as stack, bind(Workspace(ann)):
        for _ in range(RUNNING[CALCULATION]):
            stack.enter_context(share(CALCULATION))
        began = time.monotonic()
        assert is_refused(owner.get(f"data/{frame.pk}", ids=["0-1"]))
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("is_closed_early", [True, False])
def test_streamed_response_holds_its_share_until_it_is_closed(owner, is_closed_early):
    owner.upload()
    steps = {"headers": {"Accept": "application/x-ndjson"}, "buffered": False}
    answer = owner.send_file("s.csv", b"a,b\n1,2\n", **steps)
    assert [*fair_shares._running.values()] == [1]
    if not is_closed_early:
        assert "location" in answer.text
    answer.close()


# Request bodies -----------------------------------------------------------------------


class Unread:
    """A request body that must not be read."""

    def read(self, *args):
        raise AssertionError("The body was read.")

    readline = read


@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/", "/create-df/"])
def test_long_body_of_an_anonymous_visitor_is_not_read(visitor, path):
    visitor = visitor()
    visitor.browser.set_cookie("csrftoken", "c" * 32)
    answer = visitor.browser.post(
        path,
        content_type="application/x-www-form-urlencoded",
        environ_overrides={
            "wsgi.input": Unread(),
            "CONTENT_LENGTH": str(MAX_FORM + 1),
        },
    )
    assert answer.status_code == 413
    answer = visitor.browser.post(path, data={"a": "b" * 1000})
    assert answer.status_code != 413


# Stuck requests -----------------------------------------------------------------------


def test_stuck_request_is_logged(dtale_settings, owner, frame, caplog, rf):
    dtale_settings.MAX_SECONDS = 1
    answered = stuck.StuckMiddleware(lambda request: time.sleep(2.5) or HttpResponse())
    request = rf.get("/", {"query": "secret"})
    request.log_context = {"request": "12ab", "method": "GET", "frame": frame.pk}
    answered(request)
    [record] = [
        each for each in caplog.records if each.name == "django_dtale.contrib.stuck"
    ]
    text = record.getMessage()
    assert record.levelname == "ERROR" and "Request 12ab is stuck" in text
    assert f"frame {frame.pk}" in text and "secret" not in text
    assert stuck.overdue_requests() == []


def test_request_with_a_long_body_has_more_time(dtale_settings, rf):
    dtale_settings.MAX_SECONDS = 1
    late = []

    def slow(request):
        time.sleep(1.2)
        late.extend(stuck.overdue_requests())
        return HttpResponse()

    long = rf.post("/", CONTENT_LENGTH=str(stuck.SLOW_LINE * 60))
    short = rf.get("/")
    short.log_context = {"request": "12ab", "method": "GET"}
    for request in (long, short):
        stuck.StuckMiddleware(slow)(request)
    assert late == [short]


def test_no_request_is_stuck_without_a_limit(dtale_settings, rf):
    dtale_settings.MAX_SECONDS = 0
    seen = []
    stuck.StuckMiddleware(lambda request: seen.extend(stuck._running))(rf.get("/"))
    assert seen == []
