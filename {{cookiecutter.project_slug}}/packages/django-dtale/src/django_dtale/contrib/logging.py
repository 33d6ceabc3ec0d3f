"""Logging: one line for each request, and a formatter that writes JSON.

The lines never contain data of a frame, or the text of a filter. An error within a
request is logged with its type and its traceback.
"""

import json
import logging
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from secrets import token_hex

from django.http import HttpRequest, HttpResponse

from ..errors import NO_DATABASE
from ..logs import (
    LoggedRequest,
    add_log_context,
    call_at_end,
    log_context,
    log_request,
)

logger = logging.getLogger(__name__)

# The messages of these exceptions never contain users' data. Other messages may.
SAFE_ERRORS = *NO_DATABASE, ImportError, MemoryError, OSError


class RequestMiddleware:
    """Give each request an ID, and log a line about its response."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: LoggedRequest) -> HttpResponse:
        request.log_context = {"request": token_hex(16), "method": request.method}
        start = time.perf_counter()
        with log_request(request):
            response = self.get_response(request)
        if response.status_code in (429, 503):
            response.headers.setdefault("Retry-After", "5")  # Seconds.

        def log() -> None:
            with log_request(request):
                log_response(response, time.perf_counter() - start)

        call_at_end(response, log)
        return response


def log_response(response: HttpResponse, seconds: float) -> None:
    """Log the line about the response to the current request."""
    add_log_context(status=response.status_code, ms=round(seconds * 1000, 1))
    fields = {"endpoint": "(no page)", **log_context()}
    if response.status_code >= 400 and "refused" not in fields:
        fields["refused"] = response.reason_phrase
        add_log_context(refused=response.reason_phrase)
    logger.info("%(method)s %(endpoint)s: %(status)s in %(ms)s ms", fields)


class JsonFormatter(logging.Formatter):
    """Format each record as a line of JSON."""

    # `json.dumps` would create an encoder for each record.
    encode = json.JSONEncoder(default=str, ensure_ascii=False).encode

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **log_context(),
        }
        # Django logs a traceback for requests that it refuses, such as those with an
        # unknown host.
        is_refusal = record.name.startswith("django.security.")
        if record.exc_info and record.exc_info[1] is not None and not is_refusal:
            line["error"] = format_exception(record.exc_info[1])
        return self.encode(line)


def format_exception(error: BaseException | None) -> str:
    """Return an exception and its causes as text without users' data.

    Error messages of pandas can contain values of a frame. Within a request, only the
    messages of SAFE_ERRORS are therefore included.
    """
    parts = []
    while error is not None:
        is_safe = isinstance(error, SAFE_ERRORS) or not log_context()
        name = type(error).__qualname__
        parts.append(f"{name}: {error}\n" if is_safe else f"{name}\n")
        parts += traceback.format_tb(error.__traceback__)[::-1]
        hides = error.__suppress_context__
        error = error.__cause__ or (None if hides else error.__context__)
    return "".join(parts)
