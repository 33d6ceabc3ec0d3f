"""Measure D-Tale's read operations over HTTP: the site, and D-Tale alone.

Both have one worker and the same frame. They are asked in turns, over connections that
stay open. Each operation is requested with several sets of arguments. The site gets each
request twice, because it keeps responses.
"""

import gzip
import http.client
import os
import statistics
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .figures import Figure
from .operations import OPERATIONS, Operation
from .published import publish
from .servers import Server

BENCH = Path(__file__).parent
WARM_UP = 1_000  # Rows of another frame.
ENOUGH = 6  # Seconds. An operation that takes longer is measured only once.
# The goals for the seconds of the first response, if it is not fast enough beside D-Tale
# alone, and of the second.
FIRST, AGAIN = 0.06, 0.01
# The encodings that browsers know, over HTTPS.
BROWSER = "gzip, deflate, br, zstd"


class Client:
    """A connection that stays open, for one frame of a server."""

    def __init__(self, server, root, data_id, cookie=None):
        self.connection = http.client.HTTPConnection(
            urlsplit(server.url).netloc, timeout=600
        )
        self.root, self.data_id, self.used = root, data_id, 0
        self.headers = {"Sec-Fetch-Site": "same-origin"}
        if cookie:
            self.headers["Cookie"] = cookie

    def get(self, path, encodings="gzip"):
        """Return the seconds of a request, and whether its response is a result.

        D-Tale and the site report most errors as JSON, some of them with status 200. The
        statistics of two columns are a result, even if D-Tale adds that it does not draw
        more than 15,000 points.

        Args:
            encodings: the encodings that the client knows. JSON can be read only as gzip.
        """
        path = f"{self.root}/dtale/{path.replace('ID', self.data_id)}"
        # gunicorn closes a connection that is idle for two seconds.
        if time.perf_counter() - self.used > 1:
            self.connection.close()
            self.connection.connect()
        start = time.perf_counter()
        headers = {**self.headers, "Accept-Encoding": encodings}
        self.connection.request("GET", path, headers=headers)
        response = self.connection.getresponse()
        content = response.read()
        self.used = time.perf_counter()
        if response.headers["Content-Encoding"] == "gzip":
            content = gzip.decompress(content)
        is_json = response.headers.get_content_type() == "application/json"
        has_error = b'"error":' in content and b'"stats":' not in content
        is_unknown = encodings != "gzip"
        failed = is_json and (is_unknown or b'"success":false' in content or has_error)
        return self.used - start, response.status == 200 and not failed


@dataclass
class Measured:
    """The seconds of an operation, and the sides that refused it."""

    operation: Operation
    first: list[float] = field(default_factory=list)
    again: list[float] = field(default_factory=list)
    plain: list[float] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    @property
    def what(self):
        return self.operation.what

    @property
    def ratio(self):
        pairs = zip(self.first, self.plain, strict=True)
        return statistics.median(ours / plain for ours, plain in pairs)

    def seconds(self):
        """Return the medians: ours first, ours again, and D-Tale alone."""
        return [*map(statistics.median, (self.first, self.again, self.plain))]

    def missed(self):
        first, again, _ = self.seconds()
        is_slow = (
            round(self.ratio, 2) > self.operation.ratio and round(first, 3) > FIRST
        )
        is_slow_again = round(again, 3) > AGAIN and self.operation.is_kept
        return "site" in self.refused or is_slow or is_slow_again


def measure(operation, site, plain):
    """Measure an operation with all its arguments, on both sides in turns."""
    measured = Measured(operation)
    encodings = BROWSER if operation.is_export else "gzip"

    def ask(who, client, seconds, path):
        if operation.before:
            client.get(operation.before)
        took, is_result = client.get(path, encodings)
        seconds.append(took)
        if not is_result:
            measured.refused.add(who)

    for path in operation.paths:
        ask("site", site, measured.first, path)
        ask("D-Tale", plain, measured.plain, path)
        ask("site", site, measured.again, path)
        if sum(measured.plain) > ENOUGH:
            break
    for client in (site, plain) if operation.after else ():
        client.get(operation.after)
    return measured


def compare(sites, rows):
    """Yield what each operation took, and at the end the memory of both servers in kB.

    Args:
        sites: the generated site and any site with the same environment, by name.
    """
    generated, tutorial = sites["generated"], sites["tutorial"]
    _, small = publish(generated, WARM_UP)
    cookie, pk = publish(generated, rows)
    env = {"PYTHONPATH": str(BENCH), "BENCH_ROWS": f"{WARM_UP} {rows}"}
    with (
        Server(generated, 1) as ours,
        Server(tutorial, 1, "plain_server", page="/dtale/main/1", env=env) as alone,
    ):
        # The first requests import modules.
        warm_up = Client(ours, "/flask", small, cookie), Client(alone, "", "1")
        for operation in OPERATIONS:
            for client in warm_up:
                client.get(operation.paths[0])
        site, plain = Client(ours, "/flask", pk, cookie), Client(alone, "", "2")
        for operation in OPERATIONS:
            measured = measure(operation, site, plain)
            print(told(measured), file=sys.stderr)
            yield measured
        yield ours.memory(), alone.memory()


def told(measured):
    """Return an operation as a line of the table in the terminal."""
    first, again, plain = (f"{1000 * each:9.1f}" for each in measured.seconds())
    missed = "MISSED" if measured.missed() else ""
    refused = f"refused by {', '.join(sorted(measured.refused))}"
    marks = f"{missed} {refused if measured.refused else ''}".strip()
    return f"{measured.what:34}{first}{again}{plain} ms {measured.ratio:6.2f}x {marks}"


def figures(sites, rows):
    """Yield the figures of all operations, and of the memory."""
    print(f"{'':34}{'first':>9}{'again':>9}{'D-Tale':>9}", file=sys.stderr)
    *operations, (ours, alone) = compare(sites, rows)
    met = sum(not each.missed() for each in operations)
    what = f"read operations of D-Tale on {rows:,} rows that meet their goals"
    missed = met < len(operations)
    told_met = f"{met} of {len(operations)}"
    yield Figure(what, told_met, "D-Tale alone", "all", missed=missed)
    for each in operations:
        first, again, plain = (f"{1000 * s:,.0f} ms" for s in each.seconds())
        figure = f"{each.ratio:.2f}x ({first}, repeated {again})"
        goal = f"at most {each.operation.ratio}x or 60 ms"
        if each.operation.is_kept:
            goal += ", and 10 ms repeated"
        what = f"{each.what}, {rows:,} rows"
        if "D-Tale" in each.refused:
            plain = f"which fails, {plain}"
        yield Figure(
            what,
            "refused" if "site" in each.refused else figure,
            f"D-Tale alone, {plain}",
            goal,
            missed=each.missed(),
            is_detail=True,
        )
    what = f"memory of one worker after these operations, {rows:,} rows"
    against = f"D-Tale alone, {alone / 1024:,.0f} MB"
    yield Figure(what, f"{ours / 1024:,.0f} MB", against)


def chosen_rows(default):
    """Return the number of rows that `make bench ROWS=` sets."""
    return int(os.environ.get("ROWS") or default)
