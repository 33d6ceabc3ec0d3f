"""Log requests that run too long, and let the server replace the process.

Python cannot end a thread. A stuck request, for example in a regular expression,
occupies its thread and a core until the process ends.
"""

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..conf import dtale_settings
from ..logs import LoggedRequest, log_context, log_request

logger = logging.getLogger(__name__)

CHECK_SECONDS = 1  # The interval between two checks.
# Bytes per second. The time limit of a request includes the time that sending its body
# takes at this rate.
SLOW_LINE = 100_000

# Maps each running request to the time.monotonic() at which it becomes overdue.
_running: dict[LoggedRequest, float] = {}
_lock = Lock()
_thread: Thread | None = None
_replace: Callable[[int], object] | None = None


class StuckMiddleware:
    """Track running requests. This middleware comes after `RequestMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: LoggedRequest) -> HttpResponseBase:
        limit = dtale_settings.MAX_SECONDS
        if not limit:
            return self.get_response(request)
        watch()
        length = request.META.get("CONTENT_LENGTH", "")
        if length.isdecimal():
            limit += int(length) / SLOW_LINE
        _running[request] = time.monotonic() + limit
        try:
            return self.get_response(request)
        finally:
            del _running[request]


def watch(replace: Callable[[int], object] | None = None) -> None:
    """Start checking for overdue requests, once in each process.

    Args:
        replace: a function of the server that replaces this process. It is called with
            the number of overdue requests, repeatedly as long as there are any.
    """
    global _thread, _replace
    _replace = replace or _replace
    # A forked process does not inherit the thread, so its first request starts a new
    # one.
    if _thread is None or not _thread.is_alive():
        with _lock:
            if _thread is None or not _thread.is_alive():
                _thread = Thread(target=_run_watchdog, name="stuck", daemon=True)
                _thread.start()


def overdue_requests() -> list[LoggedRequest]:
    """Return the requests that have exceeded their time limit."""
    now = time.monotonic()
    return [request for request, end in _running.copy().items() if end < now]


def _run_watchdog() -> None:
    reported = set()
    while True:
        time.sleep(CHECK_SECONDS)
        requests = overdue_requests()
        for request in requests:
            if request not in reported:
                _report(request)
        reported = set(requests)
        if requests and _replace:
            _replace(len(requests))


def _report(request: LoggedRequest) -> None:
    with log_request(request):
        fields = {"endpoint": "(no page)", "user": "-", "frame": "-", **log_context()}
        logger.error(
            "Request %(request)s is stuck: %(method)s %(endpoint)s by user %(user)s, "
            "frame %(frame)s, has exceeded its time limit",
            fields,
        )
