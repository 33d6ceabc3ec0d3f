"""Gunicorn's threaded worker, extended so that no client can occupy all threads.

- Clients that send slowly occupy no thread, and the requests of one browser to D-Tale
  occupy only a few: see `gunicorn_pool`.
- If a request is stuck, the worker finishes the other requests and exits, and gunicorn
  starts another worker: see `stuck`.

If gunicorn itself terminates TLS, only the second point applies, because the worker
cannot see how much of a request has arrived.
"""

import os
import socket
import struct
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn.workers import gthread

from .gunicorn_pool import ARRIVAL_TIMEOUT, Pool

SEND_TIMEOUT = 60  # Seconds within which a client has to read a part of its response.


class Worker(gthread.ThreadWorker):
    def get_thread_pool(self) -> Pool:
        return Pool(self.cfg.threads)

    def load_wsgi(self) -> None:
        super().load_wsgi()
        from . import stuck  # Imported here, because it needs Django's settings.

        stuck.watch(self.replace)

    def replace(self, count: int) -> None:
        """Accept no new requests, and exit when only stuck requests are left.

        Args:
            count: the number of requests that are stuck.
        """
        self.handle_exit(None, None)  # As after SIGTERM, other requests are finished.
        if self.nr_conns <= count:
            os._exit(0)

    def run(self) -> None:
        super().run()
        from . import stuck

        # At exit, Python would wait for the threads of these requests.
        if stuck.overdue_requests():
            os._exit(0)

    def enqueue_req(self, conn: gthread.TConn) -> None:
        if not self.cfg.is_ssl:
            if not hasattr(conn, "is_prepared"):
                self._prepare(conn)
            is_new = not conn.initialized and not getattr(conn, "data_ready", True)
            if is_new and self.alive:
                # Gunicorn would let a thread wait for the first byte.
                nothing_yet: Future = Future()
                nothing_yet.set_result(gthread._DEFER)
                return self.finish_request(conn, nothing_yet)
        return super().enqueue_req(conn)

    def _prepare(self, conn):
        conn.is_prepared = True
        limits = {socket.SO_RCVTIMEO: ARRIVAL_TIMEOUT, socket.SO_SNDTIMEO: SEND_TIMEOUT}
        for option, seconds in limits.items():
            timeval = struct.pack("ll", seconds, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, option, timeval)
        # Gunicorn's own method would wait for the client, and accept no other
        # connections in the meantime.
        conn.close = partial(self.tpool.close, conn)

    def handle_request(self, req: Any, conn: gthread.TConn) -> bool:
        is_kept = super().handle_request(req, conn)
        # If a part of the body is unread, gunicorn would keep the connection and wait
        # for the rest.
        reader = req.body.reader
        is_unread = getattr(reader, "length", 0) or getattr(reader, "parser", None)
        return is_kept and not is_unread
