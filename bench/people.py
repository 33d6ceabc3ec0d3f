"""Measure 50 people who analyze four shared tables at the same time.

First, they request one analysis after the other, and the requests per second are counted.
Then each person reads the grid or starts an analysis about once a second, and the time that
they wait is measured. D-Tale alone has one worker with a lock, because it keeps its tables in
one process and is not safe for threads.
"""

import http.client
import random
import statistics
import threading
import time

from .analysis import BENCH, Client
from .figures import Figure, more
from .operations import OPERATIONS, grid
from .published import told
from .servers import Server
from .sites import run

PEOPLE, TABLES, WORKERS = 50, 4, 2
SECONDS = 30  # The duration of each phase.
THINKING = 0.5, 1.5  # Seconds between two requests of a person, in the second phase.

PUBLISH = """
import pathlib, sys
sys.path.insert(0, {bench!r})
from answer import mixed
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django_dtale import publish
people, cookies = [], []
for number in range({people}):
    user = get_user_model().objects.create_user(f"person{{number}}")
    client = Client()
    client.force_login(user)
    people.append(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    cookies.append(f"{{session.key}}={{session.value}}")
frame = mixed({rows})
frames = [
    publish(frame, owner=people[0], name=f"table {{n}}", shared_with=people[1:])
    for n in range({tables})
]
lines = [" ".join(str(each.pk) for each in frames), *cookies]
pathlib.Path("people").write_text("\\n".join(lines))
"""

# Exports are left out, and operations that need a filter or a sort before them.
PATHS = [
    path
    for each in OPERATIONS
    if not (each.before or each.after or each.is_export)
    for path in each.paths
]


class Crowd:
    """People with a connection each.

    Args:
        clients: for each person, a ``Client`` for each table.
    """

    def __init__(self, clients):
        self.clients = clients
        self.waited = {"analysis": [], "grid": []}
        self.failed = 0

    def work(self, person, seconds, think):
        chosen = random.Random(person)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if think:
                time.sleep(chosen.uniform(*THINKING))
            client = chosen.choice(self.clients[person])
            kind = chosen.choice(["analysis", "grid"]) if think else "analysis"
            start = chosen.randrange(0, 900)
            page = grid(rows=f"{start}-{start + 60}")
            path = page if kind == "grid" else chosen.choice(PATHS)
            try:
                took, is_result = client.get(path)
            except (http.client.HTTPException, OSError):
                client.connection.close()
                self.failed += 1
                continue
            self.waited[kind].append(took)
            self.failed += not is_result

    def all_work(self, seconds, think=False):
        """Let all people work. Return the number of analyses per second."""
        self.waited = {"analysis": [], "grid": []}
        threads = [
            threading.Thread(target=self.work, args=(person, seconds, think))
            for person in range(len(self.clients))
        ]
        start = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(self.waited["analysis"]) / (time.perf_counter() - start)

    def percentile(self, kind):
        """Return the 95th percentile of the seconds that people wait."""
        return statistics.quantiles(self.waited[kind], n=20)[-1]


def figures(sites, rows):
    """Yield the throughput, and how long people wait."""
    generated, tutorial = sites["generated"], sites["tutorial"]
    code = PUBLISH.format(bench=str(BENCH), rows=rows, people=PEOPLE, tables=TABLES)
    run(generated, "manage.py", "shell", "-c", code)
    frames, *cookies = told(generated, "people").splitlines()
    env = {
        "PYTHONPATH": str(BENCH),
        "BENCH_ROWS": " ".join([str(rows)] * TABLES),
        "BENCH_LOCK": "1",
    }
    with Server(generated, WORKERS) as server:
        ours = Crowd(
            [
                [Client(server, "/flask", pk, cookie) for pk in frames.split()]
                for cookie in cookies
            ]
        )
        throughput = ours.all_work(SECONDS)
        ours.all_work(SECONDS, think=True)
    plain = "plain_server"
    with Server(tutorial, 1, plain, page="/dtale/main/1", env=env) as server:
        ids = [str(number + 1) for number in range(TABLES)]
        alone = Crowd([[Client(server, "", n) for n in ids] for _ in cookies])
        theirs = alone.all_work(SECONDS)
        alone.all_work(SECONDS, think=True)
    what = f"{PEOPLE} people, four tables of {rows:,} rows"
    against = f"D-Tale alone with a lock, {theirs:.1f}/s"
    yield more(f"analyses per second of {what}", throughput / theirs, against, 8)
    for kind, goal in ("analysis", 0.3), ("grid", 0.05):
        waited, before = ours.percentile(kind), alone.percentile(kind)
        yield Figure(
            f"95 % of requests for {'an' if kind == 'analysis' else 'a'} {kind}, {what}",
            f"within {1000 * waited:,.0f} ms",
            f"D-Tale alone with a lock, {1000 * before:,.0f} ms",
            f"{1000 * goal:.0f} ms",
            missed=waited > goal,
        )
    yield Figure(
        f"failed requests of {what}",
        f"{ours.failed}",
        f"D-Tale alone with a lock, {alone.failed}",
        "0",
        missed=ours.failed > 0,
    )
