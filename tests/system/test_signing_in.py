"""A user signs in with a real browser, and all pages comply with their CSP."""

import re

import pytest
from conftest import PASSWORD
from playwright.sync_api import expect


@pytest.fixture
def closed_site(project, tmp_path):
    """The default bake with required sign-in and an account for ann."""
    variables = {"DATA_DIR": str(tmp_path), "FRAMES_LOGIN_REQUIRED": "True"}
    project.set_up("ann", **variables)
    with project.serve("gunicorn", **variables) as site:
        yield site


@pytest.fixture
def complaints(page, closed_site):
    """The errors in the browser's console on the site's pages, except D-Tale's."""
    found = []

    def listen(message):
        dtale = page.url.startswith(f"{closed_site.url}/{closed_site.prefix}/")
        if "Content Security Policy" in message.text and not dtale:
            found.append(f"{page.url}: {message.text}")

    page.on("console", listen)
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    return found


def test_signing_in_and_all_pages_comply_with_the_csp(closed_site, page, complaints):
    url = closed_site.url
    page.goto(url)
    page.get_by_role("button", name="Open the sample table").click()
    expect(page).to_have_url(f"{url}/accounts/login/?next=/create-df/")
    page.get_by_label("Username").fill("ann")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("main")).to_contain_text("correct username and password")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{url}/create-df/")
    expect(page.get_by_role("navigation")).to_contain_text("Signed in as ann")
    page.get_by_role("button", name="Open the sample table").click()
    expect(page).to_have_url(re.compile("/dtale/main/1$"))

    for path in (
        "/frames/1/copy/",
        "/frames/models/",
        "/frames/models/accounts/user/",
        "/frames/tokens/",
        "/accounts/password_change/",
        "/no-such-page",
        "/admin/",
        "/admin/frames/frame/",
        "/admin/frames/frame/1/delete/",
        "/admin/accounts/user/1/change/",
    ):
        page.goto(url + path)
        expect(page.get_by_role("heading").first).to_be_visible()
    page.goto(f"{url}/admin/frames/frame/1/change/")
    # This widget needs the admin's scripts.
    page.locator(".select2-selection").first.click()
    expect(page.get_by_role("option", name="ann")).to_be_visible()

    page.goto(url)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    page.get_by_role("link", name="Sign in").click()
    for _ in range(6):
        page.get_by_label("Username").fill("ann")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_load_state()
    expect(page.get_by_role("heading")).to_have_text("Too many attempts")
    assert complaints == []
