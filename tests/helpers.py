"""The template's commands, and small copies of it that a test may change."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import TEMPLATE

TREE = "{{cookiecutter.project_slug}}"
NEEDED = "cookiecutter.json", "hooks", "local_extensions.py", TREE


def copy_template(directory):
    """Copy what Cookiecutter needs of the template into the directory (Path)."""
    directory.mkdir(exist_ok=True)
    for name in NEEDED:
        source = TEMPLATE / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__", ".*_cache")
            shutil.copytree(source, directory / name, ignore=ignore)
        else:
            shutil.copy2(source, directory)
    return directory


def run(*command, cwd, variables=(), **options):
    """Run a command as a user would: its exit code and texts (CompletedProcess)."""
    if command[0] in {"cookiecutter", "cruft"}:
        command = [sys.executable, "-m", *command]
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1", **dict(variables)},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        **options,
    )


def git(*arguments, cwd):
    """Run git as nobody in particular, and return what it printed (str)."""
    person = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    result = run("git", *person, *arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout


def commit_all(directory, message):
    """Commit all that the directory (Path) holds; make it a repository if needed."""
    if not (directory / ".git").exists():
        git("init", "--quiet", cwd=directory)
    git("add", "--all", cwd=directory)
    git("commit", "--quiet", "--message", message, cwd=directory)


def edit(path, old, new):
    """Replace the first of a text in a file (Path); it has to be there."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def settings_of(project):
    """Return the constants (dict) that the settings of a bake (Path) assign."""
    source = Path(project, Path(project).name, "settings.py").read_text("utf-8")
    return {
        statement.targets[0].id: statement.value.value
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Constant)
    }
