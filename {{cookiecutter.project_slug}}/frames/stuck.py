"""Requests that run too long: the log names them, and the server may replace itself.

Python cannot end a thread. A request that is stuck, in a regular expression for example,
would keep its thread, and a core, until the process ends.
"""

import logging
import time
from threading import Lock, Thread

from django.conf import settings

from .logs import about, noted

logger = logging.getLogger(__name__)

CHECK = 1  # Seconds between two looks at what is running.
# Bytes a second. A request has more time by what a body needs over a slow line.
SLOW_LINE = 100_000

_running = {}  # HttpRequest -> when it is late (seconds of time.monotonic).
_lock = Lock()
_thread = None
_replace = None


class StuckMiddleware:
    """Note what is running. After the request has a number in the log."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        limit = settings.FRAMES_MAX_SECONDS
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


def watch(replace=None):
    """Start to look for late requests, once in each process.

    Args:
        replace: called with the number (int) of late requests, again and again as long
            as there are any. The server's way to end this process.
    """
    global _thread, _replace
    _replace = replace or _replace
    # A request of a process that was forked meanwhile starts a thread of its own.
    if _thread is None or not _thread.is_alive():
        with _lock:
            if _thread is None or not _thread.is_alive():
                _thread = Thread(target=_watch, name="stuck", daemon=True)
                _thread.start()


def late():
    """Return the requests (list) that run longer than they may."""
    now = time.monotonic()
    return [request for request, end in _running.copy().items() if end < now]


def _watch():
    told = set()
    while True:
        time.sleep(CHECK)
        requests = late()
        for request in requests:
            if request not in told:
                _tell(request)
        told = set(requests)
        if requests and _replace:
            _replace(len(requests))


def _tell(request):
    with about(request):
        fields = {"endpoint": "of no page", "user": "-", "frame": "-", **noted()}
        logger.error(
            "Request %(request)s is stuck: %(method)s %(endpoint)s of user %(user)s, "
            "frame %(frame)s, has not ended in time",
            fields,
        )
