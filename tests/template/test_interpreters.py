"""All Python interpreters that can run a generated project's tests are found."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from interpreters import SUPPORTED, interpreters, uv
from packaging.version import Version


def test_supported_interpreters_are_sorted_oldest_first():
    found = interpreters()
    versions = [each.version for each in found]
    assert versions and versions == sorted({*versions})
    for each in found:
        printed = subprocess.check_output([each.path, "--version"], text=True)
        assert printed.split() == ["Python", str(each.version)]
        assert each.version in SUPPORTED


@pytest.mark.skipif(not shutil.which("pyenv"), reason="no pyenv on this machine")
def test_pyenv_interpreters_are_found():
    root = Path(subprocess.check_output(["pyenv", "root"], text=True).strip())
    names = (path.name for path in root.glob("versions/*"))
    installed = {
        Version(name) for name in names if re.fullmatch(r"\d+\.\d+\.\d+", name)
    }
    found = {each.version for each in interpreters()}
    assert {*SUPPORTED.filter(installed)} <= found


def test_running_interpreter_is_found_if_not_in_path(monkeypatch, tmp_path):
    """The running interpreter is then both the oldest and the newest one."""
    (tmp_path / "uv").symlink_to(uv())
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "none"))
    found = {each.version for each in interpreters()}
    assert found == {Version("{}.{}.{}".format(*sys.version_info[:3]))}
