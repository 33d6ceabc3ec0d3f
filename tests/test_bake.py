"""What is in a bake, file by file, and that every tool can read it."""

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
    # Sorts before `frames` and Django, and after `tests`: imports stay in order.
    "first": {"project_slug": "aa"},
    "last": {"project_slug": "zz"},
}
# The whole of it; SLUG is the project's package.
FILES = """
.dockerignore
.editorconfig
.env
.env.example
.gitattributes
.github/dependabot.yml
.github/workflows/tests.yml
.github/workflows/versions.yml
.gitignore
Dockerfile
Makefile
README.md
SLUG/__init__.py
SLUG/asgi.py
SLUG/context_processors.py
SLUG/dispatcher.py
SLUG/environment.py
SLUG/health.py
SLUG/locale/de/LC_MESSAGES/django.mo
SLUG/locale/de/LC_MESSAGES/django.po
SLUG/mail.py
SLUG/make_env.py
SLUG/middleware.py
SLUG/sentry.py
SLUG/settings.py
SLUG/static/site.css
SLUG/static/site.svg
SLUG/templates/403_csrf.html
SLUG/templates/404.html
SLUG/templates/base.html
SLUG/templates/create_df.html
SLUG/templates/frames/home.html
SLUG/templates/sample_button.html
SLUG/urls.py
SLUG/views.py
SLUG/wsgi.py
accounts/__init__.py
accounts/apps.py
accounts/backends.py
accounts/forms.py
accounts/middleware.py
accounts/migrations/0001_initial.py
accounts/migrations/0002_signintry.py
accounts/migrations/__init__.py
accounts/models.py
accounts/sessions.py
accounts/templates/accounts/login.html
accounts/templates/accounts/password.html
accounts/templates/accounts/password_changed.html
accounts/templates/accounts/reset.html
accounts/templates/accounts/reset_email.txt
accounts/templates/accounts/reset_password.html
accounts/templates/accounts/reset_sent.html
accounts/templates/accounts/reset_subject.txt
accounts/templates/accounts/too_many_tries.html
accounts/throttle.py
accounts/urls.py
accounts/views.py
docs/deploying.md
docs/extending.md
docs/how-it-works.md
docs/how-it-works.svg
docs/operating.md
docs/securing.md
docs/sizing.md
docs/upgrading.md
docs/variables.md
frames/__init__.py
frames/access.py
frames/admin.py
frames/apps.py
frames/asked.py
frames/bounds.py
frames/arrow_types.py
frames/checks.py
frames/column_names.py
frames/costs.py
frames/csv_format.py
frames/csv_reading.py
frames/disk.py
frames/downloads.py
frames/dtale_analysis_sizes.py
frames/dtale_app.py
frames/dtale_chart_sizes.py
frames/dtale_charts.py
frames/dtale_choices.py
frames/dtale_column_sizes.py
frames/dtale_columns.py
frames/dtale_describe.py
frames/dtale_figures.py
frames/dtale_filters.py
frames/dtale_frames.py
frames/dtale_input.py
frames/dtale_kinds.py
frames/dtale_lighter.py
frames/dtale_loader.py
frames/dtale_output.py
frames/dtale_rows.py
frames/dtale_pages.py
frames/dtale_patterns.py
frames/dtale_preferences.py
frames/dtale_quick.py
frames/dtale_replaced.py
frames/dtale_scripts.py
frames/dtale_times.py
frames/dtale_shape_sizes.py
frames/dtale_upload.py
frames/endpoints.py
frames/exceptions.py
frames/explore.py
frames/fair_shares.py
frames/file_checks.py
frames/files.py
frames/filter_parts.py
frames/filters.py
frames/formats.py
frames/forms.py
frames/frame_storage.py
frames/frame_names.py
frames/gate.py
frames/handover.py
frames/gunicorn_pool.py
frames/gunicorn_worker.py
frames/kinds.py
frames/installed.py
frames/limits.py
frames/listing.py
frames/locale/de/LC_MESSAGES/django.mo
frames/locale/de/LC_MESSAGES/django.po
frames/logs.py
frames/management/__init__.py
frames/management/commands/__init__.py
frames/management/commands/backup.py
frames/management/commands/explore.py
frames/management/commands/purge_frames.py
frames/metrics.py
frames/middleware.py
frames/migrations/0001_initial.py
frames/migrations/0002_token.py
frames/migrations/0003_note.py
frames/migrations/__init__.py
frames/model_data.py
frames/model_views.py
frames/models.py
frames/names.py
frames/object_values.py
frames/old_names.py
frames/open_frame.py
frames/payload.py
frames/pending.py
frames/preferences.py
frames/push.py
frames/querysets.py
frames/questions.py
frames/quick_query.py
frames/reader.py
frames/reader_server.py
frames/reader_start.py
frames/reader_tasks.py
frames/removal.py
frames/response_headers.py
frames/s3.py
frames/sealing.py
frames/sizes.py
frames/sources.py
frames/static/frames/ahead.js
frames/static/frames/upload.js
frames/static/frames/signed_out.js
frames/static_files.py
frames/store.py
frames/stuck.py
frames/substitutions.py
frames/tables.py
frames/templates/frames/check.html
frames/templates/admin/change_list_object_tools.html
frames/templates/frames/bar.html
frames/templates/frames/button.html
frames/templates/frames/copy.html
frames/templates/frames/delete.html
frames/templates/frames/elsewhere.html
frames/templates/frames/home.html
frames/templates/frames/leave.html
frames/templates/frames/list.html
frames/templates/frames/problem.html
frames/templates/frames/progress.html
frames/templates/frames/rename.html
frames/templates/frames/share.html
frames/templates/frames/upload_form.html
frames/templates/frames/upload_texts.html
frames/templates/frames/embedded.html
frames/templates/frames/model.html
frames/templates/frames/models.html
frames/templates/frames/signed_out.html
frames/templates/frames/tokens.html
frames/templatetags/__init__.py
frames/templatetags/dtale.py
frames/text_metrics.py
frames/texts.py
frames/texts_together.py
frames/token_views.py
frames/tokens.py
frames/unit_of_work.py
frames/uploads.py
frames/urls.py
frames/views.py
frames/workspace.py
frames/zipped.py
compose.yaml
deploy/kubernetes.yaml
gunicorn.conf.py
manage.py
pyproject.toml
tests/__init__.py
tests/conftest.py
tests/hostile.py
tests/hostile_files.py
tests/hostile_values.py
tests/kinds.py
tests/settings.py
tests/test_accounts.py
tests/test_asgi.py
tests/test_bounds.py
tests/test_bounds_table.py
tests/test_backup_command.py
tests/test_checks.py
tests/test_column_names.py
tests/test_conflicts.py
tests/test_crashes.py
tests/test_csv_format.py
tests/test_dispatcher.py
tests/test_downloads.py
tests/test_dtale_app.py
tests/test_dtale_charts.py
tests/test_dtale_choices.py
tests/test_dtale_columns.py
tests/test_dtale_describe.py
tests/test_dtale_input.py
tests/test_dtale_loader.py
tests/test_dtale_numbers.py
tests/test_dtale_rows.py
tests/test_dtale_patterns.py
tests/test_dtale_quick.py
tests/test_dtale_upload.py
tests/test_explore_command.py
tests/test_fair_shares.py
tests/test_file_memory.py
tests/test_filter_dialogs.py
tests/test_filters.py
tests/test_frame_storage.py
tests/test_frames.py
tests/test_frames_admin.py
tests/test_full_disk.py
tests/test_fuzz.py
tests/test_gate.py
tests/test_handover.py
tests/test_health.py
tests/test_home.py
tests/test_hostile_files.py
tests/test_kinds.py
tests/test_limits.py
tests/test_logs.py
tests/test_mail.py
tests/test_missing_frames.py
tests/test_model_pages.py
tests/test_password_reset.py
tests/test_payload.py
tests/test_preferences.py
tests/test_push.py
tests/test_queries.py
tests/test_quick_query.py
tests/test_reader.py
tests/test_reader_workers.py
tests/test_remote_storage.py
tests/test_response_headers.py
tests/test_security.py
tests/test_sessions.py
tests/test_sharing.py
tests/test_site.py
tests/test_sources.py
tests/test_start.py
tests/test_static_files.py
tests/test_unit_of_work.py
tests/test_translations.py
tests/test_uploads.py
tests/test_variables.py
tests/test_ways_in.py
tests/test_wide.py
""".split()


