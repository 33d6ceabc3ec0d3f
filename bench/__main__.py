"""`make bench`: a baked project beside bare Django and the repaired tutorial.

Everything is measured side by side in one run, in turns, and told as a ratio: these
figures mean nothing as seconds on another machine. `make bench ONLY=startup` runs one
part.
"""

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from . import frames
from .measure import cpu_and_memory, first_page, wall
from .sites import TEMPLATE, bake, make_sites

RESULTS = TEMPLATE / "bench" / "results"
ROUNDS = 5


def rounds(label, subjects, measure):
    """Measure each subject in turn, ROUNDS times: {name: median}."""
    seen = {name: [] for name in subjects}
    for number in range(1, ROUNDS + 1):
        print(f"{label}: round {number} of {ROUNDS}", file=sys.stderr)
        for name, subject in subjects.items():
            seen[name].append(measure(subject))
    return {name: statistics.median(values) for name, values in seen.items()}


def part_bake(workdir):
    """How long the command takes that generates the project."""
    targets = iter(workdir / f"bake{number}" for number in range(ROUNDS))
    seconds = rounds("bake", {"bake": None}, lambda _: wall(bake, next(targets)))
    yield "bake with defaults, seconds", seconds["bake"], None, None


def part_startup(workdir):
    """What Django's side costs before D-Tale is asked for."""
    sites = make_sites(workdir)
    check = ["manage.py", "check"]
    for what, index in (("CPU", 0), ("peak memory", 1)):
        medians = rounds(
            f"manage.py check, {what}",
            sites,
            lambda site, index=index: cpu_and_memory(site, check)[index],
        )
        yield from ratios(f"`manage.py check`, {what}", medians)
    yield from ratios(
        "server start to first page, wall", rounds("first page", sites, first_page)
    )


def ratios(what, medians):
    yield (
        what,
        medians["generated"] / medians["bare Django"],
        "bare Django",
        medians["tutorial"] / medians["bare Django"],
    )


def part_frames(workdir):
    """What a frame's row, storage and session cost, while it is looked at."""
    site = make_sites(workdir)["generated"]
    for what, ratio in frames.ratios(site, ROUNDS):
        yield what, ratio, "D-Tale alone", None


def part_gate(workdir):
    """What it costs to ask who sends a request, from where, and for what."""
    site = make_sites(workdir)["generated"]
    data = {"data": frames.PATHS["data"]}
    for against, name in GATELESS.items():
        for what, ratio in frames.ratios(site, 5 * ROUNDS, against, data):
            yield f"{what}: the gate", ratio, name, None


# Without the gate somebody has to say whose frames these are; the second is told.
GATELESS = {"ungated": "the same without it", "told": "that, told who asks"}

PARTS = {
    "bake": part_bake,
    "startup": part_startup,
    "frames": part_frames,
    "gate": part_gate,
}


def main():
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", choices=PARTS, help="run one part")
    only = parser.parse_args().only
    rows = []
    with tempfile.TemporaryDirectory() as directory:
        for name in [only] if only else PARTS:
            workdir = Path(directory, name)
            workdir.mkdir()
            rows += PARTS[name](workdir)
    RESULTS.mkdir(parents=True, exist_ok=True)
    fields = ("what", "figure", "against", "tutorial")
    table = [dict(zip(fields, row, strict=True)) for row in rows]
    (RESULTS / "bench.json").write_text(json.dumps(table, indent=2))
    print("| what | generated project | against | the tutorial, repaired |")
    print("|---|---|---|---|")
    for what, figure, against, tutorial in rows:
        if against is None:
            print(f"| {what} | {figure:.2f} | | |")
        else:
            tutorial = f"{tutorial:.2f}x" if tutorial else ""
            print(f"| {what} | {figure:.2f}x | {against} | {tutorial} |")


if __name__ == "__main__":
    main()
