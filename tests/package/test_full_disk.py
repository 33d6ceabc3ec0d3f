"""A full disk is reported and loses no data. Freeing space is enough to recover."""

import asyncio
import contextlib
import gc
import json
import os
import re
import subprocess

import pytest
from django.conf import settings
from django.db import connection
from django.urls import reverse

from django_dtale.models import Frame
from django_dtale.models.tokens import Token

from .test_asgi import get as ask
from .test_asgi import site

pytestmark = pytest.mark.django_db

TOLD = re.compile(
    "The disk of this site is full.*no saved data is lost.*"
    "tell an administrator.*request [0-9a-f]{32}",
    re.I | re.S,
)
MEGABYTE = 1 << 20
# This file fits on the disk, but a frame with its data does not.
LONG = b"a,b\n" + b"1,4.5\n" * 300_000


class SmallDisk:
    """A disk of 4 MB that a test can fill and free."""

    def __init__(self, path):
        self.path = path
        self.filler = path / "filler"

    def fill(self):
        with open(self.filler, "wb", buffering=0) as file:
            for block in (MEGABYTE, 4096, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * block)

    def free(self):
        self.filler.unlink()


def as_root(*command):
    """Run a command as root. Return whether it succeeded."""
    sudo = [] if os.geteuid() == 0 else ["sudo", "--non-interactive"]
    with contextlib.suppress(OSError):
        return subprocess.run([*sudo, *command], capture_output=True).returncode == 0
    return False


@pytest.fixture
def disk(tmp_path, stored, monkeypatch):
    """A small disk for the test's frames and temporary files."""
    path = tmp_path / "frames"
    path.mkdir(exist_ok=True)
    mount = "mount", "-t", "tmpfs", "-o", "size=4m,mode=1777", "tmpfs", str(path)
    if os.name != "posix" or not as_root(*mount):
        pytest.skip("needs Linux, and root (or sudo without a password)")
    try:
        (path / "tmp").mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(path / "tmp"))
        yield SmallDisk(path)
    finally:
        as_root("umount", "--lazy", str(path))


@pytest.fixture
def database():
    """A database that a test can fill and free by setting SQLite's max_page_count."""
    if connection.vendor != "sqlite":
        pytest.skip("a database server has its own disk")

    class Database:
        def fill(self):
            self.ask("VACUUM")  # VACUUM removes all free pages.
            [pages] = self.ask("PRAGMA page_count")
            self.ask(f"PRAGMA max_page_count = {pages}")

        def free(self):
            self.ask("PRAGMA max_page_count = 4294967294")

        @staticmethod
        def ask(statement):
            with connection.cursor() as cursor:
                return cursor.execute(statement).fetchone()

    database = Database()
    yield database
    database.free()


def frames_are_on_this_disk():
    return "bucket_name" not in settings.STORAGES["frames"]["OPTIONS"]


def form(visitor, page, **values):
    """Return the form data that a page needs, including its CSRF token."""
    html = visitor.browser.get(page).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', html)
    return {"csrfmiddlewaretoken": token[1], **values}


def read(answer):
    """Return the text of a response, and close the response as a server does."""
    text = answer.text
    answer.close()
    return text


def file_in(**fields):
    """Return the request options for a form with a file.

    The test client cannot build this body, because it would write the form to the disk.
    """
    start, head = "--x\r\n", "Content-Disposition: form-data; name"
    parts = [f'{start}{head}="{each}"\r\n\r\n{fields[each]}\r\n' for each in fields]
    parts.append(f'{start}{head}="file"; filename="s.csv"\r\n\r\n')
    body = "".join(parts).encode() + LONG + b"\r\n--x--\r\n"
    return {"data": body, "content_type": "multipart/form-data; boundary=x"}


# Each of these functions sends a request that writes payloads or temporary files. If
# frames are stored in a bucket, payloads are not written to the disk.
def edit(visitor, frame):
    return visitor.edit(frame.pk, 9)


def drop(visitor, frame, **options):
    sent = file_in(**form(visitor, "/"))
    return visitor.browser.post(reverse("frames:upload"), **sent, **options)


def drop_with_script(visitor, frame):
    return drop(visitor, frame, headers={"Accept": "application/x-ndjson"})


def push(visitor, frame):
    token = Token.objects.create_token(frame.owner, "job")
    headers = {"Authorization": f"Bearer {token}"}
    path = f"{reverse('frames:push')}?name=s.csv"
    return visitor.browser.post(path, data=LONG, headers=headers)


