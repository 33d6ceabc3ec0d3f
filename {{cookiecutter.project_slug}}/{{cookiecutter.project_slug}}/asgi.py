"""The same site for an ASGI server (uvicorn, hypercorn, daphne)."""

import asyncio
from contextvars import Context

from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi
from django.conf import settings

from frames.disk import is_full
from frames.exceptions import as_problem

from .wsgi import application as wsgi_application


def with_stripped_headers(environ, start_response):
    """Django's cookies begin with a space for WSGI servers, which h11 refuses."""

    def start(status, headers, exc_info=None):
        headers = [(name, value.strip()) for name, value in headers]
        return start_response(status, headers, exc_info)

    return wsgi_application(environ, start)


_adapter = WsgiToAsgi(with_stripped_headers)


def without_underscores(headers):
    """Leave out headers that WSGI takes for others: Sec_Fetch_Site for Sec-Fetch-Site.

    Most WSGI servers and proxies do.
    """
    return [(name, value) for name, value in headers if b"_" not in name]


def within_length(headers, receive):
    """Receive no more of a body than it was said to have, and none that is refused.

    asgiref writes the whole of it to the disk before it asks the site.
    """
    length = dict(headers).get(b"content-length", b"")
    left = int(length) if length.isdigit() else 0
    if left > settings.FRAMES_MAX_UPLOAD_MB << 20:
        left = 0

    async def received():
        nonlocal left
        message = await receive() if left > 0 else {"type": "http.request"}
        left -= len(message.get("body", b""))
        return {**message, "more_body": message.get("more_body", False) and left > 0}

    return received


async def application(scope, receive, send):
    if scope["type"] == "http":
        headers = without_underscores(scope["headers"])
        scope, receive = {**scope, "headers": headers}, within_length(headers, receive)
    # In a context of its own: a server may start a connection's next request out of
    # the end of the last one, whose thread asgiref would take over, and it has ended.
    answer = asyncio.get_running_loop().create_task(
        _in_own_thread(scope, receive, send), context=Context()
    )
    try:
        await answer
    except OSError as error:
        if not is_full(error):
            raise
        await _say_that_the_disk_is_full(as_problem(error), receive, send)


async def _say_that_the_disk_is_full(problem, receive, send):
    """Answer where asgiref could not store a body, which the site has not seen."""
    while (await receive()).get("more_body"):  # Nobody reads an answer before its end.
        pass
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"cache-control", b"no-store"),
    ]
    start = {"type": "http.response.start", "status": problem.status}
    await send({**start, "headers": headers})
    await send({"type": "http.response.body", "body": f"{problem}\n".encode()})


async def _in_own_thread(scope, receive, send):
    # As Django's own ASGI handler does it. Without it asgiref runs all requests one
    # after the other in a single thread.
    async with ThreadSensitiveContext():
        await _adapter(scope, receive, send)
