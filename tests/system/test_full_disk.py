"""A site whose only disk is full reports the problem and loses no data."""

import contextlib
import os
import re
import subprocess
import urllib.parse
from pathlib import Path

import pytest
from conftest import PASSWORD
from container import AS_ROOT
from test_frames_load import cells, edit
from visitors import Visitor, hidden, multipart

TOKEN = "a-token-of-this-test"
FORM = "application/x-www-form-urlencoded"
FULL = re.compile("The disk of this site is full.*[Nn]o saved data is lost")


class Disk:
    """A disk of 48 MB, mounted at a path."""

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"

    def fill(self):
        with open(self.filler, "ab", buffering=0) as file:
            for block in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * block)

    def free(self):
        self.filler.unlink()


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.mkdir()
    mount = "mount", "-t", "tmpfs", "-o", "size=48m,mode=1777", "tmpfs", path
    if subprocess.run([*AS_ROOT, *mount]).returncode:
        reason = "needs Linux, and root (or sudo without a password)"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    try:
        (path / "tmp").mkdir()
        yield Disk(path)
    finally:
        subprocess.run([*AS_ROOT, "umount", "--lazy", path], check=True)


@pytest.fixture
def variables(project, collected, disk):
    variables = {"DATA_DIR": str(disk.path / "data"), "TMPDIR": str(disk.path / "tmp")}
    variables |= {"DEBUG": "False", "HTTPS": "False", "METRICS_TOKEN": TOKEN}
    variables |= collected
    project.set_up("ann", "bob", **variables)
    return variables


class Person(Visitor):
    """A user who has loaded all forms before the disk is full."""

    def __init__(self, site, name):
        super().__init__(site.url, site.prefix)
        self.sign_in(name, PASSWORD)
        self.token = hidden(self.open("/")[1])["csrfmiddlewaretoken"]

    def send(self, path, **values):
        """Post a form. Return the status and the text."""
        values["csrfmiddlewaretoken"] = self.token
        return self.open(path, urllib.parse.urlencode(values).encode(), FORM)[:2]

    def drop(self, csv):
        """Open a file on the home page. Return the status and the text."""
        form = {"csrfmiddlewaretoken": self.token}
        body, content_type = multipart("file", csv, "t.csv", **form)
        return self.open("/frames/upload/", body, content_type)[:2]


def probe(site, path):
    return Visitor(site.url, site.prefix).open(path)[0]


def test_full_disk_is_reported_and_no_data_is_lost(project, variables, disk):
    with project.serve(workers=2, **variables) as site:
        ann = Person(site, "ann")
        visitor = Visitor(site.url, site.prefix)
        login = hidden(visitor.open("/accounts/login/")[1])
        pk = ann.upload("a,b\n1,4\n2,5\n3,6\n")
        edit(ann, pk, "a", 0, 11)
        before = cells(ann, pk)
        # The whole disk is smaller than the 100 MB that /readyz requires.
        assert probe(site, "/readyz") == 503
        disk.fill()

        assert probe(site, "/healthz") == 200
        for path in ("/", f"{ann.dtale}main/{pk}"):
            assert ann.open(path)[0] == 200
        assert cells(ann, pk) == before
        edited = {"col": "a", "rowIndex": 0, "updated": "99"}
        query = urllib.parse.urlencode(edited)
        login |= {"username": "bob", "password": PASSWORD}
        long = "a,b\n" + "1,4\n" * 1_000_000
        answers = [
            ann.open(f"{ann.dtale}edit-cell/{pk}?{query}")[:2],
            ann.drop(long),
            ann.drop("a\n1\n"),
            ann.send(f"/frames/{pk}/rename/", name="another"),
            ann.send("/create-df/"),
            visitor.open(
                "/accounts/login/", urllib.parse.urlencode(login).encode(), FORM
            )[:2],
        ]
        for status, text in answers:
            assert status == 507 and FULL.search(text), text
        workers = site.workers
        site.kill_worker()
        assert cells(ann, pk) == before
        assert workers[1] in site.workers  # The other worker is still running.

    disk.free()
    disk.fill()
    # The disk is full when the site starts.
    with project.serve(workers=2, **variables) as site:
        ann.url = site.url
        # A file that the first site's last process gives up may leave enough space.
        status, text = ann.open("/")[:2]
        assert status == 200 or (status == 507 and FULL.search(text)), text
        disk.free()
        assert cells(ann, pk) == before
        edit(ann, pk, "a", 0, 22)
        assert cells(ann, pk) == {**before, ("a", 0): 22}
        ann.send(f"/frames/{pk}/rename/", name="another")
        assert "another" in ann.open("/")[1]
        Person(site, "bob")
        assert ann.drop(long)[0] == 200
        assert list(Path(variables["TMPDIR"]).glob("*upload*")) == []
    left = project.run(
        *(".venv/bin/python", "manage.py", "purge_frames", "--grace", "0"), **variables
    )
    assert "0 unreferenced files" in left
