"""The cost of frames: the memory of a worker, and the bytes written to disk."""

import re
from pathlib import Path

import pytest
from lengths import length
from visitors import Visitor

CACHE_MB = 200
REQUEST_MB = 10  # A request itself may need this much memory.
# Publishing to S3 is slower. Few frames are enough to exceed the cache several times.
LARGE_FRAMES = {"Files": length(25, 100), "Services": length(12, 30)}
USER = {"username": "owner", "password": "of many frames"}

# Frames are published as a background job would do it. Large frames consist mostly of a
# few long texts: D-Tale describes these faster than the same amount of numbers.
PUBLISH = """
import numpy as np, pandas as pd
from django.contrib.auth import get_user_model
from django_dtale import publish
owner = get_user_model().objects.create_superuser(**{user})
for rows, width in {shapes}:
    values = np.random.default_rng(1).random((rows, 9))
    frame = pd.DataFrame(values, columns=list("abcdefghi"))
    frame["text"] = "x" * width
    print("published", publish(frame, owner=owner).pk)
"""


@pytest.fixture(scope="module")
def frames(backend):
    """The ids of frames with 10, 1,000 and 1,000,000 rows, and of many large frames.

    Each large frame is 50 MB in size.
    """
    large = [(5_000, 10_000)] * LARGE_FRAMES[type(backend).__name__]
    shapes = [(10, 9), (1_000, 9), (1_000_000, 9), *large]
    script = PUBLISH.format(user=USER, shapes=shapes)
    output = backend.manage("shell", "-c", script, FRAMES_MAX_MB="10000")
    return re.findall(r"^published (\d+)$", output, re.M)


@pytest.fixture(scope="module")
def one_worker(backend, frames):
    """The site with one worker, and a visitor who is the owner of the frames."""
    # The frames were published on another machine, so this machine has to fetch them.
    with backend.serve(1, machine="another", FRAMES_CACHE_MB=f"{CACHE_MB}") as site:
        owner = Visitor(site.url, site.prefix)
        owner.sign_in(**USER)
        open_frame(owner, frames[0])  # This request builds D-Tale.
        yield site, owner


def open_frame(visitor, id):
    """Send the requests of a browser that opens a frame."""
    assert visitor.open(f"{visitor.dtale}main/{id}")[0] == 200
    assert visitor.get(f"data/{id}", ids=["0-50"])["total"]


def resident(pid, field):
    """Return a process's resident memory in MB: current (VmRSS) or peak (VmHWM)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.M)[1]) / 1024


def test_opening_many_frames_stays_within_memory_limit(one_worker, frames):
    site, owner = one_worker
    [worker] = site.workers
    start = resident(worker, "VmRSS")
    for id in frames[3:]:
        open_frame(owner, id)
    assert resident(worker, "VmHWM") < start + CACHE_MB + REQUEST_MB
    assert [worker] == site.workers


def test_scrolling_writes_nothing(backend, one_worker, frames):
    id, (_, owner) = frames[1], one_worker
    open_frame(owner, id)
    before = backend.writes(), backend.stored()
    for row in range(0, 1000, 20):
        assert owner.get(f"data/{id}", ids=[f"{row}-{row + 50}"])["results"]
    assert (backend.writes(), backend.stored()) == before


@pytest.mark.parametrize("rows", [1_000, 1_000_000])
def test_changing_a_setting_writes_little(backend, one_worker, frames, rows):
    id, (_, owner) = frames[1 if rows == 1_000 else 2], one_worker
    open_frame(owner, id)
    with backend.log_size() as log_size:
        before, stored = log_size(), backend.stored()
        for number in range(10):
            settings = {"invertFilter": number % 2 == 0}
            answer = owner.get(f"update-settings/{id}", settings=settings)
            assert answer == {"success": True}
        assert 0 < (log_size() - before) / 10 < 20_000  # The limit is in bytes.
        assert backend.stored() == stored
