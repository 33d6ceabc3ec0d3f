"""The debug toolbar appears only in development, and only on the site's own pages."""

import http.client
import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from test_browser import open_sample
from test_pages import sign_in

ON = {"DEBUG_TOOLBAR": "True"}
HANDLE = "#djShowToolBarButton"
URL = "/__debug__/render_panel/?request_id=1&panel_id=SQLPanel"


@pytest.fixture(scope="module")
def development(project, tmp_path_factory):
    variables = {"DATA_DIR": str(tmp_path_factory.mktemp("development")), **ON}
    project.set_up("ann", **variables)
    with project.serve("runserver", **variables) as site:
        yield site


def ask(site, path="/", method="GET", source="127.0.0.1", body=None, **headers):
    """Send a request from an address. Return the status, the headers and the text."""
    address = urlsplit(site.url)
    connection = http.client.HTTPConnection(
        address.hostname, address.port, source_address=(source, 0)
    )
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, response.headers, text


def is_observed(answer):
    """Return whether the toolbar is in the page, or has recorded the request."""
    _, headers, text = answer
    return "djDebug" in text or "djdt-request-id" in headers


def test_panels_load_on_the_home_page(development, page):
    """The fixture `page` fails if the Content-Security-Policy blocks anything."""
    sign_in(page, development, "ann")
    panels = page.locator("#djDebugPanelList")
    expect(panels).to_be_hidden()
    page.locator(HANDLE).click()
    expect(panels).to_be_visible()
    for panel, content in (
        ("SQLPanel", re.compile(r"FROM .*frames_frame", re.S)),
        ("TemplatesPanel", "frames/home.html"),
        ("HeadersPanel", "REMOTE_ADDR"),
    ):
        page.locator(f".{panel}").first.click()
        expect(page.locator(f"#{panel} .djDebugPanelContent")).to_contain_text(content)


def test_first_page_does_not_wait_for_static_files_of_dtale(project, tmp_path):
    """Patching the files takes seconds. The server does so after the first response."""
    variables = {"DATA_DIR": str(tmp_path), **ON}
    project.set_up(**variables)
    code = (
        "from django.test import Client; from pathlib import Path;"
        "assert b'djDebug' in Client(SERVER_NAME='localhost').get('/').content;"
        f"print(Path({str(tmp_path)!r}, 'patched').exists())"
    )
    told = project.run(
        ".venv/bin/python", "manage.py", "shell", "-c", code, **variables
    )
    assert told.splitlines()[-1] == "False"


def test_dtale_works_and_has_no_toolbar(development, page):
    seen = []
    page.context.on("response", lambda answer: seen.append(answer))
    open_sample(page, development)
    expect(page.locator("#djDebug, #djDebugRoot")).to_have_count(0)
    below = [each for each in seen if f"/{development.prefix}/" in each.url]
    assert len(below) >= 2  # These include the page and its rows.
    assert not [each.url for each in below if "djdt-request-id" in each.headers]


def test_toolbar_is_limited_to_this_machine(development):
    assert is_observed(ask(development))
    assert not is_observed(ask(development, source="127.0.0.2"))
    assert not is_observed(ask(development, X_Forwarded_For="192.0.2.1"))
    assert ask(development, URL)[0] == 200
    assert ask(development, URL, source="127.0.0.2")[0] == 404
    assert ask(development, URL, X_Forwarded_For="192.0.2.1")[0] == 404


def test_refused_upload_has_the_same_answer(development, project):
    """The toolbar would read the body, and fail, because it is too long for a form."""
    upload = {
        "method": "POST",
        "path": "/frames/push/?name=a.csv",
        "body": b"a" * (1 << 20) + b"\n",
        "Content_Type": "text/csv",
        "Authorization": "Bearer wrong",
    }
    with_toolbar = ask(development, **upload)
    with project.serve("runserver") as site:
        assert ask(site, **upload)[::2] == with_toolbar[::2]


@pytest.mark.parametrize(
    "variables",
    [{"DEBUG": "False", **ON}, {"DEBUG_TOOLBAR": ""}],
    ids=["production", "turned off"],
)
def test_toolbar_is_absent(project, collected, variables):
    variables = {"HTTPS": "False", **collected, **variables}
    with project.serve("runserver", **variables) as site:
        status, headers, text = ask(site)
        assert status == 200
        assert not is_observed((status, headers, text))
        assert ask(site, URL)[0] == 404


def test_production_settings_pass_the_checks(project):
    key = "a-key-for-this-check-that-signs-nothing-outside-of-it"
    check = "manage.py check --deploy --fail-level WARNING".split()
    variables = {"DEBUG": "False", "SECRET_KEY": key, **ON}
    told = project.run(".venv/bin/python", *check, **variables)
    assert "no issues" in told
    code = (
        "import sys; from django.conf import settings as s;"
        "print([each for each in [*s.MIDDLEWARE, *s.INSTALLED_APPS, *sys.modules]"
        " if each.startswith('debug_toolbar')])"
    )
    told = project.run(
        ".venv/bin/python", "manage.py", "shell", "-c", code, **variables
    )
    assert told.splitlines()[-1] == "[]"


def test_development_settings_pass_the_checks(project):
    check = "manage.py check --fail-level WARNING".split()
    assert "no issues" in project.run(".venv/bin/python", *check, **ON)
    migrate = "manage.py makemigrations --check --dry-run".split()
    assert "No changes" in project.run(".venv/bin/python", *migrate, **ON)
