"""Which request gets one of a gunicorn worker's threads, and when.

- A client that sends slowly needs no thread: a request gets one when its head has
  arrived, and its body if that is short.
- A browser that asks D-Tale for much at once has SHARE threads. Its other requests
  wait, also without a thread, and are forgotten when it closes the connection.
- Some threads are left for all that is quick.
"""

import re
import select
import socket
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from threading import Condition, Thread

from django.conf import settings
from gunicorn import util

SHARE = 3  # Threads of one browser for D-Tale: as `fair_shares` has it.
PEEK = 32 << 10  # Bytes: as many are in the system's buffer before anything is read.
BODIES = 3  # Threads that may wait for long bodies, which no proxy has received before.
SPARE = 2  # Threads for all that is quick: probes, static files, signing in.
LONG, BODY = "long", "body"  # How requests count that may need a thread for long.
MAX_WAITING = 60  # Requests of one browser: three pages of charts send 48 at once.

# Seconds
TICK = 0.05
ARRIVAL = 10  # For a head and a short body, and between two parts of a long one.
TURN = 10
LINGER = 2  # So that a client that still sends can read why it was refused.

LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,18})", re.I | re.M)


class Job:
    """A request that somebody sends.

    Attributes:
        future: ``Future`` of what gunicorn makes of it.
        labels: set, of what it counts as: LONG, BODY, and the session (bytes) that asks
            D-Tale.
    """

    labels = frozenset()

    def __init__(self, handle, conn):
        self.handle, self.conn = handle, conn
        self.future = Future()
        self.since = time.monotonic()

    def has_arrived(self):
        """Return whether a thread can read it without waiting for the client."""
        parser = self.conn.parser
        if self.conn.cfg.is_ssl or (parser and parser.unreader.buf.getvalue()):
            return True  # Gunicorn has read a part of it, which cannot be seen here.
        try:
            flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
            data = self.conn.sock.recv(PEEK, flags)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        head, end, body = data.partition(b"\r\n\r\n")
        if not end:  # If no more will come, a thread finds out what it is.
            return not data or len(data) == PEEK or self.has_ended()
        length = LENGTH.search(head)
        length = int(length[1]) if length else 0
        is_short = length <= PEEK - len(head) - len(end)
        if is_short and len(body) < length and not self.has_ended():
            return False
        prefix, cookie = known()
        target = head.split(b" ", 2)[1:2]
        is_for_dtale = bool(target) and target[0].lstrip(b"/").startswith(prefix)
        self.labels = set()
        if is_for_dtale:
            session = cookie.search(head)
            self.labels = {LONG, session[1]} if session else {LONG}
        if not is_short:
            self.labels |= {LONG, BODY}
        return True

    def has_ended(self):
        """Return whether the client has closed the connection, or will send no more."""
        if not hasattr(select, "POLLRDHUP"):  # Only Linux has it.
            return False
        poll = select.poll()
        poll.register(self.conn.sock, select.POLLRDHUP)
        return bool(poll.poll(0))


@cache
def known():
    """Return how paths of D-Tale begin (bytes), and a pattern of the session's cookie."""
    prefix = f"{settings.DTALE_PREFIX}/".encode()
    name = re.escape(settings.SESSION_COOKIE_NAME).encode()
    return prefix, re.compile(rb"^cookie:.*?\b" + name + rb"=(\w+)", re.I | re.M)


class Pool(ThreadPoolExecutor):
    """The worker's threads, and the requests that wait for one of them."""

    def __init__(self, threads):
        super().__init__(threads)
        self._limits = {LONG: max(1, threads - SPARE), BODY: BODIES}
        self._changed = Condition()
        self._arriving, self._waiting, self._closing = [], [], []
        self._running = Counter()  # By label.
        Thread(target=self._attend, name="door", daemon=True).start()

    def submit(self, handle, conn):
        """Let gunicorn handle a request, at its time: returns a ``Future``."""
        job = Job(handle, conn)
        with self._changed:
            if job.has_arrived():
                self._admit(job)
            else:
                self._arriving.append(job)
            self._changed.notify()
        return job.future

    def close(self, conn, graceful=False):
        """Close a connection, at once or when the client has closed it."""
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
            self._closing.append((conn.sock, time.monotonic() + LINGER))
            self._changed.notify()

    # With the lock held ---------------------------------------------------------------

    def _admit(self, job):
        waiting = sum(other.labels == job.labels for other in self._waiting)
        if self._may_start(job):
            self._start(job)
        elif waiting < MAX_WAITING:
            self._waiting.append(job)
        else:
            self._give_up(job)

    def _may_start(self, job):
        limits = self._limits
        return all(self._running[each] < limits.get(each, SHARE) for each in job.labels)

    def _give_up(self, job):
        if BODY in job.labels:
            refuse(job, 503, "Service Unavailable")
        else:  # The site refuses what is too much, and can say why.
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
        is_waited_for = time.monotonic() - job.since < TICK or not job.has_ended()
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
                self._running += Counter()  # Without those that are 0.
                self._admit_next()

    def _attend(self):
        """Look after what waits, as long as anything does."""
        while True:
            with self._changed:
                self._changed.wait_for(
                    lambda: self._arriving or self._waiting or self._closing
                )
            time.sleep(TICK)
            with self._changed:
                self._look(time.monotonic())

    def _look(self, now):
        arriving, self._arriving = self._arriving, []
        for job in arriving:
            if job.has_arrived():
                self._admit(job)
            elif now - job.since < ARRIVAL:
                self._arriving.append(job)
            else:
                refuse(job, 408, "Request Timeout")
        waiting, self._waiting = self._waiting, []
        for job in waiting:
            if now - job.since < TURN:
                self._waiting.append(job)
            else:
                self._give_up(job)
        closing, self._closing = self._closing, []
        for sock, end in closing:
            if now < end and not is_closed(sock):
                self._closing.append((sock, end))
            else:
                util.close(sock)


def refuse(job, status, reason):
    """Answer without a thread; gunicorn then closes the connection."""
    with suppress(OSError):
        head = f"HTTP/1.1 {status} {reason}\r\nRetry-After: 5\r\n"
        job.conn.sock.setblocking(False)
        job.conn.sock.send(
            f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )
    job.future.cancel()


def is_closed(sock):
    """Say (bool) whether the client has closed a connection; forget what it has sent."""
    try:
        return not sock.recv(PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
