"""Start readers and receive their messages.

A fork server (``server``) is started once, and forks the readers. Workers that are
forked later share it, because they inherit its control socket. Windows cannot fork
processes: there, each reader is a new process, which takes seconds to start.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

POLL_SECONDS = 0.3  # Without a message, callers get None after this time.
START_SECONDS = 120  # Time limit for a start: other readers may have to end first.
MAX_OUTPUT = 64 << 20  # Bytes.
CODE = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from django_dtale.readers.process import server; server.main(sys.argv[2])"
)
# Readers get only these environment variables. This keeps the site's passwords and keys
# from them.
KEPT_VARIABLES = "PATH HOME LANG LD_LIBRARY_PATH SYSTEMROOT TEMP TMP TMPDIR TZ".split()
CAN_FORK = hasattr(socket, "send_fds")


Messages = Generator[dict[str, Any] | None, None, None]


class ReaderBusy(Exception):
    """No reader has started in time, because too many others are running."""


class ReaderTimeout(Exception):
    """A reader has not ended within its time limit."""


class ForkServer:
    """The process that forks readers, and the control socket to reach it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.socket: socket.socket | None = None
        self.process: subprocess.Popen | None = None

    def start(self) -> socket.socket:
        """Start the process if it is not running. It is ready after about a second."""
        with self.lock:
            if self.socket is None:
                ours, theirs = socket.socketpair()
                with theirs:
                    number = theirs.fileno()
                    self.process = _start_process(
                        number, stdin=subprocess.DEVNULL, pass_fds=[number]
                    )
                ours.settimeout(START_SECONDS)
                self.socket = ours
            return self.socket

    def discard(self, broken: socket.socket) -> None:
        with self.lock:
            if self.socket is broken:
                broken.close()
                self.socket = None

    def send(self, request: dict[str, Any]) -> socket.socket:  # type: ignore[return]
        """Request a new reader, and return the socket that receives its messages."""
        here, there = socket.socketpair()
        with there:
            here.sendall(json.dumps(request).encode() + b"\n")
            for is_last in (False, True):
                control = self.start()
                try:
                    socket.send_fds(control, [b"!"], [there.fileno()])
                    return here
                except TimeoutError:
                    here.close()
                    raise ReaderBusy from None
                except OSError:  # The fork server was killed.
                    self.discard(control)
                    if is_last:
                        here.close()
                        raise


fork_server = ForkServer()


def start() -> None:
    """Start the fork server now, so that the first file is read without a delay."""
    if CAN_FORK:
        fork_server.start()


def _start_process(descriptor, **options):
    """Start a Python process with only the site's settings for translations."""
    arguments = {
        "control": descriptor,
        "django": {
            "USE_I18N": settings.USE_I18N,
            "LANGUAGE_CODE": settings.LANGUAGE_CODE,
            "LANGUAGES": [(code, str(name)) for code, name in settings.LANGUAGES],
            "LOCALE_PATHS": [
                *map(str, settings.LOCALE_PATHS),
                str(Path(__file__).parents[2] / "locale"),
            ],
        },
    }
    path = [str(Path.cwd()), *sys.path] if "" in sys.path else sys.path
    kept = (
        name
        for name in os.environ
        if name in KEPT_VARIABLES or name.startswith(("LC_", "PYTHON"))
    )
    return subprocess.Popen(
        [sys.executable, "-c", CODE, json.dumps(path), json.dumps(arguments)],
        env={name: os.environ[name] for name in kept}
        | {
            # Arrow's other allocators reserve spare memory.
            "ARROW_DEFAULT_MEMORY_POOL": "system",
            # Arrow uses this variable, too.
            "OMP_NUM_THREADS": str(min(os.cpu_count() or 1, 4)),
            "OPENBLAS_NUM_THREADS": "1",
        },
        **options,
    )


def run_reader(request: dict[str, Any], seconds: int) -> Messages:
    """Start a reader and yield its messages, or None after POLL_SECONDS without one.

    The reader is killed when this generator is closed or the time limit is exceeded.

    Args:
        request: see ``tasks.run``.
        seconds: the time limit of the reader.

    Raises:
        ReaderBusy, ReaderTimeout
    """
    return (_run_forked if CAN_FORK else _run_spawned)(request, seconds)


def _run_forked(request: dict[str, Any], seconds: int) -> Messages:
    with fork_server.send(request) as connection:
        error: type[Exception] = ReaderBusy
        end = time.monotonic() + START_SECONDS
        rest, size = b"", 0
        while size < MAX_OUTPUT:
            left = end - time.monotonic()
            if left <= 0:
                raise error
            connection.settimeout(min(left, POLL_SECONDS))
            try:
                received = connection.recv(1 << 16)
            except TimeoutError:
                yield None
                continue
            except ConnectionError:
                return
            if not received:
                return
            size += len(received)
            *lines, rest = (rest + received).split(b"\n")
            for message in _parse(lines):
                if "started" in message and error is ReaderBusy:
                    error, end = ReaderTimeout, time.monotonic() + seconds
                yield message


def _run_spawned(request: dict[str, Any], seconds: int) -> Messages:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = _start_process(None, **streams, stderr=subprocess.DEVNULL)
    sent: bytes | None = json.dumps(request).encode() + b"\n"
    end = time.monotonic() + seconds
    try:
        while True:
            try:
                printed, _ = process.communicate(sent, POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                sent = None
                if time.monotonic() > end + START_SECONDS:
                    raise ReaderTimeout from None
                yield None
        yield from _parse(printed.split(b"\n"))
        yield {"ended": process.returncode}
    finally:
        process.kill()
        process.communicate()


def _parse(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            message = json.loads(line)
            if isinstance(message, dict):
                yield message
