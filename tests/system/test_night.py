"""A night's work: data are replaced and refreshed while ten people use the tables."""

import json
import random
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from conftest import PASSWORD, environment
from visitors import Visitor

READERS = [f"reader{number}" for number in range(10)]
ROWS, SHOWN = 2_000, 50
PUSHES, REFRESHES = 8, 2
SET_UP = """
import django_dtale, json, pandas
from django.contrib.auth import get_user_model
from django_dtale.models.tokens import Token
User = get_user_model()
ann = User.objects.create_superuser("ann", "ann@example.org", {password!r})
readers = [User.objects.create_user(n, password={password!r}) for n in {readers!r}]
rows = pandas.DataFrame({{"row": range({rows}), "night": 0}})
table = django_dtale.publish(rows, owner=ann, name="Sales", shared_with=readers)
print(json.dumps([table.pk, Token.objects.create_token(ann, "job")]))
"""
CSV = "row,night\n" + "".join(f"{row},%(night)s\n" for row in range(ROWS))


class Person(Visitor):
    """A user who has the table open with a filter, and edits a table of their own.

    Attributes:
        nights: the nights that the rows of single responses showed.
        problems: everything that must not happen.
    """

    def __init__(self, site, name, table):
        super().__init__(site.url, site.prefix)
        self.table = table
        self.nights, self.problems, self.edits = set(), [], {}
        self.sign_in_on_site(name)
        self.own = self.upload("a\n" + "0\n" * SHOWN)
        self.filter()

    def sign_in_on_site(self, name):
        page = "/accounts/login/"
        self.submit(page, page, username=name, password=PASSWORD)

    def filter(self):
        config = {"type": "int", "operand": "<", "value": SHOWN}
        path = f"save-column-filter/{self.table}"
        found = self.get(path, col="row", cfg=json.dumps(config))
        assert "error" not in found, found

    def work(self, stop):
        dice = random.Random(self.own)
        while not stop.is_set():
            try:
                self.look()
                self.edit(dice.randrange(SHOWN), dice.randrange(1, 1_000_000))
            except Exception as error:
                self.problems.append(repr(error))
            stop.wait(dice.uniform(0.1, 0.5))

    def look(self):
        found = self.get(f"data/{self.table}", ids=[f"0-{ROWS}"])
        if "error" in found:
            self.problems.append(found["error"])
            return
        rows = list(found["results"].values())
        nights = {row["night"] for row in rows}
        if len(rows) != SHOWN or found["total"] != SHOWN or len(nights) != 1:
            self.problems.append(f"{len(rows)} of {found['total']} rows of {nights}")
        self.nights |= nights

    def edit(self, row, value):
        path = f"edit-cell/{self.own}"
        found = self.get(path, col="a", rowIndex=row, updated=str(value))
        if "error" in found:
            self.problems.append(found["error"])
        else:
            self.edits[row] = value

    def own_cells(self):
        rows = self.get(f"data/{self.own}", ids=[f"0-{SHOWN}"])["results"]
        return {int(row): each["a"] for row, each in rows.items() if each["a"]}


def push(site, token, night):
    request = urllib.request.Request(
        f"{site.url}/frames/push/?name=Sales&replace=1",
        (CSV % {"night": night}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "text/csv"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return answer.status, json.load(answer)


def push_half(site, token):
    """Send half of a push, and close the connection."""
    host, port = site.url.removeprefix("http://").split(":")
    body = (CSV % {"night": 99}).encode()
    head = (
        f"POST /frames/push/?name=Sales&replace=1 HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: text/csv\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])


@pytest.fixture
def variables(tmp_path):
    return {"DATA_DIR": str(tmp_path / "data"), "LOGIN_REQUIRED": "True"}


def refresh(project, variables, kill=False):
    """Run the command that a scheduler runs, and kill it half-way if asked."""
    process = subprocess.Popen(
        [".venv/bin/python", "manage.py", "refresh_frames"],
        cwd=project.path,
        env=environment(variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if kill:
        time.sleep(random.uniform(2, 6))
        process.kill()
    output = process.communicate(timeout=300)[0]
    assert kill or process.returncode == 0, output
    return output


def test_nobody_is_disturbed_by_the_work_of_a_night(project, variables):
    project.set_up(**variables)
    code = SET_UP.format(password=PASSWORD, readers=READERS, rows=ROWS)
    output = project.run(
        ".venv/bin/python", "manage.py", "shell", "-v0", "-c", code, **variables
    )
    table, token = json.loads(output.splitlines()[-1])
    with project.serve(workers=2, **variables) as site:
        ann = Person(site, "ann", table)
        # A table of the site, which the command refreshes.
        ann.submit("/frames/models/auth/group/", "/frames/models/auth/group/")
        before = ann.get("processes")["data"]
        people = [ann, *(Person(site, name, table) for name in READERS)]
        stop = threading.Event()
        threads = [threading.Thread(target=each.work, args=(stop,)) for each in people]
        for thread in threads:
            thread.start()
        try:
            for night in range(1, PUSHES + 1):
                status, answer = push(site, token, night)
                assert (status, answer["id"]) == (200, table)
                if night % 3 == 0:
                    push_half(site, token)
            for _ in range(REFRESHES):
                assert "1 " in refresh(project, variables)
            refresh(project, variables, kill=True)
        finally:
            stop.set()
            for thread in threads:
                thread.join(120)
        for each in people:
            assert each.problems == []
            assert PUSHES in each.nights
            each.look()
            assert each.nights <= set(range(PUSHES + 1)) and each.problems == []
            assert each.own_cells() == each.edits
            assert each.open(f"{each.dtale}iframe/{table}")[0] == 200
        after = ann.get("processes")["data"]
        names = [[(row["data_id"], row["name"]) for row in x] for x in (before, after)]
        assert names[0] == names[1]
    left = project.run(
        *(".venv/bin/python", "manage.py", "purge_frames", "--grace", "0"), **variables
    )
    assert "0 unreferenced files" in left
