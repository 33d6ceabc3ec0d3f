"""System checks: a prefix that would not work stops the start."""

import os
from importlib.metadata import version

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.urls import include, path, re_path

from frames import checks, dtale_scripts, installed, static_files
from frames.checks import VERIFIED_DTALE, installed_segments
from frames.installed import release
from frames.names import SITE_SEGMENTS


def view(request):
    return HttpResponse()


urlpatterns = [
    path("reports/<int:year>/", view),
    path("", include([path("inner/", view), re_path(r"^legacy/(\d+)/$", view)])),
    re_path(r"^exact$", view),
    path("<slug:page>/", view),
]


def errors(id):
    """Return what checks that need no database say, of those with an id (list)."""
    return [error for error in run_checks(databases=[]) if error.id == id]


def prefix_errors():
    return errors("frames.E001")


def test_generated_prefix_is_good():
    assert prefix_errors() == []


@pytest.mark.parametrize(
    "prefix",
    "dtale,dta,accounts,admin,admin/x,static,create-df,/flask/,a b,".split(",") + [7],
)
def test_bad_prefix_is_refused(settings, prefix):
    settings.DTALE_PREFIX = prefix
    [error] = prefix_errors()
    assert "settings.py" in error.hint


def test_prefix_of_a_page_added_later_is_refused(settings):
    settings.ROOT_URLCONF = __name__
    for prefix in ("reports", "inner", "legacy", "exact"):
        settings.DTALE_PREFIX = prefix
        [error] = prefix_errors()
        assert prefix in error.msg


def dtale_errors(monkeypatch, version):
    monkeypatch.setattr(checks, "release", lambda name: version)
    return [error.msg for error in errors("frames.E002")]


def test_dtale_as_verified_or_of_the_same_text_is_good(monkeypatch):
    assert dtale_errors(monkeypatch, VERIFIED_DTALE) == []
    assert dtale_errors(monkeypatch, "3.22.99") == []


def test_another_release_of_dtale_is_refused(monkeypatch):
    [message] = dtale_errors(monkeypatch, "3.23.0")
    assert "dtale==3.22.*" in message


def test_dtale_of_another_text_is_refused(monkeypatch):
    changed = dtale_scripts.SUBSTITUTIONS[1:]
    other = dtale_scripts.SUBSTITUTIONS[0]
    changed.append(dtale_scripts.Substitution(other.file, other.why, "no such", ""))
    monkeypatch.setattr(dtale_scripts, "SUBSTITUTIONS", changed)
    [message] = dtale_errors(monkeypatch, "3.22.99")
    assert "no such is there 0 times instead of 1" in message


@pytest.fixture
def site(settings, tmp_path, monkeypatch):
    """What earlier versions have made: .env, DATA_DIR and the database (list of Path)."""
    settings.BASE_DIR, settings.DATA_DIR = tmp_path, tmp_path / "data"
    settings.DATA_DIR.mkdir()
    database = settings.DATA_DIR / "db.sqlite3"
    made = [tmp_path / ".env", settings.DATA_DIR, database]
    made[0].touch()
    database.touch()
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": database}
    for name, value in sqlite.items():
        monkeypatch.setitem(settings.DATABASES["default"], name, value)
    for each, mode in zip([tmp_path, *made], [0o755, 0o644, 0o755, 0o644], strict=True):
        each.chmod(mode)
    return made


def warned():
    found = run_checks(tags=["security"], include_deployment_checks=True)
    return [each.msg for each in found if each.id == "frames.W001"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_secrets_that_others_can_read_are_warned_of(site):
    variables, data, database = site
    for each, message in zip(site, warned(), strict=True):
        assert str(each) in message
    variables.chmod(0o600)
    data.chmod(0o700)
    assert warned() == []
    data.chmod(0o755)
    database.chmod(0o640)
    assert len(warned()) == 1
    data.chmod(0o750)  # For a group, such as that of an account for backups.
    assert warned() == []


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_a_weak_key_does_not_pass_silently(settings, caplog, name):
    checks.require_clean()
    assert not caplog.records
    weak = "k3y" * 10
    setattr(settings, name, weak if name == "SECRET_KEY" else [weak])
    checks.require_clean()
    [record] = caplog.records
    assert record.levelname == "WARNING" and weak not in record.getMessage()
    assert name in record.getMessage() and "50 characters" in record.getMessage()
    caplog.clear()
    settings.DEBUG = True
    checks.require_clean()
    assert not caplog.records


def test_a_server_logs_what_is_to_be_warned_of(monkeypatch, caplog):
    monkeypatch.setenv("ALOWED_HOSTS", "data.example.com")
    checks.require_clean()
    assert "Did you mean ALLOWED_HOSTS?" in caplog.text


def test_names_reserve_every_segment_of_the_site():
    assert installed_segments() - {"dtale"} <= SITE_SEGMENTS


def test_release_is_the_installed_one():
    for package in static_files.SHIPPED:
        assert release(package) == version(package)


def test_release_without_a_directory_of_its_name_is_looked_up(monkeypatch):
    monkeypatch.setattr(installed.os, "listdir", lambda directory: [])
    assert release("dtale") == version("dtale")
