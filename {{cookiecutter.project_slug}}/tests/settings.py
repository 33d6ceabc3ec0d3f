"""The site's settings as the tests need them, whatever this machine's `.env` says."""

import os
from importlib import import_module

os.environ.update(
    SECRET_KEY="a key for tests alone, which signs nothing that lasts",
    DEBUG="True",
    HTTPS="False",
    ALLOWED_HOSTS="localhost,127.0.0.1",
    FORCE_SCRIPT_NAME="",
    LOG_LEVEL="INFO",
)

site = import_module(
    "{{ cookiecutter.project_slug }}.settings",
)
globals().update({name: getattr(site, name) for name in dir(site) if name.isupper()})
