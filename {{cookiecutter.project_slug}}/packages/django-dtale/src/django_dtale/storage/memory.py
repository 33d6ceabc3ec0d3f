"""Return memory that large operations have freed to the system.

glibc keeps freed memory for the next allocation of the same thread. After ten people had
opened files of 92 MB each, two workers kept 600 MB in this way.
"""

import contextlib
import ctypes
import functools
import mmap
import sys
import threading
import time
from pathlib import Path
from typing import Any

GROWTH = 64 << 20  # Bytes. Returning less is not worth the time.
PAUSE = 2.0  # Seconds. Of requests that follow one another, only the last one matters.

_lock = threading.Lock()  # Held while a thread returns memory.
_kept = 0  # The bytes that were in use when memory was last returned.


def return_freed_memory(**kwargs: Any) -> None:
    """Return memory to the system if this process has grown. Receives Django's signals."""
    if _malloc_trim() is None or not _lock.acquire(blocking=False):
        return
    if private_bytes() < _kept + GROWTH:
        _lock.release()
        return
    try:
        threading.Thread(target=_return, daemon=True).start()
    except RuntimeError:  # The process ends, or has too many threads.
        _lock.release()


def private_bytes() -> int:
    """Return the memory of this process without mapped files; 0 if it is not known.

    https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html
    """
    with contextlib.suppress(OSError):
        _, resident, shared, *_ = Path("/proc/self/statm").read_text().split()
        return (int(resident) - int(shared)) * mmap.PAGESIZE
    return 0


def return_now() -> None:
    """Return freed memory. This can take 0.1 seconds, and needs glibc."""
    global _kept
    _malloc_trim()(0)
    _kept = private_bytes()


def _return():
    try:
        time.sleep(PAUSE)
        return_now()
    finally:
        _lock.release()


@functools.cache
def _malloc_trim():
    """Return glibc's function, or None with another C library."""
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)
