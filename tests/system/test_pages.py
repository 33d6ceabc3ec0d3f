"""The home page in a real browser: uploads, errors, cancellation and sharing."""

import re
from zipfile import ZipFile

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect

GRID = re.compile(r"/dtale/main/\d+$")
CSV = "city,people\nBerlin,3700000\nHamburg,1900000\n"


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """The default bake with a limit of 1 MB and with accounts for ann and bob."""
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("pages")),
        "FRAMES_MAX_UPLOAD_MB": "1",
    }
    project.set_up("ann", "bob", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def new_page(browser, page):
    """Open a page in a new browser context, optionally without JavaScript."""
    contexts = []

    def new_page(**options):
        contexts.append(browser.new_context(**options))
        return contexts[-1].new_page()

    yield new_page
    for context in contexts:
        context.close()


def drop(page, *files, kinds=("dragenter", "dragover", "drop")):
    """Drop (name, text) files on the page, or dispatch only some of the events."""
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
    page.get_by_label("Choose files").set_input_files(file)
    # A script opens files at once.
    if (button := page.get_by_role("button", name="Open", exact=True)).is_visible():
        button.click()


# Files --------------------------------------------------------------------------------


def test_dropped_file_opens_and_is_listed(site, page):
    page.goto(site.url)
    drop(page, ("cities.csv", CSV))
    expect(page).to_have_url(GRID)
    expect(page.locator(".cell", has_text="Hamburg").first).to_be_visible()
    page.goto(site.url)
    expect(page.get_by_role("link", name="cities", exact=True)).to_be_visible()


def test_name_of_a_file_is_shown_and_never_executed(site, page):
    """D-Tale's charts page formats names into HTML without escaping them."""
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog), dialog.dismiss()))
    name = "R&D 'plan' <b><img src=x onerror=alert(1)>"
    page.goto(site.url)
    drop(page, (f"{name}.csv", CSV))
    expect(page).to_have_url(GRID)
    expect(page.locator("#frame-bar strong")).to_have_text(name)
    expect(page.locator(".cell", has_text="Hamburg").first).to_be_visible()
    grid = page.url
    for other in ("charts", "network", "main"):
        page.goto(grid.replace("/main/", f"/{other}/"))
        page.wait_for_load_state("networkidle")
        assert page.locator("img[src=x]").count() == 0
    page.goto(site.url)
    expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    assert dialogs == []


def test_chosen_file_opens(site, page):
    page.goto(site.url)
    choose(page, "cities.csv", CSV)
    expect(page).to_have_url(GRID)


@pytest.mark.parametrize(
    "name, text, reason",
    [
        ("a.csv", "", "a.csv is empty. Choose a file that contains data."),
        ("a.doc", "x", "a.doc cannot be read. The supported file extensions are .csv"),
        ("a.csv", "a,b\n" + "1,2\n" * 200 + "1,2,3\n", "Line 202 has 3 values, but"),
        ("a.csv", "\0\1", "a.csv has the extension .csv, but its content has another"),
        ("a.xlsx", CSV, "a.xlsx has the extension .xlsx, but its content has another"),
        ("a.xls", CSV, "a.xls has the extension .xls, but its content has another"),
        ("a.parquet", CSV, "a.parquet has the extension .parquet, but its content"),
        ("a.feather", CSV, "a.feather has the extension .feather, but its content"),
        ("a.json", "{", "a.json is not a valid JSON file"),
        ("a.jsonl", "{", "a.jsonl is not a valid JSON Lines file"),
        ("a.zip", CSV, "a.zip is not a valid zip archive"),
        ("a.csv", "x" * (2**20 + 1), "larger than the limit of 1 MB, so nothing"),
    ],
)
def test_invalid_file_is_explained_on_the_same_page(site, page, name, text, reason):
    page.goto(site.url)
    drop(page, (name, text))
    expect(page.get_by_role("alert")).to_contain_text(reason)
    expect(page.get_by_role("progressbar")).to_be_hidden()
    assert page.url == f"{site.url}/"
    drop(page, ("cities.csv", CSV))  # The page is still usable.
    expect(page).to_have_url(GRID)


