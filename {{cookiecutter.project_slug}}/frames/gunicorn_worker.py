"""Gunicorn's threaded worker, whose few threads are never all one client's.

- A client that sends slowly needs no thread, and a browser that asks D-Tale for much at
  once has few of them: see `gunicorn_pool`.
- A request that is stuck ends with its worker: the others are finished, and gunicorn
  starts another worker. See `stuck`.

With certificates of its own gunicorn cannot see what has arrived: then only the last
point holds.
"""

import os
import socket
import struct
from concurrent.futures import Future
from functools import partial

from gunicorn.workers import gthread

from .gunicorn_pool import ARRIVAL, Pool

TAKEN = 60  # Seconds, within which a client takes some of its answer.


class Worker(gthread.ThreadWorker):
    def get_thread_pool(self):
        return Pool(self.cfg.threads)

    def load_wsgi(self):
        super().load_wsgi()
        from . import stuck  # Here: it needs Django's settings.

        stuck.watch(self.replace)

    def replace(self, count):
        """Take no new requests, and end when only those that are stuck are left.

        Args:
            count: int, of these.
        """
        self.handle_exit(None, None)  # As on SIGTERM: the others are finished.
        if self.nr_conns <= count:
            os._exit(0)

    def run(self):
        super().run()
        from . import stuck

        if stuck.late():  # At exit, Python would wait for their threads.
            os._exit(0)

    def enqueue_req(self, conn):
        if not self.cfg.is_ssl:
            if not hasattr(conn, "is_prepared"):
                self._prepare(conn)
            is_new = not conn.initialized and not getattr(conn, "data_ready", True)
            if is_new and self.alive:
                # Gunicorn would let a thread wait for the first byte, and then do this.
                nothing_yet = Future()
                nothing_yet.set_result(gthread._DEFER)
                return self.finish_request(conn, nothing_yet)
        return super().enqueue_req(conn)

    def _prepare(self, conn):
        conn.is_prepared = True
        limits = {socket.SO_RCVTIMEO: ARRIVAL, socket.SO_SNDTIMEO: TAKEN}
        for option, seconds in limits.items():
            timeval = struct.pack("ll", seconds, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, option, timeval)
        # Gunicorn's own waits, and nobody else is accepted meanwhile.
        conn.close = partial(self.tpool.close, conn)

    def handle_request(self, req, conn):
        is_kept = super().handle_request(req, conn)
        # To keep a connection, gunicorn waits for a body that nobody has read.
        reader = req.body.reader
        is_unread = getattr(reader, "length", 0) or getattr(reader, "parser", None)
        return is_kept and not is_unread
