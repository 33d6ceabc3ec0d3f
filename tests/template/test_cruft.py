"""cruft can create a project from the template, check it and update it."""

import json

import pytest
from helpers import TREE, commit_all, copy_template, edit, git, run, settings_of


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A repository whose first commit contains a copy of this template."""
    (tmp_path / "configuration.yaml").write_text("default_context: {}\n")
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "configuration.yaml"))
    path = copy_template(tmp_path / "template")
    commit_all(path, "one")
    return path


@pytest.fixture
def project(template, tmp_path):
    """A project that was created with other answers and committed by its user."""
    answers = {"project_name": 'The "Lab"', "dtale_prefix": "lab"}
    create = ["create", "--no-input", "--extra-context", json.dumps(answers)]
    result = run("cruft", *create, template, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    commit_all(tmp_path / "the_lab", "baked")
    return tmp_path / "the_lab"


def test_cruft_bake_matches_cookiecutter(template, project, tmp_path):
    result = run(
        *("cookiecutter", "--no-input", template),
        *('project_name=The "Lab"', "dtale_prefix=lab"),
        *("--output-dir", tmp_path / "other"),
        cwd=tmp_path,
    )
    assert result.returncode == 0, result.stderr
    other = tmp_path / "other" / "the_lab"
    # Each .env has its own secret key. Only cruft writes .cruft.json.
    options = ["--brief", "--recursive", "--exclude=.git", "--exclude=.cruft.json"]
    result = run("diff", *options, "--exclude=.env", project, other, cwd=tmp_path)
    assert result.stdout == ""
    assert (other / ".env").exists()


def test_update_keeps_user_changes(template, project):
    def cruft(*command):
        return run("cruft", *command, cwd=project)

    assert cruft("check").returncode == 0
    assert cruft("diff", "--exit-code").returncode == 0

    edit(project / "README.md", "# ", "# Our ")
    commit_all(project, "edited")
    environment = (project / ".env").read_bytes()

    with (template / TREE / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("\nNew in {{ cookiecutter.project_name|shout }}.\n")
    edit(
        template / "local_extensions.py",
        "        super().__init__(environment)\n",
        "        super().__init__(environment)\n"
        '        environment.filters["shout"] = str.upper\n',
    )
    commit_all(template, "two")

    assert cruft("check").returncode == 1
    result = cruft("update", "--skip-apply-ask")
    assert result.returncode == 0, result.stderr
    assert cruft("check").returncode == 0

    readme = (project / "README.md").read_text("utf-8")
    assert readme.startswith("# Our ")
    assert readme.endswith('\nNew in THE "LAB".\n')
    assert settings_of(project)["SITE_NAME"] == 'The "Lab"'
    assert settings_of(project)["PREFIX"] == "lab"
    assert (project / ".env").read_bytes() == environment
    changed = set(git("diff", "--name-only", "HEAD", cwd=project).split())
    assert changed == {".cruft.json", "README.md"}
    assert list(project.rglob("*.rej")) == []


# .env.example must always end with these lines. Users add their variables after them,
# so changes to the lines would cause conflicts.
END = """
# Password of the database and of the S3 store that compose.yaml brings along; nothing
# else reads it. Letters, digits, - and _. Required there.
SERVICES_PASSWORD=
"""


def test_update_merges_new_variables_with_user_variables(template, project):
    example = project / ".env.example"
    own = "\n# What our shop sells in.\nSHOP_CURRENCY=EUR\n"
    with example.open("a", encoding="utf-8") as file:
        file.write(own)
    commit_all(project, "a variable of ours")

    new = "\n# How long a coffee break is.\n#COFFEE_MINUTES=15\n"
    source = template / TREE / ".env.example"
    assert source.read_text("utf-8").endswith(END)
    edit(source, END, f"{new}{END}")
    commit_all(template, "a new variable")

    result = run("cruft", "update", "--skip-apply-ask", cwd=project)
    assert result.returncode == 0, result.stderr
    assert git("diff", "--name-only", "--diff-filter=U", cwd=project) == ""
    assert example.read_text("utf-8").endswith(f"{new}{END}{own}")
    assert list(project.rglob("*.rej")) == []


def test_invalid_answer_is_reported_in_one_line(template, tmp_path):
    answers = ["--no-input", "--extra-context", '{"project_slug": "x-y"}']
    before = sorted(tmp_path.iterdir())
    result = run("cruft", "create", template, *answers, cwd=tmp_path)
    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.endswith(': use "x_y".')
    assert result.stdout == ""
    assert sorted(tmp_path.iterdir()) == before
