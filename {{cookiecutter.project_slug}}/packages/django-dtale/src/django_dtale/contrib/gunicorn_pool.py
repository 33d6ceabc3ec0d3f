"""The pool that assigns requests to the threads of a gunicorn worker.

- Clients that send slowly occupy no thread: a request gets one only when its head, and
  its body if it is short, have arrived.
- The requests of one browser to D-Tale occupy at most SHARE threads. Its other requests
  wait without a thread, and are dropped if the browser closes the connection.
- Some threads are reserved for quick requests.
"""

import re
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Set
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any

from django.conf import settings
from gunicorn import util

from ..conf import dtale_settings

if TYPE_CHECKING:
    from gunicorn.workers.gthread import TConn

SHARE = 3  # Threads of one browser for D-Tale. `fair_shares` has the same limit.
PEEK = 32 << 10  # Bytes. The system buffers at least this much unread data.
BODIES = 3  # Threads that may wait for long bodies, if no proxy buffers them.
SPARE = 2  # Threads reserved for quick requests: probes, static files, signing in.
LONG, BODY = "long", "body"  # Labels of requests that may occupy a thread for long.
MAX_WAITING = 60  # Waiting requests of one browser. Three chart pages send 48 together.

# The following constants are in seconds.
POLL_SECONDS = 0.05
# The limit for receiving a head and a short body, and for a pause within a long body.
ARRIVAL_TIMEOUT = 10
MAX_WAIT = 10
# If ten people open large files together, some of them wait until other files are read.
MAX_BODY_WAIT = 120
LINGER_SECONDS = 2  # The time in which a client can read a refusal before the close.

LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})", re.I | re.M)


class Job:
    """A request in the pool.

    Attributes:
        future: the result of the function with which gunicorn handles the request.
        labels: the limits that apply: LONG, BODY, and for requests to D-Tale the value
            of the session cookie.
    """

    labels: Set[str | bytes] = frozenset()

    def __init__(self, handle: "Callable[[TConn], Any]", conn: "TConn") -> None:
        self.handle, self.conn = handle, conn
        self.future: Future = Future()
        self.since = time.monotonic()

    def has_arrived(self) -> bool:
        """Return whether a thread can read the request without waiting for data."""
        parser = self.conn.parser
        if self.conn.cfg.is_ssl or (parser and parser.unreader.buf.getvalue()):
            # With TLS, or if gunicorn has read a part of the request, the socket does
            # not show whether it is complete.
            return True
        try:
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            data = self.conn.sock.recv(PEEK, flags)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        head, end, body = data.partition(b"\r\n\r\n")
        # If no more data can arrive, let a thread handle the incomplete head.
        if not end:
            return not data or len(data) == PEEK or self.has_ended()
        found = LENGTH.search(head)
        length = int(found[1]) if found else 0
        is_short = length <= PEEK - len(head) - len(end)
        if is_short and len(body) < length and not self.has_ended():
            return False
        prefix, cookie = dtale_patterns()
        target = head.split(b" ", 2)[1:2]
        is_for_dtale = bool(target) and target[0].lstrip(b"/").startswith(prefix)
        self.labels = set()
        if is_for_dtale:
            session = cookie.search(head)
            self.labels = {LONG, session[1]} if session else {LONG}
        if not is_short:
            self.labels |= {LONG, BODY}
        return True

    def has_ended(self) -> bool:
        """Return whether the client has closed the connection or its sending side."""
        if not hasattr(select, "POLLRDHUP"):  # Only Linux has this flag.
            return False
        poll = select.poll()
        poll.register(self.conn.sock, select.POLLRDHUP)
        return bool(poll.poll(0))


def dtale_patterns() -> tuple[bytes, re.Pattern[bytes]]:
    """Return the prefix of D-Tale's paths, and a pattern for the session cookie."""
    prefix = f"{dtale_settings.PREFIX}/".encode()
    name = re.escape(settings.SESSION_COOKIE_NAME).encode()
    return prefix, re.compile(rb"^cookie:.*?\b" + name + rb"=(\w+)", re.I | re.M)


