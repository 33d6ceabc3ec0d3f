"""Names are checked by the same rules everywhere, and answers are never run as code."""

import ast
import json
import re
import runpy
import sys
import tomllib

import pytest
from click.testing import CliRunner
from conftest import TEMPLATE
from cookiecutter.cli import main
from cookiecutter.exceptions import FailedHookException
from cookiecutter.hooks import run_script_with_context
from helpers import LIBRARY, TREE, commit_all, copy_template, run, settings_of
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from local_extensions import Answers

names = runpy.run_path(str(TEMPLATE / TREE / LIBRARY / "names.py"))
SITE_SEGMENTS = names["SITE_SEGMENTS"]
InvalidName = names["InvalidName"]

GOOD = [
    ("project_slug", slug)
    for slug in (
        "a x1 my_site d_tale a__b data_explorer2 django_d_tale flasky "
        "classes py2 config settings settings_urls " + "s" * 50
    ).split()
] + [
    ("dtale_prefix", prefix)
    for prefix in (
        "flask data-explorer d_tale DTale2 dtale-explorer iframe D dtales x a- a_ "
        "A1 Admin STATIC statics import a/b tools/data tools/dtale d/x x/admin a-/b_ "
        + "p"
        * 50
    ).split()
]
# Each invalid answer has the suggestion from the error message.
BAD = [
    *(
        ("project_slug", slug, suggestion)
        for slug, suggestion in {
            "": "my_site",
            " ": "my_site",
            "x-y": "x_y",
            "X": "x",
            "MySite": "mysite",
            "my site": "my_site",
            "my.site": "my_site",
            "1st": "site_1st",
            "42": "site_42",
            "_": "my_site",
            "_x": "x",
            "x_": "x",
            "__init__": "init",
            "../x": "x",
            "/tmp/x": "tmp_x",
            "a/b": "a_b",
            "a\\b": "a_b",
            "café": "cafe",
            "ﬁeld": "field",
            "日本": "my_site",
            "x\n": "x",
            "x\ny": "x_y",
            "{{ 7*7 }}": "site_7_7",
            "x;import os": "x_import_os",
            "class": "class_site",
            "match": "match_site",
            "type": "type_site",
            "site": "site_site",
            "json": "json_site",
            "test": "test_site",
            "tests": "tests_site",
            "frames": "frames_site",
            "manage": "manage_site",
            "data": "data_site",
            "django": "django_site",
            "dtale": "dtale_site",
            "flask": "flask_site",
            "pandas": "pandas_site",
            "compression": "compression_site",
            "distutils": "distutils_site",
            "nul": "nul_site",
            "s" * 51: "s" * 50,
            "s" * 200: "s" * 50,
        }.items()
    ),
    *(
        ("dtale_prefix", prefix, suggestion)
        for prefix, suggestion in {
            "": "flask",
            " ": "flask",
            "/": "flask",
            "/flask/": "flask",
            "/flask": "flask",
            "flask/": "flask",
            "//flask//": "flask",
            "/admin/": "admin-explorer",
            " flask": "flask",
            "a//b": "a/b",
            "a/ b/../1c": "a/b/c",
            "admin/x": "admin-x",
            "dtale/x": "dtale-x",
            "a/日本": "a",
            "a/" + "p" * 50: "a/" + "p" * 48,
            "a b": "a-b",
            "a+b": "a-b",
            "a%20b": "a-20b",
            "a.b": "a-b",
            "a\\b": "a-b",
            "..": "flask",
            "1st": "st",
            "-x": "x",
            "_x": "x",
            "café": "cafe",
            "日本": "flask",
            "x\n": "x",
            'x"': "x",
            "{{ 7*7 }}": "flask",
            "<script>": "script",
            "d": "d-explorer",
            "dt": "dt-explorer",
            "dta": "dta-explorer",
            "dtal": "dtal-explorer",
            "dtale": "dtale-explorer",
            **{segment: f"{segment}-explorer" for segment in sorted(SITE_SEGMENTS)},
            "p" * 51: "p" * 50,
        }.items()
    ),
    *(
        ("project_name", name, suggestion)
        for name, suggestion in {
            "": "Django D-Tale",
            " ": "Django D-Tale",
            "\u200d": "Django D-Tale",
            " Data": "Data",
            "Data\n": "Data",
            "Two\nlines": "Two lines",
            "a\r\nb": "a b",
            "a\x00b": "ab",
            "a\x1b[31mb": "a[31mb",
            "a\u2028b": "a b",
            "a\u202eb": "ab",
            "n" * 101: "n" * 100,
            "n" * 200: "n" * 100,
        }.items()
    ),
]
SOME_BAD = "x-y", "class", "x\ny", "../x", "/flask/", "dt", "admin", "a\u202eb"
# These titles are valid. The project has to contain them exactly as typed.
TITLES = [
    'Ada\'s "Data" \\ R&D',
    "ends with a backslash \\",
    '"""',
    "'''",
    r"\u0022 \N{DASH} \x41 %s {} $HOME `id` $(id)",
    "日本 Zażółć 👩\u200d👩\u200d👧 🎉",
    "no\u00a0break",
    "{{ 7*7 }}",
    "{{",
    "}} {% raw %} {% endraw %} {# # #}",
    "{% endraw %}",
    "{{ cookiecutter.__class__ }}",
    "{{ cookiecutter.update({'project_slug': 'executed'}) }}",
    "<script>alert(1)</script>",
    "-->]]></title>",
    '"; raise SystemExit("executed") #',
    "'; raise SystemExit('executed') #",
    "n" * 100,
    "49",
]
WAYS = "typed", "argument", "configuration", "replay", "cruft"
NASTY = "{{ 7*7 }} {% raw %}{% endraw %} {# \" ' \\ 🎉 {{ cookiecutter.__class__ }}"

