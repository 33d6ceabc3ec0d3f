"""Where bytes are: one process's cache, and what one machine has fetched."""

import os
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cachetools import LRUCache
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone
from pandas.testing import assert_frame_equal

from frames import frame_storage, payload
from frames.models import Frame

MEGABYTE = 1 << 20
OPEN = Path("/proc/self/fd")


def frame(value=1, rows=1000):
    return pd.DataFrame({"a": [value] * rows, "s": ["text"] * rows})


@pytest.fixture
def cache(monkeypatch, stored):
    """An empty cache of this process's: cache(3) for one of three megabytes."""

    def cache(megabytes):
        cache = LRUCache(megabytes * MEGABYTE, getsizeof=lambda entry: entry[1])
        monkeypatch.setattr(frame_storage, "_cache", cache)
        return cache

    return cache


@pytest.fixture
def reads(monkeypatch):
    """The names (list) of the payloads whose files were read."""
    reads, read = [], payload.read

    def count(path, name, base):
        reads.append(name)
        return read(path, name, base)

    monkeypatch.setattr(payload, "read", count)
    return reads


# The cache ----------------------------------------------------------------------------


def test_frame_is_read_once(cache, reads):
    cache(10)
    name, size = frame_storage.save(frame())
    for _ in range(3):
        assert_frame_equal(frame_storage.load(name), frame())
    assert reads == [name]
    assert size > 0


def test_cache_is_bounded_in_bytes(cache):
    """Each of these takes about 0.8 MB."""
    held = cache(3)
    names = [frame_storage.save(frame(number, 50_000))[0] for number in range(8)]
    for number, name in enumerate(names):
        assert frame_storage.load(name)["a"][0] == number
        assert held.currsize <= 3 * MEGABYTE
    assert len(held) >= 2
    assert [key for key in held if key[0] == names[-1]]


def test_room_is_made_before_a_file_is_read(cache, monkeypatch):
    held = cache(2)
    first, second = (frame_storage.save(frame(n, 70_000))[0] for n in range(2))
    frame_storage.load(first)
    read, sizes = payload.read, []

    def look(path, name, base):
        sizes.append(held.currsize + path.stat().st_size)
        return read(path, name, base)

    monkeypatch.setattr(payload, "read", look)
    frame_storage.load(second)
    assert sizes[0] <= 2 * MEGABYTE


@pytest.mark.parametrize("megabytes", [0, 1])
def test_frame_larger_than_the_cache_is_read_and_not_kept(cache, reads, megabytes):
    held = cache(megabytes)
    name, _ = frame_storage.save(frame(7, 200_000))
    for _ in range(2):
        assert frame_storage.load(name)["a"].eq(7).all()
    assert len(held) == 0 and reads == [name, name]


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


@pytest.mark.filterwarnings("ignore")  # Of pandas: not everyone does it so.
@pytest.mark.parametrize("change", CHANGES)
def test_change_in_place_reaches_neither_cache_nor_file(cache, stored, change):
    cache(10)
    name, _ = frame_storage.save(frame())
    before = stored.read(name)
    change(frame_storage.load(name))
    again = frame_storage.load(name)
    assert_frame_equal(again, frame(), check_names=True)
    assert (again.index.name, again.columns.name, again.attrs) == (None, None, {})
    assert stored.read(name) == before


def test_data_of_a_loaded_frame_are_not_copied(cache):
    cache(10)
    name, _ = frame_storage.save(frame())
    one, other = (frame_storage.load(name)["a"].to_numpy() for _ in range(2))
    assert one.ctypes.data == other.ctypes.data


def test_removed_payload_is_gone_from_cache_and_storage(cache, stored):
    held = cache(10)
    name, _ = frame_storage.save(frame())
    frame_storage.load(name)
    frame_storage.cached((name, "sorted"), lambda: (frame(), 1))
    for _ in range(2):  # The second time there is nothing left to remove.
        frame_storage.remove(name)
        assert len(held) == 0 and stored.names() == set()
    with pytest.raises(FileNotFoundError):
        frame_storage.load(name)


@pytest.mark.django_db(transaction=True)
def test_what_another_process_has_replaced_is_forgotten(cache, frame, owner):
    """Or each version of a frame would stay in the memory of each process."""
    held = cache(10)
    assert owner.column(frame.pk) == [1, 2, 3]
    frame_storage.cached((frame.payload, "a > 1"), lambda: (pd.Series([1]), 1))
    name, _ = frame_storage.save(pd.DataFrame({"a": [9, 9, 9], "b": [4, 5, 6]}))
    Frame.objects.filter(pk=frame.pk).update(payload=name)
    assert owner.column(frame.pk) == [9, 9, 9]
    assert set(held) == {(name,)}


