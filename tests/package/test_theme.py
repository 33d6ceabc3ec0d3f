"""The theme of pages and grids, and where it is remembered."""

import re

import pytest
from django.test import Client

from django_dtale.models import Preferences

pytestmark = pytest.mark.django_db
COOKIE = "dtale_theme"
FROM_PAGE = {"Referer": "http://testserver/frames/tokens/"}
SCRIPT = "frames/dtale_theme.js"


def choose(client, theme, **options):
    return client.post("/frames/theme/", {"theme": theme}, **options)


def shown(page):
    """Return the theme in the first element of a page, and in its <meta> element."""
    theme = re.search(r'<html lang="en" data-theme="(\w*)">', page.text)[1]
    scheme = re.search(r'<meta name="color-scheme" content="([\w ]+)">', page.text)[1]
    return theme, scheme


def grid(person, pk):
    """Return the theme of a grid: the class of its body, and whether it has a script."""
    page = person.get(f"main/{pk}").text
    return re.search(r'<body class="(\w+)-mode"', page)[1], SCRIPT in page


@pytest.mark.parametrize(
    "theme, scheme", [("light", "light"), ("dark", "dark"), ("system", "light dark")]
)
def test_chosen_theme_is_in_the_next_page(client, theme, scheme):
    assert shown(client.get("/")) == ("system", "light dark")
    answer = choose(client, theme, headers=FROM_PAGE)
    assert (answer.status_code, answer.url) == (302, FROM_PAGE["Referer"])
    cookie = answer.cookies[COOKIE]
    assert cookie["httponly"] and cookie["samesite"] == "Lax"
    page = client.get("/")
    assert shown(page) == (theme, scheme)
    pressed = re.findall(r'value="(\w+)" aria-pressed="true"', page.text)
    assert pressed == [theme]


def test_script_gets_no_page(client):
    answer = choose(client, "dark", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.cookies[COOKIE].value == "dark"


@pytest.mark.parametrize("came_from", ["https://example.com/", "javascript:x", ""])
def test_nobody_is_sent_to_another_site(client, came_from):
    answer = choose(client, "dark", headers={"Referer": came_from})
    assert answer.url == "/frames/"


@pytest.mark.parametrize("theme", ["", "blue", "<script>"])
def test_unknown_theme_is_refused_and_ignored(client, theme):
    answer = choose(client, theme)
    assert answer.status_code == 400 and COOKIE not in answer.cookies
    client.cookies[COOKIE] = theme
    assert shown(client.get("/")) == ("system", "light dark")


def test_choice_needs_a_csrf_token():
    client = Client(enforce_csrf_checks=True)
    assert choose(client, "dark").status_code == 403


def test_theme_cannot_be_chosen_by_a_link(client):
    assert client.get("/frames/theme/?theme=dark").status_code == 405


def test_visitor_without_a_session_gets_none(client):
    choose(client, "dark")
    assert set(client.cookies) == {COOKIE}
    assert not Preferences.objects.exists()


def test_theme_is_kept_for_other_browsers_of_the_user(client, ann):
    client.force_login(ann)
    choose(client, "dark")
    ann.set_password("correct horse battery")
    ann.save()
    other = Client()
    form = {"username": ann.username, "password": "correct horse battery"}
    answer = other.post("/accounts/login/", form)
    assert answer.cookies[COOKIE].value == "dark"
    assert shown(other.get("/")) == ("dark", "dark")


def test_other_preferences_of_the_user_stay(visitor, client, ann):
    visitor(ann).get("update-language", language="pt")
    client.force_login(ann)
    choose(client, "dark")
    assert Preferences.objects.get().app_settings == {"language": "pt", "theme": "dark"}


# D-Tale -------------------------------------------------------------------------------


def test_grid_follows_the_system_by_default(owner, frame):
    assert grid(owner, frame.pk) == ("system", True)
    assert (
        '<meta name="color-scheme" content="light dark">'
        in owner.get(f"main/{frame.pk}").text
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_grid_has_the_theme_of_the_pages(owner, frame, theme):
    owner.browser.set_cookie(COOKIE, theme)
    assert grid(owner, frame.pk) == (theme, False)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_have_the_theme_of_the_pages(owner, frame, theme):
    page = owner.get(f"charts/{frame.pk}").text
    assert '<body class="system-mode"' in page and SCRIPT in page
    owner.browser.set_cookie(COOKIE, theme)
    page = owner.get(f"charts/{frame.pk}").text
    assert f'<body class="{theme}-mode"' in page and SCRIPT not in page
    assert "frames/dtale_dark" in page


def test_code_has_the_theme_of_the_pages(owner):
    owner.browser.set_cookie(COOKIE, "dark")
    for path in ("code-popup", "calculation/skew"):
        assert '<body class="dark-mode"' in owner.get(path).text


def test_themes_of_dtale_change_the_pages(owner, frame):
    answer = owner.get("update-theme", theme="dark")
    assert answer.json == {"success": True}
    assert owner.browser.get_cookie(COOKIE).value == "dark"
    assert grid(owner, frame.pk) == ("dark", False)


def test_grid_without_a_cookie_has_the_saved_theme_of_the_user(owner, frame, ann):
    Preferences.save_theme(ann, "dark")
    assert grid(owner, frame.pk) == ("dark", False)
    assert owner.browser.get_cookie(COOKIE).value == "dark"
