"""The first clicks after a server has started, before D-Tale is imported.

All other tests use a warm server. Here, each start is a new process. Its first requests
arrive before anything is imported, or while D-Tale is being built.
"""

import itertools
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from conftest import environment
from lengths import IS_LONG

SERVERS = "runserver", "gunicorn without preload", "uvicorn", "waitress"
# The requests are sent this many seconds after the port opens.
DELAYS = 0, 0.3, 1.0, 1.7
# gunicorn builds D-Tale before it forks. The other server is runserver as developers
# use it.
OTHERS = "gunicorn", "runserver with reloader"
CSRF = "c" * 32
COLD = os.environ.get("COLD_STARTS")
IS_ALL = IS_LONG or COLD == "all"
FORM = {"csrfmiddlewaretoken": CSRF}

# Before the tested server starts, this script creates a session, a frame and a token.
# They simulate data from the day before.
PREPARE = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
from django_dtale import publish
from django_dtale.models import Token
import pandas as pd
ann = get_user_model().objects.get(username="ann")
client = Client()
client.force_login(ann)
frame = publish(pd.DataFrame({"a": [1, 2, 3]}), owner=ann, name="old")
print(json.dumps({
    "session": client.cookies["sessionid"].value,
    "frame": frame.pk,
    "token": Token.objects.create_token(ann, "cold start"),
}))
"""


@dataclass(frozen=True)
class Person:
    """Ann's browser and her program, with the data from PREPARE."""

    session: str
    frame: int
    token: str

    def ask(self, url, body=None, content_type=None, **headers):
        """Send a request as one of the site's pages does, and follow redirects.

        Return the status and the beginning of the text.
        """
        headers |= {
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "navigate" if "/main/" in url else "cors",
        }
        if content_type:
            headers["Content-Type"] = content_type
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        # Send the same headers after a redirect.
        opener.addheaders = list(headers.items())
        request = urllib.request.Request(url, body, headers)
        try:
            answer = opener.open(request, timeout=300)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return answer.status, answer.read(2000).decode("utf-8", "replace")

    def submit(self, url, **values):
        body = urlencode(FORM | values).encode()
        return self.ask(url, body, "application/x-www-form-urlencoded")


def sample(person, site):
    return person.submit(f"{site.url}/create-df/")


def upload(person, site):
    lines = ["--limit"]
    for name, value in FORM.items():
        lines += [
            f'Content-Disposition: form-data; name="{name}"',
            "",
            value,
            "--limit",
        ]
    lines += ['Content-Disposition: form-data; name="file"; filename="s.csv"', ""]
    lines += ["a,b", "1,2", "", "--limit--", ""]
    body = "\r\n".join(lines).encode()
    content_type = "multipart/form-data; boundary=limit"
    return person.ask(f"{site.url}/frames/upload/", body, content_type)


def push(person, site):
    token = f"Bearer {person.token}"
    url = f"{site.url}/frames/push/?name=pushed"
    return person.ask(url, b"a,b\n1,2\n", "text/csv", Authorization=token)


def model_page(person, site):
    return person.submit(f"{site.url}/frames/models/accounts/user/")


def copy(person, site):
    return person.submit(f"{site.url}/frames/{person.frame}/copy/")


def download(person, site):
    return person.ask(f"{site.url}/frames/{person.frame}/parquet/")


def grid(person, site):
    return person.ask(f"{site.url}/{site.prefix}/dtale/main/{person.frame}")


def rows(person, site):
    path = f"data/{person.frame}?ids=%5B%220-9%22%5D"
    return person.ask(f"{site.url}/{site.prefix}/dtale/{path}")


def charts(person, site):
    return person.ask(f"{site.url}/{site.prefix}/dtale/charts/{person.frame}")


def probe(person, site):
    return person.ask(f"{site.url}/readyz")


DOORS = sample, upload, push, model_page, copy, download, grid, rows, charts, probe


def plan():
    """Return the cold starts: (server, delay, doors, is the home page first?).

    Each server gets requests to all of DOORS, two at a time, with varying delays. With
    COLD_STARTS=all (`make cold`), all starts run four times, with other pairs and
    delays. In the short form, every second start runs. About half of the starts begin with
    a request to the home page. The end of this request starts the build of D-Tale in the
    background.
    """
    starts = []
    turns = range(4 if COLD == "all" else 1)
    for (at, server), turn in itertools.product(enumerate(SERVERS + OTHERS), turns):
        delays = DELAYS if server in SERVERS else (0,)
        # Each server and turn uses another permutation of the doors, and pairs
        # neighbors. All steps are coprime to the number of doors.
        step = (1, 3, 7, 9)[(at + turn) % 4]
        turned = [DOORS[i * step % len(DOORS)] for i in range(len(DOORS))]
        for number, doors in enumerate(zip(turned[::2], turned[1::2], strict=True)):
            if not (IS_ALL or number % 2 == at // 3 % 2):
                continue
            delay = delays[(at + number + turn) % len(delays)]
            has_first_page = (number + at // 2 + turn) % 2 == 0
            starts.append((server, delay, doors, has_first_page))
    return starts


@pytest.fixture(scope="module")
def prepared(project, collected, tmp_path_factory):
    """The environment variables of a site, and Ann as its user."""
    variables = {
        "DATA_DIR": str(tmp_path_factory.mktemp("cold")),
        "FRAMES_LOGIN_REQUIRED": "True",
        "FRAMES_MAX_COUNT": "10000",
        "HTTPS": "False",
        "DEBUG": "False",
        **collected,
    }
    project.set_up("ann", **variables)
    shell = [".venv/bin/python", "manage.py", "shell", "--command", PREPARE]
    result = subprocess.run(
        shell,
        cwd=project.path,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return variables, Person(**json.loads(result.stdout.splitlines()[-1]))


def test_plan_opens_each_door_on_two_servers_and_uses_all_delays():
    """This holds for the short form, too."""
    starts = plan()
    servers = {door: set() for door in DOORS}
    for server, _, doors, _ in starts:
        for door in doors:
            servers[door].add(server)
    assert min(map(len, servers.values())) >= 2
    assert {delay for _, delay, _, _ in starts} == set(DELAYS)
    assert {has_first_page for *_, has_first_page in starts} == {True, False}


@pytest.mark.parametrize("server", SERVERS + OTHERS)
def test_every_entry_point_works_right_after_startup(project, prepared, server):
    variables, person = prepared
    problems, opened_doors = [], set()
    for name, delay, doors, has_first_page in plan():
        if name != server:
            continue
        opened_doors.update(doors)
        with project.serve(server, workers=2, is_cold=True, **variables) as site:
            opened = time.monotonic()
            if has_first_page:
                assert person.ask(f"{site.url}/")[0] == 200
            time.sleep(max(0, opened + delay - time.monotonic()))
            with ThreadPoolExecutor(len(doors)) as pool:
                answers = pool.map(lambda door: door(person, site), doors)
                for door, (status, text) in zip(doors, answers, strict=True):
                    # The site may refuse a second file of the same person with 429
                    # while it is still reading the first one.
                    if status not in (200, 201, 429):
                        start = door.__name__, delay, has_first_page
                        problems.append((*start, status, text, site.log.read_text()))
    assert opened_doors == set(DOORS) or not IS_ALL
    assert problems == []
