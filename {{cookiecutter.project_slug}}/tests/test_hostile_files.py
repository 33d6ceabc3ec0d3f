"""Hostile files end in an answer, soon, and the process that asked is as it was."""

import io
import sys
import time
from pathlib import Path

import pytest

from frames.models import Frame

from .hostile_files import FILES, content

pytestmark = pytest.mark.django_db


def megabytes(name):
    """Memory of this process, VmRSS or VmHWM, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


@pytest.fixture
def bounded(settings, tmp_path):
    """Sends are answered in time, within this process's memory, and nothing is left."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")  # The peak is counted from here.
        before = megabytes("VmRSS")
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < 60  # 15 on a machine that does nothing else.
    if sys.platform == "linux":
        assert megabytes("VmHWM") - before < 300
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_answered(owner, name, request):
    filename, data = FILES[name][0], content(name)
    owner.get("processes")  # What is imported once is here.
    request.getfixturevalue("bounded")
    answer = owner.post("upload", data={filename: (io.BytesIO(data), filename)})
    print(name, len(data), answer.status_code, (answer.json or {}).get("error"))
    assert answer.status_code in (200, 400, 413)
    if answer.status_code != 200:
        assert (
            answer.json["error"] and "Something went wrong" not in answer.json["error"]
        )
        assert not Frame.objects.exists()
