"""Loading and saving payloads, and the cache of each process."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone
from pandas.testing import assert_frame_equal

from django_dtale.models import Frame
from django_dtale.storage import blobs, payload

MEGABYTE = 1 << 20
OPEN = Path("/proc/self/fd")


def frame(value=1, rows=1000):
    return pd.DataFrame({"a": [value] * rows, "s": ["text"] * rows})


@pytest.fixture
def cache(dtale_settings, stored):
    """Return a function that empties the cache and sets its size: cache(3) for 3 MB."""

    def cache(megabytes):
        dtale_settings.CACHE_MB = megabytes
        blobs._cache.clear()
        return blobs._cache

    return cache


@pytest.fixture
def reads(monkeypatch):
    """A list of the names of all payload files that were read, in order."""
    reads, read = [], payload.read

    def count(path, name, base):
        reads.append(name)
        return read(path, name, base)

    monkeypatch.setattr(payload, "read", count)
    return reads


# The cache ----------------------------------------------------------------------------


def test_frame_is_read_once(cache, reads):
    cache(10)
    name, size = blobs.save(frame())
    for _ in range(3):
        assert_frame_equal(blobs.load(name), frame())
    assert reads == [name]
    assert size > 0


def test_cache_is_bounded_in_bytes(cache):
    """Each frame here takes about 0.8 MB."""
    held = cache(3)
    names = [blobs.save(frame(number, 50_000))[0] for number in range(8)]
    for number, name in enumerate(names):
        assert blobs.load(name)["a"][0] == number
        assert held.currsize <= 3 * MEGABYTE
    assert len(held) >= 2
    assert [key for key in held if key[0] == names[-1]]


def test_cache_evicts_entries_before_a_file_is_read(cache, monkeypatch):
    held = cache(2)
    first, second = (blobs.save(frame(n, 70_000))[0] for n in range(2))
    blobs.load(first)
    read, sizes = payload.read, []

    def look(path, name, base):
        sizes.append(held.currsize + path.stat().st_size)
        return read(path, name, base)

    monkeypatch.setattr(payload, "read", look)
    blobs.load(second)
    assert sizes[0] <= 2 * MEGABYTE


@pytest.mark.parametrize("megabytes", [0, 1])
def test_frame_larger_than_the_cache_is_not_cached(cache, reads, megabytes):
    held = cache(megabytes)
    name, _ = blobs.save(frame(7, 200_000))
    for _ in range(2):
        assert blobs.load(name)["a"].eq(7).all()
    assert len(held) == 0 and reads == [name, name]


def test_frame_larger_than_the_cache_leaves_what_was_calculated(cache):
    cache(1)
    name, _ = blobs.save(frame(7, 200_000))
    blobs.keep((name, "order"), "positions", 4_000)
    blobs.load(name)
    assert blobs.find((name, "order")) == "positions"


def change_cell(frame):
    frame.loc[0, "a"] = 9


def change_column(frame):
    frame["s"] = "x"


def add_column(frame):
    frame["new"] = 1


def drop_column(frame):
    frame.drop(columns="a", inplace=True)


def rename(frame):
    frame.columns = ["x", "y"]


def rename_axes(frame):
    frame.index.name = "rows"
    frame.columns.name = "columns"


def sort(frame):
    frame.sort_index(ascending=False, inplace=True)


def write_series(frame):
    frame["a"].iloc[0] = 9
    frame["a"].values.setflags(write=False)


def set_attribute(frame):
    frame.attrs["x"] = 1


CHANGES = [
    change_cell,
    change_column,
    add_column,
    drop_column,
    rename,
    rename_axes,
    sort,
    write_series,
    set_attribute,
]


@pytest.mark.filterwarnings("ignore")  # pandas warns about some of these changes.
@pytest.mark.parametrize("change", CHANGES)
def test_in_place_change_affects_neither_cache_nor_file(cache, stored, change):
    cache(10)
    name, _ = blobs.save(frame())
    before = stored.read(name)
    change(blobs.load(name))
    again = blobs.load(name)
    assert_frame_equal(again, frame(), check_names=True)
    assert (again.index.name, again.columns.name, again.attrs) == (None, None, {})
    assert stored.read(name) == before


def test_loaded_frames_share_memory(cache):
    cache(10)
    name, _ = blobs.save(frame())
    one, other = (blobs.load(name)["a"].to_numpy() for _ in range(2))
    assert one.ctypes.data == other.ctypes.data


def test_remove_deletes_payload_from_cache_and_storage(cache, stored):
    held = cache(10)
    name, _ = blobs.save(frame())
    blobs.load(name)
    blobs.cached((name, "sorted"), lambda: (frame(), 1))
    for _ in range(2):  # The second removal finds nothing to delete.
        blobs.remove(name)
        assert len(held) == 0 and stored.names() == set()
    with pytest.raises(FileNotFoundError):
        blobs.load(name)


@pytest.mark.django_db(transaction=True)
def test_payload_replaced_by_another_process_is_evicted(cache, frame, owner):
    """Without eviction, each process would keep every version of a frame in memory."""
    held = cache(10)
    assert owner.column(frame.pk) == [1, 2, 3]
    blobs.cached((frame.payload, "a > 1"), lambda: (pd.Series([1]), 1))
    name, _ = blobs.save(pd.DataFrame({"a": [9, 9, 9], "b": [4, 5, 6]}))
    Frame.objects.filter(pk=frame.pk).update(payload=name)
    assert owner.column(frame.pk) == [9, 9, 9]
    assert {key[0] for key in held} == {name}


@pytest.mark.skipif(not OPEN.exists(), reason="needs /proc to count open files")
def test_many_small_frames_keep_no_file_open(cache):
    """Many systems allow a process at most 1,024 open files."""
    held = cache(10)
    before = len(os.listdir(OPEN))
    for _ in range(100):
        blobs.load(blobs.save(frame())[0])
    assert len(held) == 100
    assert len(os.listdir(OPEN)) < before + 50


def test_list_payloads_returns_names_and_times(cache, stored):
    cache(10)
    names = {blobs.save(frame())[0] for _ in range(3)}
    times = dict(blobs.list_payloads())
    assert set(times) == names
    assert all(timezone.now() - time < timedelta(minutes=5) for time in times.values())


def test_list_payloads_of_an_empty_storage_is_empty(stored):
    assert list(blobs.list_payloads()) == []


@pytest.mark.parametrize("name", ["../outside.frame", "a/../../outside.frame", "{}"])
def test_path_traversal_is_refused(stored, tmp_path, name):
    outside = tmp_path / "outside.frame"
    outside.write_bytes(b"of somebody else")
    for use in (blobs.load, blobs.remove):
        with pytest.raises(SuspiciousOperation):
            use(name.format(outside))
    assert outside.exists()


def test_failed_write_leaves_no_file(stored, monkeypatch):
    def fail(descriptor):
        raise OSError("no room")

    monkeypatch.setattr(payload.os, "fsync", fail)
    with pytest.raises(OSError, match="no room"):
        blobs.save(frame())
    assert stored.names() == set()


# Base payloads ------------------------------------------------------------------------


@pytest.fixture
def large(cache):
    """The payload name and the data of a frame with five columns of 0.8 MB each."""
    cache(100)
    frame = pd.DataFrame({name: np.arange(100_000) + ord(name) for name in "abcde"})
    return blobs.save(frame)[0], frame


def test_unchanged_columns_are_not_written_again(large, stored):
    first, _ = large
    edited = blobs.load(first)
    edited.loc[5, "b"] = -1
    second, size = blobs.save(edited, first)
    assert blobs.files_of(second) == {first, second}
    assert len(stored.read(second)) < 0.9e6 < 4e6 <= size
    assert_frame_equal(blobs.load(second), edited)
    # The third payload refers to the first one, so the second one is no longer needed.
    edited.loc[6, "c"] = -2
    third, _ = blobs.save(edited, second)
    assert blobs.files_of(third) == {first, third}
    blobs.remove(second)
    stored.forget()
    assert_frame_equal(blobs.load(third), edited)
    assert_frame_equal(blobs.load(first), large[1])


@pytest.mark.parametrize(
    "names, has_base", [("a", 1), ("ab", 1), ("abc", 0), ("abcde", 0)]
)
def test_mostly_changed_frame_is_written_without_a_base(large, names, has_base):
    first, frame = large
    name, _ = blobs.save(frame.assign(**dict.fromkeys(names, 0.5)), first)
    assert bool(blobs.base_of(name)) == has_base


@pytest.mark.parametrize("names, has_base", [("bcde", 1), ("cde", 1), ("de", 0)])
def test_base_is_dropped_when_little_of_it_is_used(large, names, has_base):
    first, frame = large
    name, _ = blobs.save(frame[list(names)], first)
    assert bool(blobs.base_of(name)) == has_base


@pytest.mark.parametrize("content", [None, b"", b"FRAMES 2" * 100])
def test_missing_or_damaged_base_is_not_referenced(large, stored, content):
    first, frame = large
    stored.replace(first, content)
    name, _ = blobs.save(frame, first)
    assert blobs.files_of(name) == {name}


def test_small_frame_is_written_without_a_base(cache):
    cache(10)
    first, _ = blobs.save(frame())
    assert not blobs.base_of(blobs.save(frame(), first)[0])


def test_cached_size_includes_the_base(large, cache):
    first, frame = large
    second, _ = blobs.save(frame.assign(b=0.5), first)
    for megabytes, kept in ((10, [first, second]), (7, [second])):
        held = cache(megabytes)
        for name in (first, second):
            blobs.load(name)
            assert held.currsize <= megabytes * MEGABYTE
        assert [name for (name,) in held] == kept
