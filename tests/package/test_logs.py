"""The log describes requests and failures, but never contains data."""

import io
import json
import logging
import re
import time

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

from django_dtale.contrib.logging import JsonFormatter
from django_dtale.logs import add_log_context

SECRET = "Ada Lovelace"
SENTRY = "django_dtale.contrib.sentry"


@pytest.fixture
def lines():
    """Return a function that returns the log records as production formats them."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logging.getLogger().addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def secret_frame(publish, ann):
    return publish(ann, name="A frame", a=[1, 2, 3], s=[SECRET] * 3)


def requests(lines):
    return [
        line for line in lines() if line["logger"] == "django_dtale.contrib.logging"
    ]


def test_dtale_request_is_logged(owner, ann, secret_frame, lines):
    owner.get(f"data/{secret_frame.pk}", ids=["0-2"])
    [line] = requests(lines)
    assert line["ms"] > 0 and re.fullmatch("[0-9a-f]{32}", line["request"])
    assert line["level"] == "INFO" and line["time"].endswith("+00:00")
    assert [line[key] for key in ("method", "endpoint", "status", "user", "frame")] == [
        "GET",
        "dtale.get_data",
        200,
        ann.pk,
        str(secret_frame.pk),
    ]


def test_site_page_request_is_logged(owner, ann, secret_frame, lines):
    owner.browser.get(f"/frames/{secret_frame.pk}/copy/")
    owner.browser.get("/none?of=this")
    page, missing = requests(lines)
    assert (page["endpoint"], page["frame"]) == ("frames:copy", secret_frame.pk)
    assert page["user"] == ann.pk
    assert "endpoint" not in missing and missing["refused"] == "Not Found"


def test_time_of_an_upload_includes_the_reading(owner, lines, monkeypatch):
    """The response streams the steps, and the file is read while it does."""
    from django_dtale.views.uploads import receive

    def slowly(*args):
        yield {"step": "reading", "done": 0}
        time.sleep(0.2)
        yield {"location": "/"}

    monkeypatch.setattr(receive, "_open_or_confirm", slowly)
    observed = []
    monkeypatch.setitem(settings.DTALE, "METRICS_TOKEN", "a token")
    monkeypatch.setattr("django_dtale.contrib.prometheus.observe", observed.append)
    script = {"Accept": "application/x-ndjson"}
    answer = owner.send_file("s.csv", b"a\n1\n", headers=script)
    assert b"location" in answer.data
    _, line = requests(lines)  # The home page has the form.
    assert line["ms"] > 200 and line["endpoint"] == "frames:upload"
    assert [each["ms"] for each in observed[1:]] == [line["ms"]]


def test_failure_is_logged_with_its_request_id(owner, secret_frame, lines):
    answer = owner.get(f"aggregations/{secret_frame.pk}/none")
    number = re.search(r"request ([0-9a-f]{32})", answer.text)[1]
    failed, line = [each for each in lines() if each.get("request") == number]
    assert failed["level"] == "ERROR" and failed["frame"] == str(secret_frame.pk)
    assert failed["error"].startswith("KeyError\n")
    assert "in load_aggregations" in failed["error"]
    assert line["logger"] == "django_dtale.contrib.logging"


def test_request_refused_by_django_is_logged_without_a_traceback(owner, lines):
    assert owner.browser.get("/", base_url="http://elsewhere/").status_code == 400
    [refused] = [each for each in lines() if "security" in each["logger"]]
    assert "ALLOWED_HOSTS" in refused["message"] and "error" not in refused


def test_neither_data_nor_filters_nor_queries_are_logged(owner, secret_frame, lines):
    pk = secret_frame.pk
    query = f"s == '{SECRET}' and a > 0"
    owner.get(f"test-filter/{pk}", query=query, save="true")
    owner.get(f"data/{pk}", ids=["0-2"])
    owner.get(f"test-filter/{pk}", query=f"s.cumsum() == '{SECRET}'")
    # These requests contain the secret value, and some error messages repeat it.
    config = {"col": "s", "to": "float", "from": "str"}
    owner.get(f"build-column/{pk}", type="type_conversion", name="f", cfg=config)
    owner.edit(pk, SECRET)
    owner.get(f"aggregations/{pk}/{SECRET}")
    owner.send_file(f"{SECRET}.x", SECRET.encode())
    owner.browser.get("/", query_string={"q": SECRET})
    owner.browser.get("/none", query_string={"q": SECRET})
    assert len(requests(lines)) == 10
    assert sum("error" in line for line in lines()) >= 2
    told = json.dumps(lines())
    assert SECRET not in told and "Lovelace" not in told and "cumsum" not in told


def test_error_outside_a_request_is_logged_with_its_message(lines):
    add_log_context(endpoint="none")
    try:
        try:
            int("x")
        except ValueError as error:
            raise RuntimeError("why") from error
    except RuntimeError:
        logging.getLogger("job").exception("It failed")
    [line] = lines()
    assert "endpoint" not in line and line["message"] == "It failed"
    assert line["error"].startswith("RuntimeError: why\n")
    assert "ValueError: invalid literal for int()" in line["error"]


@pytest.fixture
def sentry():
    """Start Sentry, and return a function that returns the events sent to Sentry."""
    import sentry_sdk

    class Project(sentry_sdk.transport.Transport):
        envelopes = []

        def capture_envelope(self, envelope):
            self.envelopes.append(envelope)

    start = import_string(f"{SENTRY}.start")
    start("https://key@sentry.invalid/1", transport=Project)
    yield lambda: [
        json.loads(item.get_bytes())
        for each in Project.envelopes
        for item in each.items
        if item.type == "event"
    ]
    # By default, Sentry would stay patched into Django and Flask for later tests.
    sentry_sdk.init(auto_enabling_integrations=False)


def test_sentry_gets_failures_without_data(owner, ann, secret_frame, sentry):
    answer = owner.edit(secret_frame.pk, SECRET)
    [event] = sentry()
    assert event["tags"]["endpoint"] == "dtale.edit_cell"
    assert event["tags"]["request"] in answer.text
    assert event["user"] == {"id": str(ann.pk)}
    [*_, error] = event["exception"]["values"]
    assert error["type"] == "ValueError" and error["stacktrace"]["frames"]
    told = json.dumps(event)
    assert SECRET not in told and "rowIndex" not in told
    for part in ("request", "extra", "breadcrumbs"):
        assert part not in event
    assert not any("vars" in frame for frame in error["stacktrace"]["frames"])
