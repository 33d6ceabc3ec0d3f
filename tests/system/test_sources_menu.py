"""A registered source in a real browser: the menu, the form, the grid, and Refresh."""

import re

import pytest
from playwright.sync_api import expect
from test_pages import sign_in

GRID = re.compile(r"/dtale/main/\d+$")
SETTINGS = """
from django_d_tale.settings import *

INSTALLED_APPS += ["shop"]
"""
SOURCES = """
import os
import time
from pathlib import Path

from django import forms
from django_dtale import source


class YearForm(forms.Form):
    year = forms.IntegerField(min_value=2000)


@source("Orders of a year", form=YearForm, description="All orders of the shop.")
def orders(request, year):
    prices = Path(os.environ["PRICES"])
    # The test holds the source until it has seen the progress.
    for _ in range(600):
        if not prices.with_name("hold").exists():
            break
        time.sleep(0.1)
    prices = prices.read_text().split()
    return [{"year": year, "price": int(price)} for price in prices]
"""


@pytest.fixture(scope="module")
def prices(tmp_path_factory):
    """The file that the source reads."""
    return tmp_path_factory.mktemp("prices") / "prices.txt"


@pytest.fixture(scope="module")
def site(project, prices, tmp_path_factory):
    """The default bake with another app, which has a source."""
    folder = tmp_path_factory.mktemp("apps")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "sources.py").write_text(SOURCES)
    (folder / "settings_with_shop.py").write_text(SETTINGS)
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "settings_with_shop",
        "PRICES": str(prices),
    }
    project.set_up("ann", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


def test_source_is_opened_from_the_menu_and_refreshed_in_the_grid(site, page, prices):
    prices.write_text("111 222")
    hold = prices.with_name("hold")
    hold.touch()
    sign_in(page, site, "ann")
    header = page.locator("header")
    header.get_by_role("link", name="Data of this site", exact=True).click()
    expect(page.get_by_text("All orders of the shop.")).to_be_visible()
    page.get_by_role("link", name="Orders of a year").click()
    # Without the script of the page, the browser itself sends the form, and shows no progress.
    page.wait_for_url("**/sources/shop.orders/")
    page.get_by_label("Year").fill("2026")
    page.get_by_role("button", name="Open in D-Tale").click()
    expect(page.get_by_role("progressbar", name="Collecting")).to_be_visible()
    hold.unlink()
    expect(page).to_have_url(GRID)
    expect(page.get_by_text("222", exact=True)).to_be_visible()
    address, bar = page.url, page.locator("#frame-bar")
    expect(bar).to_contain_text("Orders of a year: 2026")

    prices.write_text("111 333")
    bar.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("333", exact=True)).to_be_visible()
    expect(page).to_have_url(address)
    expect(page.get_by_text("222", exact=True)).to_have_count(0)

    prices.unlink()
    bar.get_by_role("button", name="Refresh").click()
    expect(page.get_by_text("“Orders of a year” failed")).to_be_visible()
    page.goto(address)
    expect(page.get_by_text("333", exact=True)).to_be_visible()


def test_error_of_a_source_is_explained_on_its_page(site, page, prices):
    prices.unlink(missing_ok=True)
    sign_in(page, site, "ann")
    page.goto(f"{site.url}/frames/sources/shop.orders/")
    page.get_by_label("Year").fill("2026")
    page.get_by_role("button", name="Open in D-Tale").click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text(re.compile(r"failed.*\(request \w{32}\)"))
    number = re.search(r"request (\w+)", alert.inner_text())[1]
    assert f"Request {number}: the source shop.orders failed" in site.log.read_text()
    expect(page.get_by_role("progressbar")).to_be_hidden()
    expect(page.get_by_label("Year")).to_have_value("2026")


def test_table_is_refreshed_from_the_list(site, page, prices):
    prices.write_text("5")
    sign_in(page, site, "ann")
    page.goto(f"{site.url}/frames/sources/shop.orders/")
    page.get_by_label("Year").fill("2027")
    page.get_by_role("button", name="Open in D-Tale").click()
    expect(page).to_have_url(GRID)
    prices.write_text("678")
    page.goto(site.url)
    page.get_by_text("More for Orders of a year: 2027").click()
    page.get_by_role("link", name="Refresh").click()
    page.get_by_role("button", name="Refresh").click()
    expect(page).to_have_url(GRID)
    expect(page.get_by_text("678", exact=True)).to_be_visible()
