"""The generated project's own commands, as its README gives them."""

import re

import pytest
from conftest import OTHER, bake_project
from interpreters import interpreters, uv

# Seconds, for all of a project's tests on two busy cores.
WHOLE = 45 * 60


@pytest.fixture(params=["project", "other_project"])
def either_project(request):
    return request.getfixturevalue(request.param)


def test_own_tests_pass_with_the_newest_python_and_versions(tmp_path):
    newest = interpreters()[-1]
    project = bake_project(tmp_path, newest)
    assert project.python_version() == str(newest.version)
    assert " passed" in project.run("make", "test", timeout=WHOLE)


def test_own_tests_of_what_names_reach_pass(other_project):
    names = "accounts asgi checks dispatcher dtale_app gate security site start".split()
    files = " ".join(f"tests/test_{name}.py" for name in names)
    assert " passed" in other_project.run("make", "test", f"ARGS={files}")


def test_own_lint_passes(either_project):
    either_project.run("make", "lint")


def test_name_is_shown_as_typed(other_project, page):
    name = OTHER["project_name"]
    with other_project.serve() as site:
        page.goto(site.url)
        assert page.title() == name
        home = page.get_by_role("banner").get_by_role("link").first
        assert home.inner_text() == name
        assert home.locator("b").count() == 0


def test_own_tests_pass_with_the_oldest_python_and_versions(tmp_path, postgres, s3):
    """With pyproject.toml's lower bounds, and with PostgreSQL and S3.

    SQLite, files and newer versions are in every other test.
    """
    oldest = interpreters()[0]
    project = bake_project(tmp_path, oldest)
    lowest = "--python", oldest.path, "--resolution", "lowest-direct"
    project.run(uv(), "sync", "--inexact", *lowest)
    assert project.python_version() == str(oldest.version)
    versions = project.run(uv(), "pip", "list")
    for lowest in (r"django +5\.2", r"pandas +3\.0\.0", r"whitenoise +6\.8\.2"):
        assert re.search(rf"^{lowest}$", versions, re.M), versions
    variables = {"DATABASE_URL": postgres.database(), **s3.bucket()}
    variables["FUZZ_REQUESTS"] = "2500"  # The others are sent to SQLite and files.
    pytest = ".venv/bin/python", "-m", "pytest", "--numprocesses", "auto"
    assert " passed" in project.run(*pytest, timeout=WHOLE, **variables)
