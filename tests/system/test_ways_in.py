"""Pages, the admin and programs open grids in D-Tale, in a real browser."""

import contextlib
import json
import re
import urllib.error
import urllib.request
from urllib.parse import quote

import pytest
from conftest import PASSWORD
from playwright.sync_api import TimeoutError, expect

# The URLconf of a site with an additional page, whose admin opens users in D-Tale. In a
# project, this code would be in views.py, urls.py and admin.py.
URLS = """
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django_dtale.admin import DtaleAdminMixin
from django_dtale.models import Frame


class PeopleAdmin(DtaleAdminMixin, UserAdmin):
    pass


admin.site.unregister(get_user_model())
admin.site.register(get_user_model(), PeopleAdmin)

# The import must come after the registration: it builds the admin's URLs.
from {slug}.urls import urlpatterns


def report(request, pk):
    return render(request, "report.html", {{"frame": get_object_or_404(Frame, pk=pk)}})


urlpatterns = [path("report/<int:pk>/", report), *urlpatterns]
"""
SETTINGS = """
from {slug}.settings import *

ROOT_URLCONF = "report_urls"
TEMPLATES[0]["DIRS"].append({templates!r})
"""
REPORT = """
{% extends "base.html" %}{% load dtale %}
{% block content %}<h1>Report</h1>{% dtale_frame frame height=360 %}{% endblock %}
"""


