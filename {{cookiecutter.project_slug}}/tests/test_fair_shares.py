"""One person's requests at the same time, long bodies of nobody, and what is stuck."""

import json
import threading
import time
from contextlib import ExitStack

import pytest
from django.http import HttpResponse
from django.urls import reverse

from frames import fair_shares, stuck
from frames.fair_shares import CALCULATION, RUNNING, share
from frames.middleware import MAX_FORM
from frames.tokens import Token
from frames.workspace import Workspace, bind

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def short(monkeypatch):
    """Nobody waits for long; and at the end, nothing is taken."""
    wait_for(0.05, monkeypatch)
    yield
    assert not fair_shares._running and not fair_shares._waiting


@pytest.fixture
def taken(ann):
    """Take all that Ann may have, in other requests of hers."""
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


def test_data_are_refused_as_json(taken, owner, frame):
    answer = owner.get(f"data/{frame.pk}", ids=["0-1"])
    assert is_refused(answer) and answer.json["success"] is False
    assert "Too many of your requests" in answer.json["error"]


def test_page_says_what_to_do(taken, owner, frame):
    page = owner.get(f"main/{frame.pk}")
    assert is_refused(page) and "<h1>Too many requests at once</h1>" in page.text
    assert "Please wait a few seconds" in page.text


@pytest.mark.parametrize("name", ["csv", "parquet", "copy"])
def test_what_takes_a_whole_frame_is_refused(taken, owner, frame, name):
    assert is_refused(owner.browser.get(reverse(f"frames:{name}", args=[frame.pk])))


def test_files_are_refused(taken, owner):
    answer = owner.post("upload", data={"s.csv": "a\n1\n"})
    assert is_refused(answer) and "is still being read" in answer.json["error"]
    page = owner.browser.post(reverse("frames:upload"), data={})
    assert is_refused(page) and "is still being read" in page.text


def test_the_script_of_the_page_can_say_why_a_file_is_refused(taken, owner):
    headers = {"Accept": "application/x-ndjson"}
    answer = owner.browser.post(reverse("frames:upload"), data={}, headers=headers)
    assert (
        is_refused(answer) and "still being read" in json.loads(answer.text)["problem"]
    )


def test_push_is_refused(taken, owner, ann):
    token = Token.objects.issue(ann, "a program")
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"}
    url = reverse("frames:push")
    answer = owner.browser.post(url, data=b"a\n1\n", headers=headers)
    assert is_refused(answer) and "is still being read" in answer.json["error"]


def test_others_and_other_pages_are_answered(taken, owner, visitor, bob, publish):
    assert owner.browser.get("/").status_code == 200
    frame = publish(bob)
    other = visitor(bob)
    assert other.column(frame.pk) == [1, 2, 3]
    assert other.upload() > frame.pk
    assert visitor().get("main/1").status_code in (302, 404)


def test_request_that_waits_has_its_turn(monkeypatch, owner, frame, ann):
    wait_for(10, monkeypatch)
    with ExitStack() as stack, bind(Workspace(ann)):
        for _ in range(RUNNING[CALCULATION]):
            stack.enter_context(share(CALCULATION))
        threading.Timer(0.2, stack.pop_all().close).start()
        assert owner.column(frame.pk) == [1, 2, 3]


def test_gunicorn_gives_browsers_as_much():
    pool = pytest.importorskip("frames.gunicorn_pool")  # Windows has no gunicorn.
    assert pool.SHARE == RUNNING[CALCULATION]


def test_few_wait(monkeypatch, owner, frame, ann):
    monkeypatch.setattr(fair_shares, "WAITING", 0)
    wait_for(60, monkeypatch)
    with ExitStack() as stack, bind(Workspace(ann)):
        for _ in range(RUNNING[CALCULATION]):
            stack.enter_context(share(CALCULATION))
        began = time.monotonic()
        assert is_refused(owner.get(f"data/{frame.pk}", ids=["0-1"]))
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("is_closed_early", [True, False])
def test_answer_that_is_streamed_has_its_share_until_its_end(owner, is_closed_early):
    from io import BytesIO

    owner.upload()
    owner.browser.get("/")
    page = owner.browser.get("/").text
    token = page.split('csrfmiddlewaretoken" value="')[1].split('"')[0]
    file = BytesIO(b"a,b\n1,2\n"), "s.csv"
    answer = owner.browser.post(
        reverse("frames:upload"),
        data={"file": file, "csrfmiddlewaretoken": token},
        headers={"Accept": "application/x-ndjson"},
        buffered=False,
    )
    assert [*fair_shares._running.values()] == [1]
    if not is_closed_early:
        assert "location" in answer.text
    answer.close()


# Bodies -------------------------------------------------------------------------------


class Unread:
    """A body that nobody may ask for."""

    def read(self, *args):
        raise AssertionError("It was read.")

    readline = read


@pytest.mark.parametrize("path", ["/accounts/login/", "/admin/login/", "/create-df/"])
def test_long_body_of_nobody_is_not_read(visitor, path):
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


# Requests that are stuck --------------------------------------------------------------


def test_request_that_is_stuck_is_named(settings, owner, frame, caplog, rf):
    settings.FRAMES_MAX_SECONDS = 1
    answered = stuck.StuckMiddleware(lambda request: time.sleep(2.5) or HttpResponse())
    request = rf.get("/", {"query": "secret"})
    request.noted = {"request": "12ab", "method": "GET", "frame": frame.pk}
    answered(request)
    [record] = [each for each in caplog.records if each.name == "frames.stuck"]
    text = record.getMessage()
    assert record.levelname == "ERROR" and "Request 12ab is stuck" in text
    assert f"frame {frame.pk}" in text and "secret" not in text
    assert stuck.late() == []


def test_long_body_has_more_time(settings, rf):
    settings.FRAMES_MAX_SECONDS = 1
    late = []

    def slow(request):
        time.sleep(1.2)
        late.extend(stuck.late())
        return HttpResponse()

    long = rf.post("/", CONTENT_LENGTH=str(stuck.SLOW_LINE * 60))
    short = rf.get("/")
    short.noted = {"request": "12ab", "method": "GET"}
    for request in (long, short):
        stuck.StuckMiddleware(slow)(request)
    assert late == [short]


def test_no_request_is_stuck_without_a_limit(settings, rf):
    settings.FRAMES_MAX_SECONDS = 0
    seen = []
    stuck.StuckMiddleware(lambda request: seen.extend(stuck._running))(rf.get("/"))
    assert seen == []
