"""A page that waits for a response says so, and never shows rows under a wrong title."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect


@pytest.fixture
def site(project, tmp_path):
    variables = {"DATA_DIR": str(tmp_path)}
    project.set_up(**variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


class Held:
    """Requests whose responses wait until the test releases them."""

    def __init__(self, page):
        self.page, self.is_on, self.routes = page, False, []
        for pattern in ("**/dtale/data/*", "**/dtale/describe/*"):
            page.route(pattern, self.handle)

    def handle(self, route):
        if self.is_on:
            self.routes.append(route)
        else:
            route.continue_()

    def release(self):
        self.is_on = False
        for route in self.routes:
            route.continue_()
        self.routes.clear()


@pytest.fixture
def held(page):
    yield Held(page)
    page.unroute_all(behavior="ignoreErrors")  # Cancelled requests are still held.


@pytest.fixture
def grid(page, site, held):
    page.goto(site.url)
    page.get_by_role("button", name="Open the sample table").click()
    # The first request imports D-Tale.
    page.locator(".main-grid .cell").first.wait_for(timeout=180_000)
    see_rows(page, 1, 2, 3)
    return page


def see_rows(page, *numbers):
    """Wait until the grid shows the rows with these numbers in column a, in this order."""
    cells = [*range(len(numbers)), *(each for a in numbers for each in (a, a + 3))]
    expect(page.locator(".main-grid .cell")).to_have_text([f"{each}" for each in cells])


def choose(page, entry):
    """Choose an entry of the menu of column a."""
    header = page.locator(".headerCell", has_text="a").first
    header.click(position={"x": 8, "y": 15})
    page.locator("#column-menu-div").get_by_text(entry, exact=True).first.click()


def sign(page):
    return page.locator("#working.late")


# D-Tale's function, whose texts the element `text-measure` contained.
WIDTHS = """texts => {
    const element = document.getElementById("text-measure");
    return texts.map(text => {
        element.textContent = text;
        return element.getBoundingClientRect().width;
    });
}"""
MEASURED = """texts => {
    const { ink } = document.getElementById("text-measure");
    return texts.map(text => ink.measureText(text).width);
}"""
TEXTS = [
    "word 730",
    "-1,234.57",
    "AVENUE To",
    "Îñţérnâtiônàl",
    "日本語",
    "שלום",
    "x" * 200,
]


def test_canvas_measures_texts_as_an_element_does(grid):
    """D-Tale calculates the widths of columns with the canvas."""
    expected = grid.evaluate(WIDTHS, TEXTS)
    assert min(expected) > 0
    # The browser rounds the sizes of elements to 1/64 of a pixel.
    assert grid.evaluate(MEASURED, TEXTS) == pytest.approx(expected, abs=1 / 32)


def test_idle_page_moves_nothing(grid):
    """An animation needs the processor even if nobody can see it."""
    expect(sign(grid)).to_have_count(0)
    grid.wait_for_function("document.getAnimations().length === 0")


def test_slow_sort_is_shown_and_its_successor_wins(grid, held):
    held.is_on = True
    choose(grid, "Desc")
    expect(sign(grid).get_by_role("status")).to_have_text("Working…")
    expect(grid.locator(".main-grid.stale .cell").first).to_have_css("opacity", "0.3")
    expect(grid.locator(".data-viewer-info")).to_contain_text("a (DESC)")
    if folder := os.environ.get("SCREENSHOTS"):
        grid.screenshot(path=str(Path(folder, "working.png")))
    choose(grid, "Asc")  # The grid sends this request after the first one.
    expect(grid.locator(".data-viewer-info")).to_contain_text("a (ASC)")
    assert len(held.routes) == 1
    with grid.expect_response(lambda answer: "ASC" in answer.url):
        held.release()
    see_rows(grid, 1, 2, 3)
    expect(grid.locator(".main-grid.stale")).to_have_count(0)
    expect(sign(grid)).to_have_count(0)
    choose(grid, "Desc")
    see_rows(grid, 3, 2, 1)
    expect(sign(grid)).to_have_count(0)


def test_cancelled_sort_leaves_the_previous_order(grid, held):
    choose(grid, "Desc")
    see_rows(grid, 3, 2, 1)
    held.is_on = True
    choose(grid, "Asc")
    cancel = sign(grid).get_by_role("button", name="Cancel")
    cancel.wait_for()
    held.is_on = False
    with grid.expect_navigation():
        cancel.click()
    see_rows(grid, 3, 2, 1)
    expect(grid.locator(".data-viewer-info")).to_contain_text("a (DESC)")


def test_cancelled_dialog_says_so(grid, held):
    held.is_on = True
    choose(grid, "Describe(Column Analysis)")
    sign(grid).get_by_role("button", name="Cancel").click()
    panel = grid.locator(".side-panel-content.describe")
    expect(panel).to_contain_text("You cancelled this.")
    expect(sign(grid)).to_have_count(0)


def test_grid_recovers_from_a_lost_response(grid):
    grid.route("**/dtale/data/*", lambda route: route.abort(), times=1)
    choose(grid, "Desc")
    expect(grid.locator("body")).to_contain_text("The site did not respond.")
    expect(grid.locator(".main-grid.stale")).to_have_count(1)
    choose(grid, "Asc")
    see_rows(grid, 1, 2, 3)
    expect(grid.locator(".main-grid.stale")).to_have_count(0)
    choose(grid, "Desc")
    see_rows(grid, 3, 2, 1)
