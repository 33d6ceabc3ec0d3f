"""The health probes, and the metrics for Prometheus."""

import re
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from django.core.files.storage import storages
from django.core.wsgi import get_wsgi_application
from django.db import InterfaceError, connection
from django.utils.module_loading import import_string

from django_dtale.dtale import loader
from django_dtale.dtale.loader import load_dtale
from django_dtale.gateway.gateway import Gateway

from .conftest import Browser, Visitor

HEALTH = "django_dtale.contrib.health"
TOKEN = "a token for tests alone"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}
# Probes use the IP address of the host, and plain HTTP.
PROBE = {"base_url": "http://10.1.2.3:8000"}


@pytest.fixture
def make_site(settings):
    """Return a function that builds the site again with the current settings."""
    served = import_string(settings.WSGI_APPLICATION)

    def make_site():
        django = get_wsgi_application()
        return type(served)(
            django, lambda prefix: Gateway(django, prefix, load_dtale())
        )

    return make_site


@pytest.fixture
def browser(settings, make_site):
    settings.SECURE_SSL_REDIRECT = True
    return Browser(make_site())


def refuse(*args, **kwargs):
    raise InterfaceError("gone")


def test_liveness_probe_does_not_need_the_database(browser, monkeypatch):
    monkeypatch.setattr(connection, "cursor", refuse)
    answer = browser.get("/healthz", **PROBE)
    assert (answer.status_code, answer.json) == (200, {"process": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_readiness_probe_reports_each_part(browser):
    answer = browser.get("/readyz", **PROBE)
    assert answer.status_code == 200
    parts = "database", "storage", "disk", "dtale"
    assert answer.json == dict.fromkeys(parts, "ok")


@pytest.mark.django_db
@pytest.mark.parametrize("part", ["database", "storage", "disk", "dtale"])
def test_readiness_probe_names_the_unavailable_part(
    browser, settings, monkeypatch, part
):
    if part == "database":
        monkeypatch.setattr(connection, "cursor", refuse)
    elif part == "storage":
        monkeypatch.setattr(storages["frames"], "exists", refuse)
    elif part == "disk":
        # MIN_FREE is a number of megabytes.
        monkeypatch.setattr(f"{HEALTH}.MIN_FREE", 1 << 30)
    else:
        monkeypatch.setattr(loader, "_load", refuse)
    answer = browser.get("/readyz", **PROBE)
    assert answer.status_code == 503
    assert {name for name, state in answer.json.items() if state != "ok"} == {part}


@pytest.mark.django_db
def test_missing_data_directory_is_not_ready(browser, dtale_settings, tmp_path):
    dtale_settings.DATA_DIR = tmp_path / "none"
    assert browser.get("/readyz", **PROBE).json["storage"] == "unavailable"


def test_other_pages_refuse_unknown_hosts(browser):
    assert browser.get("/", **PROBE).status_code == 400


def test_metrics_are_not_found_without_a_configured_token(browser):
    secure = {"base_url": "https://localhost"}
    assert browser.get("/metrics", headers=HEADERS, **secure).status_code == 404


@pytest.fixture
def scraped(dtale_settings, make_site, stored, ann):
    """Return a visitor of a site with metrics, and a function that reads them."""
    dtale_settings.METRICS_TOKEN = TOKEN
    visitor = Visitor(make_site()).sign_in(ann)

    def figures():
        answer = visitor.browser.get("/metrics", headers=HEADERS, **PROBE)
        assert answer.status_code == 200, answer.text
        return {
            name: float(value)
            for name, value in re.findall(r"^([^#].*) (\S+)$", answer.text, re.M)
        }

    return visitor, figures


def test_metrics_require_the_token(scraped):
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
    visitor.post("merge", data={})
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
    assert more("site_refused_total", why="FrameNotFound") == 1
    assert more("site_refused_total", why="FilterRefused") == 1
    assert more("frames_opened_total", where="cache_hits") >= 1
    assert more("frames_opened_total", where="cache_misses") >= 1


def test_metrics_omit_frames_without_a_database(scraped, frame, monkeypatch):
    visitor, figures = scraped
    visitor.column(frame.pk)
    with monkeypatch.context() as patch:
        patch.setattr(connection, "cursor", refuse)
        told = figures()
    assert "frames" not in told and any("site_requests" in name for name in told)


@pytest.fixture
def port():
    """Serve a health check that fails, and return the server's port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(500 if self.path == "/healthz" else 404)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def health_check(port):
    """Run the health check of the image. Return its exit code and its error output."""
    command = sys.executable, "-m", "django_dtale.contrib.healthcheck", str(port)
    proxy = {"http_proxy": "http://127.0.0.1:1"}
    result = subprocess.run(command, env=proxy, capture_output=True, text=True)
    return result.returncode, result.stderr


def test_health_check_of_the_image_fails_with_a_reason(port):
    assert health_check(port) == (1, "/healthz answers with 500.\n")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        code, message = health_check(unused.getsockname()[1])
    assert code == 1 and "does not answer" in message and "Traceback" not in message
