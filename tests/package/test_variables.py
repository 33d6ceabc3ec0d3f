"""Environment variables are documented. Errors name the variable with a wrong value."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings as site
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from django_dtale import conf

SLUG = site.ROOT_URLCONF.rpartition(".")[0]
SETTINGS = site.BASE_DIR / SLUG / "settings.py"
GUNICORN = site.BASE_DIR / "gunicorn.conf.py"
EXAMPLE = (site.BASE_DIR / ".env.example").read_text("utf-8")
EXAMPLES = dict(re.findall(r"^#?([A-Z]\w+)=(.*)$", EXAMPLE, re.M))

FLAG = "Use True or False."
NUMBER = "Use a whole number, 0 or more."
WRONG = [
    ("SECRET_KEY", "", "is not set"),
    ("SECRET_KEY", "s3cret", "at least 16"),
    ("DEBUG", "ture", FLAG),
    ("DEBUG_TOOLBAR", "maybe", FLAG),
    ("ALLOWED_HOSTS", "data.example.com, https://data.example.com", "without http://"),
    ("ALLOWED_HOSTS", "localhost:8000", "without a port"),
    ("DATA_DIR", __file__, "Use a directory"),
    ("STATIC_ROOT", __file__, "Use a directory"),
    ("DATABASE_URL", "mysql://user:s3cret@host/name", "Use postgresql://"),
    ("DATABASE_URL", "postgresql://user:s3cret@host:port/name", "Use postgresql://"),
    ("DATABASE_URL", "postgresql://user:s3cret@host", "Use postgresql://"),
    ("FRAMES_STORAGE_URL", "bucket", "Use s3://bucket/prefix."),
    ("FRAMES_FETCHED_MB", "1e4", NUMBER),
    ("FRAMES_CACHE_MB", "-1", NUMBER),
    ("FRAMES_MAX_COUNT", "many", NUMBER),
    ("FRAMES_MAX_MB", "5 GB", NUMBER),
    ("FRAMES_MAX_CELLS", "1_000", NUMBER),
    ("FRAMES_MAX_COLUMNS", "5k", NUMBER),
    ("FRAMES_SOURCE_ROWS", "100k", NUMBER),
    ("FRAMES_MAX_SECONDS", "2m", NUMBER),
    ("FRAMES_MAX_UPLOAD_MB", "0.5", NUMBER),
    ("FRAMES_READER_MB", "2 GB", NUMBER),
    ("FRAMES_READER_SECONDS", "2m", NUMBER),
    ("FRAMES_EXPIRE_DAYS", "never", NUMBER),
    ("FRAMES_TRASH_DAYS", "never", NUMBER),
    ("FRAMES_HISTORY_COUNT", "all", NUMBER),
    ("FRAMES_HISTORY_MB", "1 GB", NUMBER),
    ("FRAMES_HISTORY_DAYS", "never", NUMBER),
    ("FRAMES_AUDIT_DAYS", "never", NUMBER),
    ("FRAMES_MAX_TOKEN_DAYS", "never", NUMBER),
    ("FRAMES_LIST_USERS", "shop.rules.can_list_users", FLAG),
    ("FRAMES_LOGIN_REQUIRED", "maybe", FLAG),
    ("HTTPS", "tls", FLAG),
    ("HSTS_SECONDS", "1h", NUMBER),
    ("TLS_PROXY", "2", FLAG),
    ("FORCE_SCRIPT_NAME", "tools", "Use a path such as /tools."),
    ("CSRF_TRUSTED_ORIGINS", "data.example.com", "Use origins such as https://"),
    ("LOG_LEVEL", "loud", "Use DEBUG, INFO,"),
    ("EMAIL_URL", "http://user:s3cret@host", "Use submission://user:password@host"),
    ("EMAIL_URL", "submission:", "Use submission://user:password@host"),
    ("EMAIL_URL", "submission://user:s3cret/#@host", "Use submission://user:"),
    ("EMAIL_URL", "smtp://user:s3cret@host:port", "Use submission://user:password@"),
    ("EMAIL_URL", "smtp://host?starttls=True", "Use submission://user:password@host"),
    ("EMAIL_URL", "file:messages", "Use submission://user:password@host"),
    ("DEFAULT_FROM_EMAIL", "lab", "Use an e-mail address."),
    ("METRICS_TOKEN", "s3cret", "Use 16 characters or more"),
    ("SENTRY_DSN", "s3cret", "Use https://key@host/project."),
    ("WEB_CONCURRENCY", "0", "Use a whole number, 1 or more."),
    ("WEB_CONCURRENCY", "two", "Use a whole number, 1 or more."),
]
ANY_TEXT = {"SECRET_KEY_FALLBACKS"}
RIGHT = [
    ("ALLOWED_HOSTS", " .example.com, 10.0.0.1,[2001:db8::1], * "),
    ("DATABASE_URL", "postgres://10.0.0.1/name"),
    ("DATABASE_URL", "postgresql:///name?host=/run/postgresql"),
    ("DATABASE_URL", "postgresql://user:p@s:s@[::1]:5432/name?sslmode=require"),
    ("CSRF_TRUSTED_ORIGINS", "https://a.example.com, http://*.example.com:8080"),
    ("EMAIL_URL", "submission://lab%40example.com:p%2Fw@mail.example.com"),
    ("EMAIL_URL", "submission://lab@example.com:p:w@[::1]:25/?tls=True&timeout=5"),
    ("EMAIL_URL", "file:///var/mail"),
    ("DEFAULT_FROM_EMAIL", "The lab <lab@example.com>"),
    ("LOG_LEVEL", "debug"),
    ("METRICS_TOKEN", "0123456789abcdef"),
]


def read_by(path):
    """Return the variables that a file reads with the site's environment.py."""
    return {
        each.args[0].value
        for each in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(each, ast.Call)
        and re.fullmatch(r"env\.\w+", ast.unparse(each.func))
        and each.args
        and isinstance(each.args[0], ast.Constant)
    }


