"""Save the figures of `make bench` as tables, as JSON, and as a chart."""

import json
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path

from .sites import TEMPLATE

DOCS = TEMPLATE / "docs"
README = TEMPLATE / "README.md"
START, END = "<!-- make bench -->\n", "<!-- end of make bench -->"
# The README shows only these figures and those that missed their goals.
IN_README = {
    "`explore()`, 1M rows x 10 columns, one of them dates",
    "the same, both parse the dates",
    "edit of one cell in 1M rows, saved to disk",
    "`/dtale/data`, 1,000,000 rows",
    "`/dtale/data` with a filter, 1,000,000 rows",
    "`/dtale/data` of 1M rows, 2 workers, requests/s",
    "memory of each further worker",
    "first visit at 9 Mbit/s, from click to first cell",
    "repeat visit at 9 Mbit/s, from click to first cell",
}


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    Attributes:
        what: The name of the measurement.
        told: The formatted figure.
        against: The site or the function that the project is compared with.
        goal: The goal of the project, or an empty string.
        advantage: The factor by which the project is better, for the chart. The chart
            omits figures whose factor is None.
        missed: Whether the figure misses its goal.
        is_detail: Whether the README omits the figure, even if it misses its goal.
    """

    what: str
    told: str
    against: str
    goal: str = ""
    advantage: float | None = None
    missed: bool = False
    is_detail: bool = False


def less(what, ratio, against, goal=None):
    """Return a figure that should be small: time, bytes or memory."""
    told_goal = f"at most {goal}x" if goal else ""
    missed = goal is not None and round(ratio, 2) > goal
    return Figure(what, f"{ratio:.2f}x", against, told_goal, 1 / ratio, missed)


def faster(what, ratio, against, goal=None):
    """Return a figure for a ratio of durations. It shows the inverse of the ratio."""
    told_goal = f"at least {goal}x as fast" if goal else ""
    missed = goal is not None and round(1 / ratio, 1) < goal
    told = f"{1 / ratio:.1f}x as fast"
    return Figure(what, told, against, told_goal, 1 / ratio, missed)


def more(what, ratio, against, goal=None):
    """Return a figure that should be large: requests per second."""
    told_goal = f"at least {goal}x" if goal else ""
    missed = goal is not None and round(ratio, 2) < goal
    return Figure(what, f"{ratio:.2f}x", against, told_goal, ratio, missed)


def table(figures):
    """Return figures as a Markdown table in which missed goals are marked."""
    lines = ["| measurement | figure | compared with | goal |", "|---|---|---|---|"]
    for figure in figures:
        goal = f"**missed:** {figure.goal}" if figure.missed else figure.goal
        cells = figure.what, figure.told, figure.against, goal
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def write(page, figures):
    """Replace the figures between the START and END markers of a page."""
    before, _, rest = page.read_text().partition(START)
    page.write_text(before + START + table(figures) + END + rest.partition(END)[2])


def keep(part, figures, python):
    """Update the documents with the new figures of one part of the benchmark.

    Args:
        part: The name of the part.
        figures: Its figures. The figures of other parts stay as they are.
        python: A Python interpreter that has matplotlib, which D-Tale installs.
    """
    file = DOCS / "bench.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    kept[part] = [asdict(figure) for figure in figures]
    file.write_text(json.dumps(kept, indent=2) + "\n")
    told = [Figure(**figure) for part in kept.values() for figure in part]
    shown = [each for each in told if not each.is_detail]
    write(README, [each for each in shown if each.missed or each.what in IN_README])
    write(DOCS / "performance.md", told)
    chart = Path(__file__).with_name("chart.py")
    command = [python, str(chart), str(file), str(DOCS / "bench.svg")]
    subprocess.run(command, check=True)
