"""Files from remote storage are fetched once, into a local directory of bounded size.

These tests use an in-memory storage in place of S3: it has no local paths either. All
other tests also run with a server that has the S3 API.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage, storages
from pandas.testing import assert_frame_equal

from django_dtale.exceptions import ServiceUnavailable
from django_dtale.storage import blobs, payload
from django_dtale.storage.s3 import S3Storage

MEGABYTE = 1 << 20


def frame(value=1, rows=1000):
    return pd.DataFrame({"a": [value] * rows, "s": ["text"] * rows})


class Remote(InMemoryStorage):
    """An in-memory storage without local paths, whose writes can fail."""

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
def remote(settings, dtale_settings, stored):
    settings.STORAGES = {
        **settings.STORAGES,
        "frames": {"BACKEND": f"{__name__}.{Remote.__name__}"},
    }
    dtale_settings.CACHE_MB = 0
    return storages["frames"]


def fetched(dtale_settings):
    """Return the sizes of the fetched files by name."""
    directory = dtale_settings.FETCHED_DIR
    return {each.name: each.stat().st_size for each in directory.glob("*")}


def test_remote_payload_is_fetched_once_per_machine(remote, dtale_settings, stored):
    name, _ = blobs.save(frame())
    stored.forget()
    for _ in range(3):
        assert_frame_equal(blobs.load(name), frame())
    assert remote.opened == (name,)
    assert list(fetched(dtale_settings)) == [name]
    if os.name == "posix":
        directory = dtale_settings.FETCHED_DIR
        modes = [each.stat().st_mode & 0o077 for each in (directory, directory / name)]
        assert modes == [0, 0]


def test_locally_stored_payload_is_not_fetched(remote):
    name, _ = blobs.save(frame())
    assert_frame_equal(blobs.load(name), frame())
    assert remote.opened == ()


def test_fetched_files_are_bounded_and_evicted_by_last_use(
    remote, dtale_settings, stored
):
    """Each file is about 0.8 MB in size."""
    dtale_settings.FETCHED_MB = 3
    names = [blobs.save(frame(number, 50_000))[0] for number in range(6)]
    stored.forget()
    for turn, name in enumerate(names):
        blobs.load(name)
        path = dtale_settings.FETCHED_DIR / name
        # Set distinct times, because the file system's clock can be coarse.
        os.utime(path, (turn, turn))
        blobs.load(names[0])
        assert sum(fetched(dtale_settings).values()) <= 3 * MEGABYTE
    assert {names[0], names[-1]} <= set(fetched(dtale_settings))
    assert remote.opened.count(names[0]) == 1


def test_locally_stored_files_are_bounded_too(remote, dtale_settings):
    dtale_settings.FETCHED_MB = 2
    for number in range(6):
        blobs.save(frame(number, 50_000))
    assert sum(fetched(dtale_settings).values()) <= 2 * MEGABYTE


def test_frame_larger_than_the_bound_can_be_read(remote, dtale_settings, stored):
    dtale_settings.FETCHED_MB = 0
    name, _ = blobs.save(frame(7, 50_000))
    stored.forget()
    assert blobs.load(name)["a"].eq(7).all()


def test_failed_save_leaves_no_file(remote, dtale_settings):
    remote.fail = True
    with pytest.raises(ConnectionError):
        blobs.save(frame())
    assert fetched(dtale_settings) == {}


def test_failed_fetch_leaves_no_file(remote, dtale_settings, stored, monkeypatch):
    name, _ = blobs.save(frame())
    stored.forget()

    def fail(*args):
        raise ConnectionError("no answer")

    monkeypatch.setattr(blobs.shutil, "copyfileobj", fail)
    with pytest.raises(ConnectionError):
        blobs.load(name)
    assert fetched(dtale_settings) == {}


def test_missing_payload_raises_file_not_found(remote):
    with pytest.raises(FileNotFoundError):
        blobs.load("0.frame")


def test_removing_a_payload_deletes_the_local_file(remote, dtale_settings):
    name, _ = blobs.save(frame())
    blobs.remove(name)
    assert fetched(dtale_settings) == {} and list(blobs.list_payloads()) == []


@pytest.mark.parametrize("moment", ["before it is used", "before it is read"])
def test_file_evicted_by_another_process_is_fetched_again(
    remote, settings, stored, monkeypatch, moment
):
    name, _ = blobs.save(frame())
    target = (blobs.os, "utime") if "used" in moment else (payload, "read")
    original, left = getattr(*target), [None]

    def other_process(path, *args):
        if left:
            left.pop()
            os.unlink(path)
        return original(path, *args)

    monkeypatch.setattr(*target, other_process)
    assert_frame_equal(blobs.load(name), frame())


def test_concurrent_fetches_succeed_if_the_directory_is_too_small(
    remote, dtale_settings, stored
):
    names = [blobs.save(frame(number, 20_000))[0] for number in range(4)]
    stored.forget()
    dtale_settings.FETCHED_MB = 0
    barrier = threading.Barrier(4)

    def load(number):
        barrier.wait()
        return [int(blobs.load(names[number])["a"][0]) for _ in range(10)]

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
def test_unreachable_s3_storage_raises_service_unavailable(monkeypatch, caplog, ask):
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda seconds: None)
    storage = S3Storage(
        bucket_name="frames",
        endpoint_url="http://127.0.0.1:9",  # No server listens on this port.
        region_name="us-east-1",
        access_key="x",
        secret_key="x",
    )
    with pytest.raises(
        ServiceUnavailable, match="The storage of tables is not responding"
    ):
        ask(storage)
    assert "127.0.0.1:9" in caplog.text


def test_data_of_the_base_is_neither_sent_nor_fetched_again(remote, settings, stored):
    large = pd.DataFrame({"a": range(100_000), "b": range(100_000), "c": "text"})
    first, _ = blobs.save(large)
    large.loc[0, "a"] = 7
    second, _ = blobs.save(large, first)
    assert blobs.base_of(second) == first
    assert remote.size(second) < 0.9e6 < remote.size(first)
    stored.forget()
    remote.opened = ()
    for name in (first, second, second):
        blobs.load(name)
    assert remote.opened == (first, second)
    assert_frame_equal(blobs.load(second), large)


def test_base_that_was_not_fetched_is_not_referenced(remote, stored):
    large = pd.DataFrame({"a": range(100_000), "b": range(100_000)})
    first, _ = blobs.save(large)
    stored.forget()
    assert not blobs.base_of(blobs.save(large, first)[0])