@pytest.fixture
def site(project, tmp_path):
    """A site with required sign-in, an account for ann and an additional page."""
    (tmp_path / "report.html").write_text(REPORT)
    (tmp_path / "report_urls.py").write_text(URLS.format(slug=project.slug))
    settings = SETTINGS.format(slug=project.slug, templates=str(tmp_path))
    (tmp_path / "report_settings.py").write_text(settings)
    variables = {
        "DATA_DIR": str(tmp_path / "data"),
        "FRAMES_LOGIN_REQUIRED": "True",
        "PYTHONPATH": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "report_settings",
    }
    project.set_up("ann", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


def sign_in(page, site, path="/"):
    page.goto(f"{site.url}/accounts/login/?next={quote(path)}")
    fill_in(page)
    page.wait_for_url(f"{site.url}{path}")


def fill_in(page):
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def cells(page):
    return page.locator(".main-grid .cell")


def open_sample(page, site):
    """Open the sample table, and return the id of its frame."""
    page.goto(f"{site.url}/create-df/")
    page.get_by_role("button", name="Open the sample table").click()
    page.wait_for_url(re.compile("/dtale/main/"))
    expect(cells(page).get_by_text("6", exact=True)).to_be_visible()
    return page.url.rpartition("/")[2]


def push(url, token, data, **headers):
    """Send a POST request as a program does. Return the status and the JSON."""
    headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data, headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        answer = opener.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, json.load(answer)


def read(url, token):
    """Return a table's file, as a program reads it."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return answer.read()


def test_admin_action_opens_the_selected_rows(site, page):
    sign_in(page, site, "/admin/accounts/user/?is_staff__exact=1")
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("Open in D-Tale")
    page.get_by_role("button", name="Run").or_(
        page.get_by_role("button", name="Go")
    ).click()
    page.wait_for_url(re.compile("/dtale/main/1$"))
    expect(cells(page).get_by_text("ann", exact=True)).to_be_visible()
    expect(page.locator("#frame-bar")).to_contain_text("Users")
    page.get_by_role("link", name="Your tables").click()
    expect(page).to_have_url(f"{site.url}/frames/")


def test_admin_link_opens_all_filtered_rows(site, page):
    sign_in(page, site, "/admin/accounts/user/?q=ann")
    page.get_by_role("link", name="Open in D-Tale").click()
    expect(page.get_by_role("main")).to_contain_text("1 row")
    page.locator("summary", has_text="Staff status").click()
    page.get_by_role("link", name="Yes", exact=True).first.click()
    expect(page).to_have_url(re.compile(r"is_staff__exact=1&q=ann$"))
    page.get_by_role("button", name="Open in D-Tale").click()
    page.wait_for_url(re.compile("/dtale/main/1$"))
    expect(cells(page).get_by_text("ann", exact=True)).to_be_visible()


def test_token_can_push_a_table_until_it_is_revoked(site, page):
    sign_in(page, site, "/frames/tokens/")
    page.get_by_label("Name").fill("lab book")
    page.get_by_role("button", name="Create a token").click()
    example = page.locator("pre").last.inner_text()
    url, token = (
        re.search('url = "(.*)"', example)[1],
        re.search('dtale_[^"]+', example)[0],
    )
    status, answer = push(
        url, token, b"city,people\nOslo,717710\n", **{"Content-Type": "text/csv"}
    )
    assert (status, answer["name"], answer["rows"]) == (201, "sales", 1)
    page.goto(answer["url"])
    expect(cells(page).get_by_text("Oslo", exact=True)).to_be_visible()
    expect(page.locator("#frame-bar")).to_contain_text("sales")

    page.goto(f"{site.url}/frames/tokens/")
    expect(page.get_by_role("main")).to_contain_text("last used")
    assert token not in page.content()
    page.get_by_role("button", name="Revoke lab book").click()
    expect(page.get_by_role("main")).to_contain_text("You have no tokens.")
    status, answer = push(url, token, b"a\n1\n", **{"Content-Type": "text/csv"})
    assert status == 401 and "Bearer" in answer["error"]


def test_token_that_can_only_read_reads_a_table(site, page):
    sign_in(page, site, "/frames/tokens/")
    number = open_sample(page, site)
    page.goto(f"{site.url}/frames/tokens/")
    page.get_by_label("Name").fill("report")
    page.get_by_label("Scope").select_option("Read tables")
    page.get_by_label("Expires").select_option("In 30 days")
    page.get_by_role("button", name="Create a token").click()
    example = page.locator("pre").last.inner_text()
    url = re.search('url = "(.*)"', example)[1].replace("/1/", f"/{number}/")
    token = re.search('dtale_[^"]+', example)[0]
    assert read(url, token).startswith(b"PAR1")
    assert b"6" in read(url.replace("parquet", "csv"), token)
    status, answer = push(f"{site.url}/frames/push/", token, b"a\n1\n")
    assert status == 403 and "Create tables" in answer["error"]
    item = page.get_by_role("listitem").filter(has_text="report")
    expect(item).to_contain_text("Read tables")
    expect(item).to_contain_text("expires on")


def test_embedded_grid_can_be_edited(site, page):
    sign_in(page, site)
    number = open_sample(page, site)
    page.goto(f"{site.url}/report/{number}/")
    iframe = page.get_by_title(f"Table {number} in D-Tale")
    assert iframe.bounding_box()["height"] >= 360
    grid = iframe.content_frame
    expect(cells(grid).get_by_text("6", exact=True)).to_be_visible()
    edit(grid, "20")
    expect(cells(grid).get_by_text("20", exact=True)).to_be_visible()
    expect(grid.locator("#frame-bar").get_by_text("As of")).to_be_visible()
    expect(grid.locator("#frame-bar strong")).to_have_count(0)
    page.get_by_role("link", name=f"Open table {number} on its own page").click()
    expect(cells(page).get_by_text("20", exact=True)).to_be_visible()


@pytest.mark.parametrize("path", ["/dtale/main/", "/report/"])
def test_edit_can_be_continued_after_signing_in_again(site, page, path):
    sign_in(page, site)
    number = open_sample(page, site)
    grid = page
    if path == "/report/":
        page.goto(f"{site.url}/report/{number}/")
        grid = page.get_by_title(f"Table {number} in D-Tale").content_frame
    expect(cells(grid).get_by_text("6", exact=True)).to_be_visible()
    page.context.clear_cookies()
    edit(grid, "20")
    dialog = grid.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible()
    with page.context.expect_page() as opened:
        dialog.get_by_role("link", name="Sign in again").click()
    other = opened.value
    fill_in(other)
    expect(cells(other).get_by_text("6", exact=True)).to_be_visible()
    other.close()
    dialog.get_by_role("button", name="Continue here").click()
    expect(dialog).to_be_hidden()
    # D-Tale shows its own error message, and keeps the typed text.
    grid.locator(".error .ico-close").click()
    expect(grid.locator(".error")).to_have_count(0)
    editor = grid.locator(".edited-cell-info textarea")
    # Enter has added a line break.
    expect(editor).to_have_value(re.compile(r"^20\s*$"))
    editor.press("Enter")
    expect(cells(grid).get_by_text("20", exact=True)).to_be_visible()


def edit(grid, value):
    editor = grid.locator(".edited-cell-info textarea")
    # If the grid is redrawn during a double click, the double click is lost.
    for _ in range(5):
        cells(grid).get_by_text("2", exact=True).last.dblclick()
        with contextlib.suppress(TimeoutError):
            editor.wait_for(timeout=8_000)
            break
    editor.fill(value)
    editor.press("Enter")


@pytest.mark.parametrize("width, height", [(1280, 800), (400, 700)])
def test_frame_bar_does_not_cover_the_grid_or_the_menu(site, page, width, height):
    sign_in(page, site)
    page.set_viewport_size({"width": width, "height": height})
    open_sample(page, site)
    bar, grid = (
        page.locator(each).bounding_box() for each in ("#frame-bar", "#content")
    )
    assert grid["y"] + grid["height"] <= bar["y"] + 1
    assert bar["y"] + bar["height"] <= height + 1
    page.get_by_test_id("main-menu-holder").click()
    menu = page.locator(".column-toggle__dropdown li:visible")
    assert menu.count() > 20
    assert menu.evaluate_all(COVERED) == []


# This script returns elements that cannot be clicked because they are covered by
# others.
COVERED = """(elements) => elements.filter((element) => {
  element.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = element.getBoundingClientRect();
  const top = document.elementFromPoint(x + width / 2, y + height / 2);
  return !element.contains(top);
}).map((element) => element.innerText)"""
