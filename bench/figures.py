"""The figures of `make bench`: as tables, as JSON, and as a chart for the README."""

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from .sites import TEMPLATE

DOCS = TEMPLATE / "docs"
README = TEMPLATE / "README.md"  # It has what there is a goal for.
START, END = "<!-- make bench -->\n", "<!-- end of make bench -->"


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        what: str, what was measured.
        told: str, the figure as people read it.
        against: str, what it was measured beside.
        goal: str, what it should be; empty if nobody has said.
        advantage: float, how many times as good it is as that; None if that says
            nothing. The chart shows it.
    """

    what: str
    told: str
    against: str
    goal: str = ""
    advantage: float | None = None


def less(what, ratio, against, goal=None):
    """A figure of what had better be little: time, bytes, memory."""
    told_goal = f"at most {goal}x" if goal else ""
    return Figure(what, f"{ratio:.2f}x", against, told_goal, 1 / ratio)


def faster(what, ratio, against, goal=None):
    """A figure of what takes a fraction of the time (float), told as its inverse."""
    told_goal = f"at least {goal}x as fast" if goal else ""
    return Figure(what, f"{1 / ratio:.1f}x as fast", against, told_goal, 1 / ratio)


def more(what, ratio, against, goal=None):
    """A figure of what had better be much: requests per second."""
    told_goal = f"at least {goal}x" if goal else ""
    return Figure(what, f"{ratio:.2f}x", against, told_goal, ratio)


def table(figures):
    """Return figures as a table in Markdown (str)."""
    lines = ["| what | figure | against | goal |", "|---|---|---|---|"]
    lines += [f"| {f.what} | {f.told} | {f.against} | {f.goal} |" for f in figures]
    return "\n".join(lines) + "\n"


def write(page, figures):
    """Write figures into a page (Path), in place of those between its marks."""
    before, _, rest = page.read_text().partition(START)
    page.write_text(before + START + table(figures) + END + rest.partition(END)[2])


def keep(part, figures, python):
    """Write a part's figures into the documents; the others' stay as told.

    Args:
        part: str, its name.
        figures: list of Figure.
        python: str, a Python that has matplotlib; D-Tale brings it.
    """
    file = DOCS / "bench.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept[part] = [asdict(figure) for figure in figures]
    file.write_text(json.dumps(kept, indent=2) + "\n")
    told = [Figure(**figure) for part in kept.values() for figure in part]
    write(README, [figure for figure in told if figure.goal])
    write(DOCS / "performance.md", told)
    chart = Path(__file__).with_name("chart.py")
    command = [python, str(chart), str(file), str(DOCS / "bench.svg")]
    subprocess.run(command, check=True)
