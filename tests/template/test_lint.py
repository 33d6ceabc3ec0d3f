"""Each tool of `make lint` finds faults, both in the template and in a project."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import TEMPLATE
from helpers import TREE, git, run

HOOKS = ".pre-commit-config.yaml"
FAULTS = {
    "ruff": ("shop.py", "import os\n", "F401"),
    "security": ("shop.py", 'eval("1")\n', "S307"),
    "format": ("shop.py", "numbers = [1,2]\n", "1 file would be reformatted"),
    "codespell": ("shop.py", "# The \x74eh.\n", "==> the"),
    "djade": ("accounts/templates/shop.html", "{%if x%}{% endif %}\n", "reformatted"),
    "mypy": ("shop.py", 'count: int = "one"\n', "Incompatible types in assignment"),
}


@pytest.mark.parametrize("file, text, message", FAULTS.values(), ids=FAULTS)
def test_project_lint_finds_faults(other_project, file, text, message):
    path = other_project.path / file
    path.write_text(text, "utf-8")
    try:
        with pytest.raises(AssertionError, match=message):
            other_project.run("make", "lint")
    finally:
        path.unlink()


def test_project_lint_skips_the_library(other_project):
    path = other_project.path / "packages/django-dtale/src/django_dtale/shop.py"
    path.write_text('import os\ncount: int = "one"\n', "utf-8")
    try:
        assert "Success: no issues" in other_project.run("make", "lint")
    finally:
        path.unlink()


def test_pre_commit_passes(other_project, tmp_path):
    try:
        git("init", "--quiet", cwd=other_project.path)
        git("add", "--all", cwd=other_project.path)
        pre_commit = sys.executable, "-m", "pre_commit", "run", "--all-files"
        printed = other_project.run(*pre_commit, PRE_COMMIT_HOME=str(tmp_path))
        assert "Passed" in printed
    finally:
        shutil.rmtree(other_project.path / ".git")


def test_template_and_project_share_pre_commit_hooks():
    hooks, of_project = (
        (directory / HOOKS).read_text("utf-8")
        for directory in (TEMPLATE, TEMPLATE / TREE)
    )
    assert hooks == of_project
    [repository] = yaml.safe_load(hooks)["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]


def test_template_passes_codespell_and_djade():
    result = run(sys.executable, "-m", "codespell_lib", cwd=TEMPLATE)
    assert result.returncode == 0, result.stdout
    djade = Path(sys.executable).with_name("djade")
    options = "--check", "--target-version", "5.2"
    result = run(djade, *options, *(TEMPLATE / TREE).rglob("*.html"), cwd=TEMPLATE)
    assert result.returncode == 0, result.stderr
    assert "already formatted" in result.stderr


def test_template_lint_runs_every_tool():
    commands = subprocess.run(
        ["make", "--dry-run", "--old-file", "project", "lint"],
        cwd=TEMPLATE,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for tool in "ruff check", "ruff format", "codespell", "djade", "mypy":
        assert f".venv/bin/{tool} " in f"{commands} ".replace("\n", " "), tool
