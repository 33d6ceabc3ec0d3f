"""Two machines share only a database and a storage. Each part can fail.

Each machine is a gunicorn server in a copy of the project with its own directory.
"""

import contextlib
import copy
import json
import os
import re
import shutil
import signal
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException

import pytest
from conftest import PASSWORD, Project
from services import Services, down
from test_frames_load import cells, edit, zeros
from visitors import Visitor, hidden

PRODUCTION = {"DEBUG": "False", "HTTPS": "False", "FRAMES_LOGIN_REQUIRED": "False"}
FIRST = ["0"]  # Tests request this row of a frame.


@pytest.fixture(scope="module")
def services(project, tmp_path_factory, postgres, s3):
    services = Services(project, tmp_path_factory.mktemp("machines"), postgres, s3)
    services.variables |= PRODUCTION
    project.set_up("ann", **services.variables)
    return services


@pytest.fixture(scope="module")
def serve_on(services, collected):
    """Return a function that serves the site on a simulated machine: serve_on("a")."""

    @contextlib.contextmanager
    def serve_on(name, **variables):
        path = services.directory / name
        ours = shutil.ignore_patterns(".venv", "data", "*.log", "__pycache__")
        shutil.copytree(services.project.path, path, ignore=ours)
        (path / ".venv").symlink_to(services.project.path / ".venv")
        static = shutil.copytree(
            collected["STATIC_ROOT"], path / "static", copy_function=os.link
        )
        project = Project(path, services.project.prefix)
        variables |= services.variables
        variables |= {"DATA_DIR": str(path / "data"), "STATIC_ROOT": str(static)}
        with project.serve(**variables) as site:
            yield site

    return serve_on


@pytest.fixture(scope="module")
def a(serve_on):
    # Without a memory cache, this machine reads its disk or the storage in each
    # request.
    with serve_on("a", FRAMES_CACHE_MB="0") as site:
        yield from as_it_was(site)


@pytest.fixture(scope="module")
def b(serve_on):
    with serve_on("b") as site:
        yield from as_it_was(site)


def as_it_was(site):
    """Yield the site. Afterwards, check that no worker has been replaced."""
    workers = site.workers
    yield site
    assert site.workers == workers
    log = [line for line in site.log.read_text().splitlines() if line[:1] == "{"]
    assert log and all(json.loads(line)["message"] for line in log)


def at(site, visitor):
    """Return the same visitor, with the same cookies, on another machine."""
    other = copy.copy(visitor)
    other.url = site.url
    return other


def ask(visitor, path):
    """Return the status, headers and text of a response."""
    request = urllib.request.Request(
        visitor.url + path, headers={"Sec-Fetch-Site": "same-origin"}
    )
    try:
        answer = visitor.opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


# Both machines are up -----------------------------------------------------------------


def test_session_is_shared_between_machines(a, b):
    there = Visitor(a.url, a.prefix)
    there.sign_in("ann", PASSWORD)
    here = at(b, there)
    assert "Sign out" in ask(here, "/")[2]
    assert here.submit("/", "/accounts/logout/") == "/"
    for each in (here, there):
        assert "Sign in" in ask(each, "/")[2]


def test_changes_are_visible_immediately_on_the_other_machine(a, b):
    there = Visitor(a.url, a.prefix)
    id = there.upload(zeros(3, "x", "y"))
    here = at(b, there)
    for number in range(1, 11):
        for writer, reader in ((there, here), (here, there)):
            edit(writer, id, "x", 0, number)
            assert cells(reader, id)["x", 0] == number
            number = -number
    assert there.get(f"rename-col/{id}", col="y", rename="z")["success"]
    assert [each["name"] for each in here.get(f"dtypes/{id}")["dtypes"]] == ["x", "z"]
    assert here.get("cleanup-datasets", dataIds=id)["success"]
    assert there.get(f"dtypes/{id}")["error"].startswith("401")


