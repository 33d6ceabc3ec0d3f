"""One theme for pages and grids, and what messages, links and buttons do in a browser."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import PASSWORD
from playwright.sync_api import expect

CSV = "name,amount\n" + "".join(f"x{number},{number}\n" for number in range(40))
DARK, WHITE = "rgb(21, 25, 34)", "rgb(255, 255, 255)"
# This script finds light surfaces on a dark page. Samples of colors are light.
LIGHT_AREAS = """() => {
  const light = (color) => {
    const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number);
    return a > 0.5 && r + g + b > 500;
  };
  const found = [];
  for (const each of document.querySelectorAll("body, body *")) {
    const { width, height } = each.getBoundingClientRect();
    const { backgroundColor, visibility } = getComputedStyle(each);
    if (width * height < 150 || visibility === "hidden" || !light(backgroundColor)) continue;
    if (each.closest("#frame-bar, .bg-range-icon, [class*=switch]")) continue;
    found.push(each.outerHTML.slice(0, 100));
  }
  return found;
}"""
# This script collects the background of the page in each frame that is painted.
WATCH_COLORS = """
window.colors = new Set();
const look = () => {
  if (document.body) colors.add(getComputedStyle(document.body).backgroundColor);
  requestAnimationFrame(look);
};
look();
"""


@pytest.fixture
def site(project, tmp_path):
    variables = {"DATA_DIR": str(tmp_path), "FRAMES_LOGIN_REQUIRED": "True"}
    project.set_up("ann", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def signed_in(page, site):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add_init_script(WATCH_COLORS)
    page.goto(f"{site.url}/accounts/login/")
    page.locator("[name=username]").fill("ann")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(f"{site.url}/")
    return page


def upload(page, site):
    """Upload a file, and return the path of its grid."""
    page.goto(f"{site.url}/")
    sent = [{"name": "a.csv", "mimeType": "text/csv", "buffer": CSV.encode()}]
    # The label of the field depends on the language.
    page.locator("form[data-opens] [name=file]").set_input_files(sent)
    page.wait_for_url("**/dtale/main/*")
    expect(page.locator(".cell").nth(20)).to_be_visible()
    return page.url.removeprefix(site.url)


def background(page, element="body"):
    script = "(element) => getComputedStyle(element).backgroundColor"
    return page.locator(element).first.evaluate(script)


def choose(page, theme):
    with page.expect_response(re.compile("/frames/theme/")):
        page.get_by_role("button", name=theme, exact=True).click()


def test_theme_is_the_same_in_pages_and_grids(signed_in, site):
    page = signed_in
    grid = upload(page, site)
    page.goto(f"{site.url}/frames/tokens/")
    assert background(page) == WHITE
    choose(page, "Dark")
    # The page is not loaded again, so that forms keep their input.
    assert background(page) == DARK
    expect(page.get_by_role("button", name="Dark")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.reload()
    assert page.locator("html").get_attribute("data-theme") == "dark"
    assert page.evaluate("[...colors]") == [DARK]
    assert Axe().run(page).response["violations"] == []

    page.goto(site.url + grid)
    expect(page.locator(".cell").nth(20)).to_be_visible()
    assert page.evaluate("[...colors]") == [DARK]
    assert page.evaluate(LIGHT_AREAS) == []
    page.mouse.click(10, 8)  # The main menu.
    expect(page.locator(".column-toggle__dropdown").first).to_be_visible()
    assert page.evaluate(LIGHT_AREAS) == []
    page.keyboard.press("Escape")
    page.goto(site.url + grid)
    page.locator(".headerCell").nth(1).click()
    expect(page.locator("#column-menu-div")).to_be_visible()
    assert page.evaluate(LIGHT_AREAS) == []
    page.get_by_text("Formats", exact=True).first.click()
    expect(page.locator(".modal-content")).to_be_visible()
    assert page.evaluate(LIGHT_AREAS) == []

    # The theme in D-Tale's own menu is that of the pages.
    script = "fetch(location.pathname.replace(/main.*/, 'update-theme?theme=light'))"
    page.evaluate(f"{script}.then((answer) => answer.text())")
    page.goto(f"{site.url}/frames/tokens/")
    assert background(page) == WHITE
    page.goto(site.url + grid)
    expect(page.locator(".cell").nth(20)).to_be_visible()
    assert background(page) == WHITE

    # The switch in the bar loads the grid again.
    bar = page.locator("#frame-bar")
    with page.expect_navigation():
        bar.get_by_role("button", name="Dark").click()
    expect(page.locator(".cell").nth(20)).to_be_visible()
    assert page.url == site.url + grid
    assert background(page) == DARK
    dark = bar.get_by_role("button", name="Dark")
    expect(dark).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("scheme, color", [("dark", DARK), ("light", WHITE)])
def test_theme_follows_the_system(signed_in, site, scheme, color):
    """The first grid that a browser ever shows has the right theme, too."""
    page = signed_in
    page.emulate_media(color_scheme=scheme)
    grid = upload(page, site)
    charts = grid.replace("/main/", "/charts/")
    for path in ("/", grid, charts):
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("[...colors]") == [color], path


def test_open_grid_and_page_follow_the_system_when_it_changes(signed_in, site):
    page = signed_in
    page.emulate_media(color_scheme="light")
    grid = upload(page, site)
    with page.expect_navigation():
        page.emulate_media(color_scheme="dark")
    expect(page.locator(".cell").nth(20)).to_be_visible()
    assert background(page) == DARK
    assert page.evaluate(LIGHT_AREAS) == []
    # The text in a field is not lost.
    page.locator("#frame-name").click()
    page.keyboard.type("new")
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(500)
    expect(page.locator("#new-name")).to_have_value("new")
    for path in ("/", grid.replace("/main/", "/charts/")):
        page.goto("about:blank")
        page.emulate_media(color_scheme="dark")
        page.goto(site.url + path)
        page.wait_for_load_state("networkidle")
        assert background(page) == DARK
        page.emulate_media(color_scheme="light")
        expect(page.locator("body")).to_have_css("background-color", WHITE)


def test_message_is_a_toast_with_undo(signed_in, site):
    page = signed_in
    upload(page, site)
    pk = page.url.rpartition("/")[2]
    page.goto(f"{site.url}/frames/{pk}/delete/")
    page.locator("main .danger").click()
    toast = page.get_by_role("status").filter(has_text="deleted")
    expect(toast).to_be_visible()
    box = toast.bounding_box()
    assert box["y"] > 400 and box["x"] > 600
    page.wait_for_timeout(9_000)  # Messages without a button disappear after 8 s.
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="a", exact=True)).to_be_visible()
    restored = page.locator(".messages > div")
    expect(restored).to_be_visible()
    restored.hover()
    page.wait_for_timeout(9_000)
    expect(restored).to_be_visible()
    page.mouse.move(5, 5)
    expect(restored).to_have_count(0)


def test_message_can_be_closed_with_the_keyboard(signed_in, site):
    page = signed_in
    upload(page, site)
    pk = page.url.rpartition("/")[2]
    page.goto(f"{site.url}/frames/{pk}/delete/")
    page.locator("main .danger").click()
    page.get_by_role("button", name="Close").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".messages > div")).to_have_count(0)


def test_token_and_examples_can_be_copied(signed_in, site):
    page = signed_in
    page.goto(f"{site.url}/frames/tokens/")
    page.locator("main [name=name]").fill("notebook")
    page.get_by_role("button", name="Create a token").click()
    buttons = page.get_by_role("button", name="Copy")
    for at, element in enumerate(["#token", "#push-example"]):
        buttons.nth(at).click()
        expect(page.locator(".code [role=status]").nth(at)).to_have_text("Copied")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == page.locator(element).text_content()


def test_skip_link_is_first_with_the_keyboard(signed_in, site):
    page = signed_in
    page.goto(f"{site.url}/frames/tokens/")
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    expect(link).to_have_text("Skip to content")
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('main') !== null")