# `environment.dtale` reads a variable for each of the library's settings that is a
# number or a flag.
OF_DTALE = {
    f"FRAMES_{key}"
    for key, setting in conf.SETTINGS.items()
    if setting.kind in (conf.FLAG, conf.FLAG_OR_FUNCTION, conf.NUMBER)
}
READ = read_by(SETTINGS) | read_by(GUNICORN) | OF_DTALE
COMPOSE = (site.BASE_DIR / "compose.yaml").read_text("utf-8")
DOCKERFILE = (site.BASE_DIR / "Dockerfile").read_text("utf-8")
# Only Docker Compose reads these variables.
OF_COMPOSE = {"SERVICES_PASSWORD", "STORAGE_PASSWORD"}


def start(monkeypatch, name, value):
    """Load the site's settings again with one environment variable set. Return them."""
    monkeypatch.setenv(name, value)
    spec = importlib.util.spec_from_file_location(f"{SLUG}.settings_again", SETTINGS)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return vars(module)


def test_every_variable_is_in_the_example():
    assert set(EXAMPLES) == READ | OF_COMPOSE


def test_every_variable_is_documented():
    text = (site.BASE_DIR / "docs" / "variables.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[A-Z].*?) \|", text, re.M)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert told == READ | OF_COMPOSE


def test_every_variable_reaches_the_container():
    of_site = COMPOSE.partition("\n  environment:\n")[2].partition("\n\n")[0]
    handed = set(re.findall(r"^    (?!AWS_)(\w+):", of_site, re.M))
    of_image = set(re.findall(r"^(?:ENV)? +(\w+)=", DOCKERFILE, re.M)) & READ
    assert not handed & of_image
    # The toolbar is a development dependency, which the image does not contain.
    assert handed | of_image == READ - {"DEBUG_TOOLBAR"}
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) <= READ | OF_COMPOSE


def test_environment_is_read_in_one_module_only():
    for path in [*site.BASE_DIR.glob("*.py"), *SETTINGS.parent.glob("*.py")]:
        used = re.findall(
            r"os\.(?:environ(?:\.get)?|getenv)\W+(\w+)", path.read_text("utf-8")
        )
        known = {"name", "setdefault", "PROMETHEUS_MULTIPROC_DIR"}
        assert path.name == "environment.py" or set(used) <= known, path


def test_every_variable_of_the_example_has_a_comment():
    for block in EXAMPLE.split("\n\n"):
        assert block.startswith("# "), block


