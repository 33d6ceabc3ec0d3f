"""The fork server, which starts a reader for each uploaded file.

This process is separate from the site: it has imported all modules that read files, and
knows neither the site's secret key nor its database. A request is a socket that arrives
over the control socket and contains a line of JSON. For each request, the process forks
a reader, which answers with lines of JSON. When the other end of a request's socket is
closed, the process kills the reader: this happens if the request is cancelled, or if
the worker that sent it dies. The process ends when all other ends of the control socket
are closed.

The fork server of `multiprocessing` would run the script of `gunicorn` or `manage.py`
again in each reader, and would unpickle data from readers. Workers that are forked
after its start could not share it.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys
from collections.abc import Callable
from typing import IO, Any

READERS = max(2, os.cpu_count() or 1)  # More requests wait until a reader ends.


def main(arguments: str) -> None:
    """Serve requests until the control socket is closed, or one from standard input.

    Args:
        arguments: a JSON object with ``control``, the file descriptor of the control
            socket or null to serve one request, and ``django``, the settings for
            translations.
    """
    from . import tasks  # This imports all modules that read files.

    given = json.loads(arguments)
    tasks.set_up(given["django"])
    if given["control"] is None:
        request = json.loads(sys.stdin.buffer.readline())
        tasks.run(request, sys.stdout.buffer)
        return
    # Ignore these signals, because this process ends after the site.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    Server(socket.socket(fileno=given["control"]), tasks.run).serve()


class Server:
    """Forks a reader for each request.

    Args:
        control: the socket over which requests arrive.
        run: called in the reader with the request and a file for its messages.
    """

    def __init__(
        self, control: socket.socket, run: Callable[[dict[str, Any], IO[bytes]], None]
    ) -> None:
        self.control: Any = control  # None once it is closed.
        self.run = run
        # Maps a process id to the socket (None once cancelled) and the directory.
        self.readers: dict[int, tuple[Any, str]] = {}
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def serve(self) -> None:
        while self.control or self.readers:
            watched = {
                connection: pid
                for pid, (connection, _) in self.readers.items()
                if connection
            }
            waiting = self.control and len(self.readers) < READERS
            control = [self.control] if waiting else []
            # A request can be cancelled at the moment at which its reader ends. `reap` comes
            # last, because it then has to remove the directory.
            ready, _, _ = select.select([*watched, *control, self.woken], [], [])
            for each in ready:
                if each is self.woken:
                    self.reap()
                elif each is self.control:
                    self.accept()
                else:
                    self.cancel(watched[each])

    def accept(self) -> None:
        data, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
        if not data:
            self.control = None
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            # Errors mean that the request was cancelled.
            with contextlib.suppress(OSError, ValueError):
                connection.settimeout(5)
                # The client sends this line before the socket, and nothing after it.
                request = json.loads(connection.makefile("rb").readline())
                connection.settimeout(None)
                self.start(connection, request)

    def start(self, connection: socket.socket, request: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                self.become_reader(connection, request)
                code = 0
            finally:
                os._exit(code)
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)
        self.readers[pid] = connection, request["directory"]

    def become_reader(self, connection: socket.socket, request: dict[str, Any]) -> None:
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other, _ in self.readers.values():
            if other:
                other.close()
        if self.control:
            self.control.close()
        # Discard standard error: libraries that run out of memory write noise to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with connection, connection.makefile("wb", 0) as answers:
            self.run(request, answers)  # type: ignore[arg-type]

    def cancel(self, pid: int) -> None:
        """Kill the reader of a cancelled request."""
        connection, directory = self.readers[pid]
        connection.close()
        self.readers[pid] = None, directory
        os.killpg(pid, signal.SIGKILL)

    def reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self.woken, 4096)
        while self.readers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection, directory = self.readers.pop(pid)
            # The reader may have started other processes.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            if connection is None:
                # The worker may have been killed before it could remove the directory.
                shutil.rmtree(directory, ignore_errors=True)
                continue
            ended = {"ended": os.waitstatus_to_exitcode(status)}
            with connection, contextlib.suppress(OSError):
                line = f"\n{json.dumps(ended)}\n".encode()
                connection.send(line, socket.MSG_DONTWAIT)
