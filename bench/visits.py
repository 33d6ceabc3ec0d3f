"""Visits to a site's grid in a real browser, and the static files that they fetch."""

import shutil
import statistics
import sys
import tempfile
import time
import urllib.request
from urllib.parse import urlsplit

from .figures import Figure, less
from .servers import Server

LINE = 9e6 / 8  # Bytes per second, of a slow home's or a hotel's line.
LATENCY = 20  # Milliseconds.


def is_static(url):
    path = urlsplit(url).path
    return "/static/" in path or "/_dash-component-suites/" in path


FETCHED = """() => performance.getEntriesByType("resource")
    .filter(each => each.transferSize).map(each => each.name)"""


class Visitor:
    """A browser that has never been at the site, with a profile of its own.

    Args:
        chromium: Playwright's ``BrowserType``.
        url: str, the site's home page.
        is_slow: bool, whether it is at the end of a slow line.
    """

    def __init__(self, chromium, url, is_slow=True):
        self.url = url
        self.profile = tempfile.TemporaryDirectory()
        # Without a profile on the disk it would keep no compiled scripts.
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
            tuple: seconds from the click to the first cell (float), and the static
                files that came over the line (list of URLs).
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
    """Fetch URLs as a client of that encoding; return how many bytes came (int)."""
    size = 0
    for url in urls:
        request = urllib.request.Request(url, headers={"Accept-Encoding": encoding})
        with urllib.request.urlopen(request) as answer:
            size += len(answer.read())
    return size


def compare(sites, rounds):
    """Yield the figures of visits to the generated site and to the tutorial's."""
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
                yield Figure(AGAIN, str(len(again)), "", "none")
        yield from static_files(servers, files, empty, rounds)


def on_a_slow_line(chromium, servers, rounds):
    """Yield how long the visits take, the first and a repeated one."""
    visitors, first, repeat = [], {}, {}
    for number in range(rounds + 1):
        print(f"first visits: {number} of {rounds}", file=sys.stderr)
        for name, server in servers.items():
            visitor = Visitor(chromium, server.url)
            seconds, _ = visitor.visit()
            visitor.visit()  # A browser compiles what it sees a second time for good.
            if number == 0:  # The servers import something.
                visitor.close()
                continue
            first.setdefault(name, []).append(seconds)
            visitors.append((name, visitor))
    time.sleep(61)  # For a minute the tutorial's scripts are not asked for again.
    for number, (name, visitor) in enumerate(visitors):
        print(f"repeat visits: {number + 1} of {len(visitors)}", file=sys.stderr)
        repeat.setdefault(name, []).append(visitor.visit()[0])
        visitor.close()
    goals = (("first", first, 0.5), ("repeat", repeat, 0.85))
    for which, seconds, goal in goals:
        medians = {name: statistics.median(each) for name, each in seconds.items()}
        what = f"9 Mbit/s, click to first cell, {which} visit"
        against = f"the tutorial, {medians['tutorial']:.1f} s"
        yield less(what, medians["generated"] / medians["tutorial"], against, goal)


AGAIN = "static requests of a repeat visit"
BYTES = {"br": 0.8, "gzip": 0.27}


# What any site pays for as many requests: the server alone, which sends nothing.
EMPTY = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Length", "0")])
    return []
"""


def static_files(servers, files, empty, rounds):
    """Yield what the static files of a first visit cost the line and the server.

    Args:
        servers: {name: Server} of the two sites.
        files: {name: the URLs (list of str) that a visit to the site fetches}.
        empty: Server of EMPTY.
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
        what = f"static files of a first visit, {encoding} client"
        bytes_ratio = sizes["generated"] / sizes["tutorial"]
        yield less(f"{what}, bytes", bytes_ratio, "the tutorial", goal)
        cpu_ratio = spent["generated"] / spent["tutorial"]
        goal = 0.02 if encoding == "br" else None  # It compresses for no other client.
        empty_ratio = spent["empty"] / spent["tutorial"]
        against = f"the tutorial (as many empty answers: {empty_ratio:.2f}x)"
        yield less(f"{what}, server CPU", cpu_ratio, against, goal)


def browser():
    """Return the path (str) of Chromium.

    Raises:
        AssertionError: it is not there.
    """
    names = "chromium", "chromium-browser", "google-chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "Chromium is missing: apt-get install chromium"
    return found
