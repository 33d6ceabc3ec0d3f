"""Run the sites with gunicorn, and measure their throughput and memory."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

from .measure import QUIET, free_address
from .sites import SERVED

SECONDS = 4  # The duration of each round of load.


class Server:
    """A gunicorn server for a site.

    Args:
        application: the name of the WSGI application, if the site has no
            gunicorn.conf.py.
        page: the path that answers as soon as the server is ready.
        env: more environment variables.
    """

    def __init__(self, site, workers, application=None, page="/admin/login/", env=None):
        self.address = free_address()
        self.url = f"http://{self.address}"
        self.page = page
        # A frame can take longer to load than gunicorn's default timeout.
        names = [application, "--timeout", "600"] if application else []
        self.process = subprocess.Popen(
            [site.python, "-m", "gunicorn", *names]
            + ["--bind", self.address, "--workers", str(workers), "--threads", "8"],
            cwd=site.path,
            env={**os.environ, **SERVED, **(env or {})},
            **QUIET,
        )
        self.wait()

    def wait(self):
        for _ in range(600):
            assert self.process.poll() is None, f"no server at {self.url}"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(self.url + self.page, timeout=60).close()
                return
            time.sleep(0.1)
        raise TimeoutError(self.url)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def pids(self):
        pid = self.process.pid
        return [
            int(each)
            for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]

    def memory(self):
        """Return the memory of all processes in kB. Shared memory is counted once."""
        texts = (
            Path(f"/proc/{pid}/smaps_rollup").read_text()
            for pid in (self.process.pid, *self.pids())
        )
        return sum(int(re.search(r"^Pss: +(\d+)", text, re.M)[1]) for text in texts)

    def cpu(self):
        """Return the CPU seconds that the threads of the workers have used so far."""
        threads = (
            path
            for pid in self.pids()
            for path in Path(f"/proc/{pid}/task").glob("*/schedstat")
        )
        return sum(int(path.read_text().split()[0]) for path in threads) / 1e9


def load(url, headers=()):
    """Return the requests per second that a server can handle, measured with wrk.

    Raises:
        AssertionError: a request failed, or wrk is not installed.
    """
    wrk = shutil.which("wrk")
    assert wrk, "wrk is missing: https://github.com/wg/wrk"
    command = [wrk, "-t1", "-c16", f"-d{SECONDS}s", "--timeout", "30s"]
    for header in headers:
        command += ["-H", header]
    told = subprocess.run([*command, url], capture_output=True, text=True).stdout
    assert "Non-2xx" not in told and "Socket errors" not in told, told
    return float(re.search(r"Requests/sec: +([\d.]+)", told)[1])