def test_cancelled_upload_is_not_saved(site, page):
    page.goto(site.url)
    line = page.context.new_cdp_session(page)
    slow = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": 50_000}
    line.send("Network.emulateNetworkConditions", {"offline": False, **slow})
    drop(page, ("cities.csv", "a\n" * 400_000))
    expect(page.get_by_role("progressbar", name="Uploading")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert")).to_have_text("Cancelled. Nothing was saved.")
    expect(page.get_by_role("progressbar")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("You have no tables yet")).to_be_visible()


def test_seconds_of_a_step_go_on_while_it_is_reported_again(site, page):
    """While an upload waits for its turn, the site reports it three times a second.

    The test calls the script's function as the response would.
    """
    page.goto(site.url)
    page.evaluate(
        '() => { setInterval(() => showStep({step: "reading", done: 0}), 300); }'
    )
    numbers = page.locator("[data-numbers]")
    expect(numbers).to_have_text("2 seconds")
    expect(numbers).to_have_text("3 seconds")


def test_upload_after_session_end_asks_to_reload(site, page):
    """The response is then a page that the script does not expect."""
    sign_in(page, site, "ann")
    page.goto(site.url)
    page.context.clear_cookies()
    drop(page, ("cities.csv", CSV))
    expect(page.get_by_role("alert")).to_contain_text("Reload this page")


def test_preview_works_with_the_keyboard(site, page):
    page.goto(site.url)
    page.get_by_text("Options", exact=True).press("Enter")
    page.get_by_label("Preview CSV and Excel files").focus()
    page.keyboard.press("Space")
    drop(page, ("cities.csv", CSV))
    expect(page.get_by_role("cell", name="Hamburg")).to_be_visible()
    page.get_by_role("button", name="Cancel").press("Enter")
    expect(page.locator(".messages")).to_contain_text("The file was not opened")


def test_back_button_restores_the_home_page(site, page):
    page.goto(site.url)
    drop(page, ("cities.csv", CSV))
    expect(page).to_have_url(GRID)
    page.go_back()
    expect(page.get_by_role("button", name="Paste a table")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_be_hidden()


# Without JavaScript -------------------------------------------------------------------


def test_home_page_works_without_javascript(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site.url)
    expect(page.get_by_text("or drop files anywhere")).to_be_hidden()
    choose(page, "cities.csv", CSV)
    # D-Tale itself requires JavaScript, so only the URL is checked.
    expect(page).to_have_url(GRID)
    page.goto(site.url)
    choose(page, "a.csv", "")
    expect(page.get_by_role("main")).to_contain_text("a.csv is empty")
    page.get_by_role("link", name="Back to the home page").click()
    choose(page, "a.csv", b"a;b\n\xe9;1\n")
    expect(page.get_by_role("cell", name="é")).to_be_visible()
    page.get_by_role("button", name="Open the file").click()
    expect(page).to_have_url(GRID)

    page.goto(f"{site.url}/?sort=name")
    more = page.locator(".menu summary")
    more.nth(1).click()
    page.get_by_role("link", name="Rename", exact=True).click()
    page.get_by_label("Name").fill("towns")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("link", name="towns", exact=True)).to_be_visible()
    more.nth(1).click()
    page.get_by_role("link", name="Download").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "towns.csv"
    assert download.value.path().read_text() == CSV
    page.goto(f"{site.url}/?sort=name")
    more.nth(1).click()
    page.locator(".menu[open]").get_by_role("button", name="Delete").click()
    expect(page.locator(".messages")).to_contain_text("towns was deleted.")
    expect(page.get_by_role("row")).to_have_count(2)


def test_too_large_file_is_rejected_without_javascript(site, new_page):
    page = new_page(java_script_enabled=False)
    page.goto(site.url)
    choose(page, "a.csv", "x" * 3 * 2**20)
    expect(page.get_by_role("main")).to_contain_text("3 MB; the limit is 1 MB")


# Several tables ----------------------------------------------------------------------


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no script"])
def test_several_tables_are_downloaded_deleted_and_restored(site, new_page, has_script):
    page = new_page(java_script_enabled=has_script)
    for name in ("x", "y", "z"):
        page.goto(site.url)
        choose(page, f"{name}.csv", CSV)
        expect(page).to_have_url(GRID)
    page.goto(site.url)
    tables = page.get_by_role("region", name="Your tables")
    download = tables.get_by_role("button", name="Download as CSV")
    if has_script:
        expect(download).to_be_hidden()
        tables.get_by_label("Select all").check()
        tables.get_by_label("Select y", exact=True).uncheck()
    else:
        expect(tables.get_by_label("Select all")).to_be_hidden()
        for name in "xz":
            tables.get_by_label(f"Select {name}", exact=True).check()
    with page.expect_download() as waiting:
        download.click()
    with ZipFile(waiting.value.path()) as archive:
        assert sorted(archive.namelist()) == ["x.csv", "z.csv"]
    tables.locator("form.chosen").get_by_role("button", name="Delete").click()
    expect(page.locator(".messages")).to_contain_text("2 tables were deleted.")
    rows = tables.get_by_role("rowheader")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".messages")).to_have_text("2 tables were restored.")
    expect(rows).to_have_count(3)


def test_deleted_table_is_restored_from_its_list(site, page):
    page.goto(site.url)
    drop(page, ("old.csv", CSV))
    expect(page).to_have_url(GRID)
    page.goto(site.url)
    page.get_by_text("More for old").click()
    page.locator(".menu[open]").get_by_role("button", name="Delete").click()
    page.get_by_role("link", name="Recently deleted").click()
    expect(page.get_by_text("30 days left")).to_be_visible()
    page.get_by_role("button", name="Restore old").click()
    page.get_by_role("link", name="old", exact=True).click()
    expect(page.locator(".cell", has_text="Hamburg").first).to_be_visible()


# Sharing ------------------------------------------------------------------------------


def test_shared_frame_is_read_only_and_can_be_copied(site, page, new_page):
    sign_in(page, site, "ann")
    page.goto(site.url)
    drop(page, ("budget.csv", "item,cost\nrent,100\n"))
    expect(page).to_have_url(GRID)
    grid = page.url
    page.goto(site.url)
    page.get_by_role("link", name="Share budget").click()
    page.get_by_label("Share with").fill("bob")
    page.get_by_role("button", name="Share").click()
    message = page.locator(".messages")
    expect(message).to_have_text("bob can now see this table.")

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

    page.get_by_role("button", name="Remove access").click()
    expect(message).to_contain_text("The access for bob was removed.")
    reader.goto(site.url)
    # Only bob's own copy is left.
    expect(reader.locator(".name", has_text="budget")).to_have_count(1)
    expect(reader.get_by_text("Shared with you")).to_have_count(0)