@pytest.mark.skipif(not OPEN.exists(), reason="counts open files as Linux lists them")
def test_many_small_frames_keep_no_file_open(cache):
    """Often a process may have no more than 1,024."""
    held = cache(10)
    before = len(os.listdir(OPEN))
    for _ in range(100):
        frame_storage.load(frame_storage.save(frame())[0])
    assert len(held) == 100
    assert len(os.listdir(OPEN)) < before + 50


def test_list_of_what_is_stored(cache, stored):
    cache(10)
    names = {frame_storage.save(frame())[0] for _ in range(3)}
    times = dict(frame_storage.stored())
    assert set(times) == names
    assert all(timezone.now() - time < timedelta(minutes=5) for time in times.values())


def test_nothing_stored_yet_is_an_empty_list(stored):
    assert list(frame_storage.stored()) == []


@pytest.mark.parametrize("name", ["../outside.frame", "a/../../outside.frame", "{}"])
def test_name_that_leads_out_of_the_storage_is_refused(stored, tmp_path, name):
    outside = tmp_path / "outside.frame"
    outside.write_bytes(b"of somebody else")
    for use in (frame_storage.load, frame_storage.remove):
        with pytest.raises(SuspiciousOperation):
            use(name.format(outside))
    assert outside.exists()


def test_failure_to_write_leaves_no_file(stored, monkeypatch):
    def fail(descriptor):
        raise OSError("no room")

    monkeypatch.setattr(payload.os, "fsync", fail)
    with pytest.raises(OSError, match="no room"):
        frame_storage.save(frame())
    assert stored.names() == set()


# On a base ----------------------------------------------------------------------------


@pytest.fixture
def large(cache):
    """A stored frame of five columns of 0.8 MB: its name, and the frame."""
    cache(100)
    frame = pd.DataFrame({name: np.arange(100_000) + ord(name) for name in "abcde"})
    return frame_storage.save(frame)[0], frame


def test_what_stays_as_it_was_is_not_written_again(large, stored):
    first, _ = large
    edited = frame_storage.load(first)
    edited.loc[5, "b"] = -1
    second, size = frame_storage.save(edited, first)
    assert frame_storage.files_of(second) == {first, second}
    assert len(stored.read(second)) < 0.9e6 < 4e6 <= size
    assert_frame_equal(frame_storage.load(second), edited)
    # The next leans on the same one, and the one between is needed no more.
    edited.loc[6, "c"] = -2
    third, _ = frame_storage.save(edited, second)
    assert frame_storage.files_of(third) == {first, third}
    frame_storage.remove(second)
    stored.forget()
    assert_frame_equal(frame_storage.load(third), edited)
    assert_frame_equal(frame_storage.load(first), large[1])


@pytest.mark.parametrize(
    "names, leans", [("a", 1), ("ab", 1), ("abc", 0), ("abcde", 0)]
)
def test_frame_of_which_most_is_new_is_written_whole(large, names, leans):
    first, frame = large
    name, _ = frame_storage.save(frame.assign(**dict.fromkeys(names, 0.5)), first)
    assert bool(frame_storage.base_of(name)) == leans


@pytest.mark.parametrize("names, leans", [("bcde", 1), ("cde", 1), ("de", 0)])
def test_base_of_which_little_is_left_is_given_up(large, names, leans):
    first, frame = large
    name, _ = frame_storage.save(frame[list(names)], first)
    assert bool(frame_storage.base_of(name)) == leans


@pytest.mark.parametrize("content", [None, b"", b"FRAMES 2" * 100])
def test_base_that_is_no_more_is_not_leaned_on(large, stored, content):
    first, frame = large
    stored.replace(first, content)
    name, _ = frame_storage.save(frame, first)
    assert frame_storage.files_of(name) == {name}


def test_small_frame_is_written_whole(cache):
    cache(10)
    first, _ = frame_storage.save(frame())
    assert not frame_storage.base_of(frame_storage.save(frame(), first)[0])


def test_room_is_made_for_the_base_too(large, cache):
    first, frame = large
    second, _ = frame_storage.save(frame.assign(b=0.5), first)
    for megabytes, kept in ((10, [first, second]), (7, [second])):
        held = cache(megabytes)
        for name in (first, second):
            frame_storage.load(name)
            assert held.currsize <= megabytes * MEGABYTE
        assert [name for (name,) in held] == kept
