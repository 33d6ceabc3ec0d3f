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
# A process for each core calculates; more threads, as many requests wait for something.
try:
    workers = int(env.text("WEB_CONCURRENCY", str(os.cpu_count() or 1), *env.WORKERS))
except ImproperlyConfigured as error:  # Gunicorn would print its traceback.
    sys.exit(str(error))
threads = 8
# Gunicorn's own, that no single person or slow client keeps busy, nor a stuck request.
worker_class = "frames.gunicorn_worker.Worker"
# Seconds. A library that keeps all threads waiting for so long ends with its worker.
timeout = 120
# What leaks somewhere in so many libraries ends with its worker, not all in one moment.
max_requests = 20_000
max_requests_jitter = 5_000

# Arrow's own allocator keeps what a file that was read has taken; the system's gives it
# back. https://arrow.apache.org/docs/python/memory.html
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

# By default a proxy may name the path below which the site is, by a header SCRIPT_NAME,
# and some pass on what clients send. FORCE_SCRIPT_NAME names it here.
forwarder_headers = ""

# Workers share the memory of what was imported, and built, before they are forked.
preload_app = True

# What each worker counts for /metrics, where the others can read it. In memory: the
# files are mapped, and on a full disk the system would kill who writes to such a one.
if env.text("METRICS_TOKEN", ""):
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    counted = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(dir=memory)

    def on_exit(server):
        shutil.rmtree(counted, ignore_errors=True)


def when_ready(server):
    """Build D-Tale before there are workers; if it cannot be, the start ends here."""
    from django.db import connections

    from frames import reader_start

    site = server.app.wsgi()
    reader_start.start()  # Workers that are forked from here share it.
    site.get_application(site.prefix)
    connections.close_all()  # No two processes may use the same.
    # The garbage collector writes into whatever it looks at, which would copy it.
    gc.collect()
    gc.freeze()
