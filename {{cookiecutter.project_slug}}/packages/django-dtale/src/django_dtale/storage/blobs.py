"""Store the bytes of frames in `STORAGES["frames"]`, and cache them in this process.

Files in a local storage are mapped in place. Files in a remote storage are fetched once
per machine into a private directory of limited size, and mapped from there. Payloads
never change: each is stored under a new name, and the row of the frame contains the
current name.

If most of a frame stays unchanged, its next payload contains only the new buffers, and
refers to an earlier payload, its base, for the others. The name of a payload contains
the name of its base. A base has no base itself.
"""

import contextlib
import functools
import math
import os
import secrets
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import pandas as pd
from cachetools import LRUCache
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import FileSystemStorage

from ..conf import dtale_settings
from ..logs import increment
from . import payload
from .backend import frames_storage

SUFFIX = ".frame"
PARTIAL = ".part"
MIN_SHARED = 1 << 20  # Bytes. Sharing less is not worth a second file.
# `_evict_lru` limits the size of the cache to the current value of CACHE_MB.
_cache: LRUCache = LRUCache(math.inf, getsizeof=lambda entry: entry[1])
_cache_lock = threading.Lock()
# Maps the primary key of a frame to the name of the payload that was last read for it.
_newest: LRUCache = LRUCache(10_000)


def save(frame: pd.DataFrame, replaces: str = "") -> tuple[str, int]:
    """Store a frame under a new name.

    Args:
        replaces: the name of the payload that the new one replaces. The base of the new
            payload may be the replaced payload or its base.

    Returns:
        The name of the payload, and its size in bytes including shared buffers.

    Raises:
        OSError: there is not enough space, or the directory cannot be written to.
        ServiceUnavailable: the storage is an ``S3Storage`` and does not respond.
    """
    packed = payload.PackedFrame(frame)
    base, table = _base_for(packed, replaces)
    if base:
        name = f"{base.removesuffix(SUFFIX)}-{secrets.token_hex(8)}{SUFFIX}"
    else:
        name = f"{uuid.uuid4().hex}{SUFFIX}"
    path = _path(name)
    try:
        payload.write(path, packed, name, table)
        if _is_remote():
            with path.open("rb") as file:
                frames_storage().save(name, File(file))
        else:
            _sync_directory(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    _evict_fetched(path)
    return name, packed.nbytes


def base_of(name: str) -> str | None:
    """Return the name of a payload's base, or None if it has none."""
    base, dash, _ = name.partition("-")
    return f"{base}{SUFFIX}" if dash else None


def files_of(name: str) -> set[str]:
    """Return the names of a payload and its base, or no names for an empty name."""
    return {each for each in (name, base_of(name)) if each}


@functools.lru_cache(10_000)
def file_size(name: str) -> int:
    """Return the size of a payload's own file in bytes; 0 if it does not exist."""
    with contextlib.suppress(OSError):
        return frames_storage().size(name)
    return 0


def _base_for(
    packed: payload.PackedFrame, replaces: str
) -> tuple[str | None, payload.Table]:
    """Return the name and the table of the base for a frame, or None and ()."""
    name = base_of(replaces) or replaces
    with contextlib.suppress(FileNotFoundError, payload.CorruptPayload):
        table = payload.read_table(_path(name), name) if name else ()
        places = payload.shared_buffers(packed.table, table)
        stays = sum(table[place][0] for place in places if place is not None)
        # At least half of the frame must be in the base, and at least half of the base
        # must still be used.
        if stays >= max(
            MIN_SHARED, packed.nbytes / 2, sum(size for size, _ in table) / 2
        ):
            return name, table
    return None, ()


def load(name: str, of: int | None = None) -> pd.DataFrame:
    """Return the DataFrame stored under a name.

    Callers may change the result: because of pandas' copy-on-write, changes do not
    affect the cached frame.

    Args:
        of: the primary key of the frame. If its payload has changed since the last
            call, the previous payload is evicted from the cache.

    Raises:
        FileNotFoundError: there is no such payload.
        CorruptPayload: the payload is not the one that was stored.
    """
    if of is not None:
        with _cache_lock:
            before, _newest[of] = _newest.get(of, name), name
            if before != name:
                _evict(before)
    return cached((name,), lambda: _read(name))


def cached(key: tuple, make: Callable[[], tuple[Any, int]]) -> Any:
    """Return a value from the cache of this process, or create and cache it.

    Args:
        key: the name of a payload, followed by any other parts. As payloads never
            change, cached values stay valid.
        make: a function that returns a DataFrame or Series, and its memory in bytes.
    """
    value = find(key)
    if value is None:
        value, nbytes = make()
        keep(key, value, nbytes)
    return value.copy(deep=False)


def find(key: tuple) -> Any:
    """Return a value from the cache of this process; None if it is not there.

    Callers must not change the value.
    """
    with _cache_lock:
        entry = _cache.get(key)
    increment("cache_misses" if entry is None else "cache_hits")
    return entry and entry[0]


def keep(key: tuple, value: Any, nbytes: int) -> None:
    """Cache a value in this process, and drop those that were not used for longest.

    Args:
        key: see ``cached``.
        nbytes: the memory of the value. If this exceeds CACHE_MB, nothing is cached.
    """
    with _cache_lock:
        if _evict_lru(nbytes):
            _cache[key] = value, nbytes


def remove(name: str) -> None:
    """Remove a payload, if it exists.

    Raises:
        OSError: the payload cannot be removed now. (Windows does not remove mapped
            files.)
    """
    with _cache_lock:
        _evict(name)
    if _is_remote():
        with contextlib.suppress(OSError):
            _path(name).unlink()
    frames_storage().delete(name)


def list_payloads() -> Iterator[tuple[str, datetime]]:
    """Yield the name of each payload, and the time at which it was stored."""
    storage = frames_storage()
    with contextlib.suppress(FileNotFoundError):  # Nothing has been stored yet.
        for name in storage.listdir("")[1]:
            if name.endswith(SUFFIX):
                # The file may have been removed in the meantime.
                with contextlib.suppress(FileNotFoundError):
                    yield name, storage.get_modified_time(name)


def _evict(name: str) -> None:
    for key in [key for key in _cache if key[0] == name]:
        del _cache[key]


def _max_bytes() -> int:
    return dtale_settings.CACHE_MB << 20


def _evict_lru(size: int) -> bool:
    """Make room for ``size`` bytes in the cache, and return whether they fit.

    If they never fit, the cache stays as it is. It may contain the order of the rows of
    a frame that is too large for the cache itself.
    """
    limit = _max_bytes()
    while size <= limit < _cache.currsize + size:
        _cache.popitem()
    return size <= limit


def _read(name: str) -> tuple[pd.DataFrame, int]:
    base = base_of(name)
    return _open_payload(name, _open_payload(base) if base else None).frame()


def _open_payload(name: str, base: payload.Payload | None = None) -> payload.Payload:
    path = _path(name)
    try:
        with contextlib.suppress(PermissionError):
            os.utime(path)  # `_evict_fetched` removes the least recently used files.
        return _read_file(path, name, base)
    except FileNotFoundError:
        if not _is_remote():
            raise
    # The file has not been fetched yet, or another process has removed it.
    try:
        return _fetch(name, path, base)
    finally:
        _evict_fetched(path)


def _read_file(path: Path, name: str, base: payload.Payload | None) -> payload.Payload:
    size = path.stat().st_size + (base.nbytes if base else 0)
    with _cache_lock:
        # Make room first, so that old and new frames are never in memory at the same
        # time.
        _evict_lru(size)
    return payload.read(path, name, base)


def _fetch(name: str, path: Path, base: payload.Payload | None) -> payload.Payload:
    """Copy a payload from the remote storage to this machine, and read it."""
    with frames_storage().open(name) as source:
        descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=PARTIAL)
        try:
            with os.fdopen(descriptor, "wb") as target:
                _copy(name, source, target)
            # Map the file before renaming it: other processes may remove files that
            # have their final names.
            opened = _read_file(Path(part), name, base)
            # On Windows, this fails if another process has fetched and mapped the file.
            with contextlib.suppress(PermissionError):
                Path(part).replace(path)
        except BaseException:
            Path(part).unlink()
            raise
    return opened


