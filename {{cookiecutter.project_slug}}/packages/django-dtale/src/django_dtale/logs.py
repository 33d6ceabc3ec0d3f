"""The log context: fields about the current request that each line of the log contains.

The fields never contain data of a frame, a query string, or the text of a filter.
`contrib.logging` writes them to the log.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase


class LoggedRequest(HttpRequest):
    """A request to which `contrib.logging` has added the log context."""

    log_context: dict[str, Any]


_request: ContextVar[LoggedRequest | None] = ContextVar("request", default=None)


def add_log_context(**fields: object) -> None:
    """Add fields to the following log lines about the current request.

    The fields are ``request``, ``method``, ``endpoint``, ``user``, ``frame`` and, once
    the request is answered, ``status``, ``ms`` and, if it was refused, ``refused``.
    Outside of a request, this function does nothing.
    """
    request = _request.get()
    if request is not None:
        request.log_context |= fields


def increment(what: str) -> None:
    """Add one to a counter of the current request, such as ``cache_hits``."""
    request = _request.get()
    if request is not None:
        request.log_context[what] = request.log_context.get(what, 0) + 1


def log_context(request: LoggedRequest | None = None) -> dict[str, Any]:
    """Return the log context of a request, by default of the current one.

    Outside of a request, the dictionary is empty.
    """
    request = request or _request.get()
    if request is None:
        return {}
    fields = dict(request.log_context)
    match = request.resolver_match
    if match is not None:
        # For requests to D-Tale, the gateway has added the endpoint.
        fields.setdefault("endpoint", match.view_name)
        if "frames" in match.namespaces and "pk" in match.kwargs:
            fields["frame"] = match.kwargs["pk"]
    # Django caches the user in this attribute. Reading `request.user` could query the
    # database.
    user = getattr(request, "_cached_user", None)
    if user is not None and user.pk is not None:
        fields["user"] = user.pk
    return fields


@contextmanager
def log_request(request: LoggedRequest) -> Iterator[None]:
    """Add the log context of a request to all log lines of a with-block."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def request_id() -> str:
    """Return the ID of the current request in the log, or a new one."""
    return log_context().get("request") or token_hex(16)


def call_at_end(response: HttpResponseBase, function: Callable[[], None]) -> None:
    """Call a function when the response is complete.

    The work of a streaming response, such as reading an uploaded file, happens while the
    server sends it. The function is then called when the server closes the response.
    """
    closed: Any = response  # Django has no public name for this list.
    if response.streaming:
        closed._resource_closers.append(function)
    else:
        function()
