"""Measure processes alternately, so that other load affects all of them equally."""

import contextlib
import os
import statistics
import subprocess
import sys
from pathlib import Path

from .sites import SERVED


@contextlib.contextmanager
def answering(site, kind, rows):
    """Run `answer.py`. Yield a function that returns the seconds of a line."""
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
    """Measure subjects alternately, and return medians.

    Args:
        label: the label of the progress messages.
        rounds: the number of rounds. Each measures every subject once.
        subjects: the functions that measure, by name.

    Returns:
        The median of each subject by name, and the median over all rounds of the ratio
        of the first subject to the last.
    """
    seen = {name: [] for name in subjects}
    for number in range(1, rounds + 1):
        print(f"{label}: {number} of {rounds}", file=sys.stderr)
        for name, measure in subjects.items():
            seen[name].append(measure())
    first, *_, last = seen.values()
    # Divide only measurements of the same round: they were taken under the same load.
    ratio = statistics.median(a / b for a, b in zip(first, last, strict=True))
    return {name: statistics.median(values) for name, values in seen.items()}, ratio


def compare(site, label, lines, rows, rounds, kinds=("generated", "plain"), first=None):
    """Compare two kinds: yield the name, ratio and difference in seconds for each line.

    Args:
        lines: the lines for `answer.py`, by the name of the measurement.
        first: an optional path that both kinds request before the measurement.
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
