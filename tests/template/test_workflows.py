"""The GitHub workflows of the template and of a project are valid and pinned.

A project's own workflow runs here, as far as that is possible without GitHub.
"""

import itertools
import re
import sys

import pytest
import yaml
from conftest import TEMPLATE, Project
from helpers import TREE, commit_all, git, run
from interpreters import interpreters

GITHUB = {"template": TEMPLATE / ".github", "project": TEMPLATE / TREE / ".github"}
WORKFLOWS = {side: sorted((at / "workflows").iterdir()) for side, at in GITHUB.items()}
PIN = re.compile(r"([\w.-]+/[\w.-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)")


@pytest.mark.parametrize("side", GITHUB)
def test_workflows_and_dependabot_match_their_schemas(side):
    schemas = {
        "vendor.github-workflows": WORKFLOWS[side],
        "vendor.dependabot": [GITHUB[side] / "dependabot.yml"],
    }
    for schema, files in schemas.items():
        check = sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema
        result = run(*check, *files, cwd=TEMPLATE)
        assert result.returncode == 0, result.stdout + result.stderr


def test_dependabot_updates_every_image():
    """If an image is pinned by digest, only an update brings its security fixes."""
    files = {"docker": "Dockerfile", "docker-compose": "compose.yaml"}
    config = yaml.safe_load(_text(GITHUB["project"] / "dependabot.yml"))
    updates = {each["package-ecosystem"]: each for each in config["updates"]}
    for ecosystem, name in files.items():
        assert updates[ecosystem]["directory"] == "/"
        assert re.search(r"^ *(FROM|image:) ", _text(TEMPLATE / TREE / name), re.M)
        ignored = {each["dependency-name"] for each in updates[ecosystem]["ignore"]}
        for image in ignored:
            assert f" {image}:" in _text(TEMPLATE / TREE / name), image


def test_actions_are_pinned_to_the_same_commits():
    """Dependabot updates only the template's actions, and not the project's."""
    pins = {side: set() for side in GITHUB}
    for side, files in WORKFLOWS.items():
        for line in "".join(_text(file) for file in files).splitlines():
            if "uses:" in line:
                pin = PIN.fullmatch(line.partition("uses:")[2].strip())
                assert pin, f"{side}, {line.strip()}: no commit with its version behind"
                pins[side].add(pin.groups())
    assert pins["project"] and pins["project"] <= pins["template"]


def test_workflows_have_read_only_permissions():
    for file in itertools.chain(*WORKFLOWS.values()):
        assert yaml.safe_load(_text(file))["permissions"] == {"contents": "read"}, file


def test_concurrency_groups_are_per_ref():
    for file in itertools.chain(*WORKFLOWS.values()):
        workflow = yaml.safe_load(_text(file))
        group = workflow["concurrency"]["group"]
        of_ref = "${{ github.workflow }}-${{ github.ref }}"
        assert group == ("release" if file.name == "release.yml" else of_ref)


def jobs(side, name):
    """Return the jobs in a workflow."""
    [file] = [file for file in WORKFLOWS[side] if file.name == name]
    return yaml.safe_load(_text(file))["jobs"]


def test_every_job_uses_the_uv_cache_and_has_a_timeout():
    """The release has no cache: other runs must not affect published files."""
    for file in itertools.chain(*WORKFLOWS.values()):
        for name, job in yaml.safe_load(_text(file))["jobs"].items():
            [uv] = [
                step
                for step in job["steps"]
                if step.get("uses", "").startswith("astral-sh/setup-uv@")
            ]
            assert uv["with"]["enable-cache"] == (file.name != "release.yml"), name
            assert job["timeout-minutes"] <= 60, name


def test_lint_runs_before_the_tests():
    template = jobs("template", "tests.yml")
    lint = template.pop("lint")
    assert lint["steps"][-1]["run"] == "make lint"
    assert {job["needs"] for job in template.values()} == {"lint"}
    commands = [
        step.get("run") for step in jobs("project", "tests.yml")["tests"]["steps"]
    ]
    assert 0 < commands.index("make lint") < commands.index("make test")


def test_workflow_commands_are_valid_shell():
    """All of the template's files that the commands mention have to exist."""
    for file in itertools.chain(*WORKFLOWS.values()):
        for job in yaml.safe_load(_text(file))["jobs"].values():
            for step in job["steps"]:
                command = re.sub(r"\$\{\{.*?\}\}", "x", step.get("run", ""))
                result = run("bash", "-n", "-c", command, cwd=TEMPLATE)
                assert result.returncode == 0, result.stderr
                for path in re.findall(r"\.\./\.\./([\w./-]+)", command):
                    assert (TEMPLATE / path).exists(), command


@pytest.fixture
def checkout(tmp_path):
    """A project as a runner checks it out: without a virtual environment and .env."""
    bake = "--no-input", "--default-config", "--output-dir", tmp_path
    assert run("cookiecutter", *bake, TEMPLATE, cwd=tmp_path).returncode == 0
    baked = tmp_path / "django_d_tale"
    commit_all(baked, "baked")
    git("clone", "--quiet", baked, "checkout", cwd=tmp_path)
    return Project(tmp_path / "checkout", "flask")


def test_project_workflow_passes(checkout):
    """All commands run in order, except for the download of known vulnerabilities."""
    assert [file.name for file in WORKFLOWS["project"]] == ["tests.yml"]
    [job] = jobs("project", "tests.yml").values()
    base = f"FROM python:{job['env']['PYTHON']}-"
    assert base in _text(checkout.path / "Dockerfile")
    variables = {**job["env"], "PYTHON": interpreters()[-1].path}
    printed = {}
    for step in job["steps"]:
        if command := step.get("run"):
            last = " --dry-run" if "pip-audit" in command else ""
            environment = {**variables, **step.get("env", {})}
            shell = "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"
            printed[command] = checkout.run(*shell, command + last, **environment)
    lint, check, test, audit = printed.values()
    assert "All checks passed" in lint
    assert "System check identified no issues" in check
    assert re.search(r"^=+ \d+ passed", test, re.M)
    assert int(re.search(r"would have audited (\d+) packages", audit)[1]) > 50
    assert git("status", "--porcelain", cwd=checkout.path).split() == ["??", "uv.lock"]


def test_every_system_and_python_is_tested():
    """Each Python version in requires-python runs on each system in the README."""
    matrix = jobs("template", "tests.yml")["project"]["strategy"]["matrix"]
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


def test_run_without_upper_bounds_removes_them(tmp_path):
    """Only D-Tale keeps its upper bound."""
    text = "".join(map(_text, WORKFLOWS["template"]))
    [(edit, names)] = re.findall(r"(sed -i -E '\S+') (.*)", text)
    bounds = ""
    for name in names.split():
        (tmp_path / "pyproject.toml").write_text(_text(TEMPLATE / TREE / name))
        run("bash", "-c", f"{edit} pyproject.toml", cwd=tmp_path)
        bounds += _text(tmp_path / "pyproject.toml").partition("[tool.")[0]
    bounds = re.sub(r'"uv_build.*"', "", bounds)
    assert not re.search(r"<\s*\d", bounds.replace("<3.15", ""))
    assert '"dtale==3.22.*"' in bounds and '"pandas>=3.0"' in bounds


def _text(path):
    return path.read_text("utf-8")
