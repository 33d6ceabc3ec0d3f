"""What may reach D-Tale, behind Django's own request handling.

Django's middleware runs in front of it as before any view of the site: hosts, sessions,
users, security headers. Then it is decided by endpoint and never by the path's text,
which can be written in many ways. Each request to D-Tale is one unit of work.
"""

from contextlib import nullcontext
from io import BytesIO
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.http import (
    Http404,
    HttpResponse,
    HttpResponseNotAllowed,
    UnreadablePostError,
)
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.test import run_wsgi_app

from . import access
from .endpoints import CALLBACK, OPEN, UPLOAD, Kind
from .exceptions import Conflict, LimitExceeded, as_problem, explain, is_foreseen
from .fair_shares import CALCULATION, READ, share
from .formats import megabytes
from .logs import note
from .response_headers import protect
from .unit_of_work import unit_of_work

METHODS = "GET", "POST"
MAX_REPLAY = 1 << 20  # Bytes: the longest request that is kept, to be run again.
MAX_MOVES = 3
# Bytes: a map of 20 MB, as the charts page sends it. Read, it takes many times as much.
MAX_MAP = 28 << 20

# Exceptions that Django answers, each with its status.
WITH_A_STATUS = BadRequest, Http404, PermissionDenied, SuspiciousOperation


class Gate(WSGIHandler):
    """A WSGI application: Django's handler, with D-Tale as its only view.

    Args:
        dtale: ``frames.dtale_app.Dtale``, the WSGI application behind it.
        prefix: the path that it is mounted at.
    """

    def __init__(self, dtale, prefix):
        super().__init__()
        self.dtale = dtale
        self.mount = f"/{prefix}"
        # D-Tale's scripts know no CSRF token: `access` asks where a request comes from.
        self.view = csrf_exempt(self.answer)

    def __call__(self, environ, start_response):
        # For Django the path begins at the site's root, so its links do as well.
        site = {
            **environ,
            "SCRIPT_NAME": environ["SCRIPT_NAME"].removesuffix(self.mount),
            "PATH_INFO": self.mount + environ["PATH_INFO"],
            "frames.mounted": environ,
        }
        return super().__call__(site, start_response)

    def resolve_request(self, request):
        request.kind = None  # `answer` finds it.
        return self.view, (), {}

    def get_response(self, request):
        """Return the answer, whoever gives it: D-Tale, this, or Django's middleware."""
        return protect(super().get_response(request))

    def process_exception_by_middleware(self, exception, request):
        """Answer also what nobody has foreseen with a text that leads into the log."""
        if not is_foreseen(exception):
            answer = super().process_exception_by_middleware(exception, request)
            if answer is not None or isinstance(exception, WITH_A_STATUS):
                return answer
        problem = as_problem(exception)
        if request.kind is Kind.PAGE:
            return access.problem_page(problem, request)
        return access.error(problem.status, problem)

    def answer(self, request):
        """The view: ask D-Tale what it is asked, or say why not."""
        environ = {**request.environ["frames.mounted"], access.DJANGO_REQUEST: request}
        # Flask would run the view for HEAD, too, and D-Tale changes data on GET.
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        try:
            endpoint = self.dtale.endpoint(environ)
            kind = request.kind = OPEN.get(endpoint)
            note(endpoint=endpoint)
        except RequestRedirect:
            endpoint, kind = None, Kind.PAGE
        except MethodNotAllowed as error:
            return HttpResponseNotAllowed(
                set(METHODS).intersection(error.valid_methods)
            )
        except NotFound:
            kind = None
        if kind is None:
            context = {"request_path": quote(request.path)}  # As Django names it.
            return render(request, "404.html", context, status=404)
        refusal = access.refusal(request, kind) or body_refusal(request, endpoint)
        if refusal is not None:
            return refusal
        if kind is Kind.STATIC:
            return run(self.dtale, environ)
        # Before the body is read: a client that sends it slowly has a share as well.
        with share(READ if endpoint == UPLOAD else CALCULATION):
            return self.work(request, environ)

    def work(self, request, environ):
        """Run D-Tale, until nobody else has changed what it has read.

        The first time without a lock, so nobody waits for a reader. If it turns out to
        change a frame that somebody else has changed meanwhile, it is run again with
        that frame's row locked.
        """
        body = b""
        if request.method == "POST":
            is_kept = int(environ["CONTENT_LENGTH"]) <= MAX_REPLAY
            try:
                body = request.read() if is_kept else None
            except UnreadablePostError:
                text = _("The request did not arrive in time. Please try again.")
                return access.error(408, text)
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
                return access.error(200, explain(error))
            except Conflict as error:
                if lock or body is None:
                    return access.error(200, explain(error))
                lock = True
                continue
            if unit.unavailable:
                return access.error(unit.unavailable.status, unit.unavailable)
            if lock or body is None or not unit.conflict:
                return response
            # The data were replaced before they could be read: once more, with the new.
            moves += 1
            lock = moves > MAX_MOVES


def body_refusal(request, endpoint):
    """Say why a request's body is not read, if it is not: before any of it is.

    Returns:
        HttpResponse, or None: it may be read.
    """
    if request.method != "POST":
        return None
    length = request.environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal():
        return access.error(411, _("Say how long the request is, by Content-Length."))
    limit, setting = settings.DATA_UPLOAD_MAX_MEMORY_SIZE, ""
    if endpoint == UPLOAD:
        limit, setting = settings.FRAMES_MAX_UPLOAD_MB << 20, " (FRAMES_MAX_UPLOAD_MB)"
    elif endpoint == CALLBACK:
        limit = MAX_MAP
    if int(length) <= limit:
        return None
    text = _("This has %(size)s MB, and may have %(limit)s MB%(setting)s.")
    size, limit = megabytes(int(length)), megabytes(limit)
    return access.error(413, text % {"size": size, "limit": limit, "setting": setting})


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
