"""The same site for an ASGI server (uvicorn, hypercorn, daphne)."""

import asyncio
from contextvars import Context

from asgiref.sync import ThreadSensitiveContext
from asgiref.wsgi import WsgiToAsgi

from .wsgi import application as wsgi_application


def with_stripped_headers(environ, start_response):
    """Django's cookies begin with a space for WSGI servers, which h11 refuses."""

    def start(status, headers, exc_info=None):
        headers = [(name, value.strip()) for name, value in headers]
        return start_response(status, headers, exc_info)

    return wsgi_application(environ, start)


_adapter = WsgiToAsgi(with_stripped_headers)


async def application(scope, receive, send):
    # In a context of its own: a server may start a connection's next request out of
    # the end of the last one, whose thread asgiref would take over, and it has ended.
    answer = asyncio.get_running_loop().create_task(
        _in_own_thread(scope, receive, send), context=Context()
    )
    await answer


async def _in_own_thread(scope, receive, send):
    # As Django's own ASGI handler does it. Without it asgiref runs all requests one
    # after the other in a single thread.
    async with ThreadSensitiveContext():
        await _adapter(scope, receive, send)
