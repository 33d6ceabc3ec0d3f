"""Saved views in a real browser: people save, open, share and embed what they see."""

import contextlib
import os
import re
import sqlite3
from pathlib import Path

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect
from test_prefix import menu

URLS = """
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django_dtale.models import Frame
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
{% block content %}
{% dtale_frame frame view="late orders" height=300 %}
{% dtale_frame frame view="cheap" height=300 %}
{% dtale_frame frame view="sums" height=600 %}
{% dtale_frame frame view="missing" %}
{% endblock %}
"""
PUBLISH = """
import pandas as pd
from django.contrib.auth import get_user_model
from django_dtale import View, publish
people = get_user_model().objects
ann, bob = (people.get(username=name) for name in ("ann", "bob"))
data = pd.DataFrame({
    "city": ["Rome", "Berlin", "Paris", "Oslo"],
    "late": ["yes", "no", "yes", "yes"],
    "price": [120.5, 99.0, 10.0, 300.25],
})
frame = publish(data, owner=ann, name="Orders", shared_with=[bob])
frame.save_view("cheap", View(query="price < 100", sort=[("city", "ASC")]))
frame.save_view("by price", View(locked=["price"]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("saved_views")


@pytest.fixture(scope="module")
def site(project, folder):
    """A site with a table of ann's, which bob may read, and a page that embeds it."""
    (folder / "report.html").write_text(REPORT)
    (folder / "report_urls.py").write_text(URLS.format(slug=project.slug))
    settings = SETTINGS.format(slug=project.slug, templates=str(folder))
    (folder / "report_settings.py").write_text(settings)
    variables = {
        "DATA_DIR": str(folder / "data"),
        "PYTHONPATH": str(folder),
        "DJANGO_SETTINGS_MODULE": "report_settings",
    }
    project.set_up("ann", "bob", **variables)
    shell = ".venv/bin/python", "manage.py", "shell", "-c", PUBLISH
    project.run(*shell, **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def changed_views(folder):
    """Return a function that counts the views that people have changed."""

    def changed_views():
        database = folder / "data" / "db.sqlite3"
        with contextlib.closing(sqlite3.connect(database)) as connection:
            query = "SELECT count(*) FROM frames_personalview WHERE variant > 0"
            return connection.execute(query).fetchone()[0]

    return changed_views


@pytest.fixture
def bob(site, browser):
    """The page of bob, who is signed in, in another browser."""
    context = browser.new_context()
    page = context.new_page()
    sign_in(page, site, "bob")
    yield page
    context.close()


def sign_in(page, site, name):
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {name}")).to_be_visible()


def keep(page, name, width=1280, height=800):
    """Store a screenshot in SCREENSHOTS, so that a person can look at it."""
    if folder := os.environ.get("SCREENSHOTS"):
        before = page.viewport_size
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(1000)
        page.screenshot(path=str(Path(folder, f"views-{name}-{width}.png")))
        page.set_viewport_size(before)


def see_cities(page, *names):
    """Wait until the grid shows exactly the rows of these cities."""
    cities = page.locator(".main-grid .cell").filter(
        has_text=re.compile(r"^(Rome|Berlin|Paris|Oslo)$")
    )
    expect(cities).to_have_count(len(names))
    assert sorted(cities.all_inner_texts()) == sorted(names)


def set_filter(page, text, before=""):
    """Replace the custom filter."""
    with page.expect_response(re.compile("/filter-info/")) as answer:
        menu(page, "Custom Filter")
    answer.value.finished()
    field = page.locator("[data-testid=filter-panel] textarea")
    # D-Tale shows the present filter when it has read the response, which would replace
    # a text that is entered before.
    expect(field).to_have_value(before)
    page.evaluate("() => new Promise(requestAnimationFrame)")
    field.fill(text)
    page.get_by_role("button", name="Apply").click()


def open_menu(page):
    """Open the menu of views with the keyboard."""
    page.locator("#views-menu summary").focus()
    page.keyboard.press("Enter")
    return page.locator("#views-menu")


def save(page, name):
    open_menu(page).get_by_label("Name").fill(name)
    page.keyboard.press("Enter")


def test_views_are_saved_opened_by_link_and_embedded(site, page, bob, changed_views):
    sign_in(page, site, "ann")
    page.goto(site.url)
    page.get_by_role("link", name="Orders", exact=True).click()
    see_cities(page, "Rome", "Berlin", "Paris", "Oslo")
    grid = page.url
    keep(page, "bar")
    keep(page, "bar", 360, 640)
    open_menu(page)
    keep(page, "menu")
    keep(page, "menu", 360, 640)
    # The grid is above the menu, and not below it.
    bottom = page.locator("body > .container-fluid").bounding_box()
    bar = page.locator("#frame-bar").bounding_box()
    assert bottom["y"] + bottom["height"] <= bar["y"] + 1
    page.keyboard.press("Enter")

    set_filter(page, "late == 'yes'")
    see_cities(page, "Rome", "Paris", "Oslo")
    save(page, "late orders")
    expect(page).not_to_have_url(grid)
    see_cities(page, "Rome", "Paris", "Oslo")
    link = page.url
    expect(page.get_by_text("View: late orders")).to_be_visible()
    expect(open_menu(page).locator("[aria-current]")).to_have_text("late orders")
    keep(page, "view")
    keep(page, "view", 360, 640)

    # Bob opens the link. His changes do not affect Ann's page.
    bob.goto(link)
    see_cities(bob, "Rome", "Paris", "Oslo")
    bob.wait_for_load_state("networkidle")
    assert changed_views() == 0  # A view that is only opened can still be updated.
    expect(open_menu(bob).get_by_label("Name")).to_have_count(0)
    keep(bob, "reader", 360, 640)
    set_filter(bob, "price > 200", before="late == 'yes'")
    see_cities(bob, "Oslo")
    assert changed_views() == 1
    page.reload()
    see_cities(page, "Rome", "Paris", "Oslo")
    bob.reload()
    see_cities(bob, "Oslo")
    open_menu(bob).get_by_role("button", name="Discard my changes").click()
    see_cities(bob, "Rome", "Paris", "Oslo")

    # A chart of the view.
    page.goto(link.replace("/main/", "/charts/"))
    expect(page.locator("#chart-inputs")).to_be_visible()
    save(page, "sums")
    expect(page.get_by_text("There is no chart yet.")).to_be_visible()
    page.get_by_text("Bar", exact=True).click()
    page.locator("#x-dropdown").click()
    page.get_by_role("option", name="city", exact=True).click()
    page.locator("#y-multi-dropdown").click()
    page.get_by_role("option", name="price", exact=True).click()
    page.keyboard.press("Escape")
    expect(page.locator("#chart-content .bars .point")).to_have_count(3)
    keep(page, "chart")
    keep(page, "chart", 360, 640)
    page.get_by_role("button", name="Save as a new view").click()
    expect(page.get_by_text("View: sums")).to_be_visible()
    expect(page.locator("#chart-content .bars .point")).to_have_count(3)
    keep(page, "saved-chart", 360, 640)
    chart = re.sub(r"\?.*", "", page.url)
    bob.goto(chart)
    expect(bob.locator("#chart-content .bars .point")).to_have_count(3)

    # The page of views.
    bob.goto(link)
    open_menu(bob).get_by_role("link", name="Manage views").click()
    expect(bob.get_by_label("Link to late orders")).to_have_value(link)
    expect(bob.get_by_label("Link to sums")).to_have_value(chart)
    bob.get_by_role("button", name=re.compile("Copy link.*sums")).click()
    expect(bob.get_by_text("Copied")).to_be_visible()
    expect(bob.get_by_role("link", name="Delete")).to_have_count(0)
    keep(bob, "page", 360, 640)
    page.goto(bob.url)
    keep(page, "page")

    # A page of the site embeds them.
    bob.goto(f"{site.url}/report/{grid.rpartition('/')[2]}/")
    late, cheap, sums = (bob.frame_locator(f"iframe >> nth={n}") for n in range(3))
    see_cities(late, "Rome", "Paris", "Oslo")
    see_cities(cheap, "Berlin", "Paris")
    sums.locator("#chart-content").scroll_into_view_if_needed()
    expect(sums.locator("#chart-content .bars .point")).to_have_count(3)
    expect(sums.locator("#chart-bar")).to_have_count(0)
    expect(sums.locator("#chart-inputs")).to_be_hidden()
    expect(sums.locator(".app-header")).to_be_hidden()
    expect(bob.get_by_text("that does not exist")).to_be_visible()
    keep(bob, "embedded", 1280, 1600)


def test_locked_columns_of_a_view_come_first(site, page):
    sign_in(page, site, "ann")
    page.goto(site.url)
    page.get_by_role("link", name="Orders", exact=True).click()
    open_menu(page).get_by_role("link", name="by price").click()
    see_cities(page, "Rome", "Berlin", "Paris", "Oslo")
    locked, others = (page.get_by_role("grid").nth(n) for n in range(2))
    expect(locked).to_contain_text("price")
    expect(others).to_contain_text("city")
    keep(page, "locked")
