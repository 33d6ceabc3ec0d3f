"""Features that fail in plain D-Tale under a prefix, in a real browser.

Each feature works in plain D-Tale at the root of a host. Under a prefix,
django_dtale/dtale/application.py fixes it.
"""

import contextlib
import itertools
import re

import pytest
from playwright.sync_api import expect

CSV = "a,b\n1,4\n2,5\n3,6\n"
SKEWED = "a,b\n" + "\n".join(f"{2**n},{n}" for n in range(12)) + "\n"
STATES = "state,v\nCA,1\nTX,2\nNY,3\n"

# In a small window, D-Tale opens dialogs as separate windows.
SMALL = {"width": 480, "height": 480}
# The test sends some requests itself, and has to add this header as a browser does.
FROM_HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def site(other_project):
    """A site whose prefix has two segments. D-Tale could omit either of them."""
    with other_project.serve() as site:
        yield site


@pytest.fixture
def dtale(site):
    """The base URL of all of D-Tale's pages and requests."""
    return f"{site.url}/{site.prefix}/dtale"


@pytest.fixture(autouse=True)
def requests(site, page, dtale):
    """The URLs that all windows request. Each must belong to D-Tale or to the site."""
    seen = []
    page.context.on("request", lambda request: seen.append(request.url))
    page.context.set_default_timeout(30_000)
    yield seen
    home = f"{site.url}/frames/"
    ours = (f"{dtale}/", f"{site.url}/static/", home, "data:", "blob:")
    assert [url for url in seen if not url.startswith(ours)] == []


numbers, names = itertools.count(1), {}


def called(data_id):
    """Return a pattern for a frame's name, to find the frame in D-Tale's lists."""
    return re.compile(rf"\b{names[data_id]}\b")


