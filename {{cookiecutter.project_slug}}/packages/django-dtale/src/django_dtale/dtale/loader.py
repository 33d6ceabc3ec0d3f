"""Load D-Tale in one thread at a time.

If two threads import D-Tale at the same time, each can hold the lock of a module that
the other one needs. Python resolves this deadlock by handing out half-initialized
modules. Therefore all callers wait here until the first one has finished.
"""

import functools
import logging
import os
import sys
import threading
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from django.core.signals import request_finished

if TYPE_CHECKING:
    from .application import DtaleApplication

logger = logging.getLogger(__name__)

# NumPy's names of AVX-512. Those since 2.4 come first.
AVX512 = (
    "X86_V4 AVX512_ICL AVX512_SPR AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL"
)

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
    _avoid_slow_sorts()
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


def _avoid_slow_sorts():
    """On AMD's Zen 4, import NumPy so that it sorts without AVX-512.

    There, the sorts with AVX-512 take three to five times as long as those with AVX2,
    because Zen 4 is slow at an instruction that they use for each vector. Logarithms of
    a million numbers take 3 ms longer than with AVX-512, and a sort 40 ms less.
    https://github.com/numpy/numpy/pull/32690
    """
    is_set = "NPY_DISABLE_CPU_FEATURES" in os.environ
    if "numpy" in sys.modules or is_set or not is_zen_4(Path("/proc/cpuinfo")):
        return
    os.environ["NPY_DISABLE_CPU_FEATURES"] = AVX512
    try:
        with warnings.catch_warnings():
            # NumPy warns about names that its release does not know.
            warnings.simplefilter("ignore", ImportWarning)
            import numpy  # noqa: F401
    finally:  # In other processes, nothing would ignore the warning.
        del os.environ["NPY_DISABLE_CPU_FEATURES"]


def is_zen_4(processors: Path) -> bool:
    """Return whether Linux describes a processor of AMD's Zen 4 in this file.

    Zen 3 belongs to the same family, but has no AVX-512.
    """
    try:
        with processors.open(encoding="ascii", errors="replace") as file:
            text = file.read(4096)  # This contains the first processor.
    except OSError:  # This system is not Linux.
        return False
    lines = (line.partition(":") for line in text.splitlines())
    first = {name.strip(): value.split() for name, _, value in reversed([*lines])}
    return (
        first.get("vendor_id") == ["AuthenticAMD"]
        and first.get("cpu family") == ["25"]
        and "avx512f" in first.get("flags", ())
    )
