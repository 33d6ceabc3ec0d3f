"""Starts readers, and hears from them.

The process that forks them (``reader_server``) is started once. Workers that are forked
later share it: they inherit its control socket. Where a process cannot be forked, on
Windows, each reader is a new process, which takes seconds to start.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from django.conf import settings

TICK = 0.3  # Seconds between two answers to whoever waits.
START_SECONDS = 120  # Until a reader starts: others may have to end first.
MAX_ANSWERS = 64 << 20  # Bytes.
CODE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from frames import "
CODE += "reader_server; reader_server.main(sys.argv[2])"
# The environment of a reader. The site's key and passwords are not in it.
KEPT = "PATH HOME LANG LD_LIBRARY_PATH SYSTEMROOT TEMP TMP TMPDIR TZ".split()
CAN_FORK = hasattr(socket, "send_fds")


class ReaderBusy(Exception):
    """No reader has started for so long; others are running."""


class TookTooLong(Exception):
    """A reader has used up its time."""


class Control:
    """This process's way to the one that forks readers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.socket = self.process = None

    def start(self):
        """Start the process, if it is not there. It is ready a second later."""
        with self.lock:
            if self.socket is None:
                ours, theirs = socket.socketpair()
                with theirs:
                    number = theirs.fileno()
                    self.process = _process(
                        number, stdin=subprocess.DEVNULL, pass_fds=[number]
                    )
                ours.settimeout(START_SECONDS)
                self.socket = ours
            return self.socket

    def forget(self, broken):
        with self.lock:
            if self.socket is broken:
                broken.close()
                self.socket = None

    def send(self, request):
        """Return a socket on which a new reader answers a request (dict)."""
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
                except OSError:  # It was killed.
                    self.forget(control)
                    if is_last:
                        here.close()
                        raise


control = Control()


def start():
    """Start what forks readers, so that the first file does not wait for it."""
    if CAN_FORK:
        control.start()


def _process(descriptor, **options):
    """Start a Python process without anything of the site but its translations."""
    arguments = {
        "control": descriptor,
        "django": {
            "USE_I18N": settings.USE_I18N,
            "LANGUAGE_CODE": settings.LANGUAGE_CODE,
            "LANGUAGES": [(code, str(name)) for code, name in settings.LANGUAGES],
            "LOCALE_PATHS": [
                *map(str, settings.LOCALE_PATHS),
                str(Path(__file__).parent / "locale"),
            ],
        },
    }
    path = [os.getcwd(), *sys.path] if "" in sys.path else sys.path
    kept = (
        name
        for name in os.environ
        if name in KEPT or name.startswith(("LC_", "PYTHON"))
    )
    return subprocess.Popen(
        [sys.executable, "-c", CODE, json.dumps(path), json.dumps(arguments)],
        env={name: os.environ[name] for name in kept}
        | {
            "ARROW_DEFAULT_MEMORY_POOL": "system",  # It allocates no more than it needs.
            "OMP_NUM_THREADS": str(min(os.cpu_count() or 1, 4)),  # Arrow's, too.
            "OPENBLAS_NUM_THREADS": "1",
        },
        **options,
    )


def answers(request, seconds):
    """Start a reader, and yield its answers (dict); None every TICK without one.

    It is killed when this generator is closed, or when its time is over.

    Args:
        request: dict, as of ``reader_tasks.run``.
        seconds: int, that it may take.

    Raises:
        ReaderBusy, TookTooLong
    """
    return (_forked if CAN_FORK else _spawned)(request, seconds)


def _forked(request, seconds):
    with control.send(request) as connection:
        error, end = ReaderBusy, time.monotonic() + START_SECONDS
        rest, size = b"", 0
        while size < MAX_ANSWERS:
            left = end - time.monotonic()
            if left <= 0:
                raise error
            connection.settimeout(min(left, TICK))
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
            for answer in _parsed(lines):
                if "started" in answer and error is ReaderBusy:
                    error, end = TookTooLong, time.monotonic() + seconds
                yield answer


def _spawned(request, seconds):
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = _process(None, **streams, stderr=subprocess.DEVNULL)
    sent, end = json.dumps(request).encode() + b"\n", time.monotonic() + seconds
    try:
        while True:
            try:
                printed, _ = process.communicate(sent, TICK)
                break
            except subprocess.TimeoutExpired:
                sent = None
                if time.monotonic() > end + START_SECONDS:
                    raise TookTooLong from None
                yield None
        yield from _parsed(printed.split(b"\n"))
        yield {"ended": process.returncode}
    finally:
        process.kill()
        process.communicate()


def _parsed(lines):
    for line in lines:
        with contextlib.suppress(ValueError, RecursionError):
            answer = json.loads(line)
            if isinstance(answer, dict):
                yield answer
