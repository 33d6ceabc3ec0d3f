"""Each key of DTALE has a default, and the code uses the values that a site sets."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings as site
from django.contrib.auth.models import AnonymousUser
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.test import override_settings
from pytest_django.asserts import assertContains, assertNotContains

import django_dtale
from django_dtale import checks, conf, quotas
from django_dtale.conf import SETTINGS
from django_dtale.contrib import gunicorn_pool, metrics, stuck
from django_dtale.decorators import user_can_use_frames
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.endpoints import Kind, kind_of
from django_dtale.exceptions import AccessDenied, LimitExceeded
from django_dtale.filters.site import site_filters
from django_dtale.models import Frame
from django_dtale.models.tokens import Token
from django_dtale.readers import limits
from django_dtale.readers.process.client import Reader
from django_dtale.storage import payload
from django_dtale.storage.backend import frames_storage
from django_dtale.workspace import Workspace

DOCUMENT = Path(django_dtale.__file__).parents[2] / "docs" / "settings.md"
ANYBODY = AnonymousUser()


# Overriding ---------------------------------------------------------------------------


def is_refused(check, *args):
    """Return whether a check raises LimitExceeded."""
    try:
        check(*args)
    except LimitExceeded:
        return True
    return False


def is_watched(rf):
    """Return whether requests are watched in case they get stuck."""
    seen = []
    stuck.StuckMiddleware(lambda request: seen.append(dict(stuck._running)))(
        rf.get("/")
    )
    return bool(seen[0])


def is_counted(rf, monkeypatch):
    """Return whether requests are counted for the metrics."""
    counted = []
    observer = SimpleNamespace(observe=counted.append)
    monkeypatch.setitem(sys.modules, "django_dtale.contrib.prometheus", observer)
    request = rf.get("/")
    request.log_context = {"request": "1"}
    metrics.MetricsMiddleware(lambda request: HttpResponse())(request)
    return bool(counted)


# Each key has a new value, a function that depends on it, and the function's results
# before and after the key is set.
SEEN = {
    "PREFIX": (
        "grids",
        lambda: gunicorn_pool.dtale_patterns()[0],
        b"flask/",
        b"grids/",
    ),
    "LOGIN_REQUIRED": (True, lambda: user_can_use_frames(ANYBODY), True, False),
    "USER_CAN_USE_FRAMES": (
        lambda user: False,
        lambda: user_can_use_frames(ANYBODY),
        True,
        False,
    ),
    "EXTRA_ENDPOINTS": (
        {"version_info": "data"},
        lambda: kind_of("version_info"),
        None,
        Kind.DATA,
    ),
    "FILTER_VALUES": (
        {"eu": ["DE"]},
        lambda: Workspace(None).filter_values,
        {},
        {"eu": ["DE"]},
    ),
    "PREDEFINED_FILTERS": (
        {"Large": {"filter": "x > 9"}},
        lambda: [each.text for each in site_filters().values()],
        [],
        ["x > 9"],
    ),
    "MAX_CELLS": (5, lambda: is_refused(limits.check_cells, 2, 3), False, True),
    "MAX_COLUMNS": (2, lambda: is_refused(limits.check_columns, 3), False, True),
    "MAX_UPLOAD_MB": (1, lambda: is_refused(quotas.check_size, 2 << 20), False, True),
    "READER_MB": (
        7,
        lambda: Reader(__file__, "a")._request("inspect", {})["megabytes"],
        2_000,
        7,
    ),
    "READER_SECONDS": (4, lambda: Reader(__file__, "a").seconds, 10, 4),
    "CACHE_MB": (5_000, payload.min_mapped, 1 << 20, 10 << 20),
}
# These keys are tested in other files.
SEEN_ELSEWHERE = {
    "AUDIT_DAYS": "test_limits.py",
    "EXPIRE_DAYS": "test_limits.py",
    "FETCHED_DIR": "conftest.py",
    "FETCHED_MB": "test_remote_storage.py",
    "HISTORY_COUNT": "test_history.py",
    "HISTORY_DAYS": "test_limits.py",
    "HISTORY_MB": "test_history.py",
    "LIST_USERS": "test_share_page.py",
    "MAX_COUNT": "test_limits.py",
    "MAX_MB": "test_limits.py",
    "MAX_TOKEN_DAYS": "test_tokens.py",
    "PATCHED_DIR": "test_static_files.py",
    "SOURCE_ROWS": "test_large_tables.py",
    "TRASH_DAYS": "test_trash.py",
}


@pytest.fixture
def reader_directory(monkeypatch, tmp_path):
    """Set the directory that a `Reader` otherwise has only inside a with-block."""
    monkeypatch.setattr(Reader, "directory", tmp_path, raising=False)


@pytest.mark.parametrize("name", SEEN)
def test_code_uses_overridden_settings(dtale_settings, reader_directory, name):
    value, look, before, after = SEEN[name]
    assert look() == before
    with override_settings(DTALE={**site.DTALE, name: value}):
        assert look() == after
    assert look() == before
    setattr(dtale_settings, name, value)
    assert look() == after


def test_stuck_requests_are_watched_if_there_is_a_limit(dtale_settings, rf):
    assert is_watched(rf)
    dtale_settings.MAX_SECONDS = 0
    assert not is_watched(rf)


def test_requests_are_counted_if_there_is_a_token(dtale_settings, rf, monkeypatch):
    assert not is_counted(rf, monkeypatch)
    dtale_settings.METRICS_TOKEN = "a token of sixteen"
    assert is_counted(rf, monkeypatch)


@pytest.mark.parametrize("name, file", SEEN_ELSEWHERE.items())
def test_remaining_keys_are_set_in_other_tests(name, file):
    source = Path(__file__).with_name(file).read_text("utf-8")
    assert f"dtale_settings.{name} = " in source


def test_every_key_is_tested():
    here = {"DATA_DIR", "MAX_SECONDS", "METRICS_TOKEN"}
    assert SEEN.keys() | SEEN_ELSEWHERE.keys() | here == SETTINGS.keys()


# Defaults -----------------------------------------------------------------------------


@pytest.fixture
def empty(settings, tmp_path):
    """Remove DTALE, and the storage of frames, from the settings."""
    del settings.DTALE
    settings.STORAGES = {
        name: options for name, options in settings.STORAGES.items() if name != "frames"
    }
    settings.BASE_DIR = tmp_path


def test_defaults_without_any_setting(empty, tmp_path):
    values = {name: getattr(conf.dtale_settings, name) for name in SETTINGS}
    data = tmp_path / "data"
    assert values["PREFIX"] == "flask" and values["LOGIN_REQUIRED"] is True
    assert (values["MAX_UPLOAD_MB"], values["READER_MB"]) == (200, 2_000)
    assert values["DATA_DIR"] == data
    assert values["FETCHED_DIR"] == data / "fetched"
    assert values["PATCHED_DIR"] == data / "patched"
    assert not user_can_use_frames(ANYBODY)
    assert Path(frames_storage().location) == data / "frames"
    for name, value in values.items():
        assert SETTINGS[name].kind.accepts(value), name
    with pytest.raises(AttributeError, match="MAX_SHEEP is not a key of DTALE"):
        _ = conf.dtale_settings.MAX_SHEEP


def test_directories_follow_the_data_directory(empty, settings, tmp_path):
    for directory in tmp_path / "one", tmp_path / "two":
        settings.DTALE = {"DATA_DIR": str(directory)}
        assert Path(frames_storage().location) == directory / "frames"
        assert directory / "fetched" == conf.dtale_settings.FETCHED_DIR
        assert directory / "patched" == conf.dtale_settings.PATCHED_DIR


def test_reader_memory_follows_the_size_of_files(settings):
    for megabytes, memory in ((50, 1_000), (300, 3_000)):
        settings.DTALE = {"MAX_UPLOAD_MB": megabytes}
        assert memory == conf.dtale_settings.READER_MB


def test_check_reports_a_missing_data_directory_setting(empty, settings):
    del settings.BASE_DIR
    with pytest.raises(ImproperlyConfigured, match="DATA_DIR"):
        frames_storage()
    assert 'Set DTALE["DATA_DIR"]' in found()[0].msg
    settings.DTALE = {"DATA_DIR": "anywhere"}
    assert found() == []


def test_library_works_in_a_bare_project(tmp_path):
    """A new Django project needs only the app, its middleware and its finder."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DJANGO_SETTINGS_MODULE", "PYTHONPATH")
    }

    def run(*arguments):
        command = [sys.executable, *arguments]
        options = {"capture_output": True, "text": True, "env": environment}
        result = subprocess.run(command, cwd=tmp_path, timeout=120, **options)
        assert result.returncode == 0, result.stderr
        return result.stdout

    run("-m", "django", "startproject", "bare", ".")
    with (tmp_path / "bare" / "settings.py").open("a", encoding="utf-8") as file:
        file.write('\nINSTALLED_APPS += ["django_dtale"]\n')
        file.write(f"MIDDLEWARE += [{checks.WORKSPACE!r}]\n")
        file.write(f"STATICFILES_FINDERS = {site.STATICFILES_FINDERS}\n")
    run("manage.py", "check", "--fail-level", "WARNING")
    run("manage.py", "migrate", "--verbosity", "0")
    code = (
        "import pandas as pd, django_dtale;"
        "from django.contrib.auth.models import User;"
        "ann = User.objects.create_user('ann');"
        "frame = django_dtale.publish(pd.DataFrame({'a': [1]}), owner=ann);"
        "print(frame.get_absolute_url())"
    )
    assert "/flask/dtale/main/1" in run("manage.py", "shell", "-c", code)
    assert [path.suffix for path in (tmp_path / "data/frames").iterdir()] == [".frame"]
    if os.name == "posix":
        assert (tmp_path / "data/frames").stat().st_mode & 0o077 == 0


