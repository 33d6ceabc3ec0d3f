"""Processes that work in turns, so that what else the machine does meets them all."""

import contextlib
import os
import statistics
import subprocess
import sys
from pathlib import Path

from .sites import SERVED


@contextlib.contextmanager
def answering(site, kind, rows):
    """A process of `answer.py`: call it with a line for the seconds that it takes."""
    script = str(Path(__file__).with_name("answer.py"))
    process = subprocess.Popen(
        [site.python, script, kind, str(rows)],
        cwd=site.path,
        env={**os.environ, **SERVED},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def ask(line):
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        assert process.stdout.readline() == "ready\n", f"{kind} does not start"
        yield ask
    finally:
        process.stdin.close()
        process.wait()


def in_turns(label, rounds, subjects):
    """Return the median seconds of each subject, and those of each pair's ratio.

    Args:
        label: str, what the progress is called.
        rounds: int.
        subjects: {name: function that returns a number}.

    Returns:
        tuple: {name: median}, and the median ratio of the first to the last (float).
    """
    seen = {name: [] for name in subjects}
    for number in range(1, rounds + 1):
        print(f"{label}: {number} of {rounds}", file=sys.stderr)
        for name, measure in subjects.items():
            seen[name].append(measure())
    first, *_, last = seen.values()
    # Each beside its own neighbour.
    ratio = statistics.median(a / b for a, b in zip(first, last, strict=True))
    return {name: statistics.median(values) for name, values in seen.items()}, ratio


def compare(site, label, lines, rows, rounds, kinds=("generated", "plain"), first=None):
    """Yield (what, ratio, seconds' difference) for each line, of the two kinds.

    Args:
        lines: {what: line for `answer.py`}.
        first: a path that both are asked for before, if given.
    """
    with contextlib.ExitStack() as stack:
        asks = [stack.enter_context(answering(site, kind, rows)) for kind in kinds]
        if first:
            for ask in asks:
                ask(first)
        for what, line in lines.items():
            subjects = {
                kind: (lambda ask=ask, line=line: ask(line))
                for kind, ask in zip(kinds, asks, strict=True)
            }
            medians, ratio = in_turns(f"{label}, {what}", rounds, subjects)
            yield what, ratio, medians[kinds[0]] - medians[kinds[1]]
