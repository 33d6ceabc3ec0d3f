"""The repository's documents and forms refer only to things that exist."""

import re
import sys

import pytest
from conftest import TEMPLATE
from helpers import LIBRARY, TREE, run

DOCUMENTS = "README.md", "CONTRIBUTING.md", "SECURITY.md", "AGENTS.md"
# These pages are on the repository's host and do not exist as files.
ON_THE_HOST = "../../security/", "../../commit/", "../../releases/"


def text(name):
    return (TEMPLATE / name).read_text("utf-8")


@pytest.mark.parametrize("name", [*DOCUMENTS, "CHANGELOG.md"])
def test_internal_links_resolve(name):
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", text(name))
    for link in links:
        path = link.partition("#")[0]
        assert link.startswith(ON_THE_HOST) or (TEMPLATE / path).exists(), link
    assert links or name == "CHANGELOG.md"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documented_paths_exist(name):
    """Paths in a baked project, or in the library, are relative to its root."""
    library = TEMPLATE / TREE / LIBRARY
    roots = TEMPLATE, TEMPLATE / TREE, library, library.parents[1]
    for path in re.findall(r"`((?:[\w.{}*-]+/)+[\w.*-]*)`", text(name)):
        if path.startswith((".github/", "tests/", "docs/", "dtale/", "{{")):
            assert any(list(root.glob(path)) for root in roots), path


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documented_commands_exist(name):
    targets = set(re.findall(r"^([\w-]+):", text("Makefile"), re.M))
    targets |= set(re.findall(r"^([\w-]+):", text(f"{TREE}/Makefile"), re.M))
    commands = re.findall(r"(?:`|^)make (\w+)(.*?)(?:`|$)", text(name), re.M)
    for target, arguments in commands:
        assert target in targets, target
        for path in re.findall(r"tests/[\w./]+", arguments):
            assert (TEMPLATE / path).exists(), path
        for names in re.findall(r"-k (test_\w+)", arguments):
            assert (TEMPLATE / "tests" / "package" / f"{names}.py").exists(), names
    assert commands or name == "SECURITY.md"


def test_issue_forms_match_their_schemas():
    folder = TEMPLATE / ".github" / "ISSUE_TEMPLATE"
    forms = set(folder.glob("*.yml")) - {folder / "config.yml"}
    assert {form.stem for form in forms} == {"bug", "feature"}
    schemas = {
        "vendor.github-issue-forms": forms,
        "vendor.github-issue-config": [folder / "config.yml"],
    }
    for schema, files in schemas.items():
        check = sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema
        result = run(*check, *files, cwd=TEMPLATE)
        assert result.returncode == 0, result.stdout + result.stderr


def test_codeowners_paths_exist():
    """Commented lines are checked too, because users uncomment them."""
    lines = text(".github/CODEOWNERS").splitlines()
    assert "@OWNER" not in "".join(line for line in lines if not line.startswith("#"))
    paths = re.findall(r"^(?:# )?(/\S+) @", "\n".join(lines), re.M)
    assert len(paths) > 3
    for path in paths:
        assert (TEMPLATE / path.strip("/")).exists(), path


@pytest.mark.parametrize("folder", ["", TREE])
def test_make_help_lists_every_command(folder):
    makefile = text(f"{folder}/Makefile".lstrip("/"))
    commands = re.search(r"^\.PHONY: (.*)$", makefile, re.M)[1].split()
    result = run("make", "--no-print-directory", "help", cwd=TEMPLATE / folder)
    lines = [line.split() for line in result.stdout.splitlines()]
    assert {line[0] for line in lines if len(line) > 1} == set(commands)