# System checks ------------------------------------------------------------------------


def found():
    """Return the messages of the system checks for settings."""
    ids = {"frames.E004", "frames.E005", "frames.W002", "frames.W003"}
    return [each for each in run_checks(tags=[checks.TAG]) if each.id in ids]


def test_settings_of_the_site_are_valid():
    assert found() == []


@pytest.mark.parametrize(
    "name, meant",
    [
        ("MAX_CELL", "MAX_CELLS"),
        ("max_count", "MAX_COUNT"),
        ("UPLOAD_MB", "MAX_UPLOAD_MB"),
        ("LOGIN_REQUIRE", "LOGIN_REQUIRED"),
        ("SHEEP", None),
    ],
)
def test_unknown_key_is_named(settings, name, meant):
    settings.DTALE = {**settings.DTALE, name: 1}
    [message] = found()
    assert message.id == "frames.W002" and repr(name) in message.msg
    if meant:
        assert f"Did you mean {meant}?" in message.msg
    else:
        assert "Did you mean" not in message.msg


@pytest.mark.parametrize(
    "name, value, hint",
    [
        ("MAX_CELLS", "100", "a whole number, 0 or more"),
        ("MAX_CELLS", -1, "a whole number, 0 or more"),
        ("MAX_CELLS", True, "a whole number, 0 or more"),
        ("READER_MB", 1.5, "a whole number, 0 or more"),
        ("MAX_COUNT", None, "a whole number, 0 or more"),
        ("MAX_TOKEN_DAYS", "never", "a whole number, 0 or more"),
        ("LOGIN_REQUIRED", "False", "True or False"),
        ("LOGIN_REQUIRED", 0, "True or False"),
        ("DATA_DIR", 7, "a path"),
        ("FETCHED_DIR", "", "a path"),
        ("EXTRA_ENDPOINTS", ["version_info"], "a dict"),
        ("EXTRA_ENDPOINTS", {"version_info": "static"}, '"page", "data" or "export"'),
        ("USER_CAN_USE_FRAMES", True, "a function, or its dotted path"),
        ("METRICS_TOKEN", 12345, "a text"),
    ],
)
def test_wrong_value_is_named_with_a_hint(dtale_settings, name, value, hint):
    setattr(dtale_settings, name, value)
    [message] = found()
    assert message.id == "frames.E004" and f'DTALE["{name}"]' in message.msg
    assert hint in message.hint
    assert (repr(value) in message.msg) == (name != "METRICS_TOKEN")


