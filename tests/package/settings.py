"""Settings for the tests. They do not depend on this machine's `.env`.

DATABASE_URL and FRAMES_STORAGE_URL come from the environment, so that the same tests
also run with PostgreSQL and S3.
"""

import os
import tempfile
from importlib import import_module
from pathlib import Path

directory = tempfile.TemporaryDirectory(
    prefix="tests-",
    ignore_cleanup_errors=True,  # Windows cannot delete files while they are open.
)
os.environ.update(
    SECRET_KEY="a key for tests alone, which signs nothing that lasts",
    SECRET_KEY_FALLBACKS="",
    DEBUG="True",
    DEBUG_TOOLBAR="False",
    HTTPS="False",
    ALLOWED_HOSTS="localhost,127.0.0.1",
    DATA_DIR=directory.name,
    STATIC_ROOT="",
    FORCE_SCRIPT_NAME="",
    LOG_LEVEL="INFO",
    EMAIL_URL="",
    DEFAULT_FROM_EMAIL="",
    METRICS_TOKEN="",
    SENTRY_DSN="",
    # Tests that need a login requirement turn this option on.
    FRAMES_LOGIN_REQUIRED="False",
)
# Processes that tests start also have to be able to import these settings.
tests = str(Path(__file__).resolve().parents[1])
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [tests, os.environ.get("PYTHONPATH")])
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{directory.name}/db.sqlite3")
os.environ.setdefault("FRAMES_STORAGE_URL", "")

site = import_module(
    "django_d_tale.settings",
)
globals().update({name: getattr(site, name) for name in dir(site) if name.isupper()})

# Django's default password hashers are slow by design, and would slow down the tests.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if "sqlite" in site.DATABASES["default"]["ENGINE"]:
    # Use a database file as the site does. In-memory SQLite uses different locks.
    site.DATABASES["default"]["TEST"] = {"NAME": f"{directory.name}/test.sqlite3"}
