"""The site's own pages are small and soon interactive, and nothing in them moves."""

from collections import defaultdict

import pytest
from conftest import PASSWORD, wait_for

MOST_BYTES = 100_000  # With all styles and scripts, for an empty cache.
MOST_SHIFT = 0.05  # Browsers measure it as the cumulative layout shift.
LINE = 9e6 / 8  # Bytes per second of a slow connection, such as hotel Wi-Fi.
LATENCY = 0.04  # Seconds for each round trip on this connection.
# The network may take half of the second in which a page is to become interactive. The
# other half is for the server and the browser, whose time depends on the machine.
MOST_SECONDS = 0.5
# With HTTP/1.1 and TLS 1.3, a file on a new connection needs three round trips.
ROUND_TRIPS = 3
TABLES = """
import pandas as pd
from django.contrib.auth import get_user_model
from django_dtale import publish
ann, bob = (get_user_model().objects.get(username=name) for name in ("ann", "bob"))
for number in range(30):
    publish(pd.DataFrame({"a": [1, 2, 3]}), owner=ann, name=f"Table {number}")
publish(pd.DataFrame({"a": [1]}), owner=bob, name="Shared", shared_with=[ann])
"""
PAGES = (
    "/",
    "/?layout=cards",
    "/frames/sources/",
    "/frames/tokens/",
    "/frames/trash/",
    "/frames/1/share/",
    "/frames/1/history/",
    "/frames/1/views/",
    "/frames/1/download/",
    "/frames/1/update/",
    "/frames/models/accounts/user/",
    "/create-df/",
    "/accounts/password_change/",
    "/missing/",
)
WATCH = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) if (!each.hadRecentInput) shift += each.value;
}).observe({type: "layout-shift", buffered: true});
window.longTasks = [];
new PerformanceObserver((list) => longTasks.push(...list.getEntries()))
  .observe({type: "longtask", buffered: true});
"""
# Deferred scripts run before DOMContentLoaded. Tasks of more than 50 ms delay clicks.
INTERACTIVE = """() => {
  const [page] = performance.getEntriesByType("navigation");
  const tasks = longTasks.filter((each) => each.startTime <= page.loadEventEnd);
  const ends = tasks.map((each) => each.startTime + each.duration);
  return Math.max(page.domContentLoadedEventEnd, ...ends);
}"""
# The home page also prefetches D-Tale's scripts when it is complete.
LOADED = """() => [
  ...performance.getEntriesByType("navigation"),
  ...performance.getEntriesByType("resource").filter(
    ({name}) => !name.includes("/static/dtale/")),
].reduce((sum, each) => sum + each.transferSize, 0)"""


@pytest.fixture(scope="module")
def site(project, collected, tmp_path_factory):
    """A site in production, whose styles and scripts are compressed."""
    variables = {"DATA_DIR": str(tmp_path_factory.mktemp("budgets")), **collected}
    variables |= {"DEBUG": "False", "HTTPS": "False", "ALLOWED_HOSTS": "127.0.0.1"}
    project.set_up("ann", "bob", **variables)
    project.run(".venv/bin/python", "manage.py", "shell", "-c", TABLES, **variables)
    with project.serve("gunicorn", **variables) as site:
        # D-Tale is built in the background, which would slow the first pages down.
        wait_for(f"{site.url}/readyz", site.process, site.log)
        yield site


@pytest.fixture(scope="module")
def cookies(site, browser):
    """The cookies of Ann's session."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.url}/")
    # The home page prefetches D-Tale's files, which the server prepares only once.
    page.wait_for_load_state("networkidle")
    yield context.cookies()
    context.close()


@pytest.fixture
def open_page(site, browser, cookies):
    """A function that opens a page with an empty cache and a slow connection."""
    contexts = []

    def open_page(path, width):
        """Return the page, and Chromium's reports about its requests by their ids."""
        context = browser.new_context(viewport={"width": width, "height": 800})
        contexts.append(context)
        context.add_cookies(cookies)
        page = context.new_page()
        page.add_init_script(WATCH)
        reports = defaultdict(list)
        line = context.new_cdp_session(page)
        for event in ("requestWillBeSent", "loadingFinished"):
            line.on(
                f"Network.{event}", lambda each: reports[each["requestId"]].append(each)
            )
        line.send("Network.enable")
        slow = {"downloadThroughput": LINE, "uploadThroughput": LINE}
        slow |= {"latency": LATENCY * 1000, "offline": False}
        line.send("Network.emulateNetworkConditions", slow)
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        return page, reports

    yield open_page
    for context in contexts:
        context.close()


def critical(reports):
    """Return the steps and the bytes that are needed until a page is interactive.

    These are the page and the files that it or its styles name: stylesheets and scripts.
    The page is the first step. A file that it names is in the second step, and a file
    that this file names is in the third.
    """
    steps, nbytes = {}, 0
    for events in reports.values():
        # A redirect is another event of the same request.
        *redirects, sent = [each for each in events if "request" in each]
        initiator = sent["initiator"]
        if sent["type"] != "Document" and initiator["type"] != "parser":
            continue
        url = sent["request"]["url"]
        steps[url] = 1 + len(redirects) + steps.get(initiator.get("url"), 0)
        nbytes += sum(each.get("encodedDataLength", 0) for each in events)
    return max(steps.values()), nbytes


@pytest.mark.parametrize("path", PAGES)
def test_page_is_interactive_soon(open_page, path):
    """The time is computed, because test machines are shared. -rP shows the measured time."""
    page, reports = open_page(path, 1440)
    steps, nbytes = critical(reports)
    seconds = steps * ROUND_TRIPS * LATENCY + nbytes / LINE
    measured = page.evaluate(INTERACTIVE) / 1000
    print(f"{path}: {measured:.2f} s measured, {seconds:.2f} s computed", end=", ")
    print(f"{steps} steps, {nbytes / 1000:.1f} kB")
    assert nbytes > 2000
    assert seconds <= MOST_SECONDS


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("path", PAGES)
def test_page_is_small_and_does_not_move(open_page, path, width):
    page, _ = open_page(path, width)
    nbytes, shift = page.evaluate(LOADED), page.evaluate("shift")
    assert 0 < nbytes <= MOST_BYTES
    assert shift <= MOST_SHIFT
    is_wider = "document.documentElement.scrollWidth > innerWidth"
    assert not page.evaluate(is_wider)