@pytest.mark.parametrize("path", ["no.such.module", "django_dtale.decorators.no_such"])
def test_policy_that_cannot_be_imported_is_named(dtale_settings, path):
    dtale_settings.USER_CAN_USE_FRAMES = path
    [message] = found()
    assert message.id == "frames.E004" and "USER_CAN_USE_FRAMES" in message.msg


def test_settings_that_are_not_a_dict_are_reported(settings):
    settings.DTALE = [("MAX_COUNT", 1)]
    [message] = found()
    assert message.id == "frames.E004" and "DTALE is not a dict" in message.msg


def test_extra_endpoint_that_is_already_open_is_a_warning(dtale_settings):
    dtale_settings.EXTRA_ENDPOINTS = {"dtale.get_data": "page"}
    [message] = found()
    assert message.id == "frames.W003" and "dtale.get_data" in message.msg
    assert kind_of("dtale.get_data") is Kind.EXPORT


@pytest.mark.parametrize(
    "old, new",
    [
        ("DTALE_PREFIX", "PREFIX"),
        ("FRAMES_LOGIN_REQUIRED", "LOGIN_REQUIRED"),
        ("FRAMES_MAX_CELLS", "MAX_CELLS"),
        ("FRAMES_MENDED_DIR", "PATCHED_DIR"),
        ("FRAMES_READER_SECONDS", "READER_SECONDS"),
    ],
)
def test_old_setting_is_named_with_the_new_key(settings, old, new):
    setattr(settings, old, 1)
    [message] = found()
    assert message.id == "frames.E005" and old in message.msg
    assert f'"{new}"' in message.hint


