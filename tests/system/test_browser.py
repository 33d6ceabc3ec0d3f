"""The tutorial's sample table and chart in a real browser, on each kind of server."""

import os
import re
from pathlib import Path

import pytest
from lengths import length
from playwright.sync_api import Error, expect
from test_pages import drop

# Requests of D-Tale that may fail although the page works. Currently there are none.
KNOWN_FAILURES: tuple[str, ...] = ()


@pytest.fixture
def traffic(page):
    """The (status, URL) of each request in the browser context. 0 means no response."""
    seen = []
    context = page.context
    context.on("response", lambda answer: seen.append((answer.status, answer.url)))
    context.on("requestfailed", lambda request: seen.append((0, request.url)))
    return seen


def failures(traffic, site):
    """Return the requests that failed or went to other hosts."""
    return [
        (status, url)
        for status, url in traffic
        if not url.startswith((site.url, "data:", "blob:"))
        or not (200 <= status < 400 or any(known in url for known in KNOWN_FAILURES))
    ]


def open_sample(page, site, path=""):
    """Open the sample table as in the tutorial, and wait until the grid shows it."""
    page.goto(f"{site.url}/{path}")
    page.get_by_role("button", name="Open the sample table").click()
    expect(page).to_have_url(re.compile(rf"^{site.url}/{site.prefix}/dtale/main/\d+$"))
    for value in "123456":
        expect(page.locator(".cell", has_text=value).first).to_be_visible()


def draw_bars(page, site):
    """Draw a bar chart of column b by column a on the Charts page of the open frame."""
    page.goto(page.url.replace("/main/", "/charts/"))
    page.get_by_text("Bar", exact=True).click()
    page.locator("#x-dropdown").click()
    page.get_by_role("option", name="a", exact=True).click()
    page.locator("#y-multi-dropdown").click()
    page.get_by_role("option", name="b", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator("#chart-content .bars .point")).to_have_count(3)


@pytest.mark.parametrize(
    "server", length(["gunicorn"], ["gunicorn", "uvicorn", "runserver"])
)
def test_sample_table_and_chart_load_without_errors(
    project, server, page, traffic, tmp_path
):
    # This test has its own database, so its first frame has the id 1.
    data = {"DATA_DIR": str(tmp_path)}
    project.run(".venv/bin/python", "manage.py", "migrate", "--verbosity", "0", **data)
    with project.serve(server, **data) as site:
        page.goto(site.url)
        # An earlier click would cancel the prefetches.
        page.wait_for_load_state("networkidle")
        open_sample(page, site)
        assert page.url.endswith("/main/1")  # The tutorial shows this URL.
        # These are the cells of D-Tale's index column and of the sample's two columns.
        assert sorted(page.locator(".cell").all_inner_texts()) == sorted("012123456")
        page.wait_for_load_state("networkidle")
        draw_bars(page, site)
        page.wait_for_load_state("networkidle")
        assert traffic and failures(traffic, site) == []


def test_first_page_triggers_the_build_of_dtale(project, page):
    """D-Tale is built in the background, so the first click does not have to wait."""
    with project.serve("gunicorn") as site:
        page.goto(site.url)
        for _ in range(300):
            if page.request.get(f"{site.url}/readyz").ok:
                break
            page.wait_for_timeout(100)
        else:
            pytest.fail("D-Tale was not built within 30 s")


def test_scripts_are_prefetched_only_once(site, page):
    """With a second prefetch, each click would read and unpack the scripts again."""
    ahead = page.locator("link[rel=prefetch]")
    page.goto(site.url)
    expect(ahead).to_have_count(4)
    for _ in range(300):
        if page.evaluate("localStorage.getItem('frames.ahead')"):
            break
        page.wait_for_timeout(100)
    else:
        pytest.fail("the scripts were not prefetched within 30 s")
    page.goto(site.url)
    expect(page.get_by_role("button", name="Open the sample table")).to_be_visible()
    assert ahead.count() == 0


def test_scripts_run_ahead_while_a_file_is_chosen(site, page):
    """D-Tale's script does not draw anything there, and has no errors."""
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: said.type == "error" and problems.append(said.text))
    page.goto(site.url)
    with page.expect_file_chooser():
        page.get_by_text("Choose files").click()
    ahead = page.frame_locator("iframe[src$='/dist/ahead.html']").locator("body")
    expect(ahead).to_be_attached()
    frame = page.frames[-1]
    frame.wait_for_load_state()
    names = frame.evaluate("Object.keys(window).filter(each => /webpack/.test(each))")
    assert names and not problems
    expect(ahead.locator("*")).to_have_count(0)


def test_trimmed_scripts_still_highlight_code_and_pick_dates(site, page):
    """The site strips unused languages and time zones from D-Tale's scripts."""
    open_sample(page, site)
    number = page.url.rpartition("/")[2]
    page.goto(f"{site.url}/{site.prefix}/dtale/popup/merge")
    expect(page.locator("pre code span[style*=color]").first).to_be_visible()
    page.goto(f"{site.url}/{site.prefix}/dtale/popup/build/{number}")
    for choice in "Random", "Date":
        page.get_by_role("button", name=choice, exact=True).click()
    page.locator("input[class*=-input]").first.click()
    expect(page.locator("[class*=-datepicker]").first).to_be_visible()


ORDERS = "order;day;country;amount\n" + "".join(
    f"{1001 + n};2026-{n % 12 + 1:02}-{n % 28 + 1:02};{land};{n * 37 % 500 / 4}\n"
    for n, land in enumerate(["DE", "FR", "PL", "IT"] * 60)
)


def test_screenshots(site, page, tmp_path):
    """`make screenshots` saves these pictures for the README."""
    target = Path(os.environ.get("SCREENSHOTS", tmp_path)).absolute()

    def shoot(name, width=600, height=580):
        page.set_viewport_size({"width": width, "height": height})
        # Move the mouse away from all elements that react to hovering.
        page.mouse.move(0, 0)
        for is_last in (False, True):
            try:
                page.screenshot(path=target / f"{name}.png")
                return
            except Error as error:
                # On a busy machine, Chromium may not have drawn the page in its new
                # size yet.
                if is_last or "Unable to capture" not in str(error):
                    raise
                page.wait_for_timeout(2000)

    page.goto(site.url)
    shoot("index")
    drop(page, ("orders.csv", ORDERS), kinds=["dragenter"])
    shoot("drop")
    drop(page, ("orders.csv", ORDERS), kinds=["drop"])
    expect(page.locator(".cell", has_text="1008").first).to_be_visible()
    shoot("grid")

    page.goto(site.url)
    drop(page, ("prices.csv", "article;price\nscrews;1,234\nnails;2,075\n"))
    expect(
        page.get_by_role("heading", name="Does prices.csv look right?")
    ).to_be_visible()
    shoot("preview", 1000, 670)
    page.get_by_role("button", name="Open the file").click()
    expect(page.locator(".cell", has_text="screws").first).to_be_visible()

    page.set_viewport_size({"width": 1200, "height": 800})
    # The home page offers the sample only to people who have no table.
    open_sample(page, site, "create-df/")
    draw_bars(page, site)
    shoot("charts", 1200, 800)
    page.set_viewport_size({"width": 1000, "height": 1160})
    page.goto(site.url)
    page.locator(".menu summary").nth(1).click()
    shoot("home", 1000, 1160)
