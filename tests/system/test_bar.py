"""The bar below the grid in a real browser: rename, copy, meet, and read-only tables."""

import os
import re
from pathlib import Path

import pytest
from lengths import length
from playwright.sync_api import expect
from test_accessibility import LOOKS, SIZES, Walk, faults_of_keys
from test_pages import sign_in

PUBLISH = """
import pandas as pd
from django.contrib.auth import get_user_model
from django_dtale import View, publish
people = get_user_model().objects
ann, bob = (people.get(username=name) for name in ("ann", "bob"))
data = pd.DataFrame({"city": ["Rome", "Oslo"], "price": [120, 99], "sold": [True, False]})
publish(data, owner=ann, name="Orders", shared_with=[bob])
publish(data, owner=ann, name="Stock", view=View(editable={"price": None}, hide=["city"]))
"""


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """A site with two tables of ann's, of which bob may read the first."""
    variables = {"DATA_DIR": str(tmp_path_factory.mktemp("bar"))}
    project.set_up("ann", "bob", **variables)
    project.run(".venv/bin/python", "manage.py", "shell", "-c", PUBLISH, **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def bob(site, browser):
    """The page of bob, who is signed in, in another browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    sign_in(page, site, "bob")
    yield page
    context.close()


def open_table(page, site, name):
    page.goto(site.url)
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.locator(".main-grid .cell").first).to_be_visible()


def cell(page, text):
    return page.locator(".cell").get_by_text(text, exact=True)


def keep(page, name):
    """Store a screenshot in SCREENSHOTS, so that a person can look at it."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=str(Path(folder, f"bar-{name}.png")))


def test_owner_renames_in_place_and_copies_the_link(site, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, site, "ann")
    open_table(page, site, "Orders")
    bar = page.locator("#frame-bar")
    name = bar.locator("#frame-name")
    # Click, type, Enter.
    name.click()
    page.keyboard.type("Sales of May")
    page.keyboard.press("Enter")
    expect(name).to_have_text("Sales of May")
    expect(bar.locator("#bar-status")).to_have_text("The table was renamed.")
    # Escape cancels. The focus comes back to the name, and Enter begins again.
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Nothing")
    page.keyboard.press("Escape")
    expect(name).to_be_focused()
    expect(name).to_have_text("Sales of May")
    # A name that is taken stays in the field, with the reason.
    page.keyboard.press("Enter")
    page.keyboard.type("Stock")
    page.keyboard.press("Enter")
    expect(bar.get_by_text("You already have a table named Stock.")).to_be_visible()
    expect(bar.get_by_label("Name of the table")).to_have_value("Stock")
    page.keyboard.press("Escape")
    page.reload()
    expect(name).to_have_text("Sales of May")

    bar.get_by_role("button", name="Copy link").click()
    expect(bar.get_by_text("Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    # Without JavaScript, the name is a link to a page.
    assert page.goto(site.url + name.get_attribute("href")).status == 200
    page.get_by_label("Name").fill("Orders")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("link", name="Orders", exact=True)).to_be_visible()


def test_people_meet_and_a_reader_learns_that_the_table_is_read_only(site, page, bob):
    sign_in(page, site, "ann")
    open_table(page, site, "Orders")
    open_table(bob, site, "Orders")
    expect(bob.locator("#here")).to_contain_text("Also here: ann")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#here")).to_contain_text("Also here: bob")
    expect(page.locator("#here i")).to_have_text("BO")

    message = bob.get_by_role("status").filter(has_text="This table is read-only.")
    for text in ("Rome", "120"):
        cell(bob, text).dblclick()
        expect(message).to_be_visible()
        assert bob.locator(".cell input, .cell textarea").count() == 0
        keep(bob, "read-only")
        message.get_by_role("button", name="Close").click()
        expect(message).to_be_hidden()
    # Another way to change the data is refused, and D-Tale's own message is short.
    refused = bob.evaluate(
        """async (url) => {
          const request = new XMLHttpRequest();
          request.open("GET", url, false);
          request.send();
          return JSON.parse(request.responseText).error;
        }""",
        bob.url.replace("/main/", "/rename-col/") + "?col=city&rename=town",
    )
    assert refused.endswith("To change the data, save a copy of your own.")
    expect(message.get_by_role("link", name="Ask the owner")).to_have_attribute(
        "href", "mailto:ann@example.com?subject=Orders"
    )
    message.get_by_role("link", name="Copy this table").click()
    bob.get_by_role("button", name="Save a copy").click()
    cell(bob, "Rome").dblclick()
    expect(bob.locator(".cell input")).to_have_value("Rome")


def test_only_editable_columns_open_an_editor(site, page):
    """The first column is hidden, so that columns and their positions differ."""
    sign_in(page, site, "ann")
    open_table(page, site, "Stock")
    cell(page, "99").dblclick()
    expect(page.locator(".cell input")).to_have_value("99")
    page.keyboard.press("Escape")
    page.locator('.cell[cell_idx="2|1"]').dblclick()
    text = "You can only change cells of these columns: price."
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()
    assert page.locator(".cell input[type=text], .cell textarea").count() == 0


def test_column_stays_if_a_reader_deletes_it(site, page, bob):
    """The server refuses this, and D-Tale must not hide the column."""
    open_table(bob, site, "Orders")
    bob.locator(".headerCell").get_by_text("price").click()
    bob.locator("#column-menu-div").get_by_text("Delete", exact=True).click()
    with bob.expect_response(re.compile("/delete-col/")) as response:
        bob.get_by_role("button", name="Yes").click()
    assert response.value.json()["success"] is False
    message = bob.get_by_role("status").filter(has_text="This table is read-only.")
    expect(message).to_be_visible()
    expect(bob.locator(".headerCell").get_by_text("price")).to_be_visible()
    # The owner's column disappears.
    sign_in(page, site, "ann")
    open_table(page, site, "Orders")
    page.locator(".headerCell").get_by_text("sold").click()
    page.locator("#column-menu-div").get_by_text("Delete", exact=True).click()
    page.get_by_role("button", name="Yes").click()
    expect(page.locator(".headerCell").get_by_text("sold")).to_have_count(0)
    page.locator("#undo button").click()
    expect(page.locator(".headerCell").get_by_text("sold")).to_be_visible()


def test_side_panel_and_bar_do_not_cover_each_other(site, page):
    sign_in(page, site, "ann")
    open_table(page, site, "Orders")
    page.get_by_title("Menu: filters").first.click()
    page.locator(".clickable-menu-item").get_by_text("Show/Hide Columns").click()
    panel = page.locator(".side-panel-content.is-expanded")
    expect(panel.get_by_text("Save Visibility")).to_be_visible()
    box, bar = panel.bounding_box(), page.locator("#frame-bar").bounding_box()
    assert box["y"] + box["height"] <= bar["y"] + 1
    page.locator("#frame-bar").get_by_role("button", name="Dark").click(trial=True)


def test_html_to_embed_a_table_is_copied_and_works(site, page):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, site, "ann")
    page.goto(site.url)
    page.get_by_role("link", name="Share Orders").click()
    page.get_by_role("button", name="Copy HTML").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    page.route(
        "**/embeds/", lambda route: route.fulfill(body=copied, content_type="text/html")
    )
    page.goto(f"{site.url}/embeds/")
    expect(page.frame_locator("iframe").locator(".cell").first).to_be_visible()


@pytest.mark.parametrize("look", length([*LOOKS][:2], LOOKS))
def test_bar_on_each_screen_is_used_by_keyboard_and_covers_nothing(site, browser, look):
    context = browser.new_context(**LOOKS[look])
    page = context.new_page()
    walk = Walk(page, site)
    walk.sign_in("ann")
    walk.go(f"/{site.prefix}/dtale/main/1")
    expect(page.locator(".main-grid .cell").first).to_be_visible()
    bar, more = page.locator("#frame-bar"), page.locator("#bar-more summary")
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        if more.is_visible() and not page.locator("#bar-more[open]").count():
            more.click()
        keep(page, f"{look[:4]}-{width}")
        faults = [*faults_of_keys(page, "#frame-bar a", "#frame-bar")]
        assert faults == [], width
        grid = page.locator("#content").bounding_box()
        assert grid["y"] + grid["height"] <= bar.bounding_box()["y"] + 1
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_bar_of_a_small_screen_has_one_line_and_is_used_by_keyboard(site, page):
    sign_in(page, site, "ann")
    page.set_viewport_size({"width": 360, "height": 640})
    open_table(page, site, "Orders")
    bar, undo = page.locator("#frame-bar"), page.get_by_role("button", name="Undo")
    assert bar.bounding_box()["height"] < 40
    expect(undo).to_be_hidden()
    keep(page, "360")
    names = ["Your tables", "Orders", "More"]
    page.get_by_role("link", name=names[0]).focus()
    for name in names[1:]:
        page.keyboard.press("Tab")
        expect(page.locator(":focus")).to_have_text(name)
        style = "(e) => getComputedStyle(e).outlineStyle"
        assert page.locator(":focus").evaluate(style) == "solid"
    page.keyboard.press("Enter")
    expect(undo).to_be_visible()
    keep(page, "360-open")
    page.keyboard.press("Tab")
    expect(undo).to_be_focused()
    # The bar is below the grid, and not over it.
    grid = page.locator("#content").bounding_box()
    assert grid["y"] + grid["height"] <= bar.bounding_box()["y"] + 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # On a large screen, everything is visible at once.
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(bar.get_by_text("More", exact=True)).to_be_hidden()
    assert bar.bounding_box()["height"] < 40
    found = bar.locator("a:visible, button:visible, summary:visible, .as-of")
    assert re.sub(r"As of [^|]*", "As of", "|".join(found.all_inner_texts())) == (
        "Your tables|Orders|As of|Undo|History|Charts|Views|Share|Download|"
        "Download options|Copy link|System|Light|Dark"
    )
