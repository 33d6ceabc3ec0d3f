"""Visits to a site's grid in a real browser, and the static files that they fetch."""

import statistics
import time
import urllib.request
from urllib.parse import urlsplit

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
    """Yield (what, ratio, against) of visits to the generated site and the tutorial."""
    from playwright.sync_api import sync_playwright

    servers = {
        "generated": Server(sites["generated"], 1),
        "tutorial": Server(sites["tutorial"], 1, "dtale_test.wsgi"),
    }
    with sync_playwright() as playwright, servers["generated"], servers["tutorial"]:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"]
        )
        seconds = {name: ([], []) for name in servers}
        files, again = {}, {}
        for number in range(rounds + 1):  # The first time something is imported.
            for name, server in servers.items():
                visitor = Visitor(browser, server.url)
                first, files[name] = visitor.visit()
                repeated, again[name] = visitor.visit()
                visitor.page.context.close()
                if number:
                    seconds[name][0].append(first)
                    seconds[name][1].append(repeated)
        browser.close()
        for index, what in enumerate(("first visit", "repeat visit")):
            medians = {n: statistics.median(each[index]) for n, each in seconds.items()}
            yield (
                f"9 Mbit/s, click to first cell, {what}",
                medians["generated"] / medians["tutorial"],
                medians["generated"] - medians["tutorial"],
            )
        for encoding in ("br", "gzip"):
            sizes = {name: fetch(urls, encoding) for name, urls in files.items()}
            cpu = {name: [] for name in servers}
            for _ in range(rounds):
                for name, server in servers.items():
                    before = server.cpu()
                    fetch(files[name], encoding)
                    cpu[name].append(server.cpu() - before)
            spent = {name: statistics.median(each) for name, each in cpu.items()}
            what = f"static files of a first visit, {encoding} client"
            yield f"{what}, bytes", sizes["generated"] / sizes["tutorial"], None
            yield f"{what}, server CPU", spent["generated"] / spent["tutorial"], None
        yield "static requests of a repeat visit", len(again["generated"]), None


def chromium():
    import shutil

    names = "chromium", "chromium-browser", "google-chrome"
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "Chromium is missing"
    return found
