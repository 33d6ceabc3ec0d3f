"""A storage that is no directory of this machine: what is fetched from it, and kept.

The storage is in this process's memory, which is as remote as a storage of S3 for all that
is asked here. The same tests of everything else run on a server with the S3 API too.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from cachetools import LRUCache
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, storages
from pandas.testing import assert_frame_equal

from frames import frame_storage, payload
from frames.exceptions import Unavailable
from frames.s3 import S3Storage

MEGABYTE = 1 << 20


def frame(value=1, rows=1000):
    return pd.DataFrame({"a": [value] * rows, "s": ["text"] * rows})


class Remote(InMemoryStorage):
    """What is not a directory of this machine, here in this process's memory."""

    opened = ()
    fail = False

    def _open(self, name, mode="rb"):
        self.opened += (name,)
        return super()._open(name, mode)

    def _save(self, name, content):
        if self.fail:
            raise ConnectionError("no answer")
        return super()._save(name, content)


@pytest.fixture
def remote(settings, stored, monkeypatch):
    settings.STORAGES = {
        **settings.STORAGES,
        "frames": {"BACKEND": f"{__name__}.{Remote.__name__}"},
    }
    monkeypatch.setattr(frame_storage, "_cache", LRUCache(0))
    return storages["frames"]


def fetched(settings):
    """The sizes of the files that were fetched: {name: bytes}."""
    directory = settings.FRAMES_FETCHED_DIR
    return {each.name: each.stat().st_size for each in directory.glob("*")}


def test_remote_payload_is_fetched_once_per_machine(remote, settings, stored):
    name, _ = frame_storage.save(frame())
    stored.forget()
    for _ in range(3):
        assert_frame_equal(frame_storage.load(name), frame())
    assert remote.opened == (name,)
    assert list(fetched(settings)) == [name]
    if os.name == "posix":
        directory = settings.FRAMES_FETCHED_DIR
        modes = [each.stat().st_mode & 0o077 for each in (directory, directory / name)]
        assert modes == [0, 0]


def test_what_was_stored_here_is_not_fetched(remote):
    name, _ = frame_storage.save(frame())
    assert_frame_equal(frame_storage.load(name), frame())
    assert remote.opened == ()


def test_fetched_files_are_bounded_and_the_latest_used_stay(remote, settings, stored):
    """Each of them is about 0.8 MB."""
    settings.FRAMES_FETCHED_MB = 3
    names = [frame_storage.save(frame(number, 50_000))[0] for number in range(6)]
    stored.forget()
    for turn, name in enumerate(names):
        frame_storage.load(name)
        path = settings.FRAMES_FETCHED_DIR / name
        os.utime(path, (turn, turn))  # Clocks of file systems can be coarse.
        frame_storage.load(names[0])
        assert sum(fetched(settings).values()) <= 3 * MEGABYTE
    assert {names[0], names[-1]} <= set(fetched(settings))
    assert remote.opened.count(names[0]) == 1


def test_stored_files_are_bounded_too(remote, settings):
    settings.FRAMES_FETCHED_MB = 2
    for number in range(6):
        frame_storage.save(frame(number, 50_000))
    assert sum(fetched(settings).values()) <= 2 * MEGABYTE


def test_frame_larger_than_the_bound_can_be_read(remote, settings, stored):
    settings.FRAMES_FETCHED_MB = 0
    name, _ = frame_storage.save(frame(7, 50_000))
    stored.forget()
    assert frame_storage.load(name)["a"].eq(7).all()


def test_failure_to_store_leaves_no_file(remote, settings):
    remote.fail = True
    with pytest.raises(ConnectionError):
        frame_storage.save(frame())
    assert fetched(settings) == {}


def test_failure_to_fetch_leaves_no_file(remote, settings, stored, monkeypatch):
    name, _ = frame_storage.save(frame())
    stored.forget()

    def fail(*args):
        raise ConnectionError("no answer")

    monkeypatch.setattr(frame_storage.shutil, "copyfileobj", fail)
    with pytest.raises(ConnectionError):
        frame_storage.load(name)
    assert fetched(settings) == {}


def test_payload_that_is_not_there(remote):
    with pytest.raises(FileNotFoundError):
        frame_storage.load("0.frame")


def test_removed_payload_is_gone_here_too(remote, settings):
    name, _ = frame_storage.save(frame())
    frame_storage.remove(name)
    assert fetched(settings) == {} and list(frame_storage.stored()) == []


@pytest.mark.parametrize("moment", ["before it is used", "before it is read"])
def test_file_that_another_process_has_made_room_of_is_fetched_again(
    remote, settings, stored, monkeypatch, moment
):
    name, _ = frame_storage.save(frame())
    target = (frame_storage.os, "utime") if "used" in moment else (payload, "read")
    original, left = getattr(*target), [None]

    def other_process(path, *args):
        if left:
            left.pop()
            os.unlink(path)
        return original(path, *args)

    monkeypatch.setattr(*target, other_process)
    assert_frame_equal(frame_storage.load(name), frame())


def test_many_fetch_into_a_directory_that_is_too_small(remote, settings, stored):
    names = [frame_storage.save(frame(number, 20_000))[0] for number in range(4)]
    stored.forget()
    settings.FRAMES_FETCHED_MB = 0
    barrier = threading.Barrier(4)

    def load(number):
        barrier.wait()
        return [int(frame_storage.load(names[number])["a"][0]) for _ in range(10)]

    with ThreadPoolExecutor(4) as threads:
        loaded = list(threads.map(load, range(4)))
    assert loaded == [[number] * 10 for number in range(4)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda storage: storage.open("x.frame"),
        lambda storage: storage.save("x.frame", ContentFile(b"x")),
        lambda storage: storage.exists("x.frame"),
        lambda storage: storage.delete("x.frame"),
        lambda storage: storage.listdir(""),
        lambda storage: storage.get_modified_time("x.frame"),
    ],
    ids=["open", "save", "exists", "delete", "listdir", "get_modified_time"],
)
def test_s3_storage_that_is_down_is_a_problem_as_others_are(monkeypatch, caplog, ask):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    storage = S3Storage(
        bucket_name="frames",
        endpoint_url="http://127.0.0.1:9",  # Nobody listens there.
        region_name="us-east-1",
        access_key="x",
        secret_key="x",
    )
    with pytest.raises(Unavailable, match="The storage of frames does not answer"):
        ask(storage)
    assert "127.0.0.1:9" in caplog.text


def test_what_the_base_has_is_neither_sent_nor_fetched_again(remote, settings, stored):
    large = pd.DataFrame({"a": range(100_000), "b": range(100_000), "c": "text"})
    first, _ = frame_storage.save(large)
    large.loc[0, "a"] = 7
    second, _ = frame_storage.save(large, first)
    assert frame_storage.base_of(second) == first
    assert remote.size(second) < 0.9e6 < remote.size(first)
    stored.forget()
    remote.opened = ()
    for name in (first, second, second):
        frame_storage.load(name)
    assert remote.opened == (first, second)
    assert_frame_equal(frame_storage.load(second), large)


def test_base_that_was_not_fetched_is_not_leaned_on(remote, stored):
    large = pd.DataFrame({"a": range(100_000), "b": range(100_000)})
    first, _ = frame_storage.save(large)
    stored.forget()
    assert not frame_storage.base_of(frame_storage.save(large, first)[0])
