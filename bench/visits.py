"""Measure grid visits in a real browser and the static files that they load."""

import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from urllib.parse import urlsplit

from .figures import Figure, less
from .servers import Server

LINE = 9e6 / 8  # Bytes per second of a slow connection, such as hotel Wi-Fi.
LATENCY = 20  # The latency is in milliseconds.


def is_static(url):
    path = urlsplit(url).path
    return "/static/" in path or "/_dash-component-suites/" in path


FETCHED = """() => performance.getEntriesByType("resource")
    .filter(each => each.transferSize).map(each => each.name)"""


class Visitor:
    """A browser with a new profile and an empty cache.

    Args:
        chromium: Playwright's ``BrowserType``.
        url: the URL of the site's home page.
        is_slow: whether to emulate a slow line.
    """

    def __init__(self, chromium, url, is_slow=True):
        self.url = url
        self.profile = tempfile.TemporaryDirectory()
        # Browsers cache compiled scripts only if the profile is on disk.
        self.context = chromium.launch_persistent_context(
            self.profile.name, executable_path=browser(), args=["--no-sandbox"]
        )
        self.page = self.context.pages[0]
        network = self.context.new_cdp_session(self.page)
        if is_slow:
            limits = {"downloadThroughput": LINE, "uploadThroughput": LINE}
            conditions = {"offline": False, "latency": LATENCY, **limits}
            network.send("Network.emulateNetworkConditions", conditions)

    def visit(self):
        """Go from the home page to a grid.

        Returns:
            The seconds from the click to the first cell, and the URLs of the static
            files that were not cached.
        """
        self.page.goto(self.url)
        self.page.wait_for_load_state("networkidle")
        fetched = self.page.evaluate(FETCHED)
        start = time.perf_counter()
        self.page.locator("a[href*=create-df], form[action*=create-df] button").click()
        self.page.locator(".cell").first.wait_for()
        seconds = time.perf_counter() - start
        self.page.wait_for_load_state("networkidle")
        fetched += self.page.evaluate(FETCHED)
        return seconds, list(filter(is_static, fetched))

    def close(self):
        self.context.close()
        self.profile.cleanup()


def fetch(urls, encoding):
    """Fetch URLs with this Accept-Encoding. Return the number of bytes received."""
    size = 0
    for url in urls:
        request = urllib.request.Request(url, headers={"Accept-Encoding": encoding})
        with urllib.request.urlopen(request) as answer:
            size += len(answer.read())
    return size


def compare(sites, rounds):
    """Yield the figures for visits to the generated site and the tutorial's site."""
    from playwright.sync_api import sync_playwright

    servers = {
        "generated": Server(sites["generated"], 1),
        "tutorial": Server(sites["tutorial"], 1, "dtale_test.wsgi"),
    }
    (sites["tutorial"].path / "empty.py").write_text(EMPTY)
    empty = Server(sites["tutorial"], 1, "empty")
    with (
        sync_playwright() as playwright,
        servers["generated"],
        servers["tutorial"],
        empty,
    ):
        yield from on_a_slow_line(playwright.chromium, servers, rounds)
        files = {}
        for name, server in servers.items():
            visitor = Visitor(playwright.chromium, server.url, is_slow=False)
            _, files[name] = visitor.visit()
            _, again = visitor.visit()
            visitor.close()
            if name == "generated":
                yield Figure(AGAIN, str(len(again)), "", "none", missed=bool(again))
        yield from static_files(servers, files, empty, rounds)


def on_a_slow_line(chromium, servers, rounds):
    """Yield the figures for the durations of first and repeat visits."""
    visitors, first, repeat = [], {}, {}
    for number in range(rounds + 1):
        print(f"first visits: {number} of {rounds}", file=sys.stderr)
        for name, server in servers.items():
            visitor = Visitor(chromium, server.url)
            seconds, _ = visitor.visit()
            visitor.visit()  # Browsers cache compiled scripts only at the second visit.
            if number == 0:  # In the first round, the servers still import modules.
                visitor.close()
                continue
            first.setdefault(name, []).append(seconds)
            visitors.append((name, visitor))
    # The tutorial's scripts have a max-age of one minute. Wait until they are stale.
    time.sleep(61)
    for number, (name, visitor) in enumerate(visitors):
        print(f"repeat visits: {number + 1} of {len(visitors)}", file=sys.stderr)
        repeat.setdefault(name, []).append(visitor.visit()[0])
        visitor.close()
    goals = (("first", first, 0.5), ("repeat", repeat, 0.85))
    for which, seconds, goal in goals:
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        what = f"{which} visit at 9 Mbit/s, from click to first cell"
        against = f"the tutorial, {medians['tutorial']:.1f} s"
        yield less(what, medians["generated"] / medians["tutorial"], against, goal)


AGAIN = "static requests of a repeat visit"
BYTES = {"br": 0.8, "gzip": 0.27}


# This application sends empty responses, to measure the cost of requests without
# content.
EMPTY = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def static_files(servers, files, empty, rounds):
    """Yield the figures for the static files of a first visit: bytes and CPU time.

    Args:
        servers: the servers of the two sites by name.
        files: the URLs that a visit to each site fetches, by the site's name.
        empty: the server of EMPTY.
    """
    own = [
        url.replace(servers["generated"].url, empty.url) for url in files["generated"]
    ]
    for encoding, goal in BYTES.items():
        sizes = {name: fetch(urls, encoding) for name, urls in files.items()}
        asked = {"empty": (empty, own)}
        asked |= {name: (server, files[name]) for name, server in servers.items()}
        cpu = {name: [] for name in asked}
        for _ in range(rounds):
            for name, (server, urls) in asked.items():
                before = server.cpu()
                fetch(urls, encoding)
                cpu[name].append(server.cpu() - before)
        spent = {name: statistics.median(each) for name, each in cpu.items()}
        what = f"static files of a first visit, {encoding} encoding"
        bytes_ratio = sizes["generated"] / sizes["tutorial"]
        yield less(f"{what}, bytes", bytes_ratio, "the tutorial", goal)
        cpu_ratio = spent["generated"] / spent["tutorial"]
        # The tutorial compresses its files again for each request, but only if the
        # client accepts br.
        goal = 0.02 if encoding == "br" else None
        empty_ratio = spent["empty"] / spent["tutorial"]
        against = f"the tutorial (empty responses instead of files: {empty_ratio:.2f}x)"
        yield less(f"{what}, server CPU", cpu_ratio, against, goal)


def browser():
    """Return the path of Chromium.

    Raises:
        AssertionError: Chromium is not installed.
    """
    names = "chromium", "chromium-browser", "google-chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "Chromium is missing: apt-get install chromium"
    return found
