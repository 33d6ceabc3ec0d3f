"""An open grid notices that its table has newer data, and mixes no old and new rows."""

import re

import pytest
from playwright.sync_api import expect
from test_pages import drop

ROWS = 1_000


def csv(sign):
    return "a,b\n" + "".join(f"{sign}{row},{row}\n" for row in range(ROWS))


@pytest.fixture
def old_grid(site, page):
    """A page with an open grid, whose data were replaced in another tab."""
    page.goto(site.url)
    drop(page, ("a.csv", csv("old")))
    expect(page).to_have_url(re.compile("/dtale/main/"))
    expect(page.get_by_text("old1", exact=True)).to_be_visible()
    pk = page.url.rpartition("/")[2]
    other = page.context.new_page()
    other.goto(f"{site.url}/frames/{pk}/update/")
    file = {"name": "new.csv", "mimeType": "text/csv", "buffer": csv("new").encode()}
    other.get_by_label("File", exact=True).set_input_files([file])
    other.get_by_role("button", name="Update the table").click()
    expect(other.get_by_text("new1", exact=True)).to_be_visible()
    other.close()
    return page


def test_scrolling_shows_no_new_rows_beside_old_ones(old_grid):
    notice = old_grid.get_by_text("Newer data are here.")
    expect(notice).to_be_hidden()
    old_grid.get_by_text("old1", exact=True).hover()
    for _ in range(10):
        old_grid.mouse.wheel(0, 2_000)
        old_grid.wait_for_timeout(100)
    expect(notice).to_be_visible()
    expect(old_grid.get_by_text(re.compile(r"^new\d+$"))).to_have_count(0)
    old_grid.get_by_role("button", name="Reload").click()
    expect(old_grid.get_by_text("new1", exact=True)).to_be_visible()
    expect(notice).to_be_hidden()


def test_grid_asks_for_newer_data_when_users_come_back(old_grid):
    old_grid.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(old_grid.get_by_text("Newer data are here.")).to_be_visible()
