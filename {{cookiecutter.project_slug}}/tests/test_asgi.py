"""asgi.py: the site as an ASGI application."""

import asyncio
import threading
from importlib import import_module

from asgiref.wsgi import WsgiToAsgi

asgi = import_module("{{ cookiecutter.project_slug }}.asgi")


async def get(path):
    """The status and body of a GET, by the ASGI protocol."""
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    sent = []

    async def receive():
        return {"type": "http.request"}

    async def send(message):
        sent.append(message)

    await asgi.application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body.decode()


def test_django_answers():
    status, body = asyncio.run(get("/no-such-page"))
    assert status == 404 and "/no-such-page" in body


def test_requests_run_side_by_side(monkeypatch):
    barrier = threading.Barrier(3, timeout=10)

    def app(environ, start_response):
        barrier.wait()  # Passes when three requests are here at once.
        start_response("200 OK", [])
        return [b"together"]

    monkeypatch.setattr(asgi, "_adapter", WsgiToAsgi(app))

    async def three():
        return await asyncio.gather(get("/a"), get("/b"), get("/c"))

    assert asyncio.run(three()) == [(200, "together")] * 3
