"""50 people use a site while workers are killed and its services restart.

SOAK_MINUTES sets the duration. The default is 3, and `make soak` uses 30.
"""

import json
import os
import random
import re
import signal
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from lengths import length
from services import Services, down
from soak import MANY_ROWS, Ledger, Person
from test_machines import PRODUCTION

SECONDS = 60 * float(os.environ.get("SOAK_MINUTES", length(1, 3)))
PEOPLE = 50
WORKERS = 4
KILL = 20  # A worker is killed every KILL seconds.
LOOK = 5  # The memory is measured every LOOK seconds.
# The memory in the last quarter may exceed that in the second quarter by this factor.
# In short runs, processes are still growing: each thread keeps the memory that its
# largest file has taken.
GROWTH = 1.05 if SECONDS >= 20 * 60 else 1.25
CONNECT = 5  # The site's connection timeout in seconds.
GRACE = 2  # The longest delay in seconds between an outage or a kill and its effects.

# Sign in without passwords, because password hashes are slow by design.
ACCOUNTS = f"""
from django.contrib.auth import get_user_model
from django.test import Client
for number in range(1, {PEOPLE} + 1):
    client = Client()
    client.force_login(get_user_model().objects.create_user(f"person{{number}}"))
    print(client.cookies["sessionid"].value)
"""


class Soak:
    """A site with its users, and the failures that the test causes.

    Attributes:
        kills: The times at which workers were killed, in seconds.
        outages: The (start, end) of each outage, in seconds.
        memory: The samples: seconds since the start, MB of all processes, and MB of the
            worker that is never killed.
    """

    def __init__(self, site, services, sessions):
        self.site, self.services = site, services
        self.ledger = Ledger()
        self.people = [
            Person(site, self.ledger, number, key, MANY_ROWS if number <= 4 else 100)
            for number, key in enumerate(sessions, start=1)
        ]
        for person, other in pairwise([*self.people, self.people[0]]):
            person.other = other
        self.elder = site.workers[0]
        self.kills, self.outages, self.memory = [], [], []
        self.over = threading.Event()

    def run(self):
        start = time.monotonic()
        with ThreadPoolExecutor(PEOPLE + 2) as pool:
            jobs = [pool.submit(person.work, self.over) for person in self.people]
            jobs.append(pool.submit(self.every, KILL, self.kill))
            jobs.append(pool.submit(self.every, LOOK, self.look, start))
            try:
                self.restart()
                time.sleep(max(0, start + SECONDS - time.monotonic()))
            finally:
                self.over.set()
        for job in jobs:
            job.result()
        with ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(Person.check, self.people))

    def every(self, seconds, act, *arguments):
        while not self.over.wait(seconds):
            act(*arguments)

    def kill(self):
        """Kill a random worker. Spare the oldest, whose memory would show a leak."""
        others = [pid for pid in self.site.workers if pid != self.elder]
        self.kills.append(time.monotonic())
        os.kill(random.choice(others), signal.SIGKILL)

    def restart(self):
        """Restart the database after a third of the time, and later the storage.

        The method runs in the main thread, because PostgreSQL ends with the thread that
        has started it.
        """
        for server in (self.services.postgres, self.services.s3):
            time.sleep(max(0, SECONDS / 3 - 15))
            start = time.monotonic()
            with down(server):
                pass
            self.outages.append((start, time.monotonic()))

    def look(self, start):
        # The process may just have ended.
        with suppress(FileNotFoundError, ProcessLookupError):
            workers = [megabytes(pid) for pid in self.site.workers]
            tree = megabytes(self.site.process.pid) + sum(workers)
            seconds = time.monotonic() - start
            self.memory.append((seconds, tree, megabytes(self.elder)))

    def quarters(self, number):
        """Return the medians of a column of `memory` in each quarter of the time."""
        parts = [[], [], [], []]
        for sample in self.memory:
            parts[min(3, int(4 * sample[0] / SECONDS))].append(sample[number])
        return [round(statistics.median(part), 1) for part in parts]

    def report(self):
        ledger = self.ledger
        lines = [f"{PEOPLE} people, {WORKERS} workers, {SECONDS / 60:g} minutes"]
        for (what, status), count in sorted(ledger.answers.items()):
            lines.append(f"{count:8} {status} {what}")
        lines += [
            f"{ledger.edits} edits acknowledged; {len(ledger.unavailable)} times 503; "
            f"{len(ledger.cut)} connections cut off; {len(ledger.mistakes)} mistakes",
            f"{len(self.kills)} workers killed, {len(self.outages)} outages",
            f"MB of all processes, by quarter: {self.quarters(1)}",
            f"MB of the oldest worker, by quarter: {self.quarters(2)}",
        ]
        return "\n".join(lines)


def megabytes(pid):
    """Return a process's proportional set size in MB."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.search(r"^Pss:\s+(\d+) kB", rollup, re.M)[1]) / 1024


def test_no_data_is_lost_during_outages_and_worker_kills(
    project, tmp_path, postgres, s3, collected, capsys
):
    """There is only one test, because xdist would run a fixture in each process."""
    services = Services(project, tmp_path, postgres, s3)
    # With this low limit, each process fills its cache before the second quarter. If
    # the memory grows later, there is a leak.
    services.variables |= {**PRODUCTION, **collected, "FRAMES_CACHE_MB": "50"}
    services.variables["FRAMES_LOGIN_REQUIRED"] = "True"
    services.manage("migrate", "--verbosity", "0")
    told = services.manage("shell", "--verbosity", "0", "--command", ACCOUNTS)
    with services.serve(WORKERS) as site:
        while len(site.workers) < WORKERS:
            time.sleep(0.1)
        soak = Soak(site, services, told.split())
        soak.run()
        with capsys.disabled():
            print(f"\n{soak.report()}")
        assert soak.elder in site.workers and len(site.workers) == WORKERS
    assert len(soak.kills) > SECONDS / KILL - 3 and len(soak.outages) == 2
    assert soak.ledger.mistakes == []
    assert soak.ledger.edits > SECONDS / 5
    check_answers(soak)
    check_log(site.log.read_text().splitlines())
    for number in (1, 2):
        _, second, _, last = soak.quarters(number)
        assert last <= GROWTH * second, soak.report()


def check_answers(soak):
    """Check that requests failed only during outages or because of killed workers."""
    ledger = soak.ledger
    assert {status for _, status in ledger.answers if status >= 500} == {503}
    for began, ended in ledger.unavailable:
        # On an overloaded machine, the database may respond too slowly.
        assert ended - began >= CONNECT or any(
            start - GRACE <= ended and began <= end + GRACE
            for start, end in soak.outages
        ), (began, ended, soak.outages)
    for began, ended, error in ledger.cut:
        assert any(began - GRACE <= kill <= ended for kill in soak.kills), error


def check_log(log):
    """Check that the log contains no failures that were hidden from the users."""
    assert not [line for line in log if line.startswith("Traceback")]
    lines = [json.loads(line) for line in log if line[:1] == "{"]
    answered = {line["request"]: line["status"] for line in lines if "status" in line}
    assert all(status < 500 or status == 503 for status in answered.values())
    for line in lines:
        if (
            line["level"] in ("ERROR", "CRITICAL")
            and line["logger"] != "gunicorn.error"
        ):
            # A killed worker does not log the status of its request. After a saved
            # edit, old files may remain in the storage until purge_frames deletes them.
            is_told = answered.get(line.get("request"), 503) == 503
            assert is_told or line["logger"] == "django_dtale.storage.s3", line
