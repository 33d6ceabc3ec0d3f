"""`make bench`: a baked project beside bare Django, D-Tale alone and the tutorial.

Everything is measured side by side in one run, in turns, and told as a ratio: these
figures mean nothing as seconds on another machine. `make bench ONLY=startup` runs one
part.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from . import visits
from .answer import DATA
from .measure import cpu_and_memory, first_page, wall
from .processes import SITE, compare, in_turns
from .servers import Server, load
from .sites import TEMPLATE, bake, make_sites, run

RESULTS = TEMPLATE / "bench" / "results"
ROUNDS = 5
SIZES = 1_000, 100_000, 1_000_000
MILLION = 1_000_000


def times(ratio):
    return f"{ratio:.2f}x"


def part_bake(workdir):
    """How long the command takes that generates the project."""
    targets = iter(workdir / f"bake{number}" for number in range(ROUNDS))
    medians, _ = in_turns("bake", ROUNDS, {"bake": lambda: wall(bake, next(targets))})
    yield "bake with defaults", f"{medians['bake']:.1f} s", ""


def part_startup(workdir):
    """What Django's side costs before D-Tale is asked for."""
    sites = make_sites(workdir)
    check = ["manage.py", "check"]
    measures = {
        "`manage.py check`, CPU": lambda site: cpu_and_memory(site, check)[0],
        "`manage.py check`, peak memory": lambda site: cpu_and_memory(site, check)[1],
        "server start to first page": first_page,
    }
    for what, measure in measures.items():
        subjects = {
            name: (lambda site=sites[name], measure=measure: measure(site))
            for name in ("generated", "tutorial", "bare Django")
        }
        medians, ratio = in_turns(what, 2 * ROUNDS, subjects)
        tutorial = medians["tutorial"] / medians["bare Django"]
        yield what, times(ratio), f"bare Django (the tutorial: {times(tutorial)})"


def part_pages(workdir):
    """What the dispatcher costs Django's own pages."""
    sites = make_sites(workdir)
    script = str(Path(__file__).with_name("dispatching.py"))

    def call(kind):
        command = [sites["generated"].python, script, kind]
        return float(subprocess.check_output(command, cwd=sites["generated"].path))

    subjects = {kind: (lambda kind=kind: call(kind)) for kind in ("ours", "werkzeug")}
    _, ratio = in_turns("a call", ROUNDS, subjects)
    yield "dispatcher alone, a call", times(ratio), "Werkzeug's DispatcherMiddleware"

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
            name: (lambda server=server: load(f"{server.url}/admin/login/"))
            for name, server in (("dispatched", dispatched), ("alone", alone))
        }
        _, ratio = in_turns("Django's page", 3 * ROUNDS, subjects)
    yield "Django's page through it, requests/s", times(ratio), "bare Django"


def part_opening(workdir):
    """From data to a grid."""
    site = make_sites(workdir)["generated"]
    lines = {
        "`explore()`, 1M x 10, one column of dates": "open mixed",
        "`explore()`, 1M x 10, ten columns of dates": "open dates",
        "CSV of 1M x 10 to an open grid": "open csv",
    }
    for what, ratio, _ in compare(site, "opening", lines, MILLION, ROUNDS):
        yield what, f"{1 / ratio:.0f}x as fast", "the tutorial's way"
    lines = {"one cell of 1M x 10, acknowledged and durable": "edit cell"}
    for what, _, more in compare(site, "edit", lines, MILLION, 5 * ROUNDS):
        yield what, f"{more * 1000:+.0f} ms", "the tutorial, in memory only"


FRAMES = {
    "`/dtale/data`": DATA,
    "`/dtale/main`": "main/ID",
    "`/dtale/describe` of floats": "describe/ID?col=float",
    "`/dtale/describe` of text": "describe/ID?col=text",
    "`/dtale/describe` of dates": "describe/ID?col=day",
    "`/dtale/column-analysis` of floats": "column-analysis/ID?col=float"
    "&type=histogram&bins=20",
    "`/dtale/column-analysis` of text": "column-analysis/ID?col=text&type=value_counts",
}
FILTER = (
    "save-column-filter/ID?col=int&cfg=%7B%22type%22%3A%22int%22%2C%22operand%22%3A%22%3E"
    "%22%2C%22value%22%3A500%7D"
)


def part_frames(workdir):
    """Requests of D-Tale's, with login, gate, rows and storage."""
    site = make_sites(workdir)["generated"]
    for rows in (*SIZES, 5 * MILLION):
        for what, ratio, _ in compare(site, f"{rows:,}", FRAMES, rows, ROUNDS):
            yield f"{what}, {rows:,} rows", times(ratio), "D-Tale alone"
        filtered = {f"`/dtale/data` with a filter, {rows:,} rows": DATA}
        for what, ratio, _ in compare(site, "", filtered, rows, ROUNDS, first=FILTER):
            yield what, times(ratio), "D-Tale alone"


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
                yield what, times(ratio), against


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
    run(site, "manage.py", "collectstatic", "--no-input", "--verbosity", "0", **SITE)
    run(site, "manage.py", "shell", "-c", code, **SITE)
    cookie, pk = (site.path / "published").read_text().split()
    headers = f"Cookie: {cookie}", "Sec-Fetch-Site: same-origin"
    path = f"/flask/dtale/{DATA.replace('ID', pk)}"
    for workers in (2, 4):
        with Server(site, workers) as many, Server(site, 1) as one:
            subjects = {
                name: (lambda server=server: load(f"{server.url}{path}", headers))
                for name, server in (("many", many), ("one", one))
            }
            _, ratio = in_turns(f"{workers} workers", ROUNDS, subjects)
        what = f"`/dtale/data` of 1M rows, {workers} workers, requests/s"
        yield what, times(ratio), "1 worker"

    def further(site, application, url, headers=()):
        memory = []
        for workers in (1, 3):
            with Server(site, workers, application) as server:
                load(f"{server.url}{url}", headers)
                memory.append(server.memory())
        return (memory[1] - memory[0]) / 2

    main = f"/flask/dtale/main/{pk}"
    subjects = {
        "ours": lambda: further(site, None, main, headers),
        "tutorial": lambda: further(
            sites["tutorial"], "dtale_test.wsgi", "/flask/dtale/popup/upload"
        ),
    }
    _, ratio = in_turns("memory", 3, subjects)
    yield "memory of a further worker", times(ratio), "the tutorial"


def part_visits(workdir):
    """What a browser fetches, and how soon somebody sees the first cell."""
    sites = make_sites(workdir)
    collect = "collectstatic", "--no-input", "--verbosity", "0"
    run(sites["generated"], "manage.py", *collect, **SITE)
    for what, figure, more in visits.compare(sites, ROUNDS):
        told = times(figure) if isinstance(figure, float) else str(figure)
        yield what, told + (f" ({more:+.2f} s)" if more else ""), "the tutorial"


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


def main():
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=PARTS, help="run one part")
    only = parser.parse_args().only
    rows = []
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        for name in [only] if only else PARTS:
            workdir = Path(directory, name)
            workdir.mkdir()
            for row in PARTS[name](workdir):
                rows.append(dict(zip(("what", "figure", "against"), row, strict=True)))
                print(" | ".join(row), file=sys.stderr)
    name = f"{only or 'bench'}.json"
    (RESULTS / name).write_text(json.dumps(rows, indent=2, ensure_ascii=False))
    print("| what | figure | against |")
    print("|---|---|---|")
    for row in rows:
        print(f"| {' | '.join(row.values())} |")


if __name__ == "__main__":
    main()
