"""The Python interpreters of this machine that a generated project supports."""

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
    """Return the path of uv. The Makefile installs it where it is missing."""
    return shutil.which("uv") or str(TEMPLATE / ".venv" / "bin" / "uv")


def interpreters():
    """Return the supported interpreters (list), one of each version, the oldest first.

    Pre-releases and builds without the GIL are left out: not every dependency has
    wheels for them.
    """
    command = f"{uv()} python list --only-installed --offline --output-format json"
    # uv lists what it has installed itself, and what is in the PATH.
    path = [*_path_with_pyenv(), str(Path(sys._base_executable).parent)]
    listed = subprocess.run(
        command.split(),
        env={**os.environ, "PATH": os.pathsep.join(path)},
        check=True,
        capture_output=True,
    )
    found = {
        Version(each["version"]): each["path"]
        for each in reversed(json.loads(listed.stdout))  # The first in the PATH wins.
        if each["implementation"] == "cpython" and each["variant"] == "default"
    }
    return [Interpreter(each, found[each]) for each in sorted(SUPPORTED.filter(found))]


def _path_with_pyenv():
    """Return the PATH (list of str) with all that pyenv has installed.

    Its own directory in the PATH has a script for each version: it only works for the
    versions that pyenv is set to.
    """
    path = os.environ["PATH"].split(os.pathsep)
    if not shutil.which("pyenv"):
        return path
    root = Path(subprocess.check_output(["pyenv", "root"], text=True).strip())
    installed = [str(each) for each in sorted(root.glob("versions/*/bin"))]
    return installed + [each for each in path if Path(each) != root / "shims"]
