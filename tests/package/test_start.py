"""The site starts quickly and checks its configuration before the first request."""

import ast
import os
import re
import subprocess
import sys
from urllib.request import urlopen

import pytest
from django.conf import settings

from django_dtale.conf import dtale_settings

SLUG = settings.ROOT_URLCONF.rpartition(".")[0]
PRODUCTION = {"DEBUG": "False", "HTTPS": "True", "SECRET_KEY": "k3y-" * 16 + "abcdefg"}


def environment(variables):
    """Return this process's environment with the site's settings and variables."""
    ours = {**os.environ, "DJANGO_SETTINGS_MODULE": f"{SLUG}.settings"}
    return {**ours, **variables}


def python(*arguments, **variables):
    """Run Python in the project's root with the site's settings."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=settings.BASE_DIR,
        env=environment(variables),
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_django_starts_without_importing_dtale_or_pandas():
    code = (
        f"import sys; import {settings.WSGI_APPLICATION.rpartition('.')[0]};"
        "from django.urls import get_resolver; get_resolver().url_patterns;"
        "from django.core.checks import run_checks; run_checks();"
        "print({'dtale', 'pandas', 'numpy', 'flask'} & set(sys.modules))"
    )
    result = python("-c", code)
    assert result.stdout.strip() == "set()", result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["check", "--fail-level", "WARNING"],
        ["check", "--deploy", "--fail-level", "WARNING"],
        ["makemigrations", "--check", "--dry-run"],
    ],
    ids=" ".join,
)
def test_command_reports_no_warnings(command):
    result = python("-W", "default", "manage.py", *command, **PRODUCTION)
    assert result.returncode == 0, result.stderr
    assert "RemovedInDjango" not in result.stderr, result.stderr


def test_secret_key_is_the_only_required_setting_in_production(tmp_path):
    """Without a `.env` file, the site has no warnings and requires sign-in."""
    code = (
        "import dotenv; dotenv.load_dotenv = lambda path: None;"
        "from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'check', '--deploy', '--fail-level', 'WARNING']);"
        "from django.conf import settings as site;"
        "from django_dtale.conf import dtale_settings;"
        "print(site.DEBUG, dtale_settings.LOGIN_REQUIRED, site.SECURE_SSL_REDIRECT,"
        " site.SESSION_COOKIE_SECURE, site.CSRF_COOKIE_SECURE)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=settings.BASE_DIR,
        env={
            "SECRET_KEY": PRODUCTION["SECRET_KEY"],
            "DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": f"{SLUG}.settings",
            **{
                name: os.environ[name]
                for name in ("PATH", "SYSTEMROOT")
                if name in os.environ
            },
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.stdout.splitlines()[-1:] == ["False True True True True"], (
        result.stderr
    )


def test_migrate_stops_if_users_are_in_another_table(tmp_path):
    variables = {"DATA_DIR": str(tmp_path), "DATABASE_URL": ""}
    begin = f"import {SLUG}.settings as site; site.AUTH_USER_MODEL = 'auth.User';"
    migrate = (
        "from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'migrate', '--verbosity', '0'])"
    )
    as_before = python("-c", begin + migrate, **variables)
    assert as_before.returncode == 0, as_before.stderr
    changed = python("-c", migrate, **variables)
    assert changed.returncode != 0
    assert 'Set AUTH_USER_MODEL = "auth.User"' in changed.stderr
    again = python("-c", begin + migrate, **variables)
    assert again.returncode == 0, again.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has different file permissions")
def test_data_is_private_to_the_user_of_the_site(tmp_path):
    code = (
        "import os; os.umask(0o022);"
        "from django.core.management import execute_from_command_line as run;"
        "run(['manage.py', 'migrate', '--verbosity', '0']);"
        "from django.db import connection; connection.cursor();"
        "from django.conf import settings as site;"
        "files = [site.DATA_DIR, *site.DATA_DIR.glob('db*')];"
        "print({path.name: oct(path.stat().st_mode & 0o777) for path in files})"
    )
    path = tmp_path / "data"
    variables = {"DATA_DIR": str(path), "DATABASE_URL": ""}
    result = python("-c", code, **variables)
    names = "data", "db.sqlite3", "db.sqlite3-shm", "db.sqlite3-wal"
    modes = dict.fromkeys(names, "0o600") | {"data": "0o700"}
    assert ast.literal_eval(result.stdout) == modes, result.stderr


def test_wsgi_application_refuses_a_bad_prefix():
    code = (
        f"from {SLUG} import settings;"
        "settings.DTALE['PREFIX'] = 'admin';"
        f"import {settings.WSGI_APPLICATION.rpartition('.')[0]}"
    )
    result = python("-c", code)
    assert result.returncode != 0
    assert 'use "admin-explorer"' in result.stderr


@pytest.mark.parametrize("path", ["tools", "/to ols", "//host"])
def test_bad_script_name_is_refused(path):
    result = python("manage.py", "check", FORCE_SCRIPT_NAME=path)
    assert result.returncode != 0
    assert "FORCE_SCRIPT_NAME" in result.stderr


def test_gunicorn_builds_dtale_before_it_forks():
    code = (
        "import gc, runpy, sys, types;"
        "conf = runpy.run_path('gunicorn.conf.py');"
        "from importlib import import_module;"
        "site = import_module(conf['wsgi_app']).application;"
        "server = types.SimpleNamespace(app=types.SimpleNamespace(wsgi=lambda: site));"
        "from django_dtale.dtale.loader import _load as load;"
        "print(load.cache_info().currsize, 'dtale' in sys.modules);"
        "conf['when_ready'](server);"
        "print(load.cache_info().currsize, gc.get_freeze_count() > 100_000)"
    )
    result = python("-c", code)
    assert result.stdout == "0 False\n1 True\n", result.stderr


def test_waitress_serves_the_site(tmp_path):
    """docs/deploying.md recommends waitress for Windows, where gunicorn cannot run."""
    # waitress chooses a free port and logs it.
    listen = "-m", "waitress", "--listen=127.0.0.1:0"
    application = settings.WSGI_APPLICATION.replace(".application", ":application")
    variables = {"DATA_DIR": str(tmp_path), "FRAMES_LOGIN_REQUIRED": "True"}
    process = subprocess.Popen(
        [sys.executable, *listen, application],
        cwd=settings.BASE_DIR,
        env=environment(variables),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = ""
        while not (found := re.search(r"Serving on (http://\S+)", said)):
            line = process.stderr.readline()
            assert line, said
            said += line
        with urlopen(f"{found[1]}/") as page:
            assert page.status == 200
        # D-Tale's gateway redirects visitors to the login page.
        with urlopen(f"{found[1]}/{dtale_settings.PREFIX}/dtale/main/1") as page:
            assert "/accounts/login/?next=" in page.url
    finally:
        process.terminate()
        process.communicate()


def test_static_files_are_served_below_a_proxy_path():
    code = (
        f"from {settings.WSGI_APPLICATION.rpartition('.')[0]} import application;"
        "from werkzeug.test import Client; client = Client(application);"
        "print('href=\"/tools/static/frames/pages.css\"' in client.get('/').text,"
        "client.get('/static/frames/pages.css').status_code)"
    )
    result = python("-c", code, FORCE_SCRIPT_NAME="/tools")
    assert result.stdout.strip() == "True 200", result.stderr


def test_login_redirect_includes_the_proxy_path():
    code = (
        f"from {settings.WSGI_APPLICATION.rpartition('.')[0]} import application;"
        "from werkzeug.test import Client; client = Client(application);"
        "print(client.get('/create-df/').location)"
    )
    variables = {"FORCE_SCRIPT_NAME": "/tools", "FRAMES_LOGIN_REQUIRED": "True"}
    result = python("-c", code, **variables)
    expected = "/tools/accounts/login/?next=/tools/create-df/"
    assert result.stdout.strip() == expected, result.stderr


@pytest.mark.parametrize(
    "name, value, why",
    [
        ("SECRET_KEY", "", "The variable SECRET_KEY is not set."),
        ("DEBUG", "ture", "is 'ture'. Use True or False."),
        ("FRAMES_CACHE_MB", "-1", "is '-1'. Use a whole number, 0 or more."),
        ("SECRET_KEY", "short", "at least 16"),
        # Some servers read WEB_CONCURRENCY before they load the site.
        ("WEB_CONCURRENCY", "two", "is 'two'. Use a whole number, 1 or more."),
        ("FRAMES_STORAGE_URL", "bucket", "is 'bucket'. Use s3://bucket/prefix."),
        ("FORCE_SCRIPT_NAME", "tools", "is 'tools'. Use a path such as /tools."),
    ],
)
def test_invalid_variable_is_named(name, value, why):
    result = python("manage.py", "check", **{name: value})
    assert result.returncode != 0
    assert name in result.stderr and why in result.stderr


def test_empty_variable_has_its_default():
    code = (
        "from django.conf import settings as site;"
        "from django_dtale.conf import dtale_settings;"
        "print(site.DEBUG, site.ALLOWED_HOSTS, dtale_settings.CACHE_MB)"
    )
    result = python("-c", code, DEBUG="", ALLOWED_HOSTS="", FRAMES_CACHE_MB="")
    expected = "False ['localhost', '127.0.0.1', '[::1]'] 500\n"
    assert result.stdout == expected, result.stderr
