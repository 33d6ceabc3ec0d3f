"""Load D-Tale in one thread at a time.

If two threads import D-Tale at the same time, each can hold the lock of a module that
the other one needs. Python resolves this deadlock by handing out half-initialized
modules. Therefore all callers wait here until the first one has finished.
"""

import functools
import logging
import threading
from typing import TYPE_CHECKING

from django.core.signals import request_finished

if TYPE_CHECKING:
    from .application import DtaleApplication

logger = logging.getLogger(__name__)

_lock = threading.Lock()


def load_dtale() -> "DtaleApplication":
    """Import and build D-Tale on the first call, and return its application.

    Calls from other threads wait while one thread is building. If building fails, the
    next call tries again.

    Raises:
        DtaleChanged: The installed D-Tale is not a supported release.
    """
    with _lock:
        return _load()


@functools.cache
def _load():
    from .application import build_dtale

    return build_dtale()


def load_after_first_request() -> None:
    """Load D-Tale in a thread when this process's first request has ended.

    The first click then does not have to wait for D-Tale, and the first file does not
    have to wait for the reader process. Loading does not start earlier for two reasons:
    it would slow down the first page, and a server that forks its workers must not fork
    during an import.
    """
    request_finished.connect(_start_loading)


def _start_loading(**kwargs):
    request_finished.disconnect(_start_loading)
    threading.Thread(target=_warm_up, daemon=True).start()


def _warm_up():
    from ..readers.process import launcher

    launcher.start()
    try:
        load_dtale()
    except Exception:  # The next call of load_dtale() tries again.
        logger.exception("D-Tale cannot be loaded.")