def test_examples_are_the_defaults(monkeypatch):
    monkeypatch.setenv("DEBUG", "False")
    for name in EXAMPLES.keys() - {"SECRET_KEY", "DATA_DIR", "DATABASE_URL", "DEBUG"}:
        monkeypatch.setenv(name, "")
    default = start(monkeypatch, "DEBUG", "False")
    commented = dict(re.findall(r"^#([A-Z]\w+)=(.+)$", EXAMPLE, re.M))
    assert len(commented) > 10
    for name, value in commented.items():
        monkeypatch.setenv(name, value)
    example = start(monkeypatch, "DEBUG", "False")
    for name in default.keys() - {"DTALE"}:
        if name.isupper():
            assert example[name] == default[name], name
    assert effective(example["DTALE"]) == effective(default["DTALE"])


def effective(dtale):
    """Return the effective value of each of the library's settings for this DTALE."""
    with override_settings(DTALE=dtale):
        return {key: getattr(conf.dtale_settings, key) for key in conf.SETTINGS}


def test_every_variable_has_a_wrong_value_to_test():
    assert {name for name, _, _ in WRONG} | ANY_TEXT == READ


@pytest.mark.parametrize("name, value, hint", WRONG)
def test_wrong_value_is_refused_at_startup(monkeypatch, name, value, hint):
    with pytest.raises(ImproperlyConfigured) as error:
        start(monkeypatch, name, value)
    assert f"The variable {name} is " in str(error.value)
    assert hint in str(error.value) and "s3cret" not in str(error.value)


@pytest.mark.parametrize("name, value", RIGHT)
def test_valid_value_is_accepted(monkeypatch, name, value):
    assert start(monkeypatch, name, value)


def misspelt():
    """Return the warnings about misspelt variables."""
    return [each.msg for each in run_checks(tags=["site"]) if each.id == "site.W001"]


@pytest.mark.parametrize(
    "name, meant",
    [
        ("FRAMES_MAX_MBS", "FRAMES_MAX_MB"),
        ("FRAMES_UPLOAD_MB", "FRAMES_MAX_UPLOAD_MB"),
        ("ALOWED_HOSTS", "ALLOWED_HOSTS"),
        ("ALLOWED_HOST", "ALLOWED_HOSTS"),
        ("SECRET_KEY_FALLBACK", "SECRET_KEY_FALLBACKS"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("debug", "DEBUG"),
        ("FRAMES_ARE_WHAT", None),
    ],
)
@pytest.mark.parametrize("place", [".env", "environment"])
def test_misspelt_variable_is_reported(
    settings, monkeypatch, tmp_path, place, name, meant
):
    settings.BASE_DIR = tmp_path
    if place == ".env":
        (tmp_path / ".env").write_text(f"DEBUG=True\nexport {name}=5\n")
        where = ".env"
    else:
        monkeypatch.setenv(name, "5")
        where = "the environment"
    [message] = misspelt()
    assert f"{name} in {where} is unknown." in message
    assert ("Did you mean" in message) == bool(meant)
    assert not meant or f"Did you mean {meant}?" in message


def test_unrelated_variables_are_not_reported(settings, monkeypatch, tmp_path):
    settings.BASE_DIR = tmp_path
    own = "SHOP_CURRENCY", "AWS_ACCESS_KEY_ID", "WEB_CONCURRENCY", *OF_COMPOSE
    (tmp_path / ".env").write_text("\n".join(f"{name}=5" for name in own))
    for name in [*own, "HTTP_PROXY", "LOGNAME", "DEBUGINFOD_URLS", "DATABASE", "HTTP"]:
        monkeypatch.setenv(name, "5")
    assert misspelt() == []


def test_gunicorn_reports_a_wrong_value_in_one_line(tmp_path):
    if sys.platform == "win32":
        pytest.skip("gunicorn does not run on Windows")
    shutil.copy(GUNICORN, tmp_path)
    (tmp_path / ".env").write_text("WEB_CONCURRENCY=two\n")
    result = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--check-config"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site.BASE_DIR)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 1
    expected = "The variable WEB_CONCURRENCY is 'two'. Use a whole number, 1 or more.\n"
    assert result.stderr == expected


def test_sentry_dsn_requires_the_sentry_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(ImproperlyConfigured, match="--extra sentry"):
        start(monkeypatch, "SENTRY_DSN", "https://key@sentry.invalid/1")
