"""The headers of all responses below the prefix, and the texts of error responses."""

import json
import logging
import re

import pytest
from django.db import OperationalError

from django_dtale.conf import dtale_settings
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.assets.patches import patched_file
from django_dtale.dtale.assets.patching import MAIN
from django_dtale.dtale.patches.registry import resolve
from django_dtale.errors import user_message
from django_dtale.exceptions import UnexpectedError
from django_dtale.gateway import gateway

ROOT = f"/{dtale_settings.PREFIX}"
DEPENDENCIES = "charts/_dash-dependencies"
NUMBER = "request (" + "[0-9a-f]" * 32 + ")"
pytestmark = pytest.mark.django_db


def policy(answer):
    """Return the sources in a Content-Security-Policy, by directive."""
    directives = answer.headers["Content-Security-Policy"].split("; ")
    return {name: sources for name, *sources in map(str.split, directives)}


# Headers ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, status",
    [
        ("/dtale/main/FRAME", 200),
        ("/dtale/charts/FRAME", 200),
        ("/dtale/dtypes/FRAME", 200),
        ("/dtale/data-export/FRAME?type=csv", 200),
        ("/dtale/static/css/main.css", 302),
        ("/dtale/charts/_dash-layout", 200),
        ("/", 302),
        ("/dtale/main/999999", 404),
        ("/dtale/data/999999", 404),
        ("/no/such/page", 404),
        ("/dtale/upload", 405),
    ],
)
def test_every_response_has_the_security_headers(owner, frame, path, status):
    answer = owner.browser.get(f"{ROOT}{path}".replace("FRAME", str(frame.pk)))
    assert answer.status_code == status
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    # Django has already set a stricter policy for the site's own pages.
    assert policy(answer)["frame-ancestors"] in (["'self'"], ["'none'"])
    assert "no-store" in answer.headers["Cache-Control"]


