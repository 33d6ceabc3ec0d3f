"""Gunicorn's server hooks for a site with D-Tale. gunicorn.conf.py imports them.

https://gunicorn.org/reference/settings/#server-hooks
"""

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

_directory = None


def share_metrics() -> None:
    """Let all workers share their metrics. Call this before gunicorn loads the site.

    Workers write their metrics to memory-mapped files, which other workers can read.
    The files are in memory if possible: on a full disk, the system kills a process that
    writes to a mapped file.
    """
    global _directory
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    _directory = os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(dir=memory)


def on_exit(server: Any) -> None:
    if _directory:
        shutil.rmtree(_directory, ignore_errors=True)


def when_ready(server: Any) -> None:
    """Load D-Tale before the workers are forked. If loading fails, the server exits."""
    from django.db import connections

    from ..dtale.loader import load_dtale
    from ..readers.process import launcher

    server.app.wsgi()
    launcher.start()  # All workers share the launcher process.
    load_dtale()
    connections.close_all()  # Workers must not inherit database connections.
    # Without freeze(), the garbage collector of a worker would write to objects that
    # the workers share, which copies their memory pages.
    gc.collect()
    gc.freeze()
