"""A thousand invalid requests over a raw socket do not harm the site.

FUZZ_SEED selects other requests, and FUZZ_REQUESTS sets their number.
"""

import json
import os
import random
import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from visitors import Visitor

SEED = os.environ.get("FUZZ_SEED", "1")
REQUESTS = int(os.environ.get("FUZZ_REQUESTS", "1000"))
WORKERS, THREADS = 2, 8
# gunicorn itself responds with 501 to an unknown transfer coding, and with 505 to an
# unknown HTTP version.
OF_GUNICORN = {501, 505}


@pytest.fixture
def site(project, collected, tmp_path):
    """The site as in production, served by gunicorn without a proxy."""
    variables = {"DEBUG": "False", "HTTPS": "False", "DATA_DIR": str(tmp_path)}
    variables |= {
        "FRAMES_LOGIN_REQUIRED": "False",
        "METRICS_TOKEN": "a-token-of-this-test",
    }
    project.set_up(**variables)
    with project.serve(workers=WORKERS, **variables, **collected) as site:
        yield site


class Attacker:
    """A source of random bytes. The same seed gives the same bytes.

    Args:
        host: The host of the server.
        dtale: The path of D-Tale.
        edit: The target of a request that edits a frame.
        cookie: The cookie of the frame's owner.
    """

    def __init__(self, host, dtale, edit, cookie):
        self.random = random.Random(SEED)
        self.host, self.cookie = host, cookie
        self.edit = edit
        self.targets = ["/", "/accounts/login/", "/admin/", "/healthz", "/metrics"]
        self.targets += [
            "/static/",
            f"{dtale}upload",
            f"{dtale}main/1",
            "/frames/push/",
        ]

    def whole(self, target=None, *headers, method="GET", body=b"", version="1.1"):
        """Return a valid request."""
        target = target or self.random.choice(self.targets)
        lines = [f"{method} {target} HTTP/{version}", f"Host: {self.host}", *headers]
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

    def smuggled(self):
        """Return a request that edits a frame, to smuggle inside another request.

        A page of another site can make a browser send the outer request with the
        cookie, but cannot set the headers that only browsers set.
        """
        cookie = f"Cookie: {self.cookie}", "Sec-Fetch-Site: cross-site"
        return self.whole(self.edit, *cookie)

    def shapes(self):
        """Return functions that create the requests of known smuggling attacks."""
        hidden, n = self.smuggled(), str(self.random.randrange(10))
        length = f"Content-Length: {len(hidden)}"
        post = {"method": "POST", "body": hidden}
        chunked = "Transfer-Encoding: chunked"
        return [
            lambda: self.whole(None, "Content-Length: 0", chunked, **post),
            lambda: self.whole(
                None, length, chunked, method="POST", body=b"0\r\n\r\n" + hidden
            ),
            lambda: self.whole(None, "Content-Length: 0", length, **post),
            lambda: self.whole(None, f"Content-Length: 0, {n}", **post),
            lambda: self.whole(None, "Content-Length: +0", **post),
            lambda: self.whole(None, "Content-Length: -1", **post),
            lambda: self.whole(None, "Content-Length: 1e3", **post),
            lambda: self.whole(None, "Content-Length: 0x10", **post),
            lambda: self.whole(None, "Content-Length: \xb2", **post),
            lambda: self.whole(None, "Content-Length : 0", **post),
            lambda: self.whole(None, "Content-Length:\x0b0", **post),
            lambda: self.whole(None, "Transfer-Encoding : chunked", **post),
            lambda: self.whole(None, "Transfer-Encoding: xchunked", **post),
            lambda: self.whole(None, "Transfer-Encoding: chunked, identity", **post),
            lambda: self.whole(None, chunked, chunked, **post),
            lambda: self.whole(None, "X: y\r\n Content-Length: 0", **post),
            lambda: self.whole(None, "X: y\nContent-Length: 0", **post),
            lambda: self.whole(None, "X: y\rContent-Length: 0", **post),
            lambda: self.whole(None, "Content_Length: 0", length, **post),
            lambda: self.whole(
                None, chunked, method="POST", body=b"zz\r\n\r\n" + hidden
            ),
            lambda: self.whole(
                None, chunked, method="POST", body=b"-1\r\n\r\n" + hidden
            ),
            lambda: self.whole(
                None, chunked, method="POST", body=b"5;x=\n\r\nhello\r\n0\r\n\r\n"
            ),
            lambda: self.whole(
                None, chunked, method="POST", body=b"f" * 40 + b"\r\n" + hidden
            ),
            lambda: self.whole(None, "Content-Length: 99999999999", method="POST"),
            lambda: self.whole(
                None, "Expect: 100-continue", "Content-Length: 5", method="POST"
            ),
            lambda: self.whole(
                None, "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings"
            ),
            lambda: self.whole(f"http://elsewhere{self.edit}"),
            lambda: self.whole("*", method="OPTIONS"),
            lambda: self.whole("elsewhere:443", method="CONNECT"),
            lambda: self.whole("/" + "a" * self.random.choice([4000, 9000, 70_000])),
            lambda: self.whole(
                None, *[f"X-{i}: y" for i in range(self.random.randrange(300))]
            ),
            lambda: self.whole(
                None, "X: " + "y" * self.random.choice([8000, 9000, 70_000])
            ),
            lambda: self.whole(None, "Host: elsewhere"),
            lambda: self.whole(None, f"X\0{n}: y"),
            lambda: self.whole(None, "X: \0\x7f\x80"),
            lambda: self.whole(
                None, "X-Forwarded-Proto: https", "X_Forwarded_Proto: https"
            ),
            lambda: self.whole(
                version=self.random.choice(["0.9", "2.0", "1.", "9.9", "x"])
            ),
            lambda: self.whole(
                method=self.random.choice(["get", "G\xcbT", "", "G" * 99, "(", "\t"])
            ),
            lambda: self.whole(f"/%{n}%00%ff%c0%ae{n}?%"),
            lambda: self.whole("/\xe9\xff"),
            lambda: self.whole(f"//elsewhere/{n}"),
            lambda: b"GET /\r\n\r\n",
            lambda: b"\r\n" * self.random.randrange(1, 500),
            lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.random.randbytes(50),
            lambda: (
                b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + self.random.randbytes(500)
            ),
            lambda: b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + self.whole(),
            lambda: self.random.randbytes(self.random.randrange(1, 2000)),
        ]

    def request(self):
        """Return the bytes to send, and whether to disconnect before the response."""
        sent = self.random.choice(self.shapes())()
        for _ in range(self.random.choice([0, 0, 1, 3])):
            place = self.random.randrange(len(sent) + 1)
            size = self.random.choice([0, 1, 1, 2, 50])
            more = self.random.randbytes(self.random.choice([0, 1, 2]))
            sent = sent[:place] + more + sent[place + size :]
        return sent, self.random.random() < 0.1


