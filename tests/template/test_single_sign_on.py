"""The document about single sign-on works with an OpenID Connect provider."""

import os

import pytest
from conftest import PASSWORD, bake_project
from oidc_provider import Provider
from playwright.sync_api import expect
from test_docs import BIN, BLOCK

ANN = {
    "sub": "8f14e45f",
    "preferred_username": "ann",
    "email": "ann@example.com",
    "email_verified": True,
    "given_name": "Ann",
    "family_name": "Lee",
}


@pytest.fixture(scope="module")
def provider():
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def project(tmp_path_factory, provider):
    """A new bake after a reader has followed the document about single sign-on."""
    project = bake_project(tmp_path_factory.mktemp("single-sign-on"), extras=False)
    text = (project.path / "docs" / "single-sign-on.md").read_text("utf-8")
    for example, own in {
        "https://login.example.com/realms/company": provider.url,
        "OIDC_CLIENT_ID=site": f"OIDC_CLIENT_ID={provider.client_id}",
        "OIDC_CLIENT_SECRET=...": f"OIDC_CLIENT_SECRET='{provider.client_secret}'",
    }.items():
        assert example in text
        text = text.replace(example, own)
    for language, block in BLOCK.findall(text):
        if language == "console":
            for line in block.splitlines():
                project.run("bash", "-c", line, PATH=f"{os.environ['PATH']}:{BIN}")
            continue
        first, _, lines = block.partition("\n")
        path = project.path / first.strip("{# }")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{lines}")
    project.set_up("ada")
    return project


@pytest.fixture(scope="module")
def site(project):
    with project.serve(no_proxy="*") as site:
        yield site


@pytest.fixture(autouse=True)
def reset(provider):
    """Sign Ann in at the provider, and make the provider's responses valid."""
    provider.user, provider.replaced = ANN, {}
    provider.answered.clear()


def press(page, url):
    """Click the button on the login page."""
    page.goto(f"{url}/accounts/login/?next=/frames/tokens/")
    page.get_by_role("button", name="Sign in with Example Company").click()


def users(project):
    """Return the names, e-mail addresses and flags of all users."""
    code = """
from django.contrib.auth import get_user_model
for user in get_user_model().objects.order_by("pk"):
    has = user.has_usable_password(), user.is_staff, user.is_superuser
    print(user.username, user.email, *has)
"""
    told = project.run(".venv/bin/python", "manage.py", "shell", "-v0", "-c", code)
    return told.splitlines()


def test_repeated_sign_in_finds_the_same_account(
    project, site, page, browser, provider
):
    """The first sign-in creates an account that keeps the visitor's table."""
    page.goto(site.url)
    page.get_by_role("button", name="Open the sample table").click()
    page.wait_for_url(f"{site.url}/{site.prefix}/dtale/main/1")
    page.goto(site.url)
    page.get_by_role("link", name="Sign in").click()
    page.get_by_role("button", name="Sign in with Example Company").click()
    expect(page).to_have_url(f"{site.url}/")
    navigation = page.get_by_role("navigation")
    expect(navigation).to_contain_text("Signed in as ann")
    expect(navigation).not_to_contain_text("Change password")
    page.goto(f"{site.url}/create-df/")
    page.get_by_role("button", name="Open the sample table").click()
    page.wait_for_url(f"{site.url}/{site.prefix}/dtale/main/2")
    expect(page.locator(".main-grid .cell").first).to_be_visible()

    # Ann's name at the provider has changed, and she uses another browser. She still
    # owns the visitor's table.
    context = browser.new_context()
    page = context.new_page()
    provider.user = {**ANN, "preferred_username": "annie"}
    press(page, site.url)
    expect(page).to_have_url(f"{site.url}/frames/tokens/")
    page.goto(f"{site.url}/{site.prefix}/dtale/main/1")
    expect(page.locator(".main-grid .cell").first).to_be_visible()
    context.close()
    assert users(project) == [
        "ada ada@example.com True True True",
        "ann ann@example.com False False False",
    ]


@pytest.mark.parametrize(
    "replaced, is_redeemed", [({"state": "x" * 16}, False), ({"aud": "others"}, True)]
)
def test_invalid_provider_response_signs_nobody_in(
    site, page, provider, replaced, is_redeemed
):
    provider.replaced = replaced
    press(page, site.url)
    expect(page.get_by_role("heading")).to_have_text("Third-Party Login Failure")
    assert ("token" in provider.answered) is is_redeemed
    page.goto(site.url)
    expect(page.get_by_role("link", name="Sign in")).to_be_visible()


def test_accounts_with_a_password_can_use_it(site, page):
    """Accounts with a password can still use it, and attempts are rate-limited."""
    page.goto(f"{site.url}/admin/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading").first).to_have_text("Site administration")
    page.context.clear_cookies()
    for path in "signup", "password/set", "email":
        assert page.goto(f"{site.url}/accounts/{path}/").status == 404
    page.goto(f"{site.url}/accounts/login/")
    for _ in range(6):
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_load_state()
    expect(page.get_by_role("heading")).to_have_text("Too many attempts")
    press(page, site.url)
    expect(page.get_by_role("navigation")).to_contain_text("Signed in as ann")
