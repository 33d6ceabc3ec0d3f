"""One person, or a client of nobody's, keeps a site of two workers busy; others wait
for nothing, and no worker dies. Each person is somebody with a browser of their own.
"""

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from test_frames_load import zeros
from visitors import Visitor, multipart

VISITORS = {"FRAMES_LOGIN_REQUIRED": "False"}
# A calculation that is allowed, and takes seconds: texts are compared in pairs.
LONG_TEXT = "abcdefghij" * 700


@pytest.fixture(scope="module")
def site(project):
    with project.serve(workers=2, **VISITORS) as site:
        yield site


@pytest.fixture
def others(site):
    """Ask all the while, as a probe and as another person; fail if they had to wait."""
    person = Visitor(site.url, site.prefix)
    id = person.upload(zeros(100, "x", "y"))
    workers, took, over = site.workers, {"probe": [], "rows": []}, threading.Event()

    def rows():
        answer = person.get(f"data/{id}", ids=["0-50"])
        assert "results" in answer, answer

    def ask(name, question):
        while not over.is_set():
            began = time.monotonic()
            question()
            took[name].append(time.monotonic() - began)
            time.sleep(0.05)

    def probe():
        urllib.request.urlopen(f"{site.url}/healthz", timeout=30).close()

    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(ask, "probe", probe), pool.submit(ask, "rows", rows)]
        yield took
        over.set()
        for each in asked:
            each.result()
    assert max(took["probe"]) < 1 and max(took["rows"]) < 2, took
    assert site.workers == workers


def connect(site):
    address = urllib.parse.urlsplit(site.url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def ask(visitor, path, timeout=60):
    """Return an answer's status (int), headers and text (str)."""
    headers = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    request = urllib.request.Request(visitor.url + path, headers=headers)
    try:
        answer = visitor.opener.open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return answer.status, answer.headers, answer.read().decode()


POST = "POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nCookie: csrftoken={}\r\n"
FORM = "Content-Type: application/x-www-form-urlencoded\r\n\r\na=1&"
TOKEN = "c" * 32


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "GET / HTTP/1.1\r\nHost:",
        POST.format("/accounts/login/", 1000, TOKEN) + FORM,
        POST.format("/accounts/login/", 900_000, TOKEN) + FORM,
        POST.format("/frames/push/", 1000, TOKEN) + FORM,
        POST.format("/{prefix}/dtale/upload", 900_000, TOKEN) + FORM,
        "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
    ],
    ids="idle head login long-login push dtale chunked".split(),
)
def test_clients_of_nobody_that_send_half(site, others, sent):
    sent = sent.replace("{prefix}", site.prefix).encode()
    with contextlib.ExitStack() as stack:
        for _ in range(200 if not sent else 40):
            client = stack.enter_context(connect(site))
            client.sendall(sent)
        time.sleep(5)
    assert len(others["probe"]) > 20
