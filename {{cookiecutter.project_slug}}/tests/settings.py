"""The site's settings for tests, with data in a temporary directory."""

import os
import tempfile
from importlib import import_module
from pathlib import Path

import dotenv

# The variable keeps this object alive: the directory is deleted together with it.
data = tempfile.TemporaryDirectory(prefix="tests-", ignore_cleanup_errors=True)
# The values in .env are for development. Empty variables mean the defaults.
root = Path(__file__).resolve().parent.parent
os.environ.update(dict.fromkeys(dotenv.dotenv_values(root / ".env"), ""))
os.environ.update(
    SECRET_KEY="a-key-for-tests-that-signs-nothing-outside-of-these-tests",
    DATA_DIR=data.name,
    DEBUG="True",
    HTTPS="False",
)

site = import_module("{{ cookiecutter.project_slug }}.settings")
globals().update({name: getattr(site, name) for name in dir(site) if name.isupper()})

# Django's default hashers are deliberately slow.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
