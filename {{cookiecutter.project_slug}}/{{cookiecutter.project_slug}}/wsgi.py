"""The site as one WSGI application: Django, and D-Tale under its prefix."""

import os
from contextlib import suppress
from threading import Thread

from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application

from frames import reader_start
from frames.checks import require_clean
from frames.dtale_loader import load_dtale

from .dispatcher import PathDispatcher

os.environ.setdefault(
    "DJANGO_SETTINGS_MODULE",
    "{{ cookiecutter.project_slug }}.settings",
)


def make_app(prefix):
    """Return D-Tale as a WSGI application to be mounted at ``prefix``.

    D-Tale and pandas take about two seconds to import. They are imported here and not
    above, because the first page and most ``manage.py`` commands do not need them.
    """
    from frames.gate import Gate

    return Gate(load_dtale(), prefix)


application = PathDispatcher(get_wsgi_application(), make_app)
require_clean()


def warm(**kwargs):
    """Build D-Tale in the background, so that the first click does not wait for it.

    What reads files is started, too, so that the first file does not wait for it.

    After the first page and not at start, for two reasons: it does not slow that page,
    and a server that forks its workers never forks in the middle of an import.
    """
    request_finished.disconnect(warm)

    def build():
        reader_start.start()
        with suppress(Exception):  # The dispatcher has logged it, and tries again.
            application.get_application(application.prefix)

    Thread(target=build, daemon=True).start()


request_finished.connect(warm)
