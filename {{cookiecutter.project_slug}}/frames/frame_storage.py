"""Where the bytes of frames are: `STORAGES["frames"]`, and this process's cache.

Files of a local storage are mapped where they are. Those of a remote one are fetched
once per machine into a private directory, bounded in bytes, and mapped from there.
A payload never changes: its name is new each time, and the row says which is current.

Where most of a frame stays as it is, the next payload has only what is new, and leans on
the one before: on its base, which is in its name. A base has none itself.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
import uuid
from pathlib import Path

from cachetools import LRUCache
from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages

from . import payload
from .logs import count

SUFFIX = ".frame"
PART = ".part"
MIN_LENT = 1 << 20  # Bytes; for less, a second file is not worth it.
_cache = LRUCache(settings.FRAMES_CACHE_MB << 20, getsizeof=lambda entry: entry[1])
_cache_lock = threading.Lock()
_newest = LRUCache(10_000)  # A frame's primary key -> its payload when last read.


def save(frame, replaces=""):
    """Store a ``pandas.DataFrame`` under a new name.

    Args:
        frame: the ``pandas.DataFrame``.
        replaces: str, the name of the payload that a row has and will have no more: what
            is in there as well may stay where it is.

    Returns:
        tuple: the payload's name (str) and its size in bytes (int), the base's included.

    Raises:
        OSError: there is no room, or the storage cannot be reached.
    """
    packed = payload.Packed(frame)
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
                storages["frames"].save(name, File(file))
        else:
            _sync_directory(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    _make_room(path)
    return name, packed.nbytes


def base_of(name):
    """Return the name (str) of the payload that one leans on, None if it is whole."""
    base, dash, _ = name.partition("-")
    return f"{base}{SUFFIX}" if dash else None


def files_of(name):
    """Return the names (set[str]) of a payload and of its base; "" is no payload."""
    return {name, base_of(name)} - {"", None}


def _base_for(packed, replaces):
    """Return the base, and its table, of which most is still there; else None and ()."""
    name = base_of(replaces) or replaces
    with contextlib.suppress(FileNotFoundError, payload.PayloadDamaged):
        table = payload.read_table(_path(name), name) if name else ()
        places = payload.lent(packed.table, table)
        stays = sum(table[place][0] for place in places if place is not None)
        # Of what is stored, at least half is this frame's, and at least half was there.
        if stays >= max(
            MIN_LENT, packed.nbytes / 2, sum(size for size, _ in table) / 2
        ):
            return name, table
    return None, ()


def load(name, of=None):
    """Return the ``pandas.DataFrame`` stored under a name.

    It is the caller's own: with pandas' copy-on-write, nothing written into it reaches
    the cached one.

    Args:
        of: primary key (int) of its frame. What this process has of the frame's payload
            before, which another one has replaced, is forgotten.

    Raises:
        FileNotFoundError: there is no such payload.
        PayloadDamaged: it is not what was stored.
    """
    if of is not None:
        with _cache_lock:
            before, _newest[of] = _newest.get(of, name), name
            if before != name:
                _forget(before)
    return cached((name,), lambda: _read(name))


def cached(key, make):
    """Return what is in the cache of this process, or make it and keep it there.

    Args:
        key: tuple that begins with a payload's name; what is made of a payload that
            never changes does not change either.
        make: called without arguments, returns a ``pandas.DataFrame`` or Series and the
            bytes of memory that it takes (int).
    """
    with _cache_lock:
        entry = _cache.get(key)
    count("cache_misses" if entry is None else "cache_hits")
    if entry is None:
        entry = make()
        with _cache_lock:
            if entry[1] <= _cache.maxsize:
                _cache[key] = entry
    return entry[0].copy(deep=False)


def remove(name):
    """Remove a payload; one that is gone already is fine.

    Raises:
        OSError: it cannot go now (Windows keeps a file that is mapped).
    """
    with _cache_lock:
        _forget(name)
    if _is_remote():
        with contextlib.suppress(OSError):
            _path(name).unlink()
    storages["frames"].delete(name)


def stored():
    """Yield the names (str) of all payloads, and when each was stored (datetime)."""
    storage = storages["frames"]
    with contextlib.suppress(FileNotFoundError):  # Nothing was ever stored.
        for name in storage.listdir("")[1]:
            if name.endswith(SUFFIX):
                with contextlib.suppress(FileNotFoundError):  # It went meanwhile.
                    yield name, storage.get_modified_time(name)


def _forget(name):
    for key in [key for key in _cache if key[0] == name]:
        del _cache[key]


def _read(name):
    base = base_of(name)
    return _opened(name, _opened(base) if base else None).frame()


def _opened(name, base=None):
    path = _path(name)
    try:
        with contextlib.suppress(PermissionError):
            os.utime(path)  # Of the fetched files, those used longest ago go first.
        return _read_file(path, name, base)
    except FileNotFoundError:
        if not _is_remote():
            raise
    # Not fetched yet, or another process has made room since.
    try:
        return _fetch(name, path, base)
    finally:
        _make_room(path)


def _read_file(path, name, base):
    size = path.stat().st_size + (base.nbytes if base else 0)
    with _cache_lock:
        # Room for it is made before it is there, so that both are never in memory.
        while _cache and _cache.currsize + size > _cache.maxsize:
            _cache.popitem()
    return payload.read(path, name, base)


def _fetch(name, path, base):
    """Copy a payload from the remote storage to this machine, and read it."""
    with storages["frames"].open(name) as source:
        descriptor, part = tempfile.mkstemp(dir=path.parent, suffix=PART)
        try:
            with os.fdopen(descriptor, "wb") as target:
                _copy(name, source, target)
            # Mapped before it has its name: then no other process can take it away.
            opened = _read_file(Path(part), name, base)
            # Windows replaces no file that is mapped: then another process has fetched it.
            with contextlib.suppress(PermissionError):
                os.replace(part, path)
        except BaseException:
            os.unlink(part)
            raise
    return opened


def _copy(name, source, target):
    """Copy an open payload's bytes; a client has its own error for one that is gone."""
    try:
        shutil.copyfileobj(source, target, 1 << 20)
    except Exception as error:
        if storages["frames"].exists(name):
            raise
        raise FileNotFoundError(name) from error


def _is_remote():
    return not isinstance(storages["frames"], FileSystemStorage)


def _path(name):
    """Return where the file is (Path) that is mapped.

    Raises:
        SuspiciousFileOperation: the name is a path, which may lead elsewhere.
    """
    if name != Path(name).name:
        raise SuspiciousFileOperation(f"{name} is no name of a frame's file")
    if not _is_remote():
        path = Path(storages["frames"].path(name))
    else:
        path = Path(settings.FRAMES_FETCHED_DIR, name)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def _make_room(newest):
    """Remove the fetched files used longest ago, until the rest is within its bound."""
    if not _is_remote():
        return
    files = []
    for path in newest.parent.iterdir():
        with contextlib.suppress(FileNotFoundError):  # Another process makes room, too.
            files.append((path.stat().st_mtime, path.stat().st_size, path))
    total = sum(size for _, size, _ in files)
    an_hour_ago = time.time() - 3600
    for used, size, path in sorted(files):
        if total <= settings.FRAMES_FETCHED_MB << 20:
            break
        # A part may be another process's, which is about to be whole.
        if path != newest and (path.suffix != PART or used < an_hour_ago):
            total -= size
            with contextlib.suppress(OSError):
                path.unlink()


def _sync_directory(directory):
    """Make the name of a new file durable, where directories can be synced."""
    if os.name == "posix":
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
