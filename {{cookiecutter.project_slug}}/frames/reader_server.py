"""The process that starts a reader for each file that people send.

It runs apart from the site: it has imported everything that reads files, and knows
neither the site's key nor its database. A request is a socket that arrives over the
control socket, with a line of JSON in it. For each request the process forks a reader,
which answers with lines of JSON. When the other end of a request's socket is closed, its
reader is killed: cancelling a request ends its reader, and so does the death of the
worker that asked. When nobody holds the other end of the control socket any more, the
process ends.

The fork server of `multiprocessing` would run the script of `gunicorn` or `manage.py`
again in each reader, would unpickle what a reader sends, and cannot be shared by workers
that are forked after it was started.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import sys

READERS = max(2, os.cpu_count() or 1)  # At the same time; further requests wait.


def main(arguments):
    """Serve requests until nobody can send any, or one request on standard input.

    Args:
        arguments: JSON, a dict: ``control``, a file descriptor, None for one request;
            and ``django``, the settings that concern language and numbers.
    """
    from . import reader_tasks  # It imports everything that reads files.

    arguments = json.loads(arguments)
    reader_tasks.set_up(arguments["django"])
    if arguments["control"] is None:
        request = json.loads(sys.stdin.buffer.readline())
        reader_tasks.run(request, sys.stdout.buffer)
        return
    for number in (signal.SIGINT, signal.SIGTERM):  # The site ends first.
        signal.signal(number, signal.SIG_IGN)
    Server(socket.socket(fileno=arguments["control"]), reader_tasks.run).serve()


class Server:
    """Forks a reader for each request.

    Args:
        control: the socket that requests arrive over.
        run: called in the reader with the request (dict) and a file for its answers.
    """

    def __init__(self, control, run):
        self.control = control
        self.run = run
        # Process id -> the request's socket, None once it was cancelled, and directory.
        self.readers = {}
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)

    def serve(self):
        while self.control or self.readers:
            watched = {
                connection: pid
                for pid, (connection, _) in self.readers.items()
                if connection
            }
            waiting = self.control and len(self.readers) < READERS
            control = [self.control] if waiting else []
            ready, _, _ = select.select([self.woken, *watched, *control], [], [])
            for each in ready:
                if each is self.woken:
                    self.reap()
                elif each is self.control:
                    self.accept()
                else:
                    self.cancel(watched[each])

    def accept(self):
        data, descriptors, _, _ = socket.recv_fds(self.control, 1, 1)
        if not data:
            self.control = None
        for descriptor in descriptors:
            connection = socket.socket(fileno=descriptor)
            with contextlib.suppress(OSError, ValueError):  # Nobody waits any more.
                connection.settimeout(5)
                # Sent before the socket was; after it nothing follows but its end.
                request = json.loads(connection.makefile("rb").readline())
                connection.settimeout(None)
                self.start(connection, request)

    def start(self, connection, request):
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

    def become_reader(self, connection, request):
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other, _ in self.readers.values():
            if other:
                other.close()
        if self.control:
            self.control.close()
        # Libraries that run out of memory write a line to it that helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        with connection, connection.makefile("wb", 0) as answers:
            self.run(request, answers)

    def cancel(self, pid):
        """End a reader that nobody waits for."""
        connection, directory = self.readers[pid]
        connection.close()
        self.readers[pid] = None, directory
        os.killpg(pid, signal.SIGKILL)

    def reap(self):
        with contextlib.suppress(BlockingIOError):
            os.read(self.woken, 4096)
        while self.readers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            connection, directory = self.readers.pop(pid)
            with contextlib.suppress(ProcessLookupError):  # What it has started itself.
                os.killpg(pid, signal.SIGKILL)
            if connection is None:  # The worker may have been killed.
                shutil.rmtree(directory, ignore_errors=True)
                continue
            ended = {"ended": os.waitstatus_to_exitcode(status)}
            with connection, contextlib.suppress(OSError):
                line = f"\n{json.dumps(ended)}\n".encode()
                connection.send(line, socket.MSG_DONTWAIT)
