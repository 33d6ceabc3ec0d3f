"""What machines ask: probes, and figures for Prometheus."""

import re

import pytest
from django.conf import settings as site
from django.core.files.storage import storages
from django.core.wsgi import get_wsgi_application
from django.db import InterfaceError, connection
from django.utils.module_loading import import_string

from frames import dtale_loader
from frames.dtale_loader import load_dtale
from frames.gate import Gate

from .conftest import Browser, Visitor

HEALTH = f"{site.ROOT_URLCONF.rpartition('.')[0]}.health"
TOKEN = "a token for tests alone"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
# A probe asks by an address, and not by HTTPS.
PROBE = {"base_url": "http://10.1.2.3:8000"}


@pytest.fixture
def make_site(settings):
    """Make the whole site anew, as the settings are now: make_site()."""
    served = import_string(settings.WSGI_APPLICATION)

    def make_app(prefix):
        return Gate(load_dtale(), prefix)

    return lambda: type(served)(get_wsgi_application(), make_app)


@pytest.fixture
def browser(settings, make_site):
    settings.SECURE_SSL_REDIRECT = True
    return Browser(make_site())


def refuse(*args, **kwargs):
    raise InterfaceError("gone")


def test_a_living_process_says_so(browser, monkeypatch):
    monkeypatch.setattr(connection, "cursor", refuse)
    answer = browser.get("/healthz", **PROBE)
    assert (answer.status_code, answer.json) == (200, {"process": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_a_ready_process_says_so(browser):
    answer = browser.get("/readyz", **PROBE)
    assert answer.status_code == 200
    parts = "database", "storage", "disk", "dtale"
    assert answer.json == dict.fromkeys(parts, "ok")


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["database", "storage", "disk", "dtale"])
def test_what_is_missing_is_named(browser, settings, monkeypatch, part):
    if part == "database":
        monkeypatch.setattr(connection, "cursor", refuse)
    elif part == "storage":
        monkeypatch.setattr(storages["frames"], "exists", refuse)
    elif part == "disk":
        monkeypatch.setattr(f"{HEALTH}.MIN_FREE", 1 << 30)  # Megabytes.
    else:
        monkeypatch.setattr(dtale_loader, "_load", refuse)
    answer = browser.get("/readyz", **PROBE)
    assert answer.status_code == 503
    assert {name for name, state in answer.json.items() if state != "ok"} == {part}


@pytest.mark.django_db
def test_a_directory_that_cannot_be_written_to_is_not_ready(
    browser, settings, tmp_path
):
    settings.DATA_DIR = tmp_path / "none"
    assert browser.get("/readyz", **PROBE).json["storage"] == "unavailable"


def test_other_pages_are_for_known_hosts_alone(browser):
    assert browser.get("/", **PROBE).status_code == 400


def test_without_a_token_there_are_no_figures(browser):
    secure = {"base_url": "https://localhost"}
    assert browser.get("/metrics", headers=HEADERS, **secure).status_code == 404


@pytest.fixture
def scraped(settings, make_site, stored, ann):
    """A visitor of a site whose requests are counted, and its figures."""
    settings.METRICS_TOKEN = TOKEN
    visitor = Visitor(make_site()).sign_in(ann)

    def figures():
        answer = visitor.browser.get("/metrics", headers=HEADERS, **PROBE)
        assert answer.status_code == 200, answer.text
        return {
            name: float(value)
            for name, value in re.findall(r"^([^#].*) (\S+)$", answer.text, re.M)
        }

    return visitor, figures


def test_figures_are_for_who_knows_the_token(scraped):
    visitor, _ = scraped
    for headers in ({}, {"Authorization": "Bearer another"}):
        assert visitor.browser.get("/metrics", headers=headers).status_code == 401


def test_requests_are_counted(scraped, frame):
    visitor, figures = scraped
    before = figures()
    visitor.column(frame.pk)
    visitor.column(frame.pk)
    visitor.get("data/987", ids=["0-1"])
    visitor.get(f"test-filter/{frame.pk}", query="a.cumsum() > 2")
    visitor.post("upload", data={})
    after = figures()
    assert after["frames"] == 1 and after["frames_bytes"] > 100

    def more(name, **labels):
        labels = ",".join(f'{key}="{value}"' for key, value in labels.items())
        name = name + "{" + labels + "}"
        return after.get(name, 0) - before.get(name, 0)

    data = {"endpoint": "dtale.get_data"}
    assert more("site_request_seconds_count", **data) == 3
    assert more("site_requests_total", **data, status=200) == 2
    assert more("site_requests_total", **data, status=404) == 1
    assert more("site_refused_total", why="FrameMissing") == 1
    assert more("site_refused_total", why="FilterRefused") == 1
    assert more("frames_opened_total", where="cache_hits") >= 1
    assert more("frames_opened_total", where="cache_misses") >= 1


def test_without_a_database_the_rest_is_told(scraped, frame, monkeypatch):
    visitor, figures = scraped
    visitor.column(frame.pk)
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        told = figures()
    assert "frames" not in told and any("site_requests" in name for name in told)
