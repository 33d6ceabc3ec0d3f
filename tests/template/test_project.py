"""The generated project's own commands work as documented in its README."""

import json
import re
import tomllib

import pytest
from conftest import MEASURE, OTHER, PACKAGE_TESTS, TEMPLATE, bake_project
from interpreters import interpreters, uv
from lengths import length

# These tests take minutes, and use neither the database nor the storage. Here, they run
# only with the newest versions. The workflow's job `lowest` runs them with the oldest
# versions.
INDEPENDENT_OF_SERVICES = (
    "test_file_memory.py",
    "test_hostile_files.py",
    "test_types.py",
)


# In the default bake, test_workflows.py runs these two commands.
def test_project_tests_pass(other_project):
    assert " passed" in other_project.run("make", "test")


def test_package_tests_pass_with_the_newest_python_and_versions(
    tmp_path, record_property
):
    """The tests also have to reach the coverage that pyproject.toml requires.

    In the short form, one in three cases of each test runs. `make package` runs all.
    """
    newest = interpreters()[-1]
    project = bake_project(tmp_path, newest)
    assert project.python_version() == str(newest.version)
    options = "--numprocesses", "auto", f"--one-in={length(3, 1)}", str(PACKAGE_TESTS)
    variables = {"FUZZ_REQUESTS": f"{length(4_000, 10_000)}"}
    printed = project.run_package_tests(*options, measure=MEASURE, **variables)
    assert " passed" in printed
    measured = json.loads((project.path / "coverage.json").read_text("utf-8"))
    reached = measured["summary"]["percent_covered"]
    record_property("coverage", f"{reached:.1f}")
    assert reached >= coverage_floor()


def coverage_floor():
    """Return the percentage of lines and branches that the tests have to cover."""
    settings = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
    return settings["tool"]["slipcover"]["fail-under"]


def test_readme_states_the_coverage_threshold():
    text = " ".join((TEMPLATE / "README.md").read_text("utf-8").split())
    assert f"at least {coverage_floor()} % of the library's lines and branches" in text


def test_makefile_measures_the_same_coverage():
    makefile = (TEMPLATE / "Makefile").read_text("utf-8")
    [given] = re.findall(r'MEASURE="(.*?)"', makefile, re.S)
    assert given.replace("\\\n", " ").split() == [*MEASURE]


def test_project_without_extras_names_the_missing_extra(tmp_path):
    """Like `make`, the test installs no extras."""
    project = bake_project(tmp_path, extras=False)
    installed = project.run(uv(), "pip", "list")
    assert not re.search(
        "^(boto3|psycopg|prometheus-client|sentry-sdk) ", installed, re.M
    )
    assert " passed" in project.run("make", "test")
    for name, value, extra in (
        ("DATABASE_URL", "postgresql://u:p@127.0.0.1/d", "postgres"),
        ("FRAMES_STORAGE_URL", "s3://bucket", "s3"),
        ("METRICS_TOKEN", "m3trics-" * 4, "metrics"),
        ("SENTRY_DSN", "https://key@127.0.0.1/1", "sentry"),
    ):
        with pytest.raises(AssertionError, match=f"--extra {extra}") as refusal:
            project.run(".venv/bin/python", "manage.py", "check", **{name: value})
        assert name in str(refusal.value)


def test_project_lint_passes(other_project):
    other_project.run("make", "lint")


def test_name_is_shown_as_typed(other_project, page):
    name = OTHER["project_name"]
    with other_project.serve() as site:
        page.goto(site.url)
        assert page.title() == name
        home = page.get_by_role("banner").get_by_role("link").first
        assert home.inner_text() == name
        assert home.locator("b").count() == 0


def test_package_tests_pass_with_the_oldest_python_and_versions(tmp_path, postgres, s3):
    """The versions are the lower bounds in pyproject.toml, with PostgreSQL and S3.

    All other tests use newer versions, SQLite and files. Of each test with many cases, few
    run here, because the cases differ in data rather than in what they need of the
    dependencies. The workflow's job `lowest` runs all cases.
    """
    oldest = interpreters()[0]
    project = bake_project(tmp_path, oldest)
    lowest = "--python", oldest.path, "--resolution", "lowest-direct"
    project.run(uv(), "sync", "--inexact", "--all-extras", *lowest)
    assert project.python_version() == str(oldest.version)
    versions = project.run(uv(), "pip", "list")
    for lowest in (r"django +5\.2", r"pandas +3\.0\.0", r"whitenoise +6\.8\.2"):
        assert re.search(rf"^{lowest}$", versions, re.M), versions
    variables = {"DATABASE_URL": postgres.database(), **s3.bucket()}
    # The run with SQLite sends more requests.
    variables["FUZZ_REQUESTS"] = f"{length(1_000, 2_500)}"
    left_out = [f"--ignore={PACKAGE_TESTS / name}" for name in INDEPENDENT_OF_SERVICES]
    printed = project.run_package_tests(
        *("--numprocesses", "auto", f"--one-in={length(10, 4)}"),
        *(*left_out, str(PACKAGE_TESTS)),
        **variables,
    )
    assert " passed" in printed