def test_concurrent_changes_from_both_machines_are_saved(a, b):
    """Concurrent changes are serialized."""
    there = Visitor(a.url, a.prefix)
    id = there.upload(zeros(30, "x", "y"))
    here = at(b, there)
    jobs = [partial(edit, there, id, "x", row, row + 1) for row in range(30)]
    jobs += [partial(edit, here, id, "y", row, row + 1) for row in range(30)]
    with ThreadPoolExecutor(8) as pool:
        for job in [pool.submit(job) for job in jobs[::2] + jobs[1::2]]:
            job.result()
    expected = {(name, row): row + 1 for name in "xy" for row in range(30)}
    assert cells(here, id) == cells(there, id) == expected


def test_pushed_frame_opens_on_the_other_machine(a, b):
    there = Visitor(a.url, a.prefix)
    there.sign_in("ann", PASSWORD)
    tokens = "/frames/tokens/"
    token = "csrfmiddlewaretoken", hidden(there.open(tokens)[1])["csrfmiddlewaretoken"]
    fields = [token, ("name", "a program"), ("scope", "write"), ("days", "30")]
    body = urllib.parse.urlencode(fields).encode()
    page = there.open(tokens, body, "application/x-www-form-urlencoded")[1]
    token = re.search(r"dtale_[\w-]{20,}", page)[0]
    request = urllib.request.Request(
        f"{a.url}/frames/push/?name=sales.csv",
        b"city,people\nOslo,717710\n",
        {"Authorization": f"Bearer {token}"},
    )
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        request, timeout=60
    ) as answer:
        id = json.load(answer)["id"]
    here = at(b, there)
    assert "sales" in here.open(f"{here.dtale}main/{id}")[1]
    assert cells(here, id) == {("city", 0): "Oslo", ("people", 0): 717710}


# One machine is killed ----------------------------------------------------------------


class Editor:
    """A client that edits a frame from 4 threads and records the acknowledged edits.

    Args:
        there, here: The visitor on one machine and on the other one.
        id: The id of the frame.
    """

    def __init__(self, there, here, id):
        self.visitors = {"a": there, "b": there, "c": here, "d": here}
        self.id = id
        self.acknowledged, self.in_doubt, self.errors = {}, {}, []
        self.is_over = False

    def work(self, column):
        number = 0
        while not self.is_over:
            number += 1
            row = number % 50
            self.in_doubt.setdefault((column, row), set()).add(number)
            parameters = {"col": column, "rowIndex": row, "updated": str(number)}
            try:
                answer = self.visitors[column].get(f"edit-cell/{self.id}", **parameters)
            except (OSError, HTTPException):
                time.sleep(0.05)  # The machine is down.
                continue
            if answer == {"success": True}:
                self.acknowledged[column, row] = number
                self.in_doubt[column, row] = set()
            elif not answer["error"].startswith("503"):
                self.errors.append(answer)

    @contextlib.contextmanager
    def working(self):
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(self.work, column) for column in self.visitors]
            try:
                yield
            finally:
                self.is_over = True
        for job in jobs:
            job.result()

    def wait_for(self, columns):
        """Wait until an edit in each of these columns has been acknowledged."""
        before, end = dict(self.acknowledged), time.monotonic() + 60
        while time.monotonic() < end:
            time.sleep(0.1)
            new = dict(self.acknowledged).items() - before.items()
            if {column for (column, _), _ in new} >= set(columns):
                return
        raise AssertionError(f"No new edits of {columns} for a minute: {self.errors}")

    def check(self, visitor):
        """Check that each cell has the last acknowledged value, or a later one."""
        assert self.errors == []
        for cell, value in cells(visitor, self.id).items():
            allowed = {self.acknowledged.get(cell, 0)} | self.in_doubt.get(cell, set())
            assert value in allowed, (cell, value, allowed)


