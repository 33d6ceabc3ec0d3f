"""The home page in a real browser: files dropped, refused and cancelled; sharing."""

import re

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect

GRID = re.compile(r"/dtale/main/\d+$")
CSV = "city,people\nBerlin,3700000\nHamburg,1900000\n"


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """The default bake with a limit of 1 MB, and two accounts: ann's and bob's."""
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("pages")),
        "FRAMES_MAX_UPLOAD_MB": "1",
    }
    project.set_up("ann", "bob", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def new_page(browser, page):
    """Open a page in another browser profile, which may run no scripts."""
    contexts = []

    def new_page(**options):
        contexts.append(browser.new_context(**options))
        return contexts[-1].new_page()

    yield new_page
    for context in contexts:
        context.close()


def drop(page, *files, kinds=("dragenter", "dragover", "drop")):
    """Drop files, (name, text) each, somewhere on the page, or do a part of that."""
    page.evaluate(
        """([files, kinds]) => {
          const dataTransfer = new DataTransfer();
          for (const [name, text] of files)
            dataTransfer.items.add(new File([text], name));
          for (const kind of kinds)
            document.querySelector("header").dispatchEvent(new DragEvent(
              kind, {dataTransfer, bubbles: true, cancelable: true}));
        }""",
        [files, kinds],
    )


def sign_in(page, site, name):
    page.goto(f"{site.url}/accounts/login/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text(f"Signed in as {name}")).to_be_visible()


def choose(page, name, text):
    content = text if isinstance(text, bytes) else text.encode()
    file = {"name": name, "mimeType": "text/csv", "buffer": content}
    page.get_by_label("A file").set_input_files(file)
    page.get_by_role("button", name="Open the file").click()


# Files --------------------------------------------------------------------------------


def test_page_open_file_dropped_done(site, page):
    page.goto(site.url)
    drop(page, ("cities.csv", CSV))
    expect(page).to_have_url(GRID)
    expect(page.locator(".cell", has_text="Hamburg").first).to_be_visible()
    page.goto(site.url)
    expect(page.get_by_role("link", name="cities")).to_be_visible()


def test_file_that_is_chosen(site, page):
    page.goto(site.url)
    choose(page, "cities.csv", CSV)
    expect(page).to_have_url(GRID)


@pytest.mark.parametrize(
    "name, text, reason",
    [
        ("a.csv", "", "a.csv is empty. Save it again, with data."),
        ("a.doc", "x", "a.doc cannot be read: its name should end with one of .csv"),
        ("a.csv", "a,b\n1,2\n1,2,3\n", "Line 3 has 3 values, and there are 2 columns"),
        ("a.csv", "\0\1", "a.csv is called .csv, and its content is something else"),
        ("a.xlsx", CSV, "a.xlsx is called .xlsx, and its content is something else"),
        ("a.xls", CSV, "a.xls is called .xls, and its content is something else"),
        ("a.parquet", CSV, "a.parquet is called .parquet, and its content"),
        ("a.feather", CSV, "a.feather is called .feather, and its content"),
        ("a.json", "{", "a.json is no JSON file that can be read"),
        ("a.jsonl", "{", "a.jsonl is no file of JSON lines that can be read"),
        ("a.zip", CSV, "a.zip is no zip archive that can be read"),
        ("a.csv", "x" * (2**20 + 1), "larger than 1.0 MB, the most that a file may"),
    ],
)
def test_wrong_file_is_explained_where_it_was_dropped(site, page, name, text, reason):
    page.goto(site.url)
    drop(page, (name, text))
    expect(page.get_by_role("alert")).to_contain_text(reason)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    assert page.url == f"{site.url}/"
    drop(page, ("cities.csv", CSV))  # The page can still be used.
    expect(page).to_have_url(GRID)


def test_several_files(site, page):
    page.goto(site.url)
    drop(page, ("a.csv", CSV), ("b.csv", CSV))
    expect(page.get_by_role("alert")).to_have_text(
        "These are several files. Drop one at a time."
    )


def test_cancel(site, page):
    page.goto(site.url)
    line = page.context.new_cdp_session(page)
    slow = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    line.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    drop(page, ("cities.csv", "a\n" * 400_000))
    expect(page.get_by_role("progressbar", name="Sending the file")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_have_text("Cancelled. Nothing was kept.")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("Nothing here yet")).to_be_visible()


def test_signed_out_meanwhile(site, page):
    """The answer is a page then, and not what the script knows."""
    sign_in(page, site, "ann")
    page.goto(site.url)
    page.context.clear_cookies()
    drop(page, ("cities.csv", CSV))
    expect(page.get_by_role("alert")).to_contain_text("Load this page again")


def test_what_is_not_sure_is_shown_and_corrected(site, page):
    page.goto(site.url)
    drop(page, ("villes.csv", "a;b\nx;1,234\n"))
    expect(page.get_by_role("heading", name="villes.csv")).to_be_visible()
    expect(page.get_by_role("columnheader", name="b text")).to_be_visible()
    page.get_by_label("In numbers").select_option(label="Comma: 0,5")
    page.get_by_role("button", name="Show it read like this").click()
    expect(page.get_by_role("cell", name="1.234")).to_be_visible()
    page.get_by_role("button", name="Open the file").click()
    expect(page).to_have_url(GRID)
    expect(page.locator(".cell", has_text="1.23").first).to_be_visible()


def test_check_before_opening_by_the_keyboard(site, page):
    page.goto(site.url)
    page.get_by_label("Check how CSV and Excel are read").focus()
    page.keyboard.press("Space")
    drop(page, ("cities.csv", CSV))
    expect(page.get_by_role("cell", name="Hamburg")).to_be_visible()
    page.get_by_role("button", name="Do not open it").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The file was not opened")


def test_back_from_the_frame_the_page_is_as_it_was(site, page):
    page.goto(site.url)
    drop(page, ("cities.csv", CSV))
    expect(page).to_have_url(GRID)
    page.go_back()
    expect(page.get_by_role("button", name="Open the file")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_hidden()


# Without scripts ----------------------------------------------------------------------


def test_without_scripts(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site.url)
    expect(page.get_by_text("Drop it anywhere")).to_be_hidden()
    choose(page, "cities.csv", CSV)
    expect(page).to_have_url(GRID)  # D-Tale itself needs scripts.
    page.goto(site.url)
    choose(page, "a.csv", "")
    expect(page.get_by_role("main")).to_contain_text("a.csv is empty")
    page.get_by_role("link", name="Back to the start").click()
    choose(page, "a.csv", b"a;b\n\xe9;1\n")
    expect(page.get_by_role("cell", name="é")).to_be_visible()
    page.get_by_role("button", name="Open the file").click()
    expect(page).to_have_url(GRID)

    page.goto(f"{site.url}/?sort=name")
    more = page.locator("summary")
    more.nth(1).click()
    page.get_by_role("link", name="Rename").click()
    page.get_by_label("Name").fill("towns")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("link", name="towns")).to_be_visible()
    more.nth(1).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.suggested_filename == "towns.csv"
    assert download.value.path().read_text() == CSV
    page.goto(f"{site.url}/?sort=name")
    more.nth(1).click()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("status")).to_contain_text("towns was deleted.")
    expect(page.get_by_role("row")).to_have_count(2)


def test_too_large_without_scripts(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site.url)
    choose(page, "a.csv", "x" * 3 * 2**20)
    expect(page.get_by_role("main")).to_contain_text("3.0 MB, and may have 1 MB")


# Sharing ------------------------------------------------------------------------------


def test_share_read_and_save_a_copy(site, page, new_page):
    sign_in(page, site, "ann")
    page.goto(site.url)
    drop(page, ("budget.csv", "item,cost\nrent,100\n"))
    expect(page).to_have_url(GRID)
    grid = page.url
    page.goto(site.url)
    page.get_by_text("More for budget").click()
    page.get_by_role("link", name="Share").click()
    page.get_by_label("Who may read it").fill("bob")
    page.get_by_role("button", name="Share").click()
    expect(page.get_by_role("status")).to_have_text("bob can read it now.")

    reader = new_page()
    sign_in(reader, site, "bob")
    reader.goto(site.url)
    shared = reader.get_by_role("region", name="Shared with you")
    expect(shared.get_by_role("cell", name="ann")).to_be_visible()
    shared.get_by_role("link", name="budget").click()
    expect(reader).to_have_url(grid)
    expect(reader.locator(".cell", has_text="rent").first).to_be_visible()
    refused = reader.evaluate(
        """async (url) => (await fetch(url)).json()""",
        grid.replace("/main/", "/edit-cell/") + "?col=cost&rowIndex=0&updated=7",
    )
    assert "belongs to ann" in refused["error"]
    reader.get_by_role("link", name="Save a copy").click()
    reader.get_by_role("button", name="Save a copy").click()
    expect(reader).to_have_url(GRID)
    assert reader.url != grid
    edited = reader.evaluate(
        """async (url) => (await fetch(url)).json()""",
        reader.url.replace("/main/", "/edit-cell/") + "?col=cost&rowIndex=0&updated=7",
    )
    assert edited["success"]

    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("status")).to_have_text("bob can no longer read it.")
    reader.goto(site.url)
    expect(reader.get_by_role("link", name="budget")).to_have_count(1)  # The copy.
    expect(reader.get_by_text("Shared with you")).to_have_count(0)
