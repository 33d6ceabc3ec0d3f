"""What GitHub runs, of the template and of what it generates: valid, and pinned."""

import re
import sys

import pytest
import yaml
from conftest import TEMPLATE
from helpers import TREE, run

GITHUB = {"template": TEMPLATE / ".github", "project": TEMPLATE / TREE / ".github"}
WORKFLOWS = {side: sorted((at / "workflows").iterdir()) for side, at in GITHUB.items()}
PIN = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)")


@pytest.mark.parametrize("side", GITHUB)
def test_files_are_what_their_schemas_say(side):
    schemas = {
        "vendor.github-workflows": WORKFLOWS[side],
        "vendor.dependabot": [GITHUB[side] / "dependabot.yml"],
    }
    for schema, files in schemas.items():
        check = sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema
        result = run(*check, *files, cwd=TEMPLATE)
        assert result.returncode == 0, result.stdout + result.stderr


def test_actions_are_pinned_to_the_same_commits():
    """Dependabot moves the template's own; the project's have to follow."""
    pins = {side: set() for side in GITHUB}
    for side, files in WORKFLOWS.items():
        for line in "".join(_text(file) for file in files).splitlines():
            if "uses:" in line:
                pin = PIN.fullmatch(line.partition("uses:")[2].strip())
                assert pin, f"{side}, {line.strip()}: no commit with its version behind"
                pins[side].add(pin.groups())
    assert pins["project"] and pins["project"] <= pins["template"]


def test_workflows_may_only_read():
    for file in sum(WORKFLOWS.values(), []):
        assert yaml.safe_load(_text(file))["permissions"] == {"contents": "read"}, file


def test_each_system_and_python_is_tested():
    """Those of requires-python, on the systems that the README names."""
    [file] = WORKFLOWS["template"]
    matrix = yaml.safe_load(_text(file))["jobs"]["project"]["strategy"]
    matrix = matrix["matrix"]
    systems = {system.removesuffix("-latest") for system in matrix["system"]}
    assert systems == {"ubuntu", "macos", "windows"}
    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    oldest, newest = matrix["python"][0], matrix["python"][-1]
    beyond = f"3.{int(newest.partition('.')[2]) + 1}"
    for root in (TEMPLATE, TEMPLATE / TREE):
        project = _text(root / "pyproject.toml")
        assert f'requires-python = ">={oldest},<{beyond}"' in project
        readme = " ".join(_text(root / "README.md").split())
        assert f"Python {oldest} to {newest}" in readme
        assert f"Python {oldest} to {newest}" in _text(root / "Makefile")


def test_the_run_without_upper_bounds_has_none(tmp_path):
    """The same line of sed in both workflows; D-Tale stays as it is pinned."""
    texts = {side: "".join(map(_text, files)) for side, files in WORKFLOWS.items()}
    [edit] = set(re.findall(r"(sed -i -E '\S+') ", "".join(texts.values())))
    (tmp_path / "pyproject.toml").write_text(
        _text(GITHUB["project"] / "../pyproject.toml")
    )
    run("bash", "-c", f"{edit} pyproject.toml", cwd=tmp_path)
    left = _text(tmp_path / "pyproject.toml")
    assert not re.search(r"<\s*\d", left)
    assert '"dtale==3.22.*"' in left and '"pandas>=3.0"' in left


def _text(path):
    return path.read_text("utf-8")
