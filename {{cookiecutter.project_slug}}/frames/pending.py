"""Files that wait for an answer to how they are read.

They are in the storage of frames, so whichever machine is asked next finds them: in a
directory of the person, under random names. A page's address has the name, signed for
this person alone, and never a path. They go when they have been opened or given up, and
a day later at the latest.
"""

import contextlib
import secrets
import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.core import signing
from django.core.files import File
from django.core.files.storage import FileSystemStorage, storages
from django.core.files.temp import NamedTemporaryFile
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import salted_hmac

ROOT = "uploads"
EXPIRE = timedelta(days=1)
MAX_FILES = 5  # Of one person; the oldest makes room.


@dataclass(frozen=True)
class Pending:
    """A file that waits.

    Attributes:
        path: str, where it is in the storage.
        name: str, what its owner calls it.
        token: str, by which this person's pages name it.
    """

    path: str
    name: str
    token: str

    @contextlib.contextmanager
    def opened(self):
        """Yield the path (str) of a file with its content, for the time of a block.

        Raises:
            Http404: it is there no longer.
        """
        storage = storages["frames"]
        if not storage.exists(self.path):
            raise Http404("This file has been opened, or has waited too long.")
        if isinstance(storage, FileSystemStorage):
            yield storage.path(self.path)
            return
        with NamedTemporaryFile() as file:
            with storage.open(self.path) as source:
                shutil.copyfileobj(source, file)
            file.flush()
            yield file.name

    def discard(self):
        remove(self.path)


def keep(workspace, path, name):
    """Keep a file of the workspace's (path, name: str) and return it as Pending."""
    directory = _directory(workspace.owner(make=True))
    known = sorted(_stored(directory))
    for old, _ in known[: max(0, len(known) + 1 - MAX_FILES)]:
        remove(old)
    # By their names they are in order; a storage may know no more than their second.
    key = f"{time.time_ns():x}-{secrets.token_hex(16)}"
    make_private(storages["frames"])
    with open(path, "rb") as file:
        storages["frames"].save(f"{directory}/{key}", File(file))
    token = signing.dumps([key, name], salt=directory)
    return Pending(f"{directory}/{key}", name, token)


def find(workspace, token):
    """Return the workspace's Pending of a token (str).

    Raises:
        Http404: it is another's, or none.
    """
    directory = _directory(workspace.owner())
    try:
        key, name = signing.loads(token, salt=directory, max_age=EXPIRE)
    except signing.BadSignature:
        raise Http404("There is no such file here.") from None
    return Pending(f"{directory}/{key}", name, token)


def expired():
    """Yield the paths (str) of files that have waited too long, of everybody's."""
    with contextlib.suppress(FileNotFoundError):  # Nothing was ever kept.
        for directory in storages["frames"].listdir(ROOT)[0]:
            for path, stored in _stored(f"{ROOT}/{directory}"):
                if stored < timezone.now() - EXPIRE:
                    yield path


def remove(path):
    """Remove a file by its path (str), and its directory if it was the last one."""
    storage = storages["frames"]
    storage.delete(path)
    if isinstance(storage, FileSystemStorage):
        with contextlib.suppress(OSError):  # Others are in it.
            Path(storage.path(path)).parent.rmdir()


def make_private(storage):
    """Nobody else on this machine looks into the directory, whatever makes it first."""
    if isinstance(storage, FileSystemStorage):
        Path(storage.location).mkdir(parents=True, exist_ok=True, mode=0o700)


def _directory(owner):
    # Not the visitor's token itself: who has it would be that visitor.
    who = salted_hmac("frames.pending", repr(sorted(owner.items())), algorithm="sha256")
    return f"{ROOT}/{who.hexdigest()[:32]}"


def _stored(directory):
    storage = storages["frames"]
    with contextlib.suppress(FileNotFoundError):
        for name in storage.listdir(directory)[1]:
            with contextlib.suppress(FileNotFoundError):  # It went meanwhile.
                path = f"{directory}/{name}"
                yield path, storage.get_modified_time(path)
