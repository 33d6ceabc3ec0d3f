"""What frames cost a worker in memory, and the disk in writes."""

import re
from pathlib import Path

import pytest
from visitors import Visitor

CACHE_MB = 200
FRAMES = 100
REQUEST_MB = 10  # What answering takes: not of frames, and not there at the start.
USER = {"username": "owner", "password": "of many frames"}

# Published as a job does it. Most of a large frame's bytes are in a few long texts:
# D-Tale would take long to describe as many bytes of numbers.
PUBLISH = """
import numpy as np, pandas as pd
from django.contrib.auth import get_user_model
from frames.models import Frame
owner = get_user_model().objects.get()
for rows, width in {shapes}:
    values = np.random.default_rng(1).random((rows, 9))
    frame = pd.DataFrame(values, columns=list("abcdefghi"))
    frame["text"] = "x" * width
    print("published", Frame.objects.publish(frame, owner=owner).pk)
"""


@pytest.fixture
def publish(backend):
    """Make frames of so many rows, with texts of some width; their ids (list)."""
    superuser = {
        f"DJANGO_SUPERUSER_{name.upper()}": each for name, each in USER.items()
    }
    superuser["DJANGO_SUPERUSER_EMAIL"] = "owner@localhost"
    backend.manage("createsuperuser", "--no-input", **superuser)

    def publish(*shapes):
        output = backend.manage("shell", "-c", PUBLISH.format(shapes=shapes))
        return re.findall(r"^published (\d+)$", output, re.M)

    return publish


def signed_in(site):
    visitor = Visitor(site.url, site.prefix)
    visitor.sign_in(**USER)
    return visitor


def resident(pid, field):
    """Return a process's resident memory in MB: VmRSS now, VmHWM at its highest."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{field}:\s+(\d+) kB$", status, re.M)[1]) / 1024


def open_frame(visitor, id):
    """What a browser asks for when somebody opens a frame."""
    assert visitor.open(f"{visitor.dtale}main/{id}")[0] == 200
    assert visitor.get(f"data/{id}", ids=["0-50"])["total"]


def test_memory_of_a_worker_that_opens_many_frames(backend, publish):
    tiny, *large = publish((10, 1), *[(5_000, 10_000)] * FRAMES)  # 50 MB each.
    with backend.serve(1, FRAMES_CACHE_MB=f"{CACHE_MB}") as site:
        visitor = signed_in(site)
        [worker] = site.workers
        open_frame(visitor, tiny)  # D-Tale is built, and has answered once.
        start = resident(worker, "VmRSS")
        for id in large:
            open_frame(visitor, id)
        assert resident(worker, "VmHWM") < start + CACHE_MB + REQUEST_MB
        assert [worker] == site.workers


def test_scrolling_writes_nothing(backend, publish):
    [id] = publish((10_000, 9))
    with backend.serve(1) as site:
        visitor = signed_in(site)
        open_frame(visitor, id)
        before = backend.writes(), backend.stored()
        for row in range(0, 5000, 50):
            assert visitor.get(f"data/{id}", ids=[f"{row}-{row + 50}"])["results"]
        assert (backend.writes(), backend.stored()) == before


def test_changing_a_setting_writes_little_whatever_the_frame(backend, publish):
    with backend.serve(1) as site, backend.log_size() as log_size:
        for id in publish((1_000, 9), (1_000_000, 9)):
            visitor = signed_in(site)
            open_frame(visitor, id)
            before, stored = log_size(), backend.stored()
            for number in range(10):
                settings = {"precision": number}
                answer = visitor.get(f"update-settings/{id}", settings=settings)
                assert answer == {"success": True}
            assert (log_size() - before) / 10 < 20_000
            assert backend.stored() == stored