def _copy(name: str, source: IO[bytes], target: IO[bytes]) -> None:
    """Copy the bytes of an open payload.

    Raises:
        FileNotFoundError: the payload was removed. The storage may have raised another
            error for this.
    """
    try:
        shutil.copyfileobj(source, target, 1 << 20)
    except Exception as error:
        if frames_storage().exists(name):
            raise
        raise FileNotFoundError(name) from error


def _is_remote() -> bool:
    return not isinstance(frames_storage(), FileSystemStorage)


def _path(name: str) -> Path:
    """Return the local path of a payload's file.

    Raises:
        SuspiciousFileOperation: the name contains a path to another directory.
    """
    if name != Path(name).name:
        raise SuspiciousFileOperation(f"{name} is not the name of a frame's file")
    if not _is_remote():
        path = Path(frames_storage().path(name))
    else:
        path = Path(dtale_settings.FETCHED_DIR, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _evict_fetched(newest: Path) -> None:
    """Remove the least recently used fetched files until FETCHED_MB is not exceeded."""
    if not _is_remote():
        return
    files = []
    for path in newest.parent.iterdir():
        # Another process may have removed the file.
        with contextlib.suppress(FileNotFoundError):
            files.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in files)
    an_hour_ago = time.time() - 3600
    for used, size, path in sorted(files):
        if total <= dtale_settings.FETCHED_MB << 20:
            break
        # Another process may still be writing a partial file.
        if path != newest and (path.suffix != PARTIAL or used < an_hour_ago):
            total -= size
            with contextlib.suppress(OSError):
                path.unlink()


def _sync_directory(directory: Path) -> None:
    """Make the name of a new file durable on platforms that can sync directories."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
