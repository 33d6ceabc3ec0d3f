"""The site on three workers and plain D-Tale give the same responses.

A random walk sends the same requests in the same order to plain D-Tale and to a random
worker of the site. WALK_SEED selects other steps, and WALK_REQUESTS sets their number.
"""

import contextlib
import difflib
import json
import math
import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from conftest import environment, free_port, wait_for
from dtale_steps import OFTEN, STEPS
from dtale_walk import Frame, Step, Walk
from lengths import length
from visitors import Visitor, hidden, multipart

REQUESTS = int(os.environ.get("WALK_REQUESTS", length(700, 2000)))
SEED = int(os.environ.get("WALK_SEED", "1"))

# These values are not compared, by route: times of creation and of calculation, the
# size of a frame in memory or in its file, and the number of columns that D-Tale has
# described so far. The descriptions themselves are compared.
NOT_COMPARED = {
    "processes": {"start", "ts", "mem_usage", "columns"},
    "column-analysis": {"timestamp"},
    "bins-tester": {"timestamp"},
    # The site's tests of normality ignore missing values. test_analyses.py compares them.
    "variance": {"jarqueBera", "shapiroWilk"},
}
# For these routes, D-Tale fails in cases in which the site works: descriptions of empty
# columns, and correlations if there are text columns and missing values.
FIXED = {"describe", "corr-analysis", "correlations"}
# D-Tale stores the columns for a merge in a set, so their order depends on hashes.
SAME_HASHES = {"PYTHONHASHSEED": "0"}

# After a request to a SETTING route, the settings are compared. After a request to a
# SHAPING route, all frames are compared, which also updates the walk's data about them.
SETTING = {"save-column-filter", "update-settings", "update-formats"}
SETTING |= {"save-range-highlights", "toggle-outlier-filter", "load-filtered-ranges"}
SHAPING = {"upload", "merge", "cleanup-datasets", "reshape", "duplicates", "edit-cell"}
SHAPING |= {"rename-col", "delete-col", "duplicate-col", "build-column", "data"}
SHAPING |= {"build-replacement", "drop-filtered-rows", "update-visibility"}
SHAPING |= {"update-locked", "update-column-position"}

# These prefixes of D-Tale's dtypes correspond to the kinds of columns in the steps.
KINDS = {"int": "I", "float": "F", "str": "S", "date": "D", "bool": "B"}


# The label of a row, and the token of the form that undoes changes.
ONLY_OURS = "__row", "csrfmiddlewaretoken", "new-name"


