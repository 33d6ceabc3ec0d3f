"""Run a WSGI application on ASGI servers, such as uvicorn, hypercorn and daphne."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context
from typing import TYPE_CHECKING, Any
from wsgiref.types import WSGIApplication

from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi

from ..conf import dtale_settings
from ..errors import to_frame_error
from ..storage.disk import is_full

if TYPE_CHECKING:
    from asgiref.typing import ASGI3Application

Headers = Iterable[tuple[bytes, bytes]]
Receive = Callable[[], Awaitable[Any]]


def to_asgi(wsgi_application: WSGIApplication) -> "ASGI3Application":
    """Return an ASGI application that wraps a WSGI application."""
    adapter = WsgiToAsgi(_with_stripped_headers(wsgi_application))

    async def application(scope, receive, send):
        if scope["type"] == "http":
            headers = drop_underscores(scope["headers"])
            receive = limit_body(headers, receive)
            scope = {**scope, "headers": headers}
        # Run each request in a new context. A server may start the next request of a
        # connection in the context of the previous one, and asgiref would then use the
        # thread of the previous request, which has ended.
        answer = asyncio.get_running_loop().create_task(
            _in_own_thread(adapter, scope, receive, send), context=Context()
        )
        try:
            await answer
        except OSError as error:
            if not is_full(error):
                raise
            await _send_disk_full(to_frame_error(error), receive, send)

    return application


def _with_stripped_headers(wsgi_application):
    """Strip header values: h11 refuses the space with which Django's cookies begin."""

    def application(environ, start_response):
        def start(status, headers, exc_info=None):
            headers = [(name, value.strip()) for name, value in headers]
            return start_response(status, headers, exc_info)

        return wsgi_application(environ, start)

    return application


async def _in_own_thread(adapter, scope, receive, send):
    # Without this context, asgiref runs all requests one after another in a single
    # thread. Django's ASGI handler uses the same context.
    async with ThreadSensitiveContext():
        await adapter(scope, receive, send)


def drop_underscores(headers: Headers) -> Headers:
    """Drop headers such as Sec_Fetch_Site, which WSGI cannot tell from Sec-Fetch-Site.

    Most WSGI servers and proxies drop them as well.
    """
    return [(name, value) for name, value in headers if b"_" not in name]


def limit_body(headers: Headers, receive: Receive) -> Receive:
    """Stop reading at Content-Length, and do not read bodies over the upload limit.

    Otherwise, asgiref would write a body of any size to the disk before it calls the
    application.
    """
    length = dict(headers).get(b"content-length", b"")
    left = int(length) if length.isdigit() else 0
    if left > dtale_settings.MAX_UPLOAD_MB << 20:
        left = 0

    async def limited():
        nonlocal left
        message = await receive() if left > 0 else {"type": "http.request"}
        left -= len(message.get("body", b""))
        return {**message, "more_body": message.get("more_body", False) and left > 0}

    return limited


async def _send_disk_full(problem, receive, send):
    """Send the response to a request whose body asgiref could not store."""
    # Clients read the response only after they have sent the body.
    while (await receive()).get("more_body"):
        pass
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
    ]
    start = {"type": "http.response.start", "status": problem.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": f"{problem}\n".encode()})
