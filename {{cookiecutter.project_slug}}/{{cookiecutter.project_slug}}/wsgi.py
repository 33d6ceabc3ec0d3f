"""The site as one WSGI application: Django, and D-Tale under its prefix."""

import os
from wsgiref.types import WSGIApplication

from django.core.wsgi import get_wsgi_application
from django_dtale.checks import require_clean
from django_dtale.dtale.loader import load_after_first_request, load_dtale

from .dispatcher import PathDispatcher

os.environ.setdefault(
    "DJANGO_SETTINGS_MODULE",
    "{{ cookiecutter.project_slug }}.settings",
)


def make_app(prefix: str) -> WSGIApplication:
    """Return D-Tale as a WSGI application to be mounted at `prefix`.

    Importing D-Tale and pandas takes about two seconds. It happens here, because the
    first page and most `manage.py` commands do not need them.
    """
    from django_dtale.gateway import Gateway

    return Gateway(django_application, prefix, load_dtale())


django_application = get_wsgi_application()
application = PathDispatcher(django_application, make_app)
require_clean()
load_after_first_request()