def exchange(address, sent, is_hasty):
    """Send bytes and return all bytes of the response."""
    with socket.create_connection(address, timeout=60) as connection:
        received = b""
        try:
            connection.sendall(sent)
            if is_hasty:
                return received
            connection.shutdown(socket.SHUT_WR)
            while more := connection.recv(1 << 16):
                received += more
        except (ConnectionResetError, BrokenPipeError):
            pass  # The server has closed the connection.
        return received


def test_malformed_requests_do_not_harm_the_site(site):
    visitor = Visitor(site.url, site.prefix)
    id = visitor.upload("x\n1\n")
    edit = f"{visitor.dtale}edit-cell/{id}?col=x&rowIndex=0&updated=7"
    [jar] = [
        each.cookiejar for each in visitor.opener.handlers if hasattr(each, "cookiejar")
    ]
    cookie = "; ".join(f"{each.name}={each.value}" for each in jar)
    host, port = site.url.removeprefix("http://").split(":")
    attacker = Attacker(f"{host}:{port}", visitor.dtale, edit, cookie)
    workers = site.workers
    answers = {}
    for number in range(REQUESTS):
        sent, is_hasty = attacker.request()
        received = exchange((host, int(port)), sent, is_hasty)
        what = f"seed {SEED}, request {number}: {sent!r:.1000}\n{received!r:.1000}"
        for status in map(int, re.findall(rb"^HTTP/1\.\d (\d+)", received, re.M)):
            assert status < 500 or status in OF_GUNICORN, what
            answers[status] = answers.get(status, 0) + 1
        assert b"Traceback" not in received and b"site-packages" not in received, what
    assert {200, 400} <= answers.keys()
    assert site.workers == workers
    log = [json.loads(line) for line in site.log.read_text().splitlines()]
    failed = [line for line in log if "error" in line or line["level"] == "CRITICAL"]
    assert failed == []
    # The requests succeed only if all threads of all workers still respond.
    with ThreadPoolExecutor(WORKERS * THREADS) as pool:
        asked = [pool.submit(visitor.get, f"data/{id}", ids=["0"]) for _ in range(64)]
        assert {each.result()["results"]["0"]["x"] for each in asked} == {1}
    assert [each["data_id"] for each in visitor.get("processes")["data"]] == [id]
