"""The operator's view of a site: probes, metrics and the log."""

import json
import re
from http.client import HTTPConnection
from pathlib import Path

import pytest
from services import who_answered

TOKEN = "a-token-of-this-test"
HOST = "data.example.com"
REQUESTS = 60


@pytest.fixture
def variables(project, collected, tmp_path):
    """Production settings, whose allowed host is not the one that probes use."""
    variables = {"DEBUG": "False", "ALLOWED_HOSTS": HOST, "DATA_DIR": str(tmp_path)}
    variables |= {"METRICS_TOKEN": TOKEN, "TLS_PROXY": "True"}
    variables |= collected
    manage = ".venv/bin/python", "manage.py"
    project.run(*manage, "migrate", "--verbosity", "0", **variables)
    return variables


def ask(site, path, **headers):
    """Send a request to the server's address. Return the status and the text."""
    connection = HTTPConnection(site.url.removeprefix("http://"), timeout=60)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    with answer:
        return answer.status, answer.read().decode()


def test_script_name_header_is_ignored(site):
    """By default, gunicorn takes SCRIPT_NAME from a request header."""
    evil = {"SCRIPT_NAME": "/evil"}
    assert ask(site, "/evil/accounts/login/", **evil)[0] == 404
    status, text = ask(site, "/accounts/login/", **evil)
    assert status == 200 and "evil" not in text


def test_production_exposes_probes_metrics_and_logs(project, variables):
    variables["GUNICORN_CMD_ARGS"] = "--access-logfile - --access-logformat pid=%(p)s"
    https = {"Host": HOST, "X-Forwarded-Proto": "https"}
    with project.serve(workers=2, **variables) as site:
        for path in ("/healthz", "/readyz"):
            assert ask(site, path)[0] == 200
        # The server's IP address is not an allowed host.
        assert ask(site, "/")[0] == 400
        assert ask(site, "/metrics")[0] == 401
        for _ in range(REQUESTS):
            assert ask(site, "/accounts/login/?next=/secret", **https)[0] == 200
            assert ask(site, f"/{site.prefix}/dtale/none?secret", **https)[0] == 404
        told = set()
        # Each worker must also report the requests of the other worker.
        for _ in range(10):
            text = ask(site, "/metrics", Authorization=f"Bearer {TOKEN}")[1]
            told |= set(re.findall(r"^(?:frames |site_requests_total).*", text, re.M))
        mapped = Path(f"/proc/{site.workers[0]}/maps").read_text()
        counted = {Path(path) for path in re.findall(r"/dev/shm/.*\.db$", mapped, re.M)}
        assert len(who_answered(site)) == 2
    assert told == {
        "frames 0.0",
        f'site_requests_total{{endpoint="login",status="200"}} {REQUESTS}.0',
        f'site_requests_total{{endpoint="dtale",status="404"}} {REQUESTS}.0',
    }
    assert counted and not any(path.exists() for path in counted)
    log = site.log.read_text()
    lines = [json.loads(line) for line in log.splitlines() if line[:4] != "pid="]
    assert (
        sum(line["logger"] == "django_dtale.contrib.logging" for line in lines)
        == 2 * REQUESTS
    )
    assert any(line["logger"] == "gunicorn.error" for line in lines)
    assert "secret" not in log