def test_error_response_of_django_has_the_security_headers(owner):
    answer = owner.browser.get(f"{ROOT}/dtale/main", base_url="http://elsewhere/")
    assert answer.status_code == 400
    assert policy(answer)["frame-ancestors"] == ["'none'"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_dash_files_can_be_cached(owner):
    path = "plotly/package_data/plotly.v7m1.min.js"
    file = owner.get(f"charts/_dash-component-suites/{path}")
    assert file.status_code == 200
    assert "no-store" not in file.headers["Cache-Control"]


# Scripts ------------------------------------------------------------------------------

SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", re.S)


@pytest.mark.parametrize(
    "path", ["main/FRAME", "popup/merge", "network/FRAME", "code-popup", "main/none"]
)
def test_page_scripts_have_the_nonce_of_the_response(owner, frame, path):
    nonces = set()
    for _ in range(2):
        answer = owner.get(path.replace("FRAME", str(frame.pk)))
        own, *more = policy(answer)["script-src"]
        assert own == "'self'" and not set(more) & {"'unsafe-inline'", "'unsafe-eval'"}
        scripts = SCRIPT.findall(answer.text)
        if scripts:
            [nonce] = {re.search('nonce="(.+?)"', each)[1] for each, _ in scripts}
            assert more == [f"'nonce-{nonce}'"]
            nonces.add(nonce)
    # The error page at "main/none" is one of the site's pages, without inline scripts.
    assert len(nonces) == 2 or path == "main/none"


def test_scripts_of_the_charts_page_are_allowed_by_hash(owner, frame):
    answer = owner.get(f"charts/{frame.pk}")
    own, *hashes = policy(answer)["script-src"]
    assert own == "'self'" and all(each.startswith("'sha256-") for each in hashes)
    run = [each for each, _ in SCRIPT.findall(answer.text) if "json" not in each]
    assert len(run) == len(hashes) == 3


def test_injected_script_is_escaped(owner, frame):
    text = "a == '</script><script>alert(1)//'"
    owner.get(f"update-settings/{frame.pk}", settings={"query": text})
    page = owner.get(f"main/{frame.pk}").text
    assert "alert(1)" in page and "</script><script>" not in page
    message = re.search(r"const msg = \{(.*?)\n\s*\};", page, re.S)[1]
    written = dict(re.findall(r"(\w+): (.*),\n", f"{message}\n"))
    assert json.loads(json.loads(written["settings"]))["query"] == text


def test_pages_post_messages_only_to_their_own_origin(owner, frame):
    assert "postMessage(msg, window.location.origin)" in owner.get("popup/merge").text
    for bundle in ("dist/dtale", "dist/network", "dist/polyfills", "dash/custom"):
        text = patched_file(f"static/{bundle}_bundle.js")
        assert "postMessage(" in text
        assert not re.search(r"""postMessage\([^()]*['"]\*['"]""", text)


def test_cells_are_not_rendered_as_html_in_pages_or_exports(owner, frame):
    file = owner.get(f"data/{frame.pk}", ids=["0-2"], export="true").text
    assert "html-cell" in file
    for text in (file, patched_file(MAIN)):
        assert not re.search(r"!0===[\w$.?]+\[[\w$.]+\]\?\.fmt\?\.html", text)


# Errors -------------------------------------------------------------------------------

ERRORS = [
    "edit-cell/FRAME?col=a&rowIndex=0&updated=x",
    "data/FRAME?ids=no-json",
    "aggregations/FRAME/none",
    "delete-col/FRAME?cols=no-json",
    "update-formats/FRAME?all=false&col=a&format=x",
    "reshape/FRAME?type=none&cfg=%7B%7D&output=new",
    "column-analysis/FRAME?col=a&type=none",
    "chart-data/FRAME?x=none&y=none",
    "build-column/FRAME?type=none&name=z&cfg=%7B%7D",
]


@pytest.mark.parametrize("path", ERRORS)
def test_error_is_short_and_refers_to_the_log(owner, frame, caplog, path):
    with caplog.at_level(logging.ERROR):
        answer = owner.get(path.replace("FRAME", str(frame.pk)))
    for secret in ("Traceback", "traceback", "site-packages", ".py"):
        assert secret not in answer.text
    number = re.search(NUMBER, answer.text)
    # These statuses are refusals, not failures.
    if answer.status_code not in (400, 404):
        assert number and answer.text.count("\n") < 40
        [record] = [each for each in caplog.records if number[1] in each.getMessage()]
        assert record.exc_info
    if answer.is_json:
        assert answer.json["success"] is False and answer.json["error"]


@pytest.mark.parametrize("path", ["none/none.js", "plotly/none.js"])
def test_missing_dash_file_is_not_found(visitor, caplog, path):
    answer = visitor().get(f"charts/_dash-component-suites/{path}")
    assert answer.status_code == 404 and "Traceback" not in caplog.text


def test_error_of_a_chart_callback_is_short(owner, frame, caplog):
    known = {each["output"]: each for each in owner.get(DEPENDENCIES).json}
    sent = known["drilldown-modal-1.is_open"]
    inputs, state = (
        {f"{part['id']}.{part['property']}": 1.5 for part in sent[side]}
        for side in ("inputs", "state")
    )
    answer = owner.call_back(sent["output"], inputs, state)
    assert answer.status_code == 400
    assert re.search(NUMBER, answer.json["error"])
    assert "site-packages" not in answer.text and "Traceback" in caplog.text


def test_error_in_place_of_a_chart_is_short(caplog):
    build_dtale()
    build_error = resolve("dtale.dash_application.charts:build_error")
    try:
        int("x")
    except ValueError as error:
        text = str(build_error(error, "Traceback ... site-packages"))
    assert "invalid literal for int()" in text and "request" in text
    assert "Traceback" not in text and "site-packages" not in text


@pytest.mark.parametrize("path, is_page", [("main", True), ("dtypes", False)])
@pytest.mark.parametrize(
    "error, status, text",
    [
        (RuntimeError("in /srv\nsecret"), 500, "in /srv (request "),
        (OSError("secret"), 500, f"{UnexpectedError.title} (request "),
        (OperationalError("secret"), 503, "The database is not responding."),
    ],
)
def test_unexpected_error_in_the_gateway_is_short(
    owner, frame, monkeypatch, caplog, path, is_page, error, status, text
):
    def run(application, environ):
        raise error

    monkeypatch.setattr(gateway, "run", run)
    answer = owner.get(f"{path}/{frame.pk}")
    assert answer.status_code == status
    assert text in answer.text and re.search(NUMBER, answer.text)
    assert answer.is_json is not is_page
    assert answer.headers.get("Retry-After") == ("5" if status == 503 else None)
    assert "secret" not in answer.text and "secret" in caplog.text


@pytest.mark.parametrize(
    "error, text",
    [
        (KeyError("none"), "'none'"),
        (ValueError("bad\nFile x.py"), "bad"),
        (ValueError("x" * 1000), "x" * 300),
        (ValueError(), UnexpectedError.title),
        (OSError("/var/lib/frames"), UnexpectedError.title),
        (ImportError("cannot import name x"), UnexpectedError.title),
        (TypeError(f"in {logging.__file__}"), UnexpectedError.title),
    ],
)
def test_user_message_is_short_and_hides_internals(error, text):
    told, number = user_message(error).split(" (")
    assert told == text and re.fullmatch(rf"{NUMBER}\)", number)
