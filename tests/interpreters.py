"""Find the Python interpreters on this machine that a generated project supports."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import Version

TEMPLATE = Path(__file__).resolve().parent.parent
PROJECT = TEMPLATE / "{{cookiecutter.project_slug}}" / "pyproject.toml"
SUPPORTED = SpecifierSet(
    re.search(r'^requires-python = "(.+)"$', PROJECT.read_text("utf-8"), re.M)[1]
)


@dataclass(frozen=True)
class Interpreter:
    version: Version
    path: str

    def __str__(self):
        return f"Python {self.version} ({self.path})"


def uv():
    """Return the path of uv. If uv was missing, the Makefile has installed it."""
    return shutil.which("uv") or str(TEMPLATE / ".venv" / "bin" / "uv")


def interpreters():
    """Return the supported interpreters, one per Python version, the oldest first.

    Pre-releases and free-threaded builds are excluded, because some dependencies have
    no wheels for them.
    """
    command = f"{uv()} python list --only-installed --offline --output-format json"
    # uv lists the interpreters that it has installed itself and those on the PATH.
    path = [*_path_with_pyenv(), str(Path(sys._base_executable).parent)]
    listed = subprocess.run(
        command.split(),
        env={**os.environ, "PATH": os.pathsep.join(path)},
        check=True,
        capture_output=True,
    )
    found = {
        Version(each["version"]): each["path"]
        # If a version occurs twice, the first one on the PATH wins.
        for each in reversed(json.loads(listed.stdout))
        if each["implementation"] == "cpython" and each["variant"] == "default"
    }
    return [Interpreter(each, found[each]) for each in sorted(SUPPORTED.filter(found))]


def _path_with_pyenv():
    """Return the PATH with all versions that pyenv has installed.

    pyenv adds only shims to the PATH. The shim of a version works only if pyenv is
    configured to use that version.
    """
    path = os.environ["PATH"].split(os.pathsep)
    if not shutil.which("pyenv"):
        return path
    root = Path(subprocess.check_output(["pyenv", "root"], text=True).strip())
    installed = [str(each) for each in sorted(root.glob("versions/*/bin"))]
    return installed + [each for each in path if Path(each) != root / "shims"]