@pytest.fixture(scope="module", params=ANSWERS)
def bake(request, tmp_path_factory):
    """A bake (Path) of each row of answers; nothing in it is changed."""
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


def test_files(bake):
    expected = [name.replace("SLUG", bake.name) for name in FILES]
    assert files_of(bake) == sorted(expected)
    assert len(list(bake.iterdir())) <= 20


def test_nothing_is_left_to_render(bake):
    for path in bake.rglob("*"):
        assert "{" not in path.relative_to(bake).as_posix()
        if path.is_file():
            # Django's {{ }} stay, also where a file of ours was not rendered.
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


def test_line_ends(bake):
    for name in files_of(bake):
        content = (bake / name).read_bytes()
        if b"\0" not in content and content:
            assert b"\r" not in content, name
            assert content.endswith(b"\n") and not content.endswith(b"\n\n"), name


def test_bake_is_linted_and_formatted(bake):
    lint(bake)


def test_unbaked_tree_is_linted_and_formatted():
    lint(TEMPLATE)
    lint(TEMPLATE / TREE)


def lint(directory):
    # A cache inside the unbaked tree would be baked with it.
    ruff = [sys.executable, "-m", "ruff"]
    for command in (["check"], ["format", "--check"]):
        result = run(*ruff, *command, "--no-cache", ".", cwd=directory)
        assert result.returncode == 0, result.stdout + result.stderr


def test_git_sees_all_but_the_secrets(bake):
    commit_all(bake, "baked")
    assert git("status", "--porcelain", cwd=bake) == ""
    ignored = git("status", "--porcelain", "--ignored", cwd=bake).splitlines()
    assert ignored == ["!! .env"]
    assert git("show", "--check", "--format=", cwd=bake) == ""