def test_old_token_is_named_unless_the_new_one_is_set(settings):
    settings.METRICS_TOKEN = "of another app"
    assert found() == []
    settings.DTALE = {
        name: value for name, value in settings.DTALE.items() if name != "METRICS_TOKEN"
    }
    [message] = found()
    assert "METRICS_TOKEN" in message.msg


def test_old_app_is_named(monkeypatch):
    installed = [
        "frames" if each == "django_dtale" else each for each in site.INSTALLED_APPS
    ]
    monkeypatch.setattr(site, "INSTALLED_APPS", installed)
    monkeypatch.setattr(checks.apps, "is_installed", lambda name: name in installed)
    [message] = found()
    assert message.id == "frames.E005" and '"django_dtale"' in message.hint


# The access policy --------------------------------------------------------------------


def is_ann(user):
    return user.is_authenticated and user.get_username() == "ann"


REFUSED = "Your account does not have access to D-Tale"


@pytest.fixture(params=["function", "path"])
def only_ann(request, dtale_settings):
    policy = is_ann if request.param == "function" else f"{__name__}.is_ann"
    dtale_settings.USER_CAN_USE_FRAMES = policy
    # The policy takes precedence over LOGIN_REQUIRED.
    dtale_settings.LOGIN_REQUIRED = False


def test_policy_admits_a_user(only_ann, visitor, publish, ann):
    frame = publish(ann)
    person = visitor(ann)
    assert person.get(f"main/{frame.pk}").status_code == 200
    assert person.column(frame.pk) == [1, 2, 3]
    for path in "/", "/frames/models/", "/frames/tokens/":
        assert person.browser.get(path).status_code == 200


def test_policy_refuses_a_signed_in_user(only_ann, visitor, publish, bob):
    frame = publish(bob)
    person = visitor(bob)
    page = person.get(f"main/{frame.pk}")
    assert page.status_code == 403 and REFUSED in page.text and "<h1>" in page.text
    data = person.get(f"data/{frame.pk}", ids=["0-1"])
    assert data.status_code == 403 and REFUSED in data.json["error"]
    for path in (
        f"/frames/{frame.pk}/csv/",
        f"/frames/{frame.pk}/share/",
        f"/frames/{frame.pk}/delete/",
        "/frames/models/",
        "/frames/models/accounts/user/",
        "/frames/tokens/",
        "/create-df/",
    ):
        answer = person.browser.get(path)
        assert answer.status_code == 403 and REFUSED in answer.text, path


