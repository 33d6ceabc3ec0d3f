"""The one place that imports D-Tale.

Two threads that import D-Tale at once see half-initialised modules: each holds the lock
of a module that the other one waits for, and Python resolves such a deadlock by handing
out what is there so far. So every caller waits here for the first one.
"""

import functools
import threading

_lock = threading.Lock()


def load_dtale():
    """Import and build D-Tale at the first call, and return it (``dtale_app.Dtale``).

    A call that comes while another thread is building waits for it. After a failure,
    the next call tries again.

    Raises:
        DtaleChanged: the installed D-Tale is not the release this is written for.
    """
    with _lock:
        return _load()


@functools.cache
def _load():
    from .dtale_app import build_dtale

    return build_dtale()
