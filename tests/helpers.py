"""Run the template's commands, and make copies of the template for tests to edit."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import TEMPLATE

TREE = "{{cookiecutter.project_slug}}"
LIBRARY = "packages/django-dtale/src/django_dtale"
NEEDED = "cookiecutter.json", "hooks", "local_extensions.py", TREE


def copy_template(directory):
    """Copy the parts of the template that Cookiecutter needs into the directory."""
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
    """Run a command as a user would, and return the completed process."""
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
    """Run git with a placeholder identity and return the output."""
    person = ["-c", "user.name=nobody", "-c", "user.email=nobody@localhost"]
    result = run("git", *person, *arguments, cwd=cwd)
    assert result.returncode == 0, result.stderr
    return result.stdout


def commit_all(directory, message):
    """Commit all files of the directory. Create the repository if it does not exist."""
    if not (directory / ".git").exists():
        git("init", "--quiet", cwd=directory)
    git("add", "--all", cwd=directory)
    git("commit", "--quiet", "--message", message, cwd=directory)


def edit(path, old, new):
    """Replace the first occurrence of a text in a file. Fail if the text is missing."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def settings_of(project):
    """Return the constants in a bake's settings, including those of DTALE."""
    source = Path(project, Path(project).name, "settings.py").read_text("utf-8")
    found = {}
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign([ast.Name(name)], ast.Constant(value)):
                found[name] = value
            case ast.Assign([ast.Name("DTALE")], ast.Dict(keys, values)):
                pairs = zip(keys, values, strict=True)
                found |= {
                    key.value: each.value
                    for key, each in pairs
                    if isinstance(each, ast.Constant)
                }
    return found
