"""How gunicorn serves the site: `.venv/bin/gunicorn`, in this directory, reads it.

https://gunicorn.org/reference/settings/
"""

import gc
import os
import shutil
import sys
import tempfile
from importlib import import_module

import dotenv
from django.core.exceptions import ImproperlyConfigured

dotenv.load_dotenv(".env")
env = import_module("{{ cookiecutter.project_slug }}.environment")

wsgi_app = "{{ cookiecutter.project_slug }}.wsgi"
# One worker for each core. They have more threads, because many requests wait for I/O.
try:
    workers = int(env.text("WEB_CONCURRENCY", str(os.cpu_count() or 1), *env.WORKERS))
except ImproperlyConfigured as error:  # Gunicorn would print a traceback.
    sys.exit(str(error))
threads = 8
# Gunicorn's threaded worker, extended: one user, slow clients or a stuck request cannot
# occupy all of its threads.
worker_class = "frames.gunicorn_worker.Worker"
# Seconds. If a library holds the GIL for longer, gunicorn kills the worker.
timeout = 120
# Workers are replaced in case a library leaks memory; the jitter spreads this over time.
max_requests = 20_000
max_requests_jitter = 5_000

# Arrow's default allocator does not return freed memory to the system.
# https://arrow.apache.org/docs/python/memory.html
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# By default, gunicorn accepts SCRIPT_NAME from a header of the proxy, but some proxies
# forward this header from clients. Here, FORCE_SCRIPT_NAME sets the path.
forwarder_headers = ""

# Workers share the memory of everything that is imported before they are forked.
preload_app = True

# Workers write their metrics to memory-mapped files, which the others can read. The files
# are in memory, because the system kills a process that writes to a mapped file on a full
# disk.
if env.text("METRICS_TOKEN", ""):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    counted = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(dir=memory)

    def on_exit(server):
        shutil.rmtree(counted, ignore_errors=True)


def when_ready(server):
    """Build D-Tale before the workers are forked; if that fails, the server ends."""
    from django.db import connections

    from frames import reader_start

    site = server.app.wsgi()
    reader_start.start()  # All workers share this process.
    site.get_application(site.prefix)
    connections.close_all()  # Processes cannot share a connection.
    # The garbage collector writes to objects, which would copy shared memory pages.
    gc.collect()
    gc.freeze()
