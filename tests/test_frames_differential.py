"""The site's D-Tale on three workers, held to D-Tale alone in one process.

A random walk over D-Tale's routes: both are asked the same in the same order, ours by
way of a worker that chance chooses, and have to answer the same. WALK_SEED takes other
steps, WALK_REQUESTS more.
"""

import contextlib
import difflib
import json
import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import environment, free_port, wait_for
from dtale_steps import OFTEN, STEPS
from dtale_walk import Frame, Step, Walk
from visitors import Visitor, hidden

REQUESTS = int(os.environ.get("WALK_REQUESTS", "2000"))
SEED = int(os.environ.get("WALK_SEED", "1"))

# What is not compared, by route: the time when a frame was made or something worked
# out; how many bytes a frame takes, in memory or in its file; how many columns D-Tale
# has described already, ours has in fact (what it says of each is compared).
NOT_COMPARED = {
    "processes": {"start", "ts", "mem_usage", "columns"},
    "column-analysis": {"timestamp"},
    "bins-tester": {"timestamp"},
}
# Where D-Tale fails, and ours does not: it describes columns with nothing in them, and
# correlates numbers beside texts where a value is missing.
MENDED = {"describe", "corr-analysis", "correlations"}
# D-Tale takes the columns that it merges from a set: their order depends on the hashes.
SAME_HASHES = {"PYTHONHASHSEED": "0"}

# After these routes one looks at the settings; after the others in the second set at
# all frames, which also tells the walk what there is.
SETTING = {"save-column-filter", "update-settings", "update-formats"}
SETTING |= {"save-range-highlights", "toggle-outlier-filter", "load-filtered-ranges"}
SHAPING = {"upload", "merge", "cleanup-datasets", "reshape", "duplicates", "edit-cell"}
SHAPING |= {"rename-col", "delete-col", "duplicate-col", "build-column", "data"}
SHAPING |= {"build-replacement", "drop-filtered-rows", "update-visibility"}
SHAPING |= {"update-locked", "update-column-position"}

# How D-Tale's names of types begin -> the kinds of columns that the steps ask for.
KINDS = {"int": "I", "float": "F", "str": "S", "date": "D", "bool": "B"}


class Side:
    """One of the two that are compared."""

    def __init__(self, urls, prefix):
        self.visitor = Visitor(urls[0], prefix)
        self.urls = urls
        self.choose = random.Random(SEED).choice
        self.ids = {}  # What the walk calls a frame -> its id here.
        self.made = 0

    def ask(self, step):
        """Take a step, and return the answer as both sides have to give it."""
        self.visitor.url = self.choose(self.urls)
        route = self.text(step.route, step)
        if step.name == "upload":
            answer = self.visitor.post_file(step.body["csv"])
        elif step.body is not None:
            body = {
                name: self.text(value, step)
                if isinstance(value, list | dict)
                else value
                for name, value in step.body.items()
            }
            answer = self.visitor.post(route, **body)
        else:
            parameters = {
                name: self.text(value, step)
                for name, value in step.parameters.items()
                if value is not None
            }
            answer = self.visitor.get(route, **parameters)
        if route in ("processes", "process-keys"):
            for frame in answer["data"]:
                del frame["name"]  # The site calls it as its file.
        if step.name == "cleanup":
            del self.ids[step.frame.handle]
        return self.common(answer, NOT_COMPARED.get(route.partition("/")[0], ()))

    def text(self, value, step):
        """Return a value as text, with this side's ids in it."""
        value = value if isinstance(value, str) else json.dumps(value)
        for name, frame in (("{id}", step.frame), ("{other}", step.other)):
            if name in value:
                value = value.replace(name, self.ids[frame.handle])
        return value

    def common(self, answer, not_compared):
        """Return the answer without what must differ."""
        if isinstance(answer, str) and "<html" in answer[:200]:
            # Of a page what it tells D-Tale's scripts, the settings above all. The
            # rest is the same for each frame, but for what the site mends in it.
            answer = hidden(answer)
            answer["settings"] = json.loads(answer["settings"])
        if isinstance(answer, dict) and answer.get("error"):
            return "an error"  # Tracebacks here, and explanations there.
        return self.replaced(answer, not_compared)

    def replaced(self, value, not_compared, key=None):
        """Return the value with the walk's names of frames in the place of ids.

        D-Tale takes the number after the highest; the database never gives one twice.
        So code that names a frame which is gone may name a new one, there.
        """
        if isinstance(value, dict):
            return {
                name: self.replaced(each, not_compared, name)
                for name, each in value.items()
                if name not in not_compared
            }
        if isinstance(value, list):
            return [self.replaced(each, not_compared, key) for each in value]
        if isinstance(value, str):
            if key in ("data_id", "id") and value.isdecimal():
                return self.handle(value)
            # The site reads files in its own way, and says so in exported code.
            value = re.sub(r"(?<=pd\.read_csv\()[^)]*", "?", value)
            return re.sub(r"(?<=get_instance\(')\d+", "?", value)
        return value

    def handle(self, id):
        """Return what the walk calls a frame: how many there were before it (int)."""
        known = {id: handle for handle, id in self.ids.items()}
        if id not in known:
            self.made += 1
            self.ids[self.made] = id
        return known.get(id, self.made)


