"""What is measured: each part yields figures, with the goal that the project has set.

Frames of a thousand to five million rows, of ten columns; see `answer.py`.
"""

import subprocess
from functools import partial
from pathlib import Path

from . import visits
from .answer import DATA
from .figures import Figure, faster, less, more
from .measure import cpu_and_memory, first_page, wall
from .processes import compare, in_turns
from .servers import Server, load
from .sites import bake, make_sites, run

ROUNDS = 5
MILLION = 1_000_000
SIZES = 1_000, 100_000, MILLION


def part_bake(workdir):
    """How long the command takes that generates the project."""
    targets = iter(workdir / f"bake{number}" for number in range(ROUNDS))
    medians, _ = in_turns("bake", ROUNDS, {"bake": lambda: wall(bake, next(targets))})
    yield Figure("bake with defaults", f"{medians['bake']:.1f} s", "")


def part_startup(workdir):
    """What Django's side costs before D-Tale is asked for."""
    sites = make_sites(workdir)
    check = ["manage.py", "check"]
    measures = {
        "`manage.py check`, CPU": (lambda site: cpu_and_memory(site, check)[0], 1.15),
        "`manage.py check`, peak memory": (
            lambda site: cpu_and_memory(site, check)[1],
            None,
        ),
        "server start to first page": (first_page, 1.15),
    }
    for what, (measure, goal) in measures.items():
        subjects = {
            name: partial(measure, sites[name])
            for name in ("generated", "tutorial", "bare Django")
        }
        medians, ratio = in_turns(what, 2 * ROUNDS, subjects)
        tutorial = medians["tutorial"] / medians["bare Django"]
        yield less(what, ratio, f"bare Django (the tutorial: {tutorial:.1f}x)", goal)


def part_pages(workdir):
    """What the dispatcher costs Django's own pages."""
    sites = make_sites(workdir)
    script = str(Path(__file__).with_name("dispatching.py"))

    def call(kind):
        command = [sites["generated"].python, script, kind]
        return float(subprocess.check_output(command, cwd=sites["generated"].path))

    subjects = {kind: partial(call, kind) for kind in ("ours", "werkzeug")}
    _, ratio = in_turns("a call", ROUNDS, subjects)
    against = "Werkzeug's DispatcherMiddleware"
    yield less("dispatcher alone, a call", ratio, against, 1.0)

    bare = sites["bare Django"]
    ours = sites["generated"].path / "django_d_tale" / "dispatcher.py"
    (bare.path / "dispatcher.py").write_text(ours.read_text())
    (bare.path / "dispatched.py").write_text(
        "from dtale_test.wsgi import application\n"
        "from dispatcher import PathDispatcher\n"
        "application = PathDispatcher(application, lambda prefix: None, 'flask')\n"
    )
    with (
        Server(bare, 1, "dispatched") as dispatched,
        Server(bare, 1, "dtale_test.wsgi") as alone,
    ):
        subjects = {
            name: partial(load, f"{server.url}/admin/login/")
            for name, server in (("dispatched", dispatched), ("alone", alone))
        }
        _, ratio = in_turns("Django's page", 3 * ROUNDS, subjects)
    yield more("Django's page through it, requests/s", ratio, "bare Django", 0.97)


OPENING = {
    "`explore()`, 1M x 10, one column of dates": ("open mixed", "`startup`", 8),
    "`explore()`, 1M x 10, ten columns of dates": ("open dates", "`startup`", 50),
    "CSV of 1M x 10 to an open grid": ("open csv", "`read_csv` and `startup`", 4),
    "the same, dates as dates": (
        "open csv, dates",
        "`read_csv`, told which, and `startup`",
        4,
    ),
}


def part_opening(workdir):
    """From data to a grid, and back to the disk."""
    site = make_sites(workdir)["generated"]
    lines = {what: line for what, (line, *_) in OPENING.items()}
    for what, ratio, _ in compare(site, "opening", lines, MILLION, ROUNDS):
        _, against, goal = OPENING[what]
        yield faster(what, ratio, f"the tutorial's {against}", goal)
    lines = {"edit of one cell, 1M x 10, durable": "edit cell"}
    for what, _, seconds in compare(site, "edit", lines, MILLION, 3 * ROUNDS):
        told, goal = f"{seconds * 1000:+.0f} ms", "at most +60 ms"
        yield Figure(what, told, "the tutorial, in memory only", goal)


