"""What the log says: one line for each request, and which request any other line is of.

Never what is in a frame, nor what somebody asks of it: no query of an address, no text of
a filter. An error inside of a request has its kind and its place in the code.
"""

import json
import logging
import time
import traceback
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from secrets import token_hex

from django.conf import settings
from django.db import InterfaceError, OperationalError

logger = logging.getLogger(__name__)

# What the database's drivers raise that cannot reach it, or wait for it in vain.
NO_DATABASE = InterfaceError, OperationalError
# Their texts are never about somebody's data. Another one of a database's may be.
TOLD = *NO_DATABASE, ImportError, MemoryError, OSError

_request = ContextVar("request", default=None)


def note(**fields):
    """Let the log know something of the request: its endpoint, its frame.

    Keys that every line of the request has: ``request``, ``method``, ``endpoint``,
    ``user``, ``frame``, and once it is answered ``status``, ``ms`` and, if it was
    refused, ``refused``. Outside of a request this does nothing.
    """
    request = _request.get()
    if request is not None:
        request.noted |= fields


def count(what):
    """Count something that the request does, such as ``cache_hits``."""
    request = _request.get()
    if request is not None:
        request.noted[what] = request.noted.get(what, 0) + 1


def noted():
    """Return what is known of the request (dict), empty outside of any."""
    request = _request.get()
    if request is None:
        return {}
    fields = dict(request.noted)
    match = request.resolver_match
    if match is not None:
        fields["endpoint"] = match.view_name
        if "frames" in match.namespaces and "pk" in match.kwargs:
            fields["frame"] = match.kwargs["pk"]
    user = getattr(request, "_cached_user", None)  # Django's, once somebody has asked.
    if user is not None and user.pk is not None:
        fields["user"] = user.pk
    return fields


@contextmanager
def about(request):
    """What a with-block logs is about this request."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def request_id():
    """Return the number (str) under which the log has the request."""
    return noted().get("request") or token_hex(16)


class RequestMiddleware:
    """Give each request a number, and the log a line about how it was answered."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.observe = None
        if settings.METRICS_TOKEN:
            from .metrics import observe  # Here: it imports a library.

            self.observe = observe

    def __call__(self, request):
        request.noted = {"request": token_hex(16), "method": request.method}
        start = time.perf_counter()
        with about(request):
            response = self.get_response(request)
            milliseconds = round((time.perf_counter() - start) * 1000, 1)
            note(status=response.status_code, ms=milliseconds)
            if response.status_code >= 400:
                request.noted.setdefault("refused", response.reason_phrase)
            if response.status_code in (429, 503):
                response.headers.setdefault("Retry-After", "5")  # Seconds.
            fields = noted()
            text = "%(method)s %(endpoint)s: %(status)s in %(ms)s ms"
            logger.info(text, {"endpoint": "of no page", **fields})
            if self.observe:
                self.observe(fields)
            return response


class JsonLines(logging.Formatter):
    """A line of JSON for each record."""

    # `json.dumps` would make an encoder for each of them.
    encode = json.JSONEncoder(default=str, ensure_ascii=False).encode

    def format(self, record):
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **noted(),
        }
        # What Django refuses (a host, a form that is too long) is no failure.
        is_refusal = record.name.startswith("django.security.")
        if record.exc_info and record.exc_info[1] is not None and not is_refusal:
            line["error"] = described(record.exc_info[1])
        return self.encode(line)


def described(error):
    """Return an exception and what has led to it, as text (str) without anybody's data.

    A text of pandas' has the value that did not fit, so inside of a request only those
    are told that come from the machine.
    """
    parts = []
    while error is not None:
        tells = isinstance(error, TOLD) or not noted()
        name = type(error).__qualname__
        parts.append(f"{name}: {error}\n" if tells else f"{name}\n")
        parts += traceback.format_tb(error.__traceback__)[::-1]
        hides = error.__suppress_context__
        error = error.__cause__ or (None if hides else error.__context__)
    return "".join(parts)
