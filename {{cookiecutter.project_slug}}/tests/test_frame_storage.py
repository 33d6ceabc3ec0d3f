"""Where bytes are: one process's cache, and what one machine has fetched."""

from datetime import timedelta

import pandas as pd
import pytest
from cachetools import LRUCache
from django.core.exceptions import SuspiciousOperation
from django.utils import timezone
from pandas.testing import assert_frame_equal

from frames import frame_storage, payload

MEGABYTE = 1 << 20


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

    def count(path, name):
        reads.append(name)
        return read(path, name)

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

    def look(path, name):
        sizes.append(held.currsize + path.stat().st_size)
        return read(path, name)

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
