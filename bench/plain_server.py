"""D-Tale alone as a WSGI application: frames in memory, and no users.

BENCH_ROWS has the number of rows of each frame. With BENCH_LOCK, a lock admits one request at
a time.
"""

import os
import threading

from answer import mixed
from dtale.app import build_app
from dtale.views import startup

dtale = build_app(reaper_on=False)
lock = threading.Lock()
for rows in os.environ["BENCH_ROWS"].split():
    startup(data=mixed(int(rows)), ignore_duplicate=True)


def locked(environ, start_response):
    with lock:
        return [b"".join(dtale(environ, start_response))]


application = locked if os.environ.get("BENCH_LOCK") else dtale
