"""The system checks, which report invalid settings before the site starts."""

import os

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.urls import include, path, re_path

from django_dtale import checks
from django_dtale.checks import VERIFIED_DTALE, WORKSPACE, installed_segments
from django_dtale.dtale.assets import patches
from django_dtale.names import SITE_SEGMENTS


def view(request):
    return HttpResponse()


urlpatterns = [
    path("reports/<int:year>/", view),
    path("", include([path("inner/", view), re_path(r"^legacy/(\d+)/$", view)])),
    re_path(r"^exact$", view),
    path("<slug:page>/", view),
]


def errors(id):
    """Return the messages with this id from all checks that need no database."""
    return [error for error in run_checks(databases=[]) if error.id == id]


def prefix_errors():
    return errors("frames.E001")


def test_generated_prefix_is_valid():
    assert prefix_errors() == []


@pytest.mark.parametrize(
    "prefix",
    "dtale,dta,accounts,admin,admin/x,static,create-df,/flask/,a b,".split(",") + [7],
)
def test_bad_prefix_is_refused(settings, dtale_settings, prefix):
    dtale_settings.PREFIX = prefix
    [error] = prefix_errors()
    assert "settings.py" in error.hint


def test_prefix_that_matches_a_url_of_the_site_is_refused(settings, dtale_settings):
    settings.ROOT_URLCONF = __name__
    for prefix in ("reports", "inner", "legacy", "exact"):
        dtale_settings.PREFIX = prefix
        [error] = prefix_errors()
        assert prefix in error.msg


def dtale_errors(monkeypatch, version):
    monkeypatch.setattr(checks, "version", lambda name: version)
    return [error.msg for error in errors("frames.E002")]


def test_verified_or_unchanged_dtale_passes(monkeypatch):
    assert dtale_errors(monkeypatch, VERIFIED_DTALE) == []
    assert dtale_errors(monkeypatch, "3.22.99") == []


def test_other_minor_release_of_dtale_is_refused(monkeypatch):
    [message] = dtale_errors(monkeypatch, "3.23.0")
    assert "dtale==3.22.*" in message


def test_dtale_with_changed_source_is_refused(monkeypatch):
    changed = patches.SUBSTITUTIONS[1:]
    other = patches.SUBSTITUTIONS[0]
    changed.append(patches.Substitution(other.file, other.why, "no such", ""))
    monkeypatch.setattr(patches, "SUBSTITUTIONS", changed)
    [message] = dtale_errors(monkeypatch, "3.22.99")
    assert "no such occurs 0 times instead of 1" in message


@pytest.fixture
def site(settings, dtale_settings, tmp_path, monkeypatch):
    """The paths of .env, DATA_DIR and the database, readable by all users."""
    settings.BASE_DIR, data = tmp_path, tmp_path / "data"
    dtale_settings.DATA_DIR = data
    data.mkdir()
    database = data / "db.sqlite3"
    made = [tmp_path / ".env", data, database]
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


@pytest.mark.skipif(os.name == "nt", reason="Windows has different file permissions")
def test_files_readable_by_other_users_cause_warnings(site):
    variables, data, database = site
    for each, message in zip(site, warned(), strict=True):
        assert str(each) in message
    variables.chmod(0o600)
    data.chmod(0o700)
    assert warned() == []
    data.chmod(0o755)
    database.chmod(0o640)
    assert len(warned()) == 1
    data.chmod(0o750)  # Group access is allowed, for example for a backup user.
    assert warned() == []


@pytest.mark.parametrize("name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS"])
def test_weak_secret_key_is_logged_in_production(settings, caplog, name):
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


def test_warnings_are_logged_when_the_server_starts(monkeypatch, caplog):
    monkeypatch.setenv("ALOWED_HOSTS", "data.example.com")
    checks.require_clean()
    assert "Did you mean ALLOWED_HOSTS?" in caplog.text


def test_every_url_segment_of_the_site_is_reserved():
    assert installed_segments() - {"dtale"} <= SITE_SEGMENTS


def test_missing_static_files_finder_is_an_error(settings):
    assert errors("frames.E006") == []
    settings.STATICFILES_FINDERS = settings.STATICFILES_FINDERS[:-1]
    [error] = errors("frames.E006")
    assert "dtale.assets.finder.DtaleFinder" in error.hint


def test_workspace_middleware_must_follow_authentication_middleware(settings):
    assert errors("frames.E007") == []
    names = [name for name in settings.MIDDLEWARE if name != WORKSPACE]
    for wrong in names, [WORKSPACE, *names]:
        settings.MIDDLEWARE = wrong
        [error] = errors("frames.E007")
        assert WORKSPACE in error.hint


def test_site_may_have_its_own_authentication_middleware(settings):
    own = "shop.middleware.AuthenticationMiddleware"
    settings.MIDDLEWARE = [
        own if name == checks.AUTHENTICATION else name for name in settings.MIDDLEWARE
    ]
    assert errors("frames.E007") == []