EXPRESSIONS = {
    key: value
    for key, value in json.loads((TEMPLATE / "cookiecutter.json").read_text()).items()
    if "{{" in value
}


@pytest.fixture(autouse=True)
def own_configuration(tmp_path, monkeypatch):
    """Use a Cookiecutter configuration for this test only, not the user's own."""
    path = tmp_path / "configuration.yaml"
    path.write_text(json.dumps({"replay_dir": str(tmp_path / "replays")}))
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(path))
    return path


@pytest.fixture
def bakes(tmp_path):
    """An empty output directory for bakes."""
    path = tmp_path / "bakes"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def filters():
    return Environment(extensions=[Answers]).filters


def assert_refusal(text, suggestion):
    assert len(text.splitlines()) == 1, text
    assert text.rstrip("\n").endswith(f': use "{suggestion}".')


def shown(case):
    return ascii(case)[:40] if isinstance(case, str) else None


def test_table_has_enough_cases():
    rows = {row[:2] for row in [*GOOD, *BAD] if row[0] != "project_name"}
    assert len(rows) >= 60


@pytest.mark.parametrize("variable, answer", GOOD, ids=shown)
def test_valid_answer_is_accepted_unchanged(variable, answer, cookies, bakes):
    command = [str(TEMPLATE), "--no-input", "-o", str(bakes), f"{variable}={answer}"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 0, result.output
    [project] = bakes.iterdir()
    baked = cookies.bake(extra_context={variable: answer})
    assert baked.exit_code == 0
    if variable == "project_slug":
        assert baked.project_path.name == project.name == answer
    else:
        assert settings_of(project)["PREFIX"] == answer
        assert settings_of(baked.project_path)["PREFIX"] == answer


@pytest.mark.parametrize("variable, answer, suggestion", BAD, ids=shown)
def test_invalid_answer_is_rejected_with_a_suggestion(
    variable, answer, suggestion, cookies, bakes
):
    command = [str(TEMPLATE), "--no-input", "-o", str(bakes), f"{variable}={answer}"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert_refusal(result.output, suggestion)
    baked = cookies.bake(extra_context={variable: answer})
    assert baked.exit_code != 0
    assert_refusal(str(baked.exception), suggestion)
    assert list(bakes.iterdir()) == []
    names[f"check_{variable}"](suggestion)


@pytest.mark.parametrize(
    "variable, answer, suggestion",
    [row for row in BAD if row[1] in SOME_BAD],
    ids=shown,
)
def test_invalid_answer_is_rejected_on_the_command_line(
    variable, answer, suggestion, bakes
):
    answers = ["--no-input", f"{variable}={answer}"]
    result = run("cookiecutter", TEMPLATE, *answers, cwd=bakes)
    assert result.returncode == 1
    assert_refusal(result.stderr, suggestion)
    assert result.stdout == ""
    assert list(bakes.iterdir()) == []


@pytest.mark.parametrize(
    "typed, suggestion",
    [
        ("\x07\n", "Django D-Tale"),
        ("Data\nno-slug\n", "no_slug"),
        ("Data\n\n/flask/\n", "flask"),
    ],
    ids=("name", "slug", "prefix"),
)
def test_invalid_answer_ends_the_prompts(typed, suggestion, bakes):
    result = run("cookiecutter", TEMPLATE, cwd=bakes, input=typed)
    assert result.returncode == 1
    assert_refusal(result.stderr, suggestion)
    # Each prompt contains "[1/3]" or the like, so the number of "]" is the number of
    # prompts.
    assert result.stdout.count("]") == typed.count("\n")
    assert [path.name for path in bakes.iterdir() if path.name[0] != "."] == []


@pytest.mark.parametrize("variable", ["project_name", "project_slug", "dtale_prefix"])
@pytest.mark.parametrize("answer", [{"a": "{{ 7*7 }}"}, {}, True, None])
def test_non_string_answer_is_rejected(variable, answer, bakes, own_configuration):
    own_configuration.write_text(json.dumps({"default_context": {variable: answer}}))
    command = [str(TEMPLATE), "--no-input", "-o", str(bakes)]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert result.output.startswith(f"{variable} is not text: use ")
    assert len(result.output.splitlines()) == 1
    assert list(bakes.iterdir()) == []


@pytest.mark.parametrize("answer", ["../x", "x-y", ["x"], {}, 7, None])
def test_replay_with_an_invalid_answer_is_rejected(answer, bakes, tmp_path):
    first = [str(TEMPLATE), "--no-input", "-o", str(tmp_path / "first")]
    assert CliRunner().invoke(main, first).exit_code == 0
    [replay] = (tmp_path / "replays").iterdir()
    context = json.loads(replay.read_text("utf-8"))
    context["cookiecutter"]["project_slug"] = answer
    replay.write_text(json.dumps(context))
    result = CliRunner().invoke(main, ["--replay", str(TEMPLATE), "-o", str(bakes)])
    assert result.exit_code == 1
    assert len(result.output.splitlines()) == 1
    assert result.output.startswith("project_slug ")
    assert list(bakes.iterdir()) == []


def test_private_variable_cannot_bypass_validation(bakes):
    answers = ["__project_slug=fine", "project_slug=../x"]
    command = [str(TEMPLATE), "--no-input", "-o", str(bakes), *answers]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert_refusal(result.output, "x")
    assert list(bakes.iterdir()) == []


@pytest.mark.parametrize("variable", ["project_name", "project_slug", "dtale_prefix"])
@pytest.mark.parametrize("answer", [*EXPRESSIONS.values(), TREE])
def test_template_expression_is_rejected_as_an_answer(variable, answer, cookies):
    """An answer is kept as text even if it is one of the template's own expressions."""
    result = cookies.bake(extra_context={variable: answer})
    if answer == EXPRESSIONS.get(variable):  # This answer is the same as the default.
        assert result.exit_code == 0
    else:
        assert isinstance(result.exception, SystemExit)
        assert len(str(result.exception).splitlines()) == 1


@pytest.mark.parametrize("title", TITLES, ids=shown)
def test_title_is_kept_as_typed(title, cookies):
    result = cookies.bake(
        extra_context={"project_name": title, "project_slug": "titled"}
    )
    assert result.exit_code == 0, result.exception
    project = result.project_path
    assert settings_of(project)["SITE_NAME"] == title
    pyproject = tomllib.loads((project / "pyproject.toml").read_text("utf-8"))
    assert pyproject["project"]["description"] == title
    for path in project.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            assert getattr(node, "value", None) != "executed"


@pytest.mark.parametrize("way", WAYS)
def test_hostile_title_is_kept_verbatim_from_every_source(
    way, bakes, tmp_path, own_configuration
):
    options = ["--no-input"]
    if way == "typed":
        result = run("cookiecutter", TEMPLATE, cwd=bakes, input=f"{NASTY}\nx\n\n")
    elif way == "cruft":
        template = copy_template(tmp_path / "template")
        commit_all(template, "one")
        answers = {"project_name": NASTY, "project_slug": "x"}
        options = ["--no-input", "--extra-context", json.dumps(answers)]
        result = run("cruft", "create", template, *options, cwd=bakes)
    else:
        answers = {"project_name": NASTY, "project_slug": "x"}
        if way == "configuration":
            configuration = json.loads(own_configuration.read_text())
            configuration["default_context"] = answers
            # Do not escape characters: YAML does not combine escaped surrogate pairs.
            text = json.dumps(configuration, ensure_ascii=False)
            own_configuration.write_text(text, encoding="utf-8")
        else:
            options += [f"{key}={value}" for key, value in answers.items()]
        result = run("cookiecutter", TEMPLATE, *options, cwd=bakes)
        if way == "replay":
            (bakes / "x").rename(tmp_path / "first")
            result = run("cookiecutter", "--replay", TEMPLATE, cwd=bakes)
    assert result.returncode == 0, result.stderr
    assert settings_of(bakes / "x")["SITE_NAME"] == NASTY

    if way == "cruft":  # An update by cruft renders the stored answers again.
        commit_all(bakes / "x", "baked")
        (template / TREE / "NEW.ini").write_text("{{ cookiecutter.project_name }}")
        commit_all(template, "two")
        result = run("cruft", "update", "--skip-apply-ask", cwd=bakes / "x")
        assert result.returncode == 0, result.stderr
        assert (bakes / "x" / "NEW.ini").read_text("utf-8") == NASTY
        assert settings_of(bakes / "x")["SITE_NAME"] == NASTY


ANY_TEXT = (
    st.text()
    # The characters include lone surrogates.
    | st.text(st.characters(exclude_categories=()))
    | st.text("abdelstADT019_-/ .é{%}\"\\'\n", max_size=60)
    | st.sampled_from([row[1] for row in [*GOOD, *BAD]])
)


@settings(max_examples=300, deadline=None)
@given(text=ANY_TEXT, taken=st.frozensets(st.text("abexplorer-2", max_size=12)))
def test_any_text_is_accepted_or_rejected_with_a_suggestion(text, taken):
    """A name is either kept unchanged, or rejected with a valid suggestion."""
    taken |= SITE_SEGMENTS
    rules = {
        names["check_project_name"]: names["suggest_name"],
        names["check_project_slug"]: names["suggest_slug"],
        lambda prefix: names["check_dtale_prefix"](prefix, taken): (
            lambda prefix: names["suggest_prefix"](prefix, taken)
        ),
    }
    for check, suggest in rules.items():
        suggestion = suggest(text)
        assert check(suggestion) == suggestion
        try:
            assert check(text) == text
        except InvalidName as error:
            assert_refusal(str(error), suggestion)


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT | st.sampled_from([*TITLES, NASTY]))
def test_any_text_is_rendered_as_a_valid_literal(text):
    # By default, Jinja removes a trailing newline.
    environment = Environment(extensions=[Answers], keep_trailing_newline=True)
    assert environment.from_string(text).render(cookiecutter={}) == text
    literal = f'"{environment.filters["in_string"](text)}"'
    assert ast.literal_eval(literal) == text
    assert literal.isprintable()
    # TOML strings cannot contain surrogates.
    if not re.search("[\ud800-\udfff]", text):
        assert tomllib.loads(f"x = {literal}")["x"] == text


# The hook and the system check -----------------------------------------------------

ASK_SYSTEM_CHECK = """
import json, sys
from django.conf import settings
import django
django.setup()
from django_dtale.checks import check_prefix, installed_segments
answers = {}
for prefix in json.load(sys.stdin):
    settings.DTALE["PREFIX"] = prefix
    answers[prefix] = [error.msg for error in check_prefix(None)]
json.dump({"answers": answers, "segments": sorted(installed_segments())}, sys.stdout)
"""


def ask_filter(check, prefix):
    try:
        return [] if check(prefix) == prefix else ["changed"]
    except SystemExit as error:
        return [str(error)]


def ask_hook(project, prefix, capfd):
    cookiecutter = {
        "project_slug": project.name,
        "dtale_prefix": prefix,
        "_extensions": ["local_extensions.Answers"],
    }
    hook = TEMPLATE / "hooks" / "post_gen_project.py"
    capfd.readouterr()
    try:
        run_script_with_context(hook, project, {"cookiecutter": cookiecutter})
    except FailedHookException:
        return capfd.readouterr().err.splitlines()
    return []


def test_prompt_hook_and_system_check_agree(project, filters, capfd):
    prefixes = [row[1] for row in [*GOOD, *BAD] if row[0] == "dtale_prefix"]
    result = run(
        project.path / ".venv" / "bin" / "python",
        "-c",
        ASK_SYSTEM_CHECK,
        cwd=project.path,
        input=json.dumps(prefixes),
        variables={"DJANGO_SETTINGS_MODULE": f"{project.slug}.settings"},
    )
    assert result.returncode == 0, result.stderr
    system_check = json.loads(result.stdout)
    for prefix in prefixes:
        verdict = ask_filter(filters["check_dtale_prefix"], prefix)
        assert ask_hook(project.path, prefix, capfd) == verdict
        assert system_check["answers"][prefix] == verdict
    # SITE_SEGMENTS contains all URLs of the site. Otherwise the prompt would accept
    # prefixes that the hook or the system check then rejects.
    # The toolbar's __debug__ is not a valid prefix, because it begins with an underscore.
    assert set(system_check["segments"]) <= SITE_SEGMENTS | {"dtale", "__debug__"}


def test_slug_cannot_shadow_an_installed_module(project):
    """New releases of dependencies may add modules, and this test finds their names."""
    script = "import importlib.metadata as m; print(*m.packages_distributions())"
    modules = project.run(".venv/bin/python", "-c", script).split()
    assert "dtale" in modules
    # uv cannot tell the project from a dependency with the same name.
    lock = (project.path / "uv.lock").read_text("utf-8")
    distributions = set(re.findall(r'^name = "(.*)"$', lock, re.M)) - {project.slug}
    distributions.discard(project.slug.replace("_", "-"))
    assert "python-dateutil" in distributions
    slugs = modules + [name.replace("-", "_") for name in distributions]
    assert [slug for slug in slugs if is_free(slug)] == []


def test_slug_cannot_match_a_root_entry_or_an_ignored_path(cookies):
    project = cookies.bake().project_path
    entries = {path.name.removesuffix(".py") for path in project.iterdir()}
    entries.remove(project.name)  # Exclude the package itself.
    ignored = (project / ".gitignore").read_text("utf-8").splitlines()
    entries |= {pattern.strip("/") for pattern in ignored}
    assert [entry for entry in entries if is_free(entry)] == []


def is_free(slug):
    try:
        return bool(names["check_project_slug"](slug))
    except InvalidName:
        return False


@pytest.mark.parametrize("included", [False, True])
def test_hook_rejects_a_prefix_used_by_project_urls(included, tmp_path, bakes):
    template = copy_template(tmp_path / "template")
    site = template / TREE / TREE
    route = 'path("reports/<int:year>/", None)'
    if included:
        more = f"from django.urls import path\n\nurlpatterns = [{route}]\n"
        (template / TREE / LIBRARY / "urls.py").write_text(more)
        route = 'path("", include("django_dtale.urls"))'
    with (site / "urls.py").open("a") as urls:
        urls.write(f"\nurlpatterns += [{route}]\n")
    answers = ["--no-input", "dtale_prefix=reports"]
    result = run("cookiecutter", template, *answers, cwd=bakes)
    assert result.returncode == 1
    refusals = [line for line in result.stderr.splitlines() if "dtale_prefix" in line]
    assert len(refusals) == 1
    assert_refusal(refusals[0], "reports-explorer")
    assert list(bakes.glob("[!.]*")) == []


def test_hook_writes_the_env_file(cookies):
    texts = []
    for _ in range(2):
        project = cookies.bake().project_path
        texts.append((project / ".env").read_bytes())
        if sys.platform != "win32":
            assert (project / ".env").stat().st_mode & 0o777 == 0o600
    assert b"\r" not in texts[0]
    keys = {re.search(rb"^SECRET_KEY=([\w-]{60,})$", text, re.M)[1] for text in texts}
    assert len(keys) == 2
    for line in rb"^DEBUG=True$", rb"^FRAMES_LOGIN_REQUIRED=False$":
        assert all(re.search(line, text, re.M) for text in texts)


@pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has different file permissions"
)
def test_make_env_gives_a_clone_new_secrets(cookies):
    path = cookies.bake().project_path / ".env"
    first = path.read_bytes()
    path.unlink()
    script = "packages/django-dtale/src/django_dtale/contrib/make_env.py"
    make = f"umask 0; {sys.executable} {script}"
    assert run("sh", "-c", make, cwd=path.parent).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    second = path.read_bytes()
    key = rb"(?m)^(SECRET_KEY|SERVICES_PASSWORD|STORAGE_PASSWORD)=[\w-]{60,}$"
    assert second != first and len(re.findall(key, second)) == 3
    assert re.sub(key, b"", second) == re.sub(key, b"", first)
    assert run(sys.executable, script, cwd=path.parent).returncode == 0
    assert path.read_bytes() == second  # The hook does not overwrite an existing file.


def test_hook_keeps_an_existing_env_file(bakes):
    command = ["cookiecutter", TEMPLATE, "--no-input", "--overwrite-if-exists"]
    (bakes / "django_d_tale").mkdir()
    (bakes / "django_d_tale" / ".env").write_text("SECRET_KEY=mine\n")
    assert run(*command, cwd=bakes).returncode == 0
    assert (bakes / "django_d_tale" / ".env").read_text() == "SECRET_KEY=mine\n"


def test_hook_prints_the_next_steps(bakes):
    result = run("cookiecutter", TEMPLATE, "--no-input", cwd=bakes)
    lines = [line.strip() for line in result.stdout.splitlines() if line]
    assert lines[-4:-1][1:] == ["cd django_d_tale", "make run"]
    assert lines[-1].endswith("http://127.0.0.1:8000/")
    assert result.stdout.isascii()
