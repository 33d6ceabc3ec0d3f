"""The site's settings as the tests need them, whatever this machine's `.env` says.

What the environment itself says of DATABASE_URL and FRAMES_STORAGE_URL is kept: so the
same tests run on PostgreSQL and S3.
"""

import os
import tempfile
from importlib import import_module

directory = tempfile.TemporaryDirectory(
    prefix="tests-",
    ignore_cleanup_errors=True,  # Windows keeps what is still open.
)
os.environ.update(
    SECRET_KEY="a key for tests alone, which signs nothing that lasts",
    SECRET_KEY_FALLBACKS="",
    DEBUG="True",
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
    FRAMES_LOGIN_REQUIRED="False",  # Tests that are about it turn it on.
)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{directory.name}/db.sqlite3")
os.environ.setdefault("FRAMES_STORAGE_URL", "")

site = import_module(
    "{{ cookiecutter.project_slug }}.settings",
)
globals().update({name: getattr(site, name) for name in dir(site) if name.isupper()})

# Django's are slow on purpose, and here nothing is worth guessing.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if "sqlite" in site.DATABASES["default"]["ENGINE"]:
    # A file, as in the site: SQLite in memory has other locks.
    site.DATABASES["default"]["TEST"] = {"NAME": f"{directory.name}/test.sqlite3"}