class Side:
    """One of the two sites under comparison."""

    def __init__(self, urls, prefix):
        self.visitor = Visitor(urls[0], prefix)
        self.urls = urls
        self.choose = random.Random(SEED).choice
        # The id of each frame on this site, by the walk's handle.
        self.ids = {}
        self.made = 0

    def ask(self, step):
        """Send the request of a step. Return the comparable part of the response."""
        self.visitor.url = self.choose(self.urls)
        route = self.text(step.route, step)
        if step.name == "upload":
            answer = {"success": True, "data_id": self.upload(step.body["csv"])}
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
                # The names differ, because the site uses the name of the file.
                del frame["name"]
        if step.name == "cleanup":
            del self.ids[step.frame.handle]
        return self.common(answer, NOT_COMPARED.get(route.partition("/")[0], ()))

    def upload(self, csv):
        """Open a CSV, and return the id of its frame."""
        return self.visitor.upload(csv)

    def text(self, value, step):
        """Return a value as text, with this site's ids filled in."""
        value = value if isinstance(value, str) else json.dumps(value)
        for name, frame in (("{id}", step.frame), ("{other}", step.other)):
            if name in value:
                value = value.replace(name, self.ids[frame.handle])
        return value

    def common(self, answer, not_compared):
        """Return the response without the parts that are always different."""
        if isinstance(answer, str) and "<html" in answer[:200]:
            # Only the values for D-Tale's scripts are compared, such as the settings.
            # Apart from the site's fixes, the rest of a page is the same for all
            # frames.
            answer = hidden(answer)
            answer["settings"] = json.loads(answer["settings"])
            # D-Tale has no theme that follows the system.
            if answer["theme"] == "system":
                answer["theme"] = "light"
        if isinstance(answer, dict) and answer.get("error"):
            return "an error"  # The two sites have different error messages.
        return self.replaced(answer, not_compared)

    def replaced(self, value, not_compared, key=None):
        """Return the value with the walk's handles of frames in place of ids.

        D-Tale reuses the id of a deleted frame, but the site's database never does. In
        D-Tale, code with the id of a deleted frame may therefore refer to a new frame.
        """
        if isinstance(value, dict):
            return {
                name: self.replaced(each, not_compared, name)
                for name, each in value.items()
                if name not in {*not_compared, *ONLY_OURS}
                and not is_reading(name, each)
            }
        if isinstance(value, list):
            return [self.replaced(each, not_compared, key) for each in value]
        if isinstance(value, str):
            if key in ("data_id", "id") and value.isdecimal():
                return self.handle(value)
            # Plain D-Tale exports the code that has read the file. The site has its own
            # reader.
            value = re.sub(r"^df = pd\.read_csv\(.*\n", "", value, flags=re.M)
            # The site's report of the variance leaves missing values out.
            value = re.sub(r"(?<=sts\.)(\w+)\(s\.dropna\(\)\)", r"\1(s)", value)
            return re.sub(r"(?<=get_instance\(')\d+", "?", value)
        if isinstance(value, float):
            # D-Tale writes NaN, which is invalid JSON. The last digits of a result depend
            # on the order of the rows.
            return float(f"{value:.10g}") if math.isfinite(value) else None
        return value

    def handle(self, id):
        """Return the walk's handle for an id. Unknown ids get a new handle."""
        known = {id: handle for handle, id in self.ids.items()}
        if id not in known:
            self.made += 1
            self.ids[self.made] = id
        return known.get(id, self.made)


def is_reading(name, value):
    """Return whether a setting is the code with which plain D-Tale has read a file."""
    code = "df = pd.read_csv("
    return name == "startup_code" and isinstance(value, str) and value.startswith(code)


class PlainSide(Side):
    """Plain D-Tale, which opens files only on its own upload page."""

    def upload(self, csv):
        body, kind = multipart("t.csv", csv)
        answer = self.visitor.open(f"{self.visitor.dtale}upload", body, kind)[1]
        return json.loads(answer)["data_id"]


@contextlib.contextmanager
def plain_dtale(project, *prefix):
    """Serve plain D-Tale with the project's Python, and yield its URL.

    Without a prefix, D-Tale is served at the root of its host.
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
    """Walk, and compare the responses of the two sites."""
    history = []

    def ask(step):
        history.append(step)
        answers = list(pool.map(lambda side: side.ask(step), (reference, ours)))
        texts = [json.dumps(each, sort_keys=True, indent=1) for each in answers]
        fixed = answers[0] == "an error" and step.route.partition("/")[0] in FIXED
        if texts[0] != texts[1] and not fixed:
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
                # After a failure, D-Tale keeps the changes made so far, but the site
                # rolls them back. Delete the frame, because it may differ from now on.
                ask(walk.made("cleanup", *STEPS["cleanup"]))
                look_at_frames()
            elif route in SHAPING:
                look_at_frames()
            elif route in SETTING:
                ask(Step("look", step.frame, None, "main/{id}", {}, None))
    return history


def test_random_walk_matches_plain_dtale(backend):
    """Each worker is a separate server, so that the test can choose the worker."""
    with contextlib.ExitStack() as servers:
        sites = [
            servers.enter_context(backend.serve(1, machine=name, **SAME_HASHES))
            for name in ("one", "two", "three")
        ]
        prefix = backend.project.prefix
        plain = servers.enter_context(plain_dtale(backend.project, prefix))
        ours = Side([site.url for site in sites], prefix)
        walk = Walk(SEED, STEPS, OFTEN)
        history = compare(PlainSide([plain], prefix), ours, walk)
    assert {step.name for step in history} >= set(STEPS)
