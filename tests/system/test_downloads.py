"""Downloads in a real browser: from the grid to a file with what it shows."""

import csv
import re

import pytest
from playwright.sync_api import expect
from test_pages import new_page, sign_in  # noqa: F401

PUBLISH = """
import pandas as pd
from django.contrib.auth import get_user_model
from django_dtale import View, publish
ann = get_user_model().objects.get(username="ann")
data = pd.DataFrame({"n": range(560), "secret": "x", "text": '=a "b"'})
view = View(query="n < 31", hide=["secret"], sort=[("n", "DESC")])
publish(data, owner=ann, name="Orders", view=view)
"""
EXPECTED = [["n", "text"], *([str(n), '=a "b"'] for n in range(30, -1, -1))]


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    variables = {"DATA_DIR": str(tmp_path_factory.mktemp("downloads"))}
    project.set_up("ann", **variables)
    project.run(".venv/bin/python", "manage.py", "shell", "-c", PUBLISH, **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


def read(download):
    with open(download.value.path(), newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_export_of_the_grid_leads_to_a_file_with_what_it_shows(site, page, problems):
    sign_in(page, site, "ann")
    page.goto(f"{site.url}/{site.prefix}/dtale/main/1")
    expect(page.locator(".cell").first).to_be_visible()
    page.locator(".grid-menu").first.click()
    page.locator(".clickable-menu-item").get_by_text("Export", exact=True).click()
    with page.expect_popup() as popup:
        page.locator(".modal.show").get_by_role("button", name="TSV").click()
    opened = popup.value
    expect(opened).to_have_url(re.compile("/frames/1/download/"))
    expect(opened.get_by_label("TSV")).to_be_checked()
    expect(opened.get_by_label("TSV")).to_be_focused()
    expect(opened.get_by_label("The 31 rows")).to_be_checked()
    expect(opened.get_by_label("The 2 columns")).to_be_checked()
    expect(opened.get_by_label("Safe for spreadsheets")).to_be_visible()
    opened.get_by_label("Parquet").check()
    expect(opened.get_by_label("Safe for spreadsheets")).to_be_hidden()
    opened.get_by_label("CSV", exact=False).first.check()
    with opened.expect_download() as download:
        opened.keyboard.press("Enter")
    assert download.value.suggested_filename == "Orders.csv"
    assert read(download) == EXPECTED
    expect(opened.get_by_role("status")).to_contain_text("Downloaded: Orders.csv")

    opened.get_by_label("All 560 rows").check()
    opened.get_by_label("All 3 columns").check()
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Download").click()
    assert len(read(download)) == 561

    # The page of an error takes the place of the file.
    opened.route(
        "**/download/?format*", lambda route: route.fulfill(status=413, body="x")
    )
    opened.get_by_role("button", name="Download").click()
    expect(opened).to_have_url(re.compile(r"\?format=csv"))


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_what_one_sees_is_downloaded_with_one_click(site, page, has_script):
    sign_in(page, site, "ann")
    page.goto(f"{site.url}/{site.prefix}/dtale/main/1")
    expect(page.locator(".cell").first).to_be_visible()
    link = page.locator("#frame-bar").get_by_role("link", name="Download", exact=True)
    if not has_script:  # The link is a link of its own, without any script.
        page.evaluate(
            "(link) => document.body.replaceChildren(link)", link.element_handle()
        )
        link = page.get_by_role("link", name="Download", exact=True)
    with page.expect_download() as download:
        link.click()
    assert download.value.suggested_filename == "Orders.csv"
    assert read(download) == EXPECTED
    if has_script:
        page.get_by_role("link", name="Download options").click()
        expect(page.get_by_label("The 31 rows")).to_be_checked()


def test_download_is_cancelled(site, page):
    sign_in(page, site, "ann")
    page.goto(f"{site.url}/frames/1/download/")
    page.route("**/download/?format*", lambda route: None)
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("status")).to_have_text("Preparing the file")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("status")).to_have_text("Cancelled.")


def test_file_is_downloaded_without_javascript(site, new_page):  # noqa: F811
    page = new_page(java_script_enabled=False)
    sign_in(page, site, "ann")
    page.goto(f"{site.url}/frames/1/download/")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "Orders.csv"
    assert read(download) == EXPECTED