def test_policy_redirects_visitors_to_login(only_ann, visitor, publish, ann):
    frame = publish(ann)
    nobody = visitor()
    answer = nobody.get(f"main/{frame.pk}")
    assert answer.status_code == 302 and "/accounts/login/" in answer.location
    assert nobody.get(f"dtypes/{frame.pk}").status_code == 401


def test_home_page_tells_refused_users_why(only_ann, client, publish, ann, bob):
    client.force_login(bob)
    publish(bob, name="Plans")
    answer = client.get("/")
    assertContains(answer, REFUSED)
    assertNotContains(answer, "Plans")
    client.force_login(ann)
    assertNotContains(client.get("/"), REFUSED)


def test_policy_applies_to_tokens(only_ann, client, stored, ann, bob):
    for user, status in ((ann, 201), (bob, 403)):
        token = Token.objects.create_token(user, "job")
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.post(
            "/frames/push/?name=a.csv",
            "a\n1\n",
            content_type="text/csv",
            headers=headers,
        )
        assert answer.status_code == status, answer.content
    assert REFUSED in answer.json()["error"]
    assert not Frame.objects.filter(owner=bob).exists()


def test_policy_applies_to_views_of_the_site(only_ann, rf, bob):
    request = rf.get("/")
    request.user, request.session = bob, {}
    with pytest.raises(AccessDenied):
        django_dtale.explore(request, [])


@pytest.mark.django_db
def test_quota_is_read_on_each_check(dtale_settings, ann):
    frame = Frame(nbytes=2 << 20)
    assert not is_refused(quotas.check_quota, Workspace(ann), frame, True)
    dtale_settings.MAX_MB = 1
    assert is_refused(quotas.check_quota, Workspace(ann), frame, True)


# Extra endpoints ----------------------------------------------------------------------


@pytest.fixture
def version(dtale_settings):
    """Return a function that opens a closed endpoint and returns its path."""

    def version(kind):
        dtale_settings.EXTRA_ENDPOINTS = {"version_info": kind}
        return f"/{dtale_settings.PREFIX}/version-info"

    return version


def test_extra_endpoint_is_closed_without_the_setting(owner, dtale_settings):
    path = f"/{dtale_settings.PREFIX}/version-info"
    assert owner.browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "kind, opened, elsewhere",
    [("data", 403, 403), ("export", 200, 403), ("page", 200, 403)],
)
def test_extra_endpoint_follows_the_rules_of_its_kind(
    owner, version, kind, opened, elsewhere
):
    path = version(kind)
    navigation = {"Sec-Fetch-Mode": "navigate"}
    assert owner.browser.get(path).status_code == 200
    answer = owner.browser.get(path, headers=navigation)
    assert answer.status_code == opened
    answer = owner.browser.get(path, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == elsewhere


@pytest.mark.parametrize(
    "kind, status", [("data", 401), ("export", 302), ("page", 302)]
)
def test_extra_endpoint_requires_sign_in(
    visitor, version, dtale_settings, kind, status
):
    dtale_settings.LOGIN_REQUIRED = True
    assert visitor().browser.get(version(kind)).status_code == status


def test_unknown_extra_endpoint_is_named(dtale_settings):
    dtale_settings.EXTRA_ENDPOINTS = {"dtale.web_uplod": "data"}
    with pytest.raises(ImproperlyConfigured, match="Did you mean dtale.web_upload?"):
        build_dtale()


# The documented table -----------------------------------------------------------------


def table():
    """Return the Markdown table with all keys."""
    lines = ["| key | default | description |", "|---|---|---|"]
    for name, setting in SETTINGS.items():
        default = setting.default_text or f"`{setting.default!r}`"
        lines.append(f"| `{name}` | {default} | {setting.description} |")
    return "\n".join(lines)


def test_document_contains_the_table_of_all_keys():
    assert table() in DOCUMENT.read_text("utf-8"), f"put this into it:\n{table()}"
