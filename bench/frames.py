"""What D-Tale's answers cost with rows, storage and a session, against D-Tale alone."""

import contextlib
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROWS = 1_000, 100_000, 1_000_000
PATHS = {
    "data": "data/ID?ids=%5B%220-60%22%5D",
    "main": "main/ID",
    "describe": "describe/ID?col=float",
    "column-analysis": "column-analysis/ID?col=float&type=histogram&bins=20",
}


@contextlib.contextmanager
def answering(site, kind, rows):
    """A process that answers: call it with a path for the median time in seconds."""
    script = str(Path(__file__).with_name("answer.py"))
    environment = {**os.environ, "DEBUG": "False", "HTTPS": "False"}
    process = subprocess.Popen(
        [site.python, script, kind, str(rows)],
        cwd=site.path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def ask(path):
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        return float(process.stdout.readline())

    try:
        assert process.stdout.readline() == "ready\n", f"{kind} does not start"
        yield ask
    finally:
        process.stdin.close()
        process.wait()


def ratios(site, rounds, against="plain", paths=PATHS):
    """Yield (what, ratio) for each path and size: medians of rounds, in turns."""
    for rows in ROWS:
        with (
            answering(site, against, rows) as plain,
            answering(site, "generated", rows) as generated,
        ):
            for name, path in paths.items():
                seen = {plain: [], generated: []}
                for number in range(1, rounds + 1):
                    print(f"{name}, {rows:,} rows: {number}", file=sys.stderr)
                    for ask, seconds in seen.items():
                        seconds.append(ask(path))
                # Each round beside its own neighbour: what else the machine does
                # meets both.
                pairs = zip(seen[generated], seen[plain], strict=True)
                ratio = statistics.median(ours / alone for ours, alone in pairs)
                yield f"`/dtale/{name}`, {rows:,} rows x 10", ratio