@contextlib.contextmanager
def plain_dtale(project, *prefix):
    """Serve D-Tale alone, at a prefix or its host's root, by the project's Python: its
    URL.
    """
    port = free_port()
    script = Path(__file__).with_name("plain_dtale.py")
    log = project.path / f"plain-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [project.path / ".venv/bin/python", script, str(port), *prefix],
            env=environment(SAME_HASHES),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        front = "/".join([url, *prefix])
        wait_for(f"{front}/dtale/process-keys", process, log)
        yield url
    finally:
        process.kill()
        process.wait()


def compare(reference, ours, walk):
    """Walk, and ask both the same."""
    history = []

    def ask(step):
        history.append(step)
        answers = list(pool.map(lambda side: side.ask(step), (reference, ours)))
        texts = [json.dumps(each, sort_keys=True, indent=1) for each in answers]
        mended = answers[0] == "an error" and step.route.partition("/")[0] in MENDED
        if texts[0] != texts[1] and not mended:
            lines = difflib.unified_diff(
                *(text.splitlines() for text in texts), "D-Tale", "ours", "", "", 2, ""
            )
            raise AssertionError(
                f"request {len(history)} of the walk with WALK_SEED={SEED}:\n"
                f"{step!s:.999}\n"
                + "\n".join(list(lines)[:80])
                + "\nBefore it:\n"
                + "\n".join(f"{each!s:.500}" for each in history[-9:-1])
            )
        return answers[0]

    def look_at_frames():
        answer = ask(Step("frames", None, None, "processes", {"dtypes": True}, None))
        known = {frame.handle: frame for frame in walk.frames}
        walk.frames = []
        for each in answer["data"]:
            frame = known.get(each["data_id"]) or Frame(each["data_id"])
            frame.rows = each["rows"]
            frame.columns = {
                column["name"]: next(
                    (
                        k
                        for name, k in KINDS.items()
                        if column["dtype"].startswith(name)
                    ),
                    "",
                )
                for column in each["names"]
            }
            walk.frames.append(frame)

    with ThreadPoolExecutor(2) as pool:
        while len(history) < REQUESTS:
            step = walk.step()
            answer = ask(step)
            route = step.route.partition("/")[0]
            if answer == "an error" and route in SHAPING | SETTING:
                # D-Tale keeps what it did before it failed, ours takes it back: they
                # may differ from here.
                ask(walk.made("cleanup", *STEPS["cleanup"]))
                look_at_frames()
            elif route in SHAPING:
                look_at_frames()
            elif route in SETTING:
                ask(Step("look", step.frame, None, "main/{id}", {}, None))
    return history


def test_walk(backend):
    """Each worker is a server of its own, so that chance chooses and no kernel."""
    with contextlib.ExitStack() as servers:
        sites = [
            servers.enter_context(backend.serve(1, machine=name, **SAME_HASHES))
            for name in ("one", "two", "three")
        ]
        prefix = backend.project.prefix
        plain = servers.enter_context(plain_dtale(backend.project, prefix))
        ours = Side([site.url for site in sites], prefix)
        walk = Walk(SEED, STEPS, OFTEN)
        history = compare(Side([plain], prefix), ours, walk)
    assert {step.name for step in history} >= set(STEPS)