def test_acknowledged_edits_survive_a_killed_machine(serve_on, b, services):
    here = Visitor(b.url, b.prefix)
    id = here.upload(zeros(50, *"abcd"))
    with serve_on("c") as c:
        editor = Editor(at(c, here), here, id)
        with editor.working():
            editor.wait_for("abcd")
            for pid in (c.process.pid, *c.workers):
                os.kill(pid, signal.SIGKILL)
            editor.wait_for("cd")
    editor.check(here)
    assert ask(here, "/readyz")[0] == 200


# The database or the storage is down --------------------------------------------------


def assert_unavailable(visitor, path, what):
    """Check that an error comes within seconds, with Retry-After and a reason."""
    start = time.monotonic()
    status, headers, text = ask(visitor, path)
    assert status == 503, (path, status, text)
    assert time.monotonic() - start < 8
    assert int(headers["Retry-After"]) > 0
    assert f"{what} is not responding." in text and "(request " in text
    is_data = "/main/" not in path and visitor.dtale in path
    assert headers.get_content_type() == (
        "application/json" if is_data else "text/html"
    )


def others_are_up(site):
    """Check pages that need neither the database nor the storage."""
    stranger = Visitor(site.url, site.prefix)
    style = re.search(r'href="(/static/[^"]+\.css)"', ask(stranger, "/")[2])[1]
    for path in ("/", "/accounts/login/", "/healthz", style):
        assert ask(stranger, path)[0] == 200, path


def not_ready(visitor, part):
    status, _, text = ask(visitor, "/readyz")
    assert (status, json.loads(text)[part]) == (503, "unavailable")


def recovers(visitor, id):
    """Check that the site works again without a restart."""
    for _ in range(5):
        status, _, text = ask(visitor, f"{visitor.dtale}dtypes/{id}")
        assert status == 200, text
    assert ask(visitor, "/readyz")[0] == 200


def test_site_recovers_from_a_database_outage(a, b, postgres):
    there = Visitor(a.url, a.prefix)
    here = at(b, there)
    id = there.upload(zeros(50, *"abcd"))
    editor = Editor(there, here, id)
    with editor.working():
        editor.wait_for("abcd")
        with down(postgres):
            for visitor in (there, here):
                dtale = f"{visitor.dtale}dtypes/{id}", f"{visitor.dtale}main/{id}"
                for path in (*dtale, f"/frames/{id}/copy/"):
                    assert_unavailable(visitor, path, "The database")
                not_ready(visitor, "database")
            others_are_up(a)
            others_are_up(b)
        recovers(there, id)
        recovers(here, id)
        editor.wait_for("abcd")
    editor.check(here)


def test_site_recovers_from_a_storage_outage(a, b, services, s3):
    there = Visitor(a.url, a.prefix)
    here = at(b, there)
    id, other = there.upload(zeros(50, *"abcd")), there.upload("x\n1\n")
    editor = Editor(there, here, id)
    with editor.working():
        editor.wait_for("abcd")
        with down(s3):
            # This machine has already fetched the frame.
            assert there.get(f"data/{other}", ids=FIRST)["results"]
            for path in (services.directory / "a" / "data" / "fetched").iterdir():
                # The site may have deleted this file in the meantime.
                path.unlink(missing_ok=True)
            ids = urllib.parse.quote(json.dumps(FIRST))
            # The other machine has never fetched the frame.
            for visitor in (there, here):
                for path in (f"data/{other}?ids={ids}", f"main/{other}"):
                    path = visitor.dtale + path
                    assert_unavailable(visitor, path, "The storage of tables")
                not_ready(visitor, "storage")
                assert ask(visitor, "/")[0] == 200
            others_are_up(a)
            others_are_up(b)
        recovers(there, id)
        recovers(here, id)
        editor.wait_for("abcd")
    editor.check(here)
    assert here.get(f"data/{other}", ids=FIRST)["results"]
    services.manage("purge_frames", "--grace", "0")
    assert services.stored() == services.needed()
