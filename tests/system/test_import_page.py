"""The pages on which users review a file before they open it, in a real browser."""

import re

import pytest
from playwright.sync_api import expect
from test_pages import CSV, GRID, drop

AMBIGUOUS = "city;people;price\nBerlin;37;1,234\nRome;n/k;2,345\nParis;21;3,456\n"
FILES = ("jan.csv", "city;sales\nBerlin;1\n"), ("feb.csv", "city;sales\nRome;2\n")


@pytest.fixture(scope="module")
def site(project, tmp_path_factory):
    """The default bake with a limit of 1 MB and of three files."""
    data = str(tmp_path_factory.mktemp("import"))
    variables = {"DATA_DIR": data, "FRAMES_MAX_UPLOAD_MB": "1"}
    project.set_up(**variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture(params=[True, False], ids=["with JavaScript", "without JavaScript"])
def page(browser, request):
    """A page with and without JavaScript."""
    context = browser.new_context(java_script_enabled=request.param)
    page = context.new_page()
    page.has_script = request.param
    yield page
    context.close()


def send(page, site, *files):
    """Upload files with the form of the home page."""
    page.goto(site.url)
    page.get_by_label("Choose files").set_input_files(
        [
            {"name": name, "mimeType": "text/csv", "buffer": text.encode()}
            for name, text in files
        ]
    )
    if not page.has_script:  # A script opens files at once.
        page.get_by_role("button", name="Open", exact=True).click()


def update(page):
    """Click the button that updates the preview, unless a script updates it."""
    button = page.get_by_role("button", name="Update preview")
    if page.has_script:
        expect(button).to_be_hidden()
    else:
        button.click()


# The preview --------------------------------------------------------------------------


def test_preview_follows_the_options(site, page):
    send(page, site, ("villes.csv", AMBIGUOUS))
    expect(page.get_by_role("heading", name="villes.csv")).to_be_visible()
    decimal = page.get_by_label("Decimal mark")
    expect(decimal).to_have_accessible_description(re.compile("1,234"))
    kind = page.get_by_label("Type of people")
    decimal.select_option(label="Comma: 0,5")
    kind.select_option(label="Number")
    update(page)
    expect(page.get_by_role("cell", name="1.234")).to_be_visible()
    expect(page.get_by_role("cell", name="37.0")).to_be_visible()
    misfit = page.get_by_role("cell", name="n/k (does not fit)")
    expect(misfit).to_be_visible()
    expect(page.get_by_label("Type of people")).to_have_accessible_description(
        re.compile("1 value is not a number. The first is “n/k” in line 3")
    )
    page.get_by_label("Type of people").select_option(label="Text")
    update(page)
    expect(misfit).to_have_count(0)
    page.get_by_label("Type of people").select_option(label="Number")
    page.get_by_role("button", name="Open the file").click()
    expect(page).to_have_url(GRID)


def test_option_that_is_changed_before_the_script_runs(site, browser):
    page = browser.new_page()
    page.has_script = True
    held = []
    page.route("**/frames/check*.js", lambda route: held.append(route))
    send(page, site, ("villes.csv", AMBIGUOUS))
    page.get_by_label("Decimal mark").select_option(label="Comma: 0,5")
    page.wait_for_timeout(100)
    expect(page.get_by_role("cell", name="1.234")).to_have_count(0)
    held.pop().continue_()
    expect(page.get_by_role("cell", name="1.234")).to_be_visible()
    page.close()


def test_page_with_unchanged_options_is_not_sent_again(site, browser):
    page = browser.new_page()
    page.has_script = True
    send(page, site, ("villes.csv", AMBIGUOUS))
    expect(page.get_by_role("heading", name="villes.csv")).to_be_visible()
    posts = []
    page.on("request", lambda request: posts.append((request.method, request.url)))
    page.reload()
    page.wait_for_load_state("networkidle")
    assert not [url for method, url in posts if method == "POST"]
    page.close()


def test_header_row_is_corrected(site, page):
    send(page, site, ("a.csv", AMBIGUOUS))
    page.get_by_label("The header is in row").fill("2")
    page.get_by_label("The header is in row").press("Tab")
    update(page)
    expect(page.get_by_role("columnheader", name="Berlin")).to_be_visible()
    page.get_by_label("The header is in row").fill("x")
    page.get_by_label("The header is in row").press("Tab")
    update(page)
    expect(page.get_by_label("The header is in row")).to_have_accessible_description(
        re.compile("Write row numbers, such as 3")
    )
    page.get_by_role("button", name="Open the file").click()
    expect(page.get_by_text("Write row numbers, such as 3").first).to_be_visible()
    assert "/upload/" in page.url


def test_other_format_of_dates(site, page):
    send(page, site, ("a.csv", "day;n\n2026~01~31;1,234\n"))
    page.get_by_label("Type of day").select_option(label="Date, other format …")
    update(page)
    page.get_by_label("Format, such as").fill("YYYY~MM~DD")
    page.get_by_label("Format, such as").press("Tab")
    update(page)
    expect(page.get_by_role("cell", name="Jan. 31, 2026")).to_be_visible()


def test_enter_in_a_field_updates_the_preview(site, page):
    send(page, site, ("a.csv", AMBIGUOUS))
    page.get_by_label("The header is in row").fill("2")
    page.get_by_label("The header is in row").press("Enter")
    expect(page.get_by_role("columnheader", name="Berlin")).to_be_visible()
    assert "/upload/" in page.url


def test_script_keeps_the_focus_and_announces_the_update(site, browser):
    page = browser.new_page()
    drop_on_home(page, site, ("a.csv", AMBIGUOUS))
    page.get_by_label("Type of people").focus()
    with page.expect_response(re.compile("/upload/")):
        page.get_by_label("Type of people").select_option(label="Text")
    status = page.get_by_role("status").filter(has_text="3 rows")
    expect(status).to_have_count(1)
    expect(page.get_by_label("Type of people")).to_be_focused()
    page.context.clear_cookies()
    page.get_by_label("Type of people").select_option(label="Number")
    expect(page.get_by_text("The preview was not updated")).to_be_visible()
    expect(page.get_by_role("button", name="Update preview")).to_be_visible()
    page.close()


def drop_on_home(page, site, *files):
    page.goto(site.url)
    drop(page, *files)
    expect(page).to_have_url(re.compile("/upload/"))


# Several tables -----------------------------------------------------------------------


def test_several_files_are_opened_as_one(site, page):
    send(page, site, *FILES)
    expect(page.get_by_role("checkbox", name="jan.csv")).to_be_checked()
    page.get_by_label("Open them as one table").check()
    page.get_by_role("button", name="Open the chosen tables").click()
    expect(page).to_have_url(GRID)


def test_several_files_are_opened_as_tables_of_their_own(site, page):
    send(page, site, *FILES, ("bad.csv", "a,b\n" + "1,2\n" * 200 + "1,2,3\n"))
    expect(page.get_by_role("checkbox", name="bad.csv")).to_be_disabled()
    page.get_by_role("button", name="Open the chosen tables").click()
    expect(page.get_by_role("status")).to_contain_text("2 tables were opened.")
    expect(page.get_by_role("link", name="jan").first).to_be_visible()


def test_table_of_several_is_corrected(site, page):
    send(page, site, *FILES)
    page.get_by_role("link", name="Preview of feb.csv").click()
    page.get_by_label("The header is in row").fill("")
    page.get_by_role("button", name="Use these options").click()
    expect(page.get_by_text("2 rows × 2 columns")).to_be_visible()
    page.get_by_role("checkbox", name="jan.csv").uncheck()
    page.get_by_role("button", name="Open the chosen tables").click()
    expect(page).to_have_url(GRID)


def test_dropped_files_lead_to_the_list(site, browser):
    page = browser.new_page()
    drop_on_home(page, site, *FILES)
    for name, _ in FILES:
        page.get_by_role("checkbox", name=name).uncheck()
    page.get_by_role("button", name="Open the chosen tables").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one table.")
    page.get_by_role("button", name="Cancel").last.click()
    expect(page.get_by_role("status")).to_contain_text("were deleted from the site")
    page.close()


def test_files_that_are_too_large_together_are_not_sent(site, browser):
    page = browser.new_page()
    page.goto(site.url)
    drop(page, ("a.csv", "a\n" * 300_000), ("b.csv", "b\n" * 300_000))
    expect(page.get_by_role("alert")).to_contain_text("larger than the limit of 1 MB")
    drop(page, *[(f"{number}.csv", CSV) for number in range(21)])
    expect(page.get_by_role("alert")).to_contain_text("Only 20 files can be uploaded")
    page.close()
