"""Gunicorn's settings. Gunicorn reads this file if it is started in this directory.

https://gunicorn.org/reference/settings/
"""

import os
import sys

import dotenv
from django.core.exceptions import ImproperlyConfigured
from django_dtale.contrib import environment as env
from django_dtale.contrib.gunicorn_hooks import on_exit, share_metrics, when_ready

dotenv.load_dotenv(".env")

wsgi_app = "{{ cookiecutter.project_slug }}.wsgi"
# One worker per core. Each has several threads, because many requests wait for I/O.
try:
    workers = int(env.text("WEB_CONCURRENCY", str(os.cpu_count() or 1), *env.WORKERS))
except ImproperlyConfigured as error:  # Otherwise, gunicorn would print a traceback.
    sys.exit(str(error))
threads = 8
# This class extends gunicorn's threaded worker, so that one user, slow clients or a
# stuck request cannot occupy all of its threads.
worker_class = "django_dtale.contrib.gunicorn_worker.Worker"
# Seconds. If a library holds the GIL for longer, gunicorn kills the worker.
timeout = 120
# Workers are replaced regularly, in case a library leaks memory. The jitter spreads the
# restarts over time.
max_requests = 20_000
max_requests_jitter = 5_000
# Workers share the memory of modules that are imported before the fork.
preload_app = True
# By default, gunicorn accepts a SCRIPT_NAME header from the proxy, but some proxies
# forward this header from clients. The site uses FORCE_SCRIPT_NAME instead.
forwarder_headers = ""

# Arrow's default allocator does not return freed memory to the system.
# https://arrow.apache.org/docs/python/memory.html
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")

if env.text("METRICS_TOKEN", ""):
    share_metrics()

__all__ = ["on_exit", "when_ready"]  # Gunicorn calls these functions.
