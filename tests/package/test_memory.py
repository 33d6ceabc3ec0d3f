"""Memory that a large operation has freed returns to the system."""

import sys
import time

import pytest

from django_dtale.storage import memory

SIZE, COUNT = 10_000, 15_000  # Bytes of a block, and the number of blocks.


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no glibc")
def test_freed_memory_returns_after_a_request(client, monkeypatch, db):
    monkeypatch.setattr(memory, "PAUSE", 0.0)
    memory.return_now()
    blocks = [bytes(SIZE) for _ in range(COUNT)]
    most = memory.private_bytes()
    # The last block keeps glibc from returning the others by itself.
    del blocks[:-1]
    assert memory.private_bytes() > most - memory.GROWTH
    client.get("/")
    deadline = time.monotonic() + 10
    while memory.private_bytes() > most - memory.GROWTH:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert blocks


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no glibc")
def test_memory_of_small_requests_is_kept(client, monkeypatch, db):
    started = []

    def start():
        started.append(True)
        memory._lock.release()

    monkeypatch.setattr(memory, "_return", start)
    with memory._lock:  # No thread of an earlier request is left.
        memory.return_now()
    client.get("/")
    assert not memory._lock.locked() and not started