class Pool(ThreadPoolExecutor):
    """The worker's threads, and the requests that wait for one of them."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._limits = {LONG: max(1, threads - SPARE), BODY: BODIES}
        self._changed = Condition()
        self._arriving: list[Job] = []
        self._waiting: list[Job] = []
        self._closing: list[tuple[socket.socket, float]] = []
        self._running: Counter[str | bytes] = Counter()  # Running jobs by label.
        Thread(target=self._poll_forever, name="request-pool", daemon=True).start()

    def submit(  # type: ignore[override]
        self, handle: "Callable[[TConn], Any]", conn: "TConn"
    ) -> Future:
        """Queue a request and return its future. A free thread handles the request."""
        job = Job(handle, conn)
        with self._changed:
            if job.has_arrived():
                self._admit(job)
            else:
                self._arriving.append(job)
            self._changed.notify()
        return job.future

    def close(self, conn: "TConn", graceful: bool = False) -> None:
        """Close a connection now or, if graceful, once the client has closed it."""
        if graceful:
            try:
                conn.sock.shutdown(socket.SHUT_WR)
                conn.sock.setblocking(False)
            except OSError:
                graceful = False
        if not graceful:
            util.close(conn.sock)
            return
        with self._changed:
            self._closing.append((conn.sock, time.monotonic() + LINGER_SECONDS))
            self._changed.notify()

    # With the lock held ---------------------------------------------------------------

    def _admit(self, job):
        waiting = sum(other.labels == job.labels for other in self._waiting)
        if self._may_start(job):
            self._start(job)
        elif waiting < MAX_WAITING:
            self._waiting.append(job)
        else:
            self._reject(job)

    def _may_start(self, job):
        limits = self._limits
        return all(self._running[each] < limits.get(each, SHARE) for each in job.labels)

    def _reject(self, job):
        if BODY in job.labels:
            refuse(job, 503, "Service Unavailable")
        else:  # The site itself refuses excess requests, with an explanation.
            self._start(job)

    def _start(self, job):
        self._running.update(job.labels)
        super().submit(self._run, job)

    def _admit_next(self):
        for job in [*self._waiting]:
            if self._may_start(job):
                self._waiting.remove(job)
                self._start(job)

    # In a thread ----------------------------------------------------------------------

    def _run(self, job):
        is_waited_for = (
            time.monotonic() - job.since < POLL_SECONDS or not job.has_ended()
        )
        try:
            if not is_waited_for:
                job.future.cancel()
            elif job.future.set_running_or_notify_cancel():
                job.future.set_result(job.handle(job.conn))
        except BaseException as error:
            job.future.set_exception(error)
        finally:
            with self._changed:
                self._running.subtract(job.labels)
                self._running += Counter()  # Drop labels whose count is 0.
                self._admit_next()

    def _poll_forever(self):
        """Check waiting requests and connections regularly, while there are any."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._arriving or self._waiting or self._closing
                )
            time.sleep(POLL_SECONDS)
            with self._changed:
                self._poll(time.monotonic())

    def _poll(self, now):
        arriving, self._arriving = self._arriving, []
        for job in arriving:
            if job.has_arrived():
                self._admit(job)
            elif now - job.since < ARRIVAL_TIMEOUT:
                self._arriving.append(job)
            else:
                refuse(job, 408, "Request Timeout")
        waiting, self._waiting = self._waiting, []
        for job in waiting:
            limit = MAX_BODY_WAIT if BODY in job.labels else MAX_WAIT
            if now - job.since < limit:
                self._waiting.append(job)
            else:
                self._reject(job)
        closing, self._closing = self._closing, []
        for sock, end in closing:
            if now < end and not is_closed(sock):
                self._closing.append((sock, end))
            else:
                util.close(sock)


def refuse(job: Job, status: int, reason: str) -> None:
    """Send an error response without a thread. Gunicorn then closes the connection."""
    with suppress(OSError):
        head = f"HTTP/1.1 {status} {reason}\r\nRetry-After: 5\r\n"
        job.conn.sock.setblocking(False)
        job.conn.sock.send(
            f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
    job.future.cancel()


def is_closed(sock: socket.socket) -> bool:
    """Return whether the client has closed a connection, and discard received data."""
    try:
        return not sock.recv(PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
