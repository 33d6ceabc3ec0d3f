"""The database or the storage is down for a while, and comes back."""

import contextlib
import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest
from services import Services
from test_frames_load import cells, zeros
from visitors import Visitor

WORKERS = 2
SECONDS = 10
PRODUCTION = {"DEBUG": "False", "HTTPS": "False", "FRAMES_LOGIN_REQUIRED": "False"}


@pytest.fixture(scope="module")
def services(project, collected, tmp_path_factory, postgres, s3):
    services = Services(project, tmp_path_factory.mktemp("outage"), postgres, s3)
    # Nothing is kept in memory, so that the storage is needed for what is not on disk.
    services.variables |= {**PRODUCTION, **collected, "FRAMES_CACHE_MB": "0"}
    services.manage("migrate", "--verbosity", "0")
    return services


@pytest.fixture(scope="module")
def site(services):
    """The site; at the end nobody has had to start another worker."""
    with services.serve(WORKERS) as site:
        workers = set(site.workers)  # Perhaps not all of them yet.
        yield site
        assert workers <= set(site.workers) and len(site.workers) == WORKERS
        log = [line for line in site.log.read_text().splitlines() if line[:1] == "{"]
        assert log and all(json.loads(line)["message"] for line in log)


def ask(visitor, path):
    """Return an answer's status (int), headers and text (str)."""
    request = urllib.request.Request(
        visitor.url + path, headers={"Sec-Fetch-Site": "same-origin"}
    )
    try:
        answer = visitor.opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


def assert_unavailable(visitor, path, what):
    """It says so within seconds, and when to ask again."""
    start = time.monotonic()
    status, headers, text = ask(visitor, path)
    assert status == 503, (path, status, text)
    assert time.monotonic() - start < 8
    assert int(headers["Retry-After"]) > 0
    assert f"{what} does not answer." in text and "(request " in text
    is_data = "/main/" not in path and visitor.dtale in path
    assert headers.get_content_type() == (
        "application/json" if is_data else "text/html"
    )


def others_are_up(site, visitor):
    """Who has no session needs neither of the two for these."""
    stranger = Visitor(site.url, site.prefix)
    for path in ("/", "/accounts/login/", "/healthz", "/static/dtale/none"):
        status = ask(stranger, path)[0]
        assert status == (404 if "none" in path else 200), path


class Editor:
    """Edits a frame all the time, from 4 threads, and knows what was acknowledged."""

    def __init__(self, visitor, id):
        self.visitor, self.id = visitor, id
        self.acknowledged, self.in_doubt, self.errors = {}, {}, []
        self.is_over = False

    def work(self, column):
        number = 0
        while not self.is_over:
            number += 1
            row = number % 50
            self.in_doubt.setdefault((column, row), set()).add(number)
            parameters = {"col": column, "rowIndex": row, "updated": str(number)}
            with contextlib.suppress(OSError, HTTPException):
                answer = self.visitor.get(f"edit-cell/{self.id}", **parameters)
                if answer == {"success": True}:
                    self.acknowledged[column, row] = number
                    self.in_doubt[column, row] = set()
                elif not answer["error"].startswith("503"):
                    self.errors.append(answer)

    @contextlib.contextmanager
    def working(self):
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(self.work, column) for column in "abcd"]
            try:
                yield
            finally:
                self.is_over = True
        for job in jobs:
            job.result()

    def check(self):
        """All that was acknowledged is there, or what was asked for after it."""
        assert self.errors == []
        found = cells(self.visitor, self.id)
        assert self.acknowledged
        for cell, value in found.items():
            allowed = {self.acknowledged.get(cell, 0)} | self.in_doubt.get(cell, set())
            assert value in allowed, (cell, value, allowed)


@contextlib.contextmanager
def down(server):
    server.stop()
    try:
        start = time.monotonic()
        yield
        time.sleep(max(0, start + SECONDS - time.monotonic()))
    finally:
        server.start()


def recovers(site, visitor, id):
    """Without a restart, and at once: both workers answer."""
    for _ in range(10):
        status, _, text = ask(visitor, f"{visitor.dtale}dtypes/{id}")
        assert status == 200, text
    assert ask(visitor, "/readyz")[0] == 200


def test_database_is_down(site, services, postgres):
    visitor = Visitor(site.url, site.prefix)
    id = visitor.upload(zeros(50, *"abcd"))
    editor = Editor(visitor, id)
    with editor.working():
        time.sleep(3)
        with down(postgres):
            dtale = f"{visitor.dtale}dtypes/{id}", f"{visitor.dtale}main/{id}"
            for path in (*dtale, f"/frames/{id}/copy/") * 2:
                assert_unavailable(visitor, path, "The database")
            others_are_up(site, visitor)
            status, _, text = ask(visitor, "/readyz")
            assert (status, json.loads(text)["database"]) == (503, "unavailable")
        recovers(site, visitor, id)
        time.sleep(3)
    editor.check()


def test_storage_is_down(site, services, s3):
    visitor = Visitor(site.url, site.prefix)
    id, other = visitor.upload(zeros(50, *"abcd")), visitor.upload("x\n1\n")
    fetched = services.directory / "fetched"
    editor = Editor(visitor, id)
    with editor.working():
        time.sleep(3)
        with down(s3):
            # What this machine has fetched already is there.
            assert visitor.get(f"data/{other}", ids=["0"])["results"]
            for path in fetched.iterdir():
                path.unlink()
            data = f"{visitor.dtale}data/{other}?ids=%5B%220%22%5D"
            assert_unavailable(visitor, data, "The storage of frames")
            page = f"{visitor.dtale}main/{other}"
            assert_unavailable(visitor, page, "The storage of frames")
            others_are_up(site, visitor)
            assert ask(visitor, "/")[0] == 200
            status, _, text = ask(visitor, "/readyz")
            assert (status, json.loads(text)["storage"]) == (503, "unavailable")
        recovers(site, visitor, id)
        time.sleep(3)
    editor.check()
    assert visitor.get(f"data/{other}", ids=["0"])["results"]
    services.manage("purge_frames", "--grace", "0")
    assert len(services.stored()) == services.count()
