"""The site served as an ASGI application."""

import asyncio
import threading
from importlib import import_module

import pytest

from django_dtale.contrib.asgi import to_asgi

site = import_module("django_d_tale.asgi")


async def get(application, path, headers=(), body=()):
    """Send a GET request over ASGI, and return the status and the body.

    Args:
        body: an iterator over the chunks of the request body.
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

    await application(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], body.decode()


def test_django_handles_other_paths():
    status, body = asyncio.run(get(site.application, "/no-such-page"))
    assert status == 404 and "/no-such-page" in body


def test_requests_run_concurrently():
    barrier = threading.Barrier(3, timeout=10)

    def app(environ, start_response):
        barrier.wait()  # The barrier opens only after all three requests have arrived.
        start_response("200 OK", [])
        return [b"together"]

    asgi = to_asgi(app)

    async def three():
        return await asyncio.gather(get(asgi, "/a"), get(asgi, "/b"), get(asgi, "/c"))

    assert asyncio.run(three()) == [(200, "together")] * 3


def echo(environ, start_response):
    start_response("200 OK", [])
    site = environ.get("HTTP_SEC_FETCH_SITE", "-")
    return [f"{site} {len(environ['wsgi.input'].read())}".encode()]


@pytest.mark.parametrize(
    "length, received, parts_left",
    [
        (None, 0, 9),  # A body with chunked encoding has no length.
        (b"0", 0, 9),
        (b"20", 20, 7),
        (b"90", 90, 0),
        (b"100", 90, 0),
        (b"%d" % 2**40, 0, 9),  # This length is over the site's limit.
        (b"x", 0, 9),
    ],
)
def test_body_is_received_only_as_far_as_it_is_read(length, received, parts_left):
    """By default, asgiref writes the entire body to disk first."""
    headers = [(b"content-length", length)] if length else []
    parts = iter([b"x" * 10] * 9)
    assert asyncio.run(get(to_asgi(echo), "/", headers, parts)) == (
        200,
        f"- {received}",
    )
    assert len(list(parts)) == parts_left


def test_header_with_underscores_is_ignored():
    for names, site in (
        ([b"sec_fetch_site"], "-"),
        ([b"sec-fetch-site"], "same-origin"),
        ([b"sec-fetch-site", b"sec_fetch_site"], "same-origin"),
    ):
        headers = [(name, b"same-origin") for name in names]
        assert asyncio.run(get(to_asgi(echo), "/", headers)) == (200, f"{site} 0")
