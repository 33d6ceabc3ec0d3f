"""asgi.py: the site as an ASGI application."""

import asyncio
import threading
from importlib import import_module

import pytest
from asgiref.wsgi import WsgiToAsgi

asgi = import_module("{{ cookiecutter.project_slug }}.asgi")


async def get(path, headers=(), body=()):
    """The status and body of a GET, by the ASGI protocol.

    Args:
        body: iterator of bytes, what arrives one after the other.
    """
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers],
    }
    sent = []

    async def receive():
        part = next(body, None) if body else None
        return {"type": "http.request", "body": part or b"", "more_body": bool(part)}

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


def echo(environ, start_response):
    start_response("200 OK", [])
    site = environ.get("HTTP_SEC_FETCH_SITE", "-")
    return [f"{site} {len(environ['wsgi.input'].read())}".encode()]


@pytest.mark.parametrize(
    "length, received, parts_left",
    [
        (None, 0, 9),  # Sent in chunks.
        (b"0", 0, 9),
        (b"20", 20, 7),
        (b"90", 90, 0),
        (b"100", 90, 0),
        (b"%d" % 2**40, 0, 9),  # More than the site takes.
        (b"x", 0, 9),
    ],
)
def test_no_more_is_received_than_is_read(monkeypatch, length, received, parts_left):
    """asgiref would write all of it to the disk first."""
    monkeypatch.setattr(asgi, "_adapter", WsgiToAsgi(echo))
    headers = [(b"content-length", length)] if length else []
    parts = iter([b"x" * 10] * 9)
    assert asyncio.run(get("/", headers, parts)) == (200, f"- {received}")
    assert len(list(parts)) == parts_left


def test_header_that_looks_like_another(monkeypatch):
    monkeypatch.setattr(asgi, "_adapter", WsgiToAsgi(echo))
    for names, site in (
        ([b"sec_fetch_site"], "-"),
        ([b"sec-fetch-site"], "same-origin"),
        ([b"sec-fetch-site", b"sec_fetch_site"], "same-origin"),
    ):
        headers = [(name, b"same-origin") for name in names]
        assert asyncio.run(get("/", headers)) == (200, f"{site} 0")
