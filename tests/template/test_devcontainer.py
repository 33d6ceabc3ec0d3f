"""The dev containers' files match the other files, and their commands work."""

import json
import re
import sys

import pytest
from conftest import TEMPLATE
from helpers import TREE, git, run
from test_workflows import checkout  # noqa: F401

FILE = ".devcontainer/devcontainer.json"
ROOTS = {"template": TEMPLATE, "project": TEMPLATE / TREE}


def read(root):
    return json.loads((root / FILE).read_text("utf-8"))


@pytest.mark.parametrize("side", ROOTS)
def test_container_has_the_python_of_the_image_and_the_port(side):
    container = read(ROOTS[side])
    # These are a few of many properties: https://containers.dev/. A new one can be added
    # here once it is known to be correct.
    assert set(container) == {"name", "image", "forwardPorts", "postCreateCommand"}
    dockerfile = (TEMPLATE / TREE / "Dockerfile").read_text("utf-8")
    version = re.search(r"^FROM python:([\d.]+)-", dockerfile, re.M)[1]
    assert container["image"] == f"mcr.microsoft.com/devcontainers/python:{version}"
    makefile = (TEMPLATE / TREE / "Makefile").read_text("utf-8")
    ports = re.findall(r"^PORT \?= (\d+)", makefile, re.M)
    assert [str(port) for port in container["forwardPorts"]] == ports


def test_template_container_has_the_packages_of_contributing():
    packages = r"apt-get install (?:--yes )?([a-z ]+?)(?:`| &&)"
    text = (TEMPLATE / "CONTRIBUTING.md").read_text("utf-8")
    command = read(TEMPLATE)["postCreateCommand"]
    assert re.findall(packages, command) == re.findall(packages, text)
    target = command.rpartition(" && make ")[2].split()
    result = run("make", "--dry-run", *target, cwd=TEMPLATE)
    assert result.returncode == 0 and "sync" in result.stdout, result.stderr


def test_project_command_replaces_an_environment_of_the_host(checkout):  # noqa: F811
    """The folder can contain an environment whose Python the container does not have."""
    checkout.run(sys.executable, "-m", "venv", ".venv")
    python = checkout.path / ".venv" / "bin" / "python"
    for link in python.parent.glob("python*"):
        link.unlink()
        link.symlink_to("/not-in-the-container/python")
    (checkout.path / ".venv" / "ready").touch()
    command = read(checkout.path)["postCreateCommand"]
    checkout.run("sh", "-c", command)
    key = re.search(r"^SECRET_KEY=(.+)$", (checkout.path / ".env").read_text(), re.M)
    assert len(key[1]) > 50
    assert "no issues" in checkout.run(str(python), "manage.py", "check")
    checkout.run("sh", "-c", command)  # The container can be built again.
    assert key[0] in (checkout.path / ".env").read_text()
    assert git("status", "--porcelain", cwd=checkout.path).split() == ["??", "uv.lock"]
