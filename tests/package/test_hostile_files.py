"""Hostile files are answered quickly, and leave the server process as it was."""

import json
import sys
import time
from pathlib import Path

import pytest

from django_dtale.models import Frame
from django_dtale.views.steps import NDJSON

from .hostile_files import FILES, content

pytestmark = pytest.mark.django_db


def megabytes(name):
    """Return the VmRSS or VmHWM of this process in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@pytest.fixture
def bounded(settings, tmp_path):
    """Check that uploads are answered in time and within memory, and leave no files."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")  # This resets VmHWM.
        before = megabytes("VmRSS")
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 60  # It takes 15 seconds on an idle machine.
    if sys.platform == "linux":
        assert megabytes("VmHWM") - before < 300
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_opened_or_refused(owner, name, request):
    filename, data = FILES[name][0], content(name)
    owner.get("processes")  # Load all modules before the memory is measured.
    request.getfixturevalue("bounded")
    answer = owner.send_file(filename, data, headers={"Accept": NDJSON})
    last = json.loads(answer.text.splitlines()[-1])
    print(name, len(data), answer.status_code, last)
    assert answer.status_code in (200, 413)
    if "location" not in last:
        assert last["problem"] and "Something went wrong" not in last["problem"]
        assert not Frame.objects.exists()
