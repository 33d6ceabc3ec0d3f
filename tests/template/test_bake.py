"""A bake contains the expected files, and all tools can read them."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from conftest import TEMPLATE
from helpers import TREE, commit_all, git, run

ANSWERS = {
    "defaults": {},
    "plain": {"project_name": "Lab", "dtale_prefix": "data-explorer"},
    "quotes": {
        "project_name": """Ada's "R&D" \\ {{ 7*7 }} <b>日本</b> 🎉""",
        "project_slug": "a_much_longer_slug_than_the_one_that_is_derived",
        "dtale_prefix": "d_tale",
    },
    "longest": {
        "project_name": '"' * 100,
        "project_slug": "s" * 50,
        "dtale_prefix": "P" * 50,
    },
    "shortest": {"project_name": "x", "dtale_prefix": "x"},
    # Imports have to be sorted for a package that comes before Django or after `tests`.
    "first": {"project_slug": "aa"},
    "last": {"project_slug": "zz"},
}
# These files belong to the project's owner. SLUG stands for the name of the package.
FILES = """
.devcontainer/devcontainer.json
.dockerignore
.editorconfig
.env
.env.example
.gitattributes
.github/dependabot.yml
.github/workflows/tests.yml
.gitignore
.pre-commit-config.yaml
Dockerfile
Makefile
README.md
SLUG/__init__.py
SLUG/asgi.py
SLUG/dispatcher.py
SLUG/locale/de/LC_MESSAGES/django.mo
SLUG/locale/de/LC_MESSAGES/django.po
SLUG/settings.py
SLUG/static/site.svg
SLUG/templates/403_csrf.html
SLUG/templates/404.html
SLUG/templates/base.html
SLUG/templates/create_df.html
SLUG/templates/frames/base.html
SLUG/templates/frames/home.html
SLUG/templates/sample_button.html
SLUG/urls.py
SLUG/views.py
SLUG/wsgi.py
accounts/__init__.py
accounts/admin.py
accounts/apps.py
accounts/backends.py
accounts/forms.py
accounts/management/__init__.py
accounts/management/commands/__init__.py
accounts/management/commands/unlock.py
accounts/middleware.py
accounts/migrations/0001_initial.py
accounts/migrations/0002_signintry.py
accounts/migrations/0003_django_sessions.py
accounts/migrations/__init__.py
accounts/models.py
accounts/templates/registration/login.html
accounts/templates/registration/password_change_done.html
accounts/templates/registration/password_change_form.html
accounts/templates/registration/password_reset_complete.html
accounts/templates/registration/password_reset_confirm.html
accounts/templates/registration/password_reset_done.html
accounts/templates/registration/password_reset_email.html
accounts/templates/registration/password_reset_form.html
accounts/templates/registration/password_reset_subject.txt
accounts/templates/registration/too_many_tries.html
accounts/throttle.py
accounts/urls.py
accounts/views.py
docs/deploying.md
docs/extending.md
docs/how-it-works.md
docs/how-it-works.svg
docs/operating.md
docs/securing.md
docs/single-sign-on.md
docs/sizing.md
docs/upgrading.md
docs/variables.md
compose.yaml
deploy/kubernetes.yaml
gunicorn.conf.py
manage.py
pyproject.toml
tests/__init__.py
tests/conftest.py
tests/settings.py
tests/test_dtale.py
tests/test_pages.py
""".split()
LIBRARY = "packages/django-dtale/"


@pytest.fixture(scope="module", params=ANSWERS)
def bake(request, tmp_path_factory):
    """A bake for each set of answers. Tests do not change these bakes."""
    directory = tmp_path_factory.mktemp(request.param)
    answers = [f"{key}={value}" for key, value in ANSWERS[request.param].items()]
    options = ["--no-input", "--default-config", *answers]
    result = run("cookiecutter", TEMPLATE, *options, cwd=directory)
    assert result.returncode == 0, result.stderr
    [project] = directory.iterdir()
    return project


def files_of(directory):
    return sorted(
        path.relative_to(directory).as_posix()
        for path in directory.rglob("*")
        if path.is_file()
    )


def test_bake_contains_the_expected_files(bake):
    expected = [name.replace("SLUG", bake.name) for name in FILES]
    library = [name for name in files_of(bake) if name.startswith(LIBRARY)]
    assert files_of(bake) == sorted(expected + library)
    root = [path.name for path in bake.iterdir()]
    assert len([name for name in root if not name.startswith(".")]) <= 14
    assert len(root) <= 22


def test_library_is_copied_unchanged(bake):
    """The library is the same in all projects, so it does not contain any answers."""
    ours = TEMPLATE / TREE / LIBRARY
    tracked = git("ls-files", "-z", ".", cwd=ours).split("\0")[:-1]
    assert "src/django_dtale/models/frames.py" in tracked
    assert files_of(bake / LIBRARY) == sorted(tracked)
    for name in tracked:
        assert (bake / LIBRARY / name).read_bytes() == (ours / name).read_bytes(), name


def test_no_template_variables_remain(bake):
    for path in bake.rglob("*"):
        assert "{" not in path.relative_to(bake).as_posix()
        if path.is_file():
            # Django's own {{ }} may occur, so search only for Cookiecutter's variables.
            assert not re.search(rb"cookiecutter\.\w", path.read_bytes()), path


def test_every_file_parses(bake):
    parse = {
        ".py": ast.parse,
        ".toml": tomllib.loads,
        ".yaml": lambda text: list(yaml.safe_load_all(text)),
        ".yml": yaml.safe_load,
        ".json": json.loads,
    }
    suffixes = set()
    for path in map(Path, files_of(bake)):
        if path.suffix in parse:
            parse[path.suffix]((bake / path).read_text("utf-8"))
            suffixes.add(path.suffix)
    assert {".py", ".toml", ".yaml", ".yml"} <= suffixes


def test_files_have_lf_endings_and_one_final_newline(bake):
    for name in files_of(bake):
        content = (bake / name).read_bytes()
        if b"\0" not in content and content:
            assert b"\r" not in content, name
            assert content.endswith(b"\n") and not content.endswith(b"\n\n"), name


def test_bake_passes_ruff(bake):
    lint(bake)


def test_unbaked_tree_passes_ruff():
    lint(TEMPLATE)
    lint(TEMPLATE / TREE)
    lint(TEMPLATE / TREE / LIBRARY)


def lint(directory):
    # If a cache existed in the template's tree, Cookiecutter would copy it into each
    # bake.
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check"], ["format", "--check"]):
        result = run(*ruff, *command, "--no-cache", ".", cwd=directory)
        assert result.returncode == 0, result.stdout + result.stderr


def test_git_ignores_only_the_env_file(bake):
    commit_all(bake, "baked")
    assert git("status", "--porcelain", cwd=bake) == ""
    ignored = git("status", "--porcelain", "--ignored", cwd=bake).splitlines()
    assert ignored == ["!! .env"]
    assert git("show", "--check", "--format=", cwd=bake) == ""
