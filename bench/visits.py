"""Visits to a site's grid in a real browser, and the static files that they fetch."""

import shutil
import statistics
import sys
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


class Visitor:
    """A browser that has never been at the site.

    Args:
        browser: Playwright's ``Browser``.
        url: str, the site's home page.
        is_slow: bool, whether it is at the end of a slow line.
    """

    def __init__(self, browser, url, is_slow=True):
        self.url = url
        self.page = browser.new_context().new_page()
        self.network = self.page.context.new_cdp_session(self.page)
        self.network.send("Network.enable")
        if is_slow:
            limits = {"downloadThroughput": LINE, "uploadThroughput": LINE}
            conditions = {"offline": False, "latency": LATENCY, **limits}
            self.network.send("Network.emulateNetworkConditions", conditions)
        self.fetched = {}
        self.network.on("Network.responseReceived", self.note)
        self.network.on(
            "Network.requestServedFromCache",
            lambda event: self.fetched.pop(event["requestId"], None),
        )

    def note(self, event):
        response = event["response"]
        if is_static(response["url"]) and not response.get("fromDiskCache"):
            self.fetched[event["requestId"]] = response["url"]

    def visit(self):
        """Go from the home page to a grid.

        Returns:
            tuple: seconds from the click to the first cell (float), and the static
                files that were asked for (list of URLs).
        """
        self.fetched.clear()
        self.page.goto(self.url)
        self.page.wait_for_load_state("networkidle")
        start = time.perf_counter()
        self.page.locator("a[href*=create-df], form[action*=create-df] button").click()
        self.page.locator(".cell").first.wait_for()
        seconds = time.perf_counter() - start
        self.page.wait_for_load_state("networkidle")
        return seconds, list(self.fetched.values())


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
    with sync_playwright() as playwright, servers["generated"], servers["tutorial"]:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        )
        yield from on_a_slow_line(browser, servers, rounds)
        files = {}
        for name, server in servers.items():
            visitor = Visitor(browser, server.url, is_slow=False)
            _, files[name] = visitor.visit()
            _, again = visitor.visit()
            if name == "generated":
                yield Figure(AGAIN, str(len(again)), "", "none")
        browser.close()
        yield from static_files(servers, files, rounds)


def on_a_slow_line(browser, servers, rounds):
    """Yield how long the visits take, the first and a repeated one."""
    seconds = {name: ([], []) for name in servers}
    for number in range(rounds + 1):  # The first time something is imported.
        print(f"visits: {number} of {rounds}", file=sys.stderr)
        for name, server in servers.items():
            visitor = Visitor(browser, server.url)
            for which in seconds[name]:
                spent, _ = visitor.visit()
                if number:
                    which.append(spent)
            visitor.page.context.close()
    for index, (which, goal) in enumerate({"first": 0.5, "repeat": 0.85}.items()):
        medians = {n: statistics.median(each[index]) for n, each in seconds.items()}
        what = f"9 Mbit/s, click to first cell, {which} visit"
        saved = medians["tutorial"] - medians["generated"]
        against = f"the tutorial ({saved:.1f} s later)"
        yield less(what, medians["generated"] / medians["tutorial"], against, goal)


AGAIN = "static requests of a repeat visit"
BYTES = {"br": 0.8, "gzip": 0.27}


def static_files(servers, files, rounds):
    """Yield what the static files of a first visit cost the line and the server."""
    for encoding, goal in BYTES.items():
        sizes = {name: fetch(urls, encoding) for name, urls in files.items()}
        cpu = {name: [] for name in servers}
        for _ in range(rounds):
            for name, server in servers.items():
                before = server.cpu()
                fetch(files[name], encoding)
                cpu[name].append(server.cpu() - before)
        spent = {name: statistics.median(each) for name, each in cpu.items()}
        what = f"static files of a first visit, {encoding} client"
        bytes_ratio = sizes["generated"] / sizes["tutorial"]
        yield less(f"{what}, bytes", bytes_ratio, "the tutorial", goal)
        cpu_ratio = spent["generated"] / spent["tutorial"]
        yield less(f"{what}, server CPU", cpu_ratio, "the tutorial", 0.02)


def chromium():
    """Return the path (str) of Chromium.

    Raises:
        AssertionError: it is not there.
    """
    names = "chromium", "chromium-browser", "google-chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "Chromium is missing: apt-get install chromium"
    return found
