"""The first clicks after a server's start, when D-Tale is not imported yet.

Every other test asks a server that is warm. Here each start is a fresh process, and its
first requests come while nothing is imported, or while D-Tale is being built.
"""

import itertools
import json
import subprocess
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from conftest import environment

SERVERS = "runserver", "gunicorn without preload", "uvicorn", "waitress"
DELAYS = 0, 0.3, 1.0, 1.7  # Seconds after the port opened.
# The first builds D-Tale before it forks, and the second serves as runserver does.
OTHERS = "gunicorn", "runserver with reloader"
CSRF = "c" * 32
FORM = {"csrfmiddlewaretoken": CSRF}

# What a person has from yesterday: a session, a frame, a token for programs. Nothing of
# it is made by the server that is tested.
PREPARE = """
import json
from django.contrib.auth import get_user_model
from django.test import Client
from frames.models import Frame, Token
import pandas as pd
ann = get_user_model().objects.get(username="ann")
client = Client()
client.force_login(ann)
frame = Frame.objects.publish(pd.DataFrame({"a": [1, 2, 3]}), owner=ann, name="old")
print(json.dumps({
    "session": client.cookies["sessionid"].value,
    "frame": frame.pk,
    "token": Token.objects.issue(ann, "cold start"),
}))
"""


@dataclass(frozen=True)
class Person:
    """Ann's browser and program, with what PREPARE made."""

    session: str
    frame: int
    token: str

    def ask(self, url, body=None, content_type=None, **headers):
        """Ask as a page of the site would, follow redirects, and return the answer.

        Returns:
            tuple: the status, and the beginning of the text.
        """
        headers |= {
            "Cookie": f"sessionid={self.session}; csrftoken={CSRF}",
            "Sec-Fetch-Site": "same-origin",
            "Sec-Fetch-Mode": "navigate" if "/main/" in url else "cors",
        }
        if content_type:
            headers["Content-Type"] = content_type
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.addheaders = list(headers.items())  # Also where a redirect leads.
        request = urllib.request.Request(url, body, headers)
        try:
            answer = opener.open(request, timeout=120)
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


def admin_action(person, site):
    chosen = {"action": "open_in_dtale", "_selected_action": 1}
    return person.submit(f"{site.url}/admin/auth/user/", **chosen)


def model_page(person, site):
    return person.submit(f"{site.url}/frames/models/auth/user/")


def copy(person, site):
    return person.submit(f"{site.url}/frames/{person.frame}/copy/")


def grid(person, site):
    return person.ask(f"{site.url}/{site.prefix}/dtale/main/{person.frame}")


def rows(person, site):
    path = f"data/{person.frame}?ids=%5B%220-9%22%5D"
    return person.ask(f"{site.url}/{site.prefix}/dtale/{path}")


def charts(person, site):
    return person.ask(f"{site.url}/{site.prefix}/dtale/charts/{person.frame}")


def probe(person, site):
    return person.ask(f"{site.url}/readyz")


DOORS = sample, upload, push, admin_action, model_page, copy, grid, rows, charts, probe


def plan():
    """Return the cold starts: (server, delay, doors, is there a first page before).

    Each of SERVERS opens each of DOORS at each of DELAYS, two at once. Half of the
    starts have a first page before, as of a person who comes by the home page: the end
    of that request starts the build in the background.
    """
    starts = []
    for (at, server), (later, delay) in itertools.product(
        enumerate(SERVERS + OTHERS), enumerate(DELAYS)
    ):
        if server in OTHERS and delay:
            continue
        # Other pairs for each server and delay: neighbours in a list that is turned.
        step = (1, 3, 7, 9)[(at + later) % 4]  # None divides the number of doors.
        turned = [DOORS[i * step % len(DOORS)] for i in range(len(DOORS))]
        for number, pair in enumerate(zip(turned[::2], turned[1::2], strict=True)):
            starts.append((server, delay, pair, (number + at + later) % 2 == 0))
    return starts


@pytest.fixture(scope="module")
def prepared(project, collected, tmp_path_factory):
    """A site's variables (dict), and Ann of that site (Person)."""
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


@pytest.mark.parametrize(
    ("server", "delay"), sorted({start[:2] for start in plan()}, key=str)
)
def test_each_way_to_dtale_works_in_a_server_that_has_just_started(
    project, prepared, server, delay
):
    variables, person = prepared
    problems, count = [], 0
    for *which, doors, has_first_page in plan():
        if which != [server, delay]:
            continue
        count += 1
        with project.serve(server, workers=2, is_cold=True, **variables) as site:
            opened = time.monotonic()
            if has_first_page:
                assert person.ask(f"{site.url}/")[0] == 200
            time.sleep(max(0, opened + delay - time.monotonic()))
            with ThreadPoolExecutor(len(doors)) as pool:
                answers = pool.map(lambda door: door(person, site), doors)
                for door, (status, text) in zip(doors, answers, strict=True):
                    # A person's second file may be asked to wait for the first one.
                    if status not in (200, 201, 429):
                        problems.append((door.__name__, has_first_page, status, text))
    assert count == 5
    assert problems == []
