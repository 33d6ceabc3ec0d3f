"""What frames cost: a worker's memory, and what is written to the disk."""

import re
from pathlib import Path

import pytest
from visitors import Visitor

CACHE_MB = 200
REQUEST_MB = 10  # What answering takes: not of frames, and not there at the start.
LARGE_FRAMES = {"Files": 100, "Services": 30}  # Publishing them by HTTP takes longer.
USER = {"username": "owner", "password": "of many frames"}

# Published as a job does it. Most of a large frame's bytes are in a few long texts:
# D-Tale would take long to describe as many bytes of numbers.
PUBLISH = """
import numpy as np, pandas as pd
from django.contrib.auth import get_user_model
from frames.models import Frame
owner = get_user_model().objects.create_superuser(**{user})
for rows, width in {shapes}:
    values = np.random.default_rng(1).random((rows, 9))
    frame = pd.DataFrame(values, columns=list("abcdefghi"))
    frame["text"] = "x" * width
    print("published", Frame.objects.publish(frame, owner=owner).pk)
"""


@pytest.fixture(scope="module")
def frames(backend):
    """The ids (list of str) of frames of 10, 1,000 and 1,000,000 rows, and large ones.

    The large ones have 50 MB each.
    """
    large = [(5_000, 10_000)] * LARGE_FRAMES[type(backend).__name__]
    shapes = [(10, 9), (1_000, 9), (1_000_000, 9), *large]
    script = PUBLISH.format(user=USER, shapes=shapes)
    output = backend.manage("shell", "-c", script, FRAMES_MAX_MB="10000")
    return re.findall(r"^published (\d+)$", output, re.M)


@pytest.fixture(scope="module")
def one_worker(backend, frames):
    """The site (Site) on one worker, and the frames' owner (Visitor)."""
    # On another machine than where they were published: the bytes have to be fetched.
    with backend.serve(1, machine="another", FRAMES_CACHE_MB=f"{CACHE_MB}") as site:
        owner = Visitor(site.url, site.prefix)
        owner.sign_in(**USER)
        open_frame(owner, frames[0])  # D-Tale is built, and has answered once.
        yield site, owner


def open_frame(visitor, id):
    """What a browser asks for when somebody opens a frame."""
    assert visitor.open(f"{visitor.dtale}main/{id}")[0] == 200
    assert visitor.get(f"data/{id}", ids=["0-50"])["total"]


def resident(pid, field):
    """Return a process's resident memory in MB: VmRSS now, VmHWM at its highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.M)[1]) / 1024


def test_memory_of_a_worker_that_opens_many_frames(one_worker, frames):
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
        assert 0 < (log_size() - before) / 10 < 20_000  # Bytes.
        assert backend.stored() == stored
