"""The parts of the benchmark. Each part yields figures, with the project's goals.

The frames have ten columns and from a thousand to five million rows. `answer.py`
creates them.
"""

import json
import os
import subprocess
from functools import partial
from pathlib import Path

from . import analysis, browsers, people, visits
from .answer import DATA
from .figures import Figure, faster, less, more
from .measure import cpu_and_memory, first_page, wall
from .processes import compare, in_turns
from .published import publish
from .servers import Server, load
from .sites import SERVED, bake, make_sites

ROUNDS = 5
MILLION = 1_000_000
EDITS = 1_000
SIZES = 1_000, 100_000, MILLION


def part_bake(workdir):
    """Measure the duration of the command that generates the project."""
    targets = iter(workdir / f"bake{number}" for number in range(ROUNDS))
    medians, _ = in_turns("bake", ROUNDS, {"bake": lambda: wall(bake, next(targets))})
    yield Figure("bake with defaults", f"{medians['bake']:.1f} s", "")


def part_startup(workdir):
    """Measure the startup of the site before D-Tale is used."""
    sites = make_sites(workdir)
    check = ["manage.py", "check"]
    measures = {
        "`manage.py check`, CPU": (lambda site: cpu_and_memory(site, check)[0], 1.3),
        "`manage.py check`, peak memory": (
            lambda site: cpu_and_memory(site, check)[1],
            None,
        ),
        "server start to first page": (first_page, 1.3),
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
    """Measure the dispatcher's overhead on Django's own pages."""
    sites = make_sites(workdir)
    script = str(Path(__file__).with_name("dispatching.py"))

    def call(kind):
        command = [sites["generated"].python, script, kind]
        return float(subprocess.check_output(command, cwd=sites["generated"].path))

    subjects = {kind: partial(call, kind) for kind in ("ours", "werkzeug")}
    _, ratio = in_turns("a call", ROUNDS, subjects)
    against = "Werkzeug's DispatcherMiddleware"
    yield less("one call of the dispatcher", ratio, against, 1.0)

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
    yield more(
        "a Django page behind the dispatcher, requests/s", ratio, "bare Django", 0.97
    )


OPENING = {
    "`explore()`, 1M rows x 10 columns, one of them dates": (
        "open mixed",
        "`startup`",
        8,
    ),
    "`explore()`, 1M rows x 10 columns, all of them dates": (
        "open dates",
        "`startup`",
        50,
    ),
    "from a CSV file of 1M rows to the open grid": (
        "open csv",
        "`read_csv` and `startup`",
        4,
    ),
    "the same, both parse the dates": (
        "open csv, dates",
        "`read_csv` with `parse_dates`, and `startup`",
        4,
    ),
}


def part_opening(workdir):
    """Measure the time to open data in a grid, and to save a change to disk."""
    site = make_sites(workdir)["generated"]
    lines = {what: line for what, (line, *_) in OPENING.items()}
    for what, ratio, _ in compare(site, "opening", lines, MILLION, ROUNDS):
        _, against, goal = OPENING[what]
        yield faster(what, ratio, f"the tutorial's {against}", goal)
    lines = {"edit of one cell in 1M rows, saved to disk": "edit cell"}
    for what, _, seconds in compare(site, "edit", lines, MILLION, 3 * ROUNDS):
        told, goal = f"{seconds * 1000:+.0f} ms", "at most +60 ms"
        against, missed = "the tutorial, in memory only", seconds > 0.06
        yield Figure(what, told, against, goal, missed=missed)


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
    """Measure D-Tale's requests, including sign-in, the gateway and the storage."""
    site = make_sites(workdir)["generated"]
    for rows in (*SIZES, 5 * MILLION):
        goals = AT_MILLION if rows == MILLION else {}
        asked = REQUESTS if rows <= MILLION else dict([*REQUESTS.items()][:2])
        for what, ratio, _ in compare(site, f"{rows:,}", asked, rows, ROUNDS):
            told = f"{what}, {rows:,} rows"
            yield less(told, ratio, "plain D-Tale", goals.get(what))
        filtered = {f"`/dtale/data` with a filter, {rows:,} rows": DATA}
        for what, ratio, _ in compare(site, "", filtered, rows, ROUNDS, first=FILTER):
            goal = 0.3 if rows == MILLION else None
            yield less(what, ratio, "plain D-Tale", goal)


# Without the gateway, the site needs another way to determine the user. The first kind
# queries the database. The second kind has a preset user.
GATELESS = {
    "ungated": "without the gateway",
    "told": "without the gateway, with a preset user",
}


def part_gate(workdir):
    """Measure the overhead of the gateway's checks of user, origin and endpoint."""
    site = make_sites(workdir)["generated"]
    for kind, against in GATELESS.items():
        for rows in SIZES:
            data = {f"`/dtale/data` behind the gateway, {rows:,} rows": DATA}
            kinds = "generated", kind
            for what, ratio, _ in compare(site, kind, data, rows, 5 * ROUNDS, kinds):
                yield less(what, ratio, against, 1.5 if kind == "ungated" else None)


def part_workers(workdir):
    """Measure the throughput and the memory of additional workers."""
    sites = make_sites(workdir)
    site = sites["generated"]
    cookie, pk = publish(site, MILLION)
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
    yield less("memory of each further worker", ratio, "the tutorial", 0.35)


def part_history(workdir):
    """Measure what the history of a frame costs, and how long an undo takes."""
    site = make_sites(workdir)["generated"]
    script = str(Path(__file__).with_name("changes.py"))
    command = [site.python, script, str(EDITS), str(MILLION)]
    environment = {**os.environ, **SERVED}
    printed = subprocess.check_output(command, cwd=site.path, env=environment)
    found = json.loads(printed.splitlines()[-1])
    against = "no history"
    ratio = found["with"] / found["without"]
    yield less(f"{EDITS:,} edits of a cell in 1M rows", ratio, against, 1.2)
    ratio = found["bytes"]["with"] / found["bytes"]["without"]
    yield less(f"bytes after {EDITS:,} edits in 1M rows", ratio, against, 1.3)
    told, goal = f"{found['undo'] * 1000:.0f} ms", "under 100 ms"
    missed = found["undo"] >= 0.1
    yield Figure("undo of an edit in 1M rows", told, "", goal, missed=missed)


def part_visits(workdir):
    """Measure visits in a browser: the time to the first cell, and static files."""
    yield from visits.compare(make_sites(workdir), ROUNDS)


def part_analysis(workdir):
    """Measure the read operations of D-Tale's menus over HTTP, against D-Tale alone."""
    rows = analysis.chosen_rows(MILLION)
    yield from analysis.figures(make_sites(workdir), rows)


def part_people(workdir):
    """Measure many people who analyze large tables at once, against D-Tale alone."""
    rows = analysis.chosen_rows(MILLION)
    yield from people.figures(make_sites(workdir), rows)


def part_browsers(workdir):
    """Measure people in a browser who open, sort and analyze files, against Streamlit."""
    rows = analysis.chosen_rows(MILLION)
    yield from browsers.figures(make_sites(workdir), rows, workdir)


PARTS = {
    "bake": part_bake,
    "startup": part_startup,
    "pages": part_pages,
    "opening": part_opening,
    "frames": part_frames,
    "gate": part_gate,
    "workers": part_workers,
    "history": part_history,
    "visits": part_visits,
    "analysis": part_analysis,
    "people": part_people,
    "browsers": part_browsers,
}
