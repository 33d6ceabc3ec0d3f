"""Two gunicorn workers read uploaded files in processes of one shared fork server."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests
from django.conf import settings

from .hostile_files import FILES, content
from .test_start import environment, python

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
SOME = ["corners", "three archives", "texts of Parquet", "long text of Feather"]
SOME += ["100,000 columns", "empty lists", "ever new keys", "zeros in an archive"]


class Gunicorn:
    """A gunicorn server for the site with its own data directory."""

    def __init__(self, directory):
        self.temporary = directory / "temporary"
        self.temporary.mkdir()
        variables = {
            "DATA_DIR": str(directory),
            "DATABASE_URL": f"sqlite:///{directory}/db.sqlite3",
            "FRAMES_STORAGE_URL": "",
            "FRAMES_LOGIN_REQUIRED": "False",
            "WEB_CONCURRENCY": "2",
            "TMPDIR": str(self.temporary),
        }
        assert python("manage.py", "migrate", **variables).returncode == 0
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--bind", self.address],
            cwd=settings.BASE_DIR,
            env=environment(variables),
        )
        self.wait_for(lambda: self.is_up() and len(self.workers()) == 2, 120)

    def is_up(self):
        try:
            return self.ask("/healthz").status_code == 200
        except requests.ConnectionError:
            return False

    def ask(self, path, **options):
        return requests.get(f"http://{self.address}{path}", timeout=60, **options)

    def children(self, pid=None):
        """Return the child processes of a process: {process id: command line}."""
        pid = pid or self.process.pid
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {
            int(child): Path(f"/proc/{child}/cmdline").read_bytes() for child in found
        }

    def server(self):
        """Return the process id of the fork server, of which there is only one."""
        [pid] = [
            pid
            for pid, line in self.children().items()
            if b"readers.process import server" in line
        ]
        return pid

    def workers(self):
        return [
            pid
            for pid, line in self.children().items()
            if b"readers.process import server" not in line
        ]

    def readers(self):
        return list(self.children(self.server()))

    def memory(self):
        """Return the total memory of the workers in megabytes."""
        pages = (
            Path(f"/proc/{pid}/statm").read_text().split()[1] for pid in self.workers()
        )
        return sum(map(int, pages)) * os.sysconf("SC_PAGE_SIZE") >> 20

    def send(self, name, data, headers=(), **options):
        """Upload a file as the home page does without JavaScript."""
        visitor = requests.Session()
        page = visitor.get(f"http://{self.address}/", timeout=60)
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        return visitor.post(
            f"http://{self.address}/frames/upload/",
            data={"csrfmiddlewaretoken": token},
            files={"file": (name, data)},
            headers={"Referer": f"http://{self.address}/", **dict(headers)},
            allow_redirects=False,
            timeout=60,
            **options,
        )

    @staticmethod
    def wait_for(condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory):
    gunicorn = Gunicorn(tmp_path_factory.mktemp("site"))
    yield gunicorn
    pids = [gunicorn.process.pid, *gunicorn.children()]
    gunicorn.process.terminate()
    gunicorn.process.wait(60)
    # All processes have to end.
    gunicorn.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.fixture
def unharmed(gunicorn):
    """Check that the workers survive and respond, and that no files are left."""
    for _ in range(6):  # Six uploads reach both workers.
        assert gunicorn.send("a.csv", b"a,b\n1,2\n").status_code == 302
    before, memory, slowest = gunicorn.workers(), gunicorn.memory(), [0.0]
    is_over = threading.Event()

    def probe():
        while not is_over.wait(0.2):
            begin = time.monotonic()
            assert gunicorn.ask("/healthz").status_code == 200
            slowest.append(time.monotonic() - begin)

    thread = threading.Thread(target=probe)
    thread.start()
    yield
    is_over.set()
    thread.join()
    assert gunicorn.workers() == before
    assert gunicorn.memory() - memory < 300
    assert max(slowest) < 5  # A probe takes up to 1 second on an idle machine.
    gunicorn.wait_for(lambda: not gunicorn.readers())
    assert list(gunicorn.temporary.glob("reader-*")) == []


@pytest.mark.parametrize("name", SOME)
def test_hostile_file_does_not_harm_workers(gunicorn, unharmed, name):
    begin = time.monotonic()
    answer = gunicorn.send(FILES[name][0], content(name))
    assert answer.status_code in (302, 400, 413), answer.text
    # The upload takes up to 15 seconds on an idle machine.
    assert time.monotonic() - begin < 30


SLOW = "empty lists"


def test_reader_ends_when_the_client_disconnects(gunicorn, unharmed):
    answer = gunicorn.send(
        FILES[SLOW][0],
        content(SLOW),
        headers={"Accept": "application/x-ndjson"},
        stream=True,
    )
    assert b"reading" in next(answer.iter_lines())
    gunicorn.wait_for(gunicorn.readers)
    answer.close()
    gunicorn.wait_for(lambda: not gunicorn.readers(), 5)


def test_reader_ends_when_its_worker_is_killed(gunicorn):
    """The fork server survives and serves the new workers."""
    server = gunicorn.server()
    sends = threading.Thread(
        target=lambda: pytest.raises(
            requests.ConnectionError, gunicorn.send, FILES[SLOW][0], content(SLOW)
        )
    )
    sends.start()
    gunicorn.wait_for(gunicorn.readers)
    [reader] = gunicorn.readers()
    for worker in gunicorn.workers():
        os.kill(worker, signal.SIGKILL)
    gunicorn.wait_for(lambda: not Path(f"/proc/{reader}").exists(), 5)
    sends.join()
    gunicorn.wait_for(lambda: list(gunicorn.temporary.glob("reader-*")) == [])
    gunicorn.wait_for(lambda: gunicorn.is_up() and len(gunicorn.workers()) == 2)
    assert gunicorn.send("a.csv", b"a,b\n1,2\n").status_code == 302
    assert gunicorn.server() == server