REQUESTS = {
    "`/dtale/data`": DATA,
    "`/dtale/main`": "main/ID",
    "`/dtale/describe` of floats": "describe/ID?col=float",
    "`/dtale/describe` of text": "describe/ID?col=text",
    "`/dtale/describe` of dates": "describe/ID?col=day",
    "`/dtale/column-analysis` of floats": "column-analysis/ID?col=float"
    "&type=histogram&bins=20",
    "`/dtale/column-analysis` of text": "column-analysis/ID?col=text&type=value_counts",
}
AT_MILLION = {"`/dtale/data`": 1.2, "`/dtale/describe` of text": 0.2}
FILTER = (
    "save-column-filter/ID?col=int&cfg=%7B%22type%22%3A%22int%22%2C%22operand%22%3A%22%3E"
    "%22%2C%22value%22%3A500%7D"
)


def part_frames(workdir):
    """Requests of D-Tale's, with login, gate, rows and storage."""
    site = make_sites(workdir)["generated"]
    for rows in (*SIZES, 5 * MILLION):
        goals = AT_MILLION if rows == MILLION else {}
        asked = REQUESTS if rows <= MILLION else dict([*REQUESTS.items()][:2])
        for what, ratio, _ in compare(site, f"{rows:,}", asked, rows, ROUNDS):
            told = f"{what}, {rows:,} rows"
            yield less(told, ratio, "D-Tale alone", goals.get(what))
        filtered = {f"`/dtale/data` with a filter, {rows:,} rows": DATA}
        for what, ratio, _ in compare(site, "", filtered, rows, ROUNDS, first=FILTER):
            goal = 0.3 if rows == MILLION else None
            yield less(what, ratio, "D-Tale alone", goal)


# Without the gate somebody has to say whose frames these are; the second is told.
GATELESS = {"ungated": "the same without it", "told": "that, told who asks"}


def part_gate(workdir):
    """What it costs to ask who sends a request, from where, and for what."""
    site = make_sites(workdir)["generated"]
    for kind, against in GATELESS.items():
        for rows in SIZES:
            data = {f"the gate, of `/dtale/data`, {rows:,} rows": DATA}
            kinds = "generated", kind
            for what, ratio, _ in compare(site, kind, data, rows, 5 * ROUNDS, kinds):
                yield less(what, ratio, against, 1.15 if kind == "ungated" else None)


PUBLISH = """
import pathlib, sys
sys.path.insert(0, {bench!r})
from answer import mixed
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from frames.models import Frame
user = get_user_model().objects.get_or_create(username="bench")[0]
client = Client()
client.force_login(user)
frame = Frame.objects.publish(mixed({rows}), owner=user)
session = client.cookies[settings.SESSION_COOKIE_NAME]
cookie = f"{{session.key}}={{session.value}}"
pathlib.Path("published").write_text(f"{{cookie}} {{frame.pk}}")
"""


def part_workers(workdir):
    """What further workers bring, and what they cost."""
    sites = make_sites(workdir)
    site = sites["generated"]
    code = PUBLISH.format(bench=str(Path(__file__).parent), rows=MILLION)
    run(site, "manage.py", "shell", "-c", code)
    cookie, pk = (site.path / "published").read_text().split()
    headers = f"Cookie: {cookie}", "Sec-Fetch-Site: same-origin"
    path = f"/flask/dtale/{DATA.replace('ID', pk)}"
    for workers in (2, 4):
        with Server(site, workers) as many, Server(site, 1) as one:
            subjects = {
                name: partial(load, f"{server.url}{path}", headers)
                for name, server in (("many", many), ("one", one))
            }
            _, ratio = in_turns(f"{workers} workers", ROUNDS, subjects)
        what = f"`/dtale/data` of 1M rows, {workers} workers, requests/s"
        yield more(what, ratio, "1 worker", 1.8 if workers == 2 else None)

    def further(site, application, url, headers=()):
        memory = []
        for workers in (1, 3):
            with Server(site, workers, application) as server:
                load(f"{server.url}{url}", headers)
                memory.append(server.memory())
        return (memory[1] - memory[0]) / 2

    tutorial = "dtale_test.wsgi", "/flask/dtale/popup/upload"
    subjects = {
        "ours": partial(further, site, None, f"/flask/dtale/main/{pk}", headers),
        "tutorial": partial(further, sites["tutorial"], *tutorial),
    }
    _, ratio = in_turns("memory", ROUNDS, subjects)
    yield less("memory of a further worker", ratio, "the tutorial", 0.35)


def part_visits(workdir):
    """What a browser fetches, and how soon somebody sees the first cell."""
    yield from visits.compare(make_sites(workdir), ROUNDS)


PARTS = {
    "bake": part_bake,
    "startup": part_startup,
    "pages": part_pages,
    "opening": part_opening,
    "frames": part_frames,
    "gate": part_gate,
    "workers": part_workers,
    "visits": part_visits,
}
