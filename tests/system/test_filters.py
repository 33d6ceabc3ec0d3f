"""Filters with values of the site, and predefined filters, in a real browser."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from test_prefix import menu

SETTINGS = """
from {slug}.settings import *

DTALE["FILTER_VALUES"] = {{"small": 1, "chosen": [2, 3]}}
DTALE["PREDEFINED_FILTERS"] = {{
    "Chosen": {{"filter": "a in @chosen", "description": "The chosen rows"}},
    "Large": {{"filter": "a > 2 or b > 5"}},
    "Elsewhere": {{"filter": "price > 2"}},
}}
"""


@pytest.fixture
def site(project, tmp_path):
    """A site with values and predefined filters."""
    settings = SETTINGS.format(slug=project.slug)
    (tmp_path / "filter_settings.py").write_text(settings)
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "PYTHONPATH": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "filter_settings",
    }
    project.set_up(**variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


def keep(page, name):
    """Store a screenshot in SCREENSHOTS, so that a person can look at it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder, f"filters-{name}.png")))


def see_rows(page, *numbers):
    """Wait until the grid shows exactly the rows with these numbers in column a."""
    rows = enumerate(numbers)  # The first cell of a row is its position in the grid.
    texts = sorted("".join(f"{at}{number}{number + 3}" for at, number in rows))
    expect(page.locator(".main-grid .cell")).to_have_count(len(texts))
    assert sorted("".join(page.locator(".main-grid .cell").all_inner_texts())) == texts


def apply(page, text):
    page.locator("[data-testid=filter-panel] textarea").fill(text)
    page.get_by_role("button", name="Apply").click()


def test_filters_of_the_site_in_the_browser(site, page):
    page.goto(site.url)
    page.get_by_role("button", name="Open the sample table").click()
    expect(page).to_have_url(re.compile(r"/dtale/main/\d+$"))
    see_rows(page, 1, 2, 3)

    menu(page, "Custom Filter")
    panel = page.locator("[data-testid=filter-panel]")
    expect(panel.get_by_text("@chosen", exact=True)).to_be_visible()
    expect(panel.get_by_text("[2, 3]", exact=True)).to_be_visible()
    apply(page, "a > @unknown")
    expect(panel).to_contain_text("this site has @chosen, @small")
    keep(page, "refused")
    apply(page, "a > @small and b.isin([5, 6]) and a.between(@small, 2)")
    see_rows(page, 2)
    menu(page, "Custom Filter")
    keep(page, "custom")
    panel.get_by_role("button", name="Clear").click()
    see_rows(page, 1, 2, 3)

    menu(page, "Predefined Filters")
    offered = page.locator(".predefined-filter-input")
    expect(offered).to_have_count(2)
    expect(offered.first).to_contain_text("The chosen rows")
    expect(offered.first).to_contain_text("a in @chosen")
    expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    offered.first.get_by_text("Enabled").click()
    see_rows(page, 2, 3)
    offered.last.get_by_text("Enabled").click()
    see_rows(page, 3)
    keep(page, "predefined")
    page.reload()
    see_rows(page, 3)
    menu(page, "Predefined Filters")
    offered.last.get_by_text("Disabled").click()
    see_rows(page, 2, 3)
    page.get_by_title("Invert Filter").click()
    see_rows(page, 1)
    page.get_by_title("Clear Filters").click()
    see_rows(page, 1, 2, 3)
