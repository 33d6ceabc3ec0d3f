"""The home page of a person with many tables, and uploading from it."""

import re

import pytest
from playwright.sync_api import expect
from test_pages import CSV, GRID, drop, sign_in

TABLES = 300
PHONE = {"width": 360, "height": 640}
PUBLISH = f"""
import django_dtale
from django.contrib.auth import get_user_model
ann, bob = map(get_user_model().objects.get_by_natural_key, ("ann", "bob"))
for n in range({TABLES}):
    shared = [bob] if n == 7 else []
    name = f"orders {{n:03}} of a region with a long name"
    django_dtale.publish({{"a": [n]}}, owner=ann, name=name, shared_with=shared)
"""


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """The default bake, where ann has 300 tables and has shared one with bob."""
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("home")),
        "FRAMES_MAX_COUNT": "1000",
        "FRAMES_MAX_UPLOAD_MB": "20",
    }
    project.set_up("ann", "bob", **variables)
    manage = ".venv/bin/python", "manage.py"
    project.run(*manage, "shell", "-v", "0", "-c", PUBLISH, **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def home(site, page):
    """Ann's home page."""
    sign_in(page, site, "ann")
    page.goto(site.url)
    return page


def rows(page):
    return page.get_by_role("region", name="Your tables").get_by_role("rowheader")


def paste(page, text):
    """Paste text as a spreadsheet copies it, where no field has the focus."""
    page.evaluate(
        """(text) => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          document.body.dispatchEvent(new ClipboardEvent(
            "paste", {clipboardData, bubbles: true, cancelable: true}));
        }""",
        text,
    )


# The list -----------------------------------------------------------------------------


def test_tables_begin_in_the_upper_half_and_are_found_while_typing(home):
    assert rows(home).first.bounding_box()["y"] < 400
    # The search has the focus, because there are more tables than the page shows.
    home.keyboard.type("orders 123")
    expect(rows(home)).to_have_count(1)
    expect(home.locator("#found")).to_have_text("1 table")
    expect(home).to_have_url(re.compile(r"\?q=orders\+123$"))
    home.keyboard.type("x")
    nothing = home.locator("#page-list").get_by_text("contains “orders 123x”.")
    expect(nothing).to_be_visible()
    home.get_by_role("link", name="Show all").click()
    expect(rows(home).nth(1)).to_be_visible()
    home.get_by_role("link", name="Shared with").click()
    expect(rows(home).first).to_contain_text("orders 007")
    expect(home.get_by_role("cell", name="1 user", exact=True)).to_be_visible()


class Gestures:
    """The gestures of a person on a page: each click and each typed text is one."""

    def __init__(self, page):
        self.page = page
        self.count = 0

    def click(self, locator):
        locator.click()
        self.count += 1

    def type(self, text):
        """Type where the focus is."""
        self.page.keyboard.type(text)
        self.count += 1


def test_table_among_many_is_found_with_one_gesture_and_renamed_with_two(home):
    finding, renaming = Gestures(home), Gestures(home)
    finding.type("orders 222")
    expect(rows(home)).to_have_count(1)
    pencil = home.get_by_title("Rename")
    assert pencil.evaluate("(each) => getComputedStyle(each).opacity") == "0"
    rows(home).hover()
    renaming.click(pencil)
    renaming.type("Rivers\n")
    expect(home.get_by_role("link", name="Rivers", exact=True)).to_be_focused()
    assert (finding.count, renaming.count) == (1, 2)
    # The menu knows the new name, too.
    home.get_by_text("More for Rivers").click()
    home.get_by_role("link", name="Rename", exact=True).click()
    expect(home.get_by_role("textbox", name="Rename")).to_have_value("Rivers")


def test_pencil_is_reached_with_the_keyboard_and_seen_on_a_touch_screen(
    home, site, browser
):
    name = rows(home).locator(".name").first
    name.focus()
    home.keyboard.press("Tab")
    pencil = rows(home).first.get_by_title("Rename")
    expect(pencil).to_be_focused()
    assert pencil.evaluate("(each) => getComputedStyle(each).opacity") == "1"
    home.keyboard.press("Enter")
    expect(home.get_by_role("textbox", name="Rename")).to_be_focused()
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    phone = context.new_page()
    sign_in(phone, site, "ann")
    phone.goto(site.url)
    # The keyboard of a phone would cover the list.
    expect(phone.locator("#search")).not_to_be_focused()
    pencil = phone.get_by_title("Rename").first
    assert pencil.evaluate("(each) => getComputedStyle(each).opacity") == "1"
    box = pencil.bounding_box()
    assert box["width"] >= 24 and box["height"] >= 24
    context.close()


def test_selecting_all_says_how_many(home):
    label = home.locator("form.chosen label")
    expect(label).to_have_text(re.compile(r"Select the \d+ shown"))
    shown = int(re.search(r"\d+", label.inner_text())[0])
    label.click()
    assert home.locator("[name=table]:checked").count() == shown < TABLES
    home.goto(f"{home.url.partition('?')[0]}?q=orders+1")
    for _ in range(100):
        if rows(home).count() == 100:
            break
        home.mouse.wheel(0, 20_000)
        home.wait_for_timeout(100)
    expect(label).to_have_text("Select all")


def test_all_tables_are_loaded_while_scrolling(home):
    expect(rows(home)).not_to_have_count(TABLES)
    for _ in range(200):
        if rows(home).count() == TABLES:
            break
        home.mouse.wheel(0, 20_000)
        home.wait_for_timeout(100)
    expect(rows(home)).to_have_count(TABLES)
    boxes = home.locator("[name=table]")
    keys = boxes.evaluate_all("(boxes) => boxes.map((box) => Number(box.value))")
    # The latest is the first. Other tests have renamed tables.
    assert keys == sorted(set(keys), reverse=True)
    expect(home.get_by_role("link", name="Next")).to_have_count(0)
    # The new rows have checkboxes like the first.
    rows(home).last.get_by_role("checkbox").check()
    expect(home.get_by_role("button", name="Share")).to_be_visible()


def test_chosen_layout_is_remembered(home, site):
    home.get_by_role("link", name="Cards").click()
    expect(home).to_have_url(f"{site.url}/")
    home.reload()
    first, second = (rows(home).nth(number).bounding_box() for number in (0, 1))
    assert first["y"] == second["y"]  # Cards are side by side.
    home.get_by_role("link", name="List").click()
    first, second = (rows(home).nth(number).bounding_box() for number in (0, 1))
    assert first["x"] == second["x"]


def test_table_is_renamed_in_its_row_and_deleted_with_two_clicks(home, site):
    home.goto(f"{site.url}/?q=orders+042")
    home.get_by_text("More for orders 042").click()
    home.get_by_role("link", name="Rename", exact=True).click()
    field = home.get_by_role("textbox", name="Rename")
    expect(field).to_be_focused()
    expect(rows(home).locator(".name")).to_be_hidden()  # The field replaces it.
    field.fill("orders 043 of a region with a long name")
    field.press("Enter")
    expect(home.get_by_role("alert")).to_contain_text("already have a table named")
    field.fill("ORDERS 042")
    field.press("Enter")
    expect(home.get_by_role("link", name="ORDERS 042", exact=True)).to_be_focused()
    home.get_by_text("More for ORDERS 042").click()
    home.locator(".menu[open]").get_by_role("button", name="Delete").click()
    expect(home.locator(".messages")).to_contain_text("ORDERS 042 was deleted.")
    expect(home).to_have_url(re.compile(r"\?q=orders\+042$"))
    home.get_by_role("button", name="Undo").click()
    expect(home.get_by_role("link", name="ORDERS 042", exact=True)).to_be_visible()


def test_phone_shows_ten_tables_on_two_screens(home):
    home.set_viewport_size(PHONE)
    home.reload()
    box = rows(home).nth(9).locator("xpath=..").bounding_box()
    assert box["y"] + box["height"] <= 2 * PHONE["height"]
    home.get_by_text("More for").first.click()
    width = home.evaluate("document.documentElement.scrollWidth")
    assert width == PHONE["width"]


def test_table_is_pasted_while_the_search_has_the_focus(home):
    expect(home.locator("#search")).to_be_focused()
    home.evaluate(
        """() => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", "city\\tn\\nRome\\t1\\n");
          document.activeElement.dispatchEvent(new ClipboardEvent(
            "paste", {clipboardData, bubbles: true, cancelable: true}));
        }"""
    )
    expect(home).to_have_url(GRID)


# Uploads ------------------------------------------------------------------------------


def test_table_is_pasted_from_a_spreadsheet(site, page):
    page.goto(site.url)
    paste(page, "one word")
    page.get_by_role("button", name="Paste a table").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no table to paste.")
    paste(page, "city\tpeople\nBerlin\t3700000\nHamburg\t1900000\n")
    expect(page).to_have_url(GRID)
    expect(page.locator(".cell", has_text="Hamburg").first).to_be_visible()
    page.goto(site.url)
    expect(page.get_by_role("link", name="pasted", exact=True)).to_be_visible()


def test_file_is_sent_again_after_an_error(site, page):
    page.goto(site.url)
    page.route("**/upload/", lambda route: route.abort())
    drop(page, ("cities.csv", CSV))
    expect(page.get_by_role("alert")).to_contain_text("was not opened")
    page.unroute("**/upload/")
    page.get_by_role("button", name="Try again").click()
    expect(page).to_have_url(GRID)


def test_upload_shows_the_numbers_in_the_language_of_the_page(site, browser):
    context = browser.new_context(locale="de-DE")
    page = context.new_page()
    page.goto(site.url)
    line = context.new_cdp_session(page)
    slow = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": 500_000}
    line.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    drop(page, ("cities.csv", "a\n" * 4_000_000))
    numbers = page.locator("[data-numbers]")
    pattern = r"^\d+\s% · \d,\d\sMB / 7,6\sMB · noch \d+ Sekunden$"
    expect(numbers).to_have_text(re.compile(pattern))
    page.get_by_role("button", name="Abbrechen").click()
    expect(page.get_by_role("button", name="Erneut versuchen")).to_be_visible()
    context.close()