@pytest.fixture
def upload(page, site):
    """Upload a CSV with a new name, and return the id of its frame."""

    def upload(csv=CSV):
        name = f"frame{next(numbers)}"
        file = {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": csv.encode()}
        home = page.request.get(f"{site.url}/frames/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', home.text())[1]
        answer = page.request.post(
            f"{site.url}/frames/upload/",
            multipart={"file": file, "csrfmiddlewaretoken": token},
            headers={**FROM_HERE, "Referer": home.url},
        )
        data_id = answer.url.rpartition("/")[2]
        names[data_id] = name
        return data_id

    return upload


@pytest.fixture
def grid(page, dtale, upload):
    """Open a new frame's grid, wait for its cells, and return the frame's id."""

    def grid(csv=CSV):
        data_id = upload(csv)
        page.goto(f"{dtale}/main/{data_id}")
        page.locator(".cell").first.wait_for()
        return data_id

    return grid


def menu(page, item):
    """Choose an item of the grid's main menu."""
    page.locator(".grid-menu").first.click()
    page.locator(".clickable-menu-item", has_text=item).first.click()


def window(page, action):
    """Perform an action that opens a window. Return the window after it has loaded."""
    with page.expect_popup() as popup:
        action()
    popup.value.wait_for_load_state("networkidle")
    return popup.value


@contextlib.contextmanager
def closes_and_reloads(page, window, data_id=r"\d+"):
    """Check that the block closes the window, and that ``page`` loads a grid."""
    closed = []
    window.once("close", lambda _: closed.append(True))
    with page.expect_navigation(url=re.compile(f"/dtale/main/{data_id}$")):
        yield
    page.locator(".cell").first.wait_for()
    assert closed


def in_store(page, dtale):
    """Return the ids of all frames in D-Tale's store."""
    return {
        each["id"]
        for each in page.request.get(f"{dtale}/process-keys", headers=FROM_HERE).json()[
            "data"
        ]
    }


# Missing pages ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["main/999", "iframe/999", "network/999", "popup/describe/999", "charts/999"],
)
def test_unknown_frame_page_links_to_the_home_page(page, site, dtale, upload, path):
    upload()
    before = in_store(page, dtale)
    assert page.goto(f"{dtale}/{path}").status == 404
    expect(page.get_by_role("heading")).to_have_text("Table not found")
    expect(page.get_by_text("999")).to_be_visible()
    assert in_store(page, dtale) == before
    page.get_by_role("link", name="Back to the home page").click()
    expect(page).to_have_url(f"{site.url}/frames/")


@pytest.mark.parametrize("path", ["main", "iframe", "network", "popup/describe"])
def test_page_without_an_id_opens_the_first_frame(page, dtale, upload, path):
    upload()
    assert page.goto(f"{dtale}/{path}").status == 200
    expect(page).to_have_url(re.compile(rf"^{dtale}/{path}/\d+$"))


# Instances ----------------------------------------------------------------------------


def click_instance(page, data_id):
    page.locator(".instances .clickable", has_text=called(data_id)).first.click()


def test_instances_dialog_opens_another_frame(page, dtale, upload, grid):
    other = upload()
    grid()
    menu(page, "Instances")
    click_instance(page, other)
    expect(page).to_have_url(f"{dtale}/main/{other}")
    page.locator(".cell").first.wait_for()


def test_instances_window_opens_another_frame(page, upload, grid):
    page.set_viewport_size(SMALL)
    other = upload()
    grid()
    popup = window(page, lambda: menu(page, "Instances"))
    with closes_and_reloads(page, popup, other):
        click_instance(popup, other)


def test_ribbon_data_list_opens_another_frame(page, dtale, upload, grid):
    other = upload()
    grid()
    page.wait_for_load_state("networkidle")
    page.mouse.move(640, 2)
    page.locator(".ribbon-menu-content").get_by_text("D-TALE").click()
    items = page.get_by_test_id("data-menu-item")
    # The list may be redrawn during a click, so dispatch a single event.
    items.get_by_role("button", name=called(other)).dispatch_event("click")
    expect(page).to_have_url(f"{dtale}/main/{other}")
    page.locator(".cell").first.wait_for()


# Describe, correlations, charts -------------------------------------------------------


@pytest.mark.parametrize("title", ["Skewness", "Kurtosis"])
def test_information_icon_opens_an_explanation(page, grid, title):
    grid(SKEWED)
    page.locator(".headerCell", has_text="a").first.click()
    line = page.locator("#column-menu-div li", has_text=title[:4])
    popup = window(page, line.locator(".ico-info").click)
    expect(popup).to_have_title(title)


def test_correlations_export_returns_a_png(page, dtale, grid):
    data_id = grid(SKEWED)
    page.goto(f"{dtale}/popup/correlations/{data_id}")
    with page.context.expect_event(
        "response", lambda answer: "image=true" in answer.url
    ) as answer:
        page.get_by_text("Export Image").click()
    assert answer.value.ok
    assert answer.value.headers["content-type"] == "image/png"


def open_map(page, dtale, upload):
    page.goto(
        f"{dtale}/charts/{upload(STATES)}?chart_type=maps&map_type=choropleth"
        "&loc_mode=USA-states&loc=state&map_val=v&scope=usa"
    )
    page.locator("#chart-content .choroplethlayer path").first.wait_for()


def test_map_loads_its_geography(page, dtale, upload):
    with page.expect_response(re.compile("usa_110m.json")) as answer:
        open_map(page, dtale, upload)
    assert answer.value.ok
    expect(page.locator("#chart-content .choroplethlayer path")).to_have_count(3)


def test_charts_code_export_opens(page, dtale, upload):
    open_map(page, dtale, upload)
    popup = window(page, page.locator(".code-snippet-btn i").first.click)
    assert popup.url == f"{dtale}/code-popup"
    expect(popup.locator("#popup-content")).to_contain_text("import")


def test_copied_charts_link_works(page, dtale, upload):
    open_map(page, dtale, upload)
    page.locator(".copy-link-btn i").first.click()
    link = page.locator("#copy-text").input_value()
    assert re.match(rf"{dtale}/charts/\d+\?", link)
    assert page.goto(link).ok


def test_charts_language_can_be_changed(page, dtale, upload):
    open_map(page, dtale, upload)
    try:
        with page.expect_response(re.compile("update-language")) as answer:
            page.get_by_text("Languages").hover()
            page.get_by_text("Portuguese").click()
        assert answer.value.status == 200  # The response is not a redirect.
    finally:
        page.request.get(f"{dtale}/update-language?language=en", headers=FROM_HERE)


# Merge & Stack, Load Data -------------------------------------------------------------


def test_stacked_frames_open_in_the_grid(page, dtale, upload, grid):
    frames = upload(), grid()
    popup = window(page, lambda: menu(page, "Merge & Stack"))
    popup.get_by_text("Stack", exact=True).click()
    for data_id in frames:
        popup.get_by_role("button", name=called(data_id)).click()
    popup.get_by_text("Build Stack").click()
    popup.get_by_text("Jump To Grid").click()
    expect(popup).to_have_url(re.compile(rf"^{dtale}/main/\d+$"))
    popup.locator(".cell").first.wait_for()


def test_upload_in_merge_opens_the_home_page(page, site, dtale, grid):
    grid()
    merge = window(page, lambda: menu(page, "Merge & Stack"))
    popup = window(merge, merge.get_by_role("button", name="Upload").click)
    assert popup.url == f"{site.url}/frames/"
    assert merge.url == f"{dtale}/popup/merge"


def test_back_to_data_works_on_a_page_without_a_frame(page, dtale, upload):
    data_id = upload()
    page.goto(f"{dtale}/popup/merge")
    page.get_by_text("Back To Data").hover()
    link = page.locator(f".data-grid-link[href$='/{data_id}']")
    popup = window(page, link.click)
    assert popup.url == f"{dtale}/main/{data_id}"
    popup.locator(".cell").first.wait_for()


def test_new_visitor_is_sent_to_upload_a_first_frame(page, site, dtale):
    assert in_store(page, dtale) == set()  # A new visitor does not have any frames.
    page.goto(f"{dtale}/main")
    expect(page).to_have_url(f"{site.url}/frames/")
    file = {"name": "t.csv", "mimeType": "text/csv", "buffer": CSV.encode()}
    page.get_by_label("Choose files").set_input_files(file)
    expect(page).to_have_url(re.compile(rf"^{dtale}/main/\d+$"))
    page.locator(".cell").first.wait_for()


# Dialogs as windows -------------------------------------------------------------------


@pytest.mark.parametrize("size", [SMALL, {"width": 1280, "height": 720}])
def test_load_data_opens_the_home_page(page, site, grid, size):
    page.set_viewport_size(size)
    grid()
    popup = window(page, lambda: menu(page, "Load Data"))
    assert popup.url == f"{site.url}/frames/"


def test_build_column_window_updates_the_grid(page, grid):
    page.set_viewport_size(SMALL)
    data_id = grid()
    popup = window(page, lambda: menu(page, "Dataframe Functions"))
    popup.get_by_role("button", name="Random", exact=True).click()
    popup.locator("input[type=text]").first.fill("dice")
    with closes_and_reloads(page, popup, data_id):
        popup.get_by_role("button", name="Create").click()
    expect(page.get_by_text("dice").first).to_be_attached()


def test_duplicates_window_closes_and_loads_a_grid(page, grid):
    page.set_viewport_size(SMALL)
    grid("a,b\n1,1\n2,2\n")
    popup = window(page, lambda: menu(page, "Duplicates"))
    with closes_and_reloads(page, popup):
        popup.get_by_role("button", name="Execute").click()


def test_summarize_window_closes_and_reloads_the_grid(page, grid):
    page.set_viewport_size(SMALL)
    data_id = grid()
    popup = window(page, lambda: menu(page, "Summarize Data"))
    popup.get_by_text("Transpose").click()
    popup.locator(".Select__control").first.click()
    popup.get_by_role("option", name="a", exact=True).click()
    popup.get_by_text("Override Current").click()
    with closes_and_reloads(page, popup, data_id):
        popup.get_by_role("button", name="Execute").click()


def test_custom_filter_tab_closes_and_reloads_the_grid(page, grid):
    # D-Tale shows the checkbox only if custom filters are enabled. The test enables
    # them in the page and mocks the response, because it tests only the steps after
    # that.
    def with_filters(route):
        answer = route.fetch()
        name = 'id="enable_custom_filters" value='
        route.fulfill(
            response=answer,
            body=answer.text().replace(f'{name}"False"', f'{name}"True"'),
        )

    page.context.route("**/popup/filter/*", with_filters)
    page.context.route(
        "**/test-filter/*", lambda route: route.fulfill(json={"success": True})
    )
    data_id = grid()
    menu(page, "Custom Filter")
    popup = window(page, page.get_by_text("Open In New Tab").click)
    popup.locator("textarea").fill("a > 1")
    with closes_and_reloads(page, popup, data_id):
        popup.get_by_role("button", name="Apply").click()


# About --------------------------------------------------------------------------------


def test_about_dialog_does_not_contact_pypi(page, grid, requests):
    grid()
    menu(page, "About")
    about = page.locator(".modal-body", has_text="Your Version")
    expect(about).to_contain_text("3.22")
    page.wait_for_load_state("networkidle")
    expect(about).not_to_contain_text("PyPi")
    assert not any("pypi" in url for url in requests)