def open_sample(visitor, frame):
    return visitor.submit("/create-df/")


def copy(visitor, frame):
    return visitor.submit(reverse("frames:copy", args=[frame.pk]))


def download(visitor, frame):
    return visitor.browser.get(reverse("frames:parquet", args=[frame.pk]))


@pytest.mark.parametrize(
    "act", [edit, drop, drop_with_script, push, open_sample, copy, download]
)
def test_full_disk_is_reported(disk, stored, owner, frame, act):
    if act in (edit, open_sample, copy) and not frames_are_on_this_disk():
        pytest.skip("the frames are in a bucket")
    before = stored.names()
    disk.fill()
    answer = act(owner, frame)
    text = read(answer)
    assert answer.status_code == 507 and TOLD.search(text), text
    if act is drop_with_script:
        [line] = text.splitlines()
        assert json.loads(line).keys() == {"problem"}
    elif act is edit:
        assert answer.json["success"] is False
    disk.free()
    gc.collect()  # After a failed write, Werkzeug leaves its temporary file open.
    assert stored.names() == before and Frame.objects.count() == 1
    assert not list((disk.path / "tmp").iterdir())
    stored.forget()
    assert owner.column(frame.pk) == [1, 2, 3]
    assert owner.edit(frame.pk, 9).json == {"success": True}
    assert owner.column(frame.pk) == [9, 2, 3]


def test_frame_that_does_not_fit_is_reported_in_the_last_step(disk, owner):
    """The disk has space for the uploaded file, but not for its frame."""
    last = json.loads(read(drop_with_script(owner, None)).splitlines()[-1])
    assert TOLD.search(last["problem"])
    assert not Frame.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_existing_frames_can_be_read_when_the_disk_is_full(
    disk, database, owner, frame
):
    disk.fill()
    database.fill()
    assert owner.get(f"main/{frame.pk}").status_code == 200
    assert owner.column(frame.pk) == [1, 2, 3]
    assert owner.browser.get("/").status_code == 200


def test_failed_publish_leaves_nothing_behind(disk, stored, publish, ann):
    if not frames_are_on_this_disk():
        pytest.skip("the frames are in a bucket")
    disk.fill()
    with pytest.raises(OSError, match="No space left"):
        publish(ann, a=range(300_000))
    assert stored.names() == set() and not Frame.objects.exists()


# Requests with this file fill the database.
WIDE = ",".join(f"column {number}" for number in range(100)).encode()
WIDE += b"\n" + b",".join([b"1"] * 100) + b"\n"


def filter_rows(visitor, frame):
    query = f"a in ({', '.join(map(str, range(1_000)))})"
    return visitor.get(f"test-filter/{frame.pk}", query=query, save="true")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", [filter_rows, drop, drop_with_script, push])
def test_full_database_is_reported(database, owner, frame, monkeypatch, act):
    monkeypatch.setattr(f"{__name__}.LONG", WIDE)
    database.fill()
    answer = act(owner, frame)
    last = read(answer).splitlines()[-1]
    # The streamed response has already begun with status 200.
    if act is drop_with_script:
        assert TOLD.search(json.loads(last)["problem"])
    else:
        assert answer.status_code == 507 and TOLD.search(answer.text), answer.text
    database.free()
    assert Frame.objects.count() == 1
    assert owner.column(frame.pk) == [1, 2, 3]
    assert owner.edit(frame.pk, 9).json == {"success": True}


def test_full_disk_is_reported_under_asgi(disk, monkeypatch):
    """asgiref stores the body on disk before it calls the site."""
    disk.fill()
    parts = iter([b"x" * 100_000] * 9)
    headers = [(b"content-length", b"900000")]
    status, text = asyncio.run(ask(site.application, "/frames/push/", headers, parts))
    assert status == 507 and TOLD.search(text)
    assert list(parts) == []


@pytest.mark.parametrize("place", ["data", "temporary files"])
def test_site_without_disk_space_is_not_ready(
    visitor, disk, dtale_settings, monkeypatch, place
):
    if place == "data":
        dtale_settings.DATA_DIR = disk.path
        monkeypatch.setattr("tempfile.tempdir", None)
    answer = visitor().browser.get("/readyz")
    assert answer.status_code == 503 and answer.json["disk"] == "full"
