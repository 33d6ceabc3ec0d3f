"""D-Tale behind Django's own request handling.

Django's middleware runs in front of it as before any view of the site: hosts, sessions,
users, security headers. Each request to D-Tale is one unit of work.
"""

from contextlib import nullcontext
from io import BytesIO

from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.csrf import csrf_exempt
from werkzeug.test import run_wsgi_app

from .exceptions import Conflict, LimitExceeded
from .unit_of_work import unit_of_work

MAX_REPLAY = 1 << 20  # Bytes: the longest request that is kept, to be run again.
MAX_MOVES = 3


class Gate(WSGIHandler):
    """A WSGI application: Django's handler, with D-Tale as its only view.

    Args:
        dtale: the WSGI application behind it.
        prefix: the path segment that it is mounted at.
    """

    def __init__(self, dtale, prefix):
        super().__init__()
        self.dtale = dtale
        self.segment = f"/{prefix}"
        # D-Tale's scripts know no CSRF token.
        self.view = csrf_exempt(xframe_options_sameorigin(self.answer))

    def __call__(self, environ, start_response):
        # For Django the path begins at the site's root, so its links do as well.
        site = {
            **environ,
            "SCRIPT_NAME": environ["SCRIPT_NAME"].removesuffix(self.segment),
            "PATH_INFO": self.segment + environ["PATH_INFO"],
            "frames.mounted": environ,
        }
        return super().__call__(site, start_response)

    def resolve_request(self, request):
        return self.view, (), {}

    def answer(self, request):
        """The view: run D-Tale, until nobody else has changed what it has read.

        The first time without a lock, so nobody waits for a reader. If it turns out to
        change a frame that somebody else has changed meanwhile, it is run again with
        that frame's row locked.
        """
        environ = dict(request.environ["frames.mounted"])
        body = None
        # No number, or no length at all: then Django's own stream is empty as well.
        length = environ.get("CONTENT_LENGTH", "")
        if not (length.isdecimal() and int(length) > MAX_REPLAY):
            body = request.read()
        lock, moves = False, 0
        while True:
            if body is not None:
                environ["wsgi.input"] = BytesIO(body)
            try:
                with transaction.atomic() if lock else nullcontext():
                    with unit_of_work(lock) as unit:
                        response = run(self.dtale, environ)
                        unit.broken |= response.status_code >= 400
            except LimitExceeded as error:
                return refusal(error)
            except Conflict as error:
                if lock or body is None:
                    return refusal(error)
                lock = True
                continue
            if lock or body is None or not unit.conflict:
                return response
            # The data were replaced before they could be read: once more, with the new.
            moves += 1
            lock = moves > MAX_MOVES


def run(application, environ):
    """Run a WSGI application and return what it answers as an ``HttpResponse``."""
    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    response = HttpResponse(b"".join(chunks), status=int(status.split(maxsplit=1)[0]))
    del response.headers["Content-Type"]
    for name, value in headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response.headers[name] = value
    return response


def refusal(error):
    """Say why nothing was done, where D-Tale shows its own errors: they are a 200."""
    return JsonResponse({"success": False, "error": str(error)})
