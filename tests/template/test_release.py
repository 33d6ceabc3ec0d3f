"""`make release` works in a clone of this repository. Changelogs link all versions."""

import datetime
import re
import shutil
import tomllib

import pytest
from conftest import TEMPLATE
from helpers import TREE, edit, git, run

CHANGELOG = "CHANGELOG.md"
PACKAGE = f"{TREE}/packages/django-dtale"
TODAY = datetime.date.today()
VERSION = "7.8.9"
PERSON = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "nobody", "EMAIL": "nobody@localhost"}.items()
}


def commit(repository):
    git("add", "--all", cwd=repository)
    git("commit", "--quiet", "--no-verify", "--message", "More", cwd=repository)


@pytest.fixture
def clone(tmp_path):
    """A clone of this working tree with a new heading in both changelogs."""
    path = tmp_path / "clone"
    git("clone", "--quiet", "--no-tags", TEMPLATE, path, cwd=tmp_path)
    git("checkout", "--quiet", "-B", "main", cwd=path)
    names = git(
        "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=TEMPLATE
    )
    for name in names.split("\0")[:-1]:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        if (TEMPLATE / name).exists():
            shutil.copy2(TEMPLATE / name, path / name)
    for name in CHANGELOG, f"{PACKAGE}/{CHANGELOG}":
        heading = f"## [Unreleased]\n\n## [{VERSION}] - {TODAY}\n"
        edit(path / name, "## [Unreleased]\n", heading)
    commit(path)
    return path


def release(repository, version=VERSION):
    return run(
        "make", "release", f"VERSION={version}", cwd=repository, variables=PERSON
    )


def test_release_updates_versions_and_creates_a_tag(clone):
    before = git("rev-parse", "HEAD", cwd=clone).strip()
    result = release(clone)
    assert result.returncode == 0, result.stderr
    assert f"git push --atomic origin main v{VERSION}" in result.stdout

    def data(name):
        return tomllib.loads((clone / name).read_text("utf-8"))

    site = data(f"{TREE}/pyproject.toml")
    assert data("pyproject.toml")["project"]["version"] == VERSION
    assert data(f"{PACKAGE}/pyproject.toml")["project"]["version"] == VERSION
    assert site["tool"]["cookiecutter-django-dtale"]["version"] == VERSION
    assert site["project"]["version"] == "0.1.0"  # The site has its own version.
    [library] = [
        each for each in site["project"]["dependencies"] if "django-dtale" in each
    ]
    assert library.endswith("==7.8.*")
    assert set(
        re.findall(r"--checkout v(\S+?)`", (clone / "README.md").read_text())
    ) == {VERSION}
    links = re.findall(r"^\[.*\]: .*", (clone / CHANGELOG).read_text("utf-8"), re.M)
    assert links[0] == f"[{VERSION}]: ../../releases/tag/v{VERSION}"
    assert links[1].startswith("[0.")

    assert git("cat-file", "-t", f"v{VERSION}", cwd=clone).strip() == "tag"
    assert git("rev-parse", f"v{VERSION}^{{}}~", cwd=clone).strip() == before
    assert git("status", "--porcelain", cwd=clone) == ""
    # The tag is not pushed to the original repository.
    assert git("tag", "--list", f"v{VERSION}", cwd=TEMPLATE) == ""
    assert "already" in release(clone).stderr


def refused(clone, reason, version=VERSION):
    """Assert that the release is rejected for this reason and changes nothing."""
    before = git("rev-parse", "HEAD", cwd=clone), git("status", "-s", cwd=clone)
    result = release(clone, version)
    assert result.returncode != 0 and reason in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert git("rev-parse", "HEAD", cwd=clone) == before[0]
    assert git("status", "-s", cwd=clone) == before[1]
    assert git("tag", "--list", f"v{VERSION}", cwd=clone) == ""


def test_invalid_or_lower_version_is_rejected(clone):
    refused(clone, "VERSION=x.y.z", version="v1")
    refused(clone, "is not above", version="0.1.0")


@pytest.mark.parametrize("name", [CHANGELOG, f"{PACKAGE}/{CHANGELOG}"])
def test_changelog_without_todays_date_is_rejected(clone, name):
    edit(clone / name, f"[{VERSION}] - {TODAY}", f"[{VERSION}] - 2001-01-01")
    commit(clone)
    refused(clone, f'The first version in {name} has to be "## [{VERSION}] - {TODAY}"')


def test_release_requires_a_clean_main_branch(clone):
    (clone / "note.txt").touch()
    refused(clone, "not committed")
    (clone / "note.txt").unlink()
    git("switch", "--quiet", "--create", "feature", cwd=clone)
    refused(clone, "this is feature")


def test_readme_without_the_version_is_rejected(clone):
    edit(clone / "README.md", "--checkout v", "--checkout=v")
    commit(clone)
    refused(clone, "README.md names no version")


def test_changelog_links_point_to_versions():
    """Links point to commits in this repository's history, or to tags of versions."""
    text = (TEMPLATE / CHANGELOG).read_text("utf-8")
    headings = re.findall(r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$", text, re.M)
    links = re.findall(
        r"^\[(.*?)\]: \.\./\.\./(commit|releases/tag)/(\S+)$", text, re.M
    )
    assert [version for version, _, _ in links] == headings
    if git("rev-parse", "--is-shallow-repository", cwd=TEMPLATE).strip() == "true":
        pytest.skip("this clone has no history (git fetch --unshallow)")
    for version, kind, name in links:
        if kind == "commit":
            git("merge-base", "--is-ancestor", name, "HEAD", cwd=TEMPLATE)
        else:
            assert name == f"v{version}"
