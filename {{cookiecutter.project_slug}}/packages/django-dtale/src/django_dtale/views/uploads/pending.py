"""Uploaded files that their owners have to review before opening them.

They are in the storage of frames, where all machines can read them. Each user has a
directory, which contains a directory with a random name for each upload. The URLs of
pages contain the random name, signed for this user, and never a path. An upload is
deleted when it has been opened or discarded, and after a day at the latest.
"""

import contextlib
import dataclasses
import json
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core import signing
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage
from django.core.files.temp import NamedTemporaryFile
from django.http import Http404
from django.utils import timezone
from django.utils.crypto import salted_hmac

from ...readers.options import ImportOptions
from ...readers.process.outline import Table
from ...storage.backend import frames_storage
from ...workspace import Workspace
from ..steps import Target

ROOT = "uploads"
DESCRIPTION = "description"  # The file that describes the others.
MAX_AGE = timedelta(days=1)
MAX_UPLOADS = 5  # The limit of one user. The oldest upload is deleted to make room.


@dataclass(frozen=True)
class PendingUpload:
    """Uploaded files, and the tables in them.

    Attributes:
        path: the path of their directory in the storage.
        token: the signed random name, which this user's URLs contain.
        files: the original names of the files.
        tables: for each table, the number of its file, and its description.
        options: the options that were chosen for tables, by their positions.
        target: the frame that gets the data; None for a new frame.
    """

    path: str
    token: str
    files: tuple[str, ...]
    tables: tuple[tuple[int, Table], ...]
    options: Mapping[int, ImportOptions] = field(default_factory=dict)
    target: Target | None = None

    def table(self, number: int) -> Table:
        """Return the description of a table.

        Raises:
            Http404: there is no such table.
        """
        if not 0 <= number < len(self.tables):
            raise Http404("This upload has no such table.")
        return self.tables[number][1]

    def title(self, number: int) -> str:
        """Return a title for a table: the name of its file and its place in it."""
        file, table = self.tables[number]
        return ": ".join(filter(None, [self.files[file], table.member, table.sheet]))

    def options_of(self, number: int) -> ImportOptions:
        """Return the options with which a table is read, as far as they are known."""
        return self.options.get(number, ImportOptions()).updated(self.place(number))

    def place(self, number: int) -> ImportOptions:
        """Return the options that tell where a table is in its file."""
        table = self.table(number)
        return ImportOptions(sheet=table.sheet, member=table.member)

    @contextlib.contextmanager
    def opened(self, number: int) -> Iterator[tuple[str, str]]:
        """Yield a local path of a table's file, and its name, within a with-block.

        Raises:
            Http404: the file does not exist any more.
        """
        file, _table = self.tables[number]
        path, storage = f"{self.path}/{file}", frames_storage()
        if not storage.exists(path):
            raise Http404("This upload was opened already, or has expired.")
        if isinstance(storage, FileSystemStorage):
            yield storage.path(path), self.files[file]
            return
        with NamedTemporaryFile() as copy:
            with storage.open(path) as source:
                shutil.copyfileobj(source, copy)
            copy.flush()
            yield copy.name, self.files[file]

    def choose(self, number: int, options: ImportOptions, table: Table) -> None:
        """Store the options that were chosen for a table, and its new description."""
        tables = list(self.tables)
        tables[number] = (tables[number][0], table)
        changed = dataclasses.replace(
            self, tables=tuple(tables), options={**self.options, number: options}
        )
        _save_description(changed)

    def discard(self) -> None:
        remove(self.path)


def store(
    workspace: Workspace,
    files: Sequence[tuple[str, str]],
    tables: Sequence[tuple[int, Table]],
    options: Mapping[int, ImportOptions],
    target: Target | None,
) -> PendingUpload:
    """Store files for the workspace.

    Args:
        files: the local path and the name of each file.
        tables, options, target: see ``PendingUpload``.
    """
    directory = _directory(workspace.owner_fields(create=True))
    known = sorted(_uploads(directory))
    for old in known[: max(0, len(known) + 1 - MAX_UPLOADS)]:
        remove(old)
    # Names sort by age.
    key = f"{time.time_ns():x}-{secrets.token_hex(16)}"
    create_private_directory(frames_storage())
    made = PendingUpload(
        f"{directory}/{key}",
        signing.dumps(key, salt=directory),
        tuple(name for _, name in files),
        tuple(tables),
        options,
        target,
    )
    try:
        for number, (path, _) in enumerate(files):
            with open(path, "rb") as file:
                frames_storage().save(f"{made.path}/{number}", File(file))
        _save_description(made)
    except BaseException:
        made.discard()
        raise
    return made


def get_pending_upload(workspace: Workspace, token: str) -> PendingUpload:
    """Return the workspace's pending upload with a token.

    Raises:
        Http404: the token is invalid, has expired, or belongs to another user; or the
            upload was opened or discarded.
    """
    directory = _directory(workspace.owner_fields())
    try:
        key = signing.loads(token, salt=directory, max_age=MAX_AGE)
        with frames_storage().open(f"{directory}/{key}/{DESCRIPTION}") as file:
            found = json.loads(file.read())
    except signing.BadSignature:
        raise Http404("This upload does not exist.") from None
    except FileNotFoundError:
        raise Http404("This upload was opened already, or has expired.") from None
    return PendingUpload(
        f"{directory}/{key}",
        token,
        tuple(found["files"]),
        tuple((file, Table.from_dict(table)) for file, table in found["tables"]),
        {
            int(number): ImportOptions.from_dict(options)
            for number, options in found["options"].items()
        },
        Target(**found["target"]) if found["target"] else None,
    )


def expired_paths() -> Iterator[str]:
    """Yield the paths of all expired uploads."""
    last = timezone.now() - MAX_AGE
    for directory in _listed(ROOT)[0]:
        for path in _uploads(f"{ROOT}/{directory}"):
            if _time(path) < last:
                yield path


def remove(path: str) -> None:
    """Remove an upload, and its user's directory if it is empty then."""
    storage = frames_storage()
    with contextlib.suppress(NotADirectoryError):  # Earlier releases stored a file.
        for name in _listed(path)[1]:
            storage.delete(f"{path}/{name}")
    with contextlib.suppress(OSError):
        storage.delete(path)
    if isinstance(storage, FileSystemStorage):
        with contextlib.suppress(OSError):  # The directory contains other uploads.
            Path(storage.path(path)).parent.rmdir()


def create_private_directory(storage: Storage) -> None:
    """Create the storage's directory without access for other accounts."""
    if isinstance(storage, FileSystemStorage):
        Path(storage.location).mkdir(parents=True, exist_ok=True, mode=0o700)


def _save_description(upload: PendingUpload) -> None:
    path, storage = f"{upload.path}/{DESCRIPTION}", frames_storage()
    values = {
        "files": upload.files,
        "tables": [(file, table.to_dict()) for file, table in upload.tables],
        "options": {
            number: options.to_dict() for number, options in upload.options.items()
        },
        "target": upload.target and dataclasses.asdict(upload.target),
    }
    storage.delete(path)  # Otherwise, the storage would choose another name.
    storage.save(path, ContentFile(json.dumps(values).encode()))


def _directory(owner: dict[str, Any]) -> str:
    # Do not use the visitor's token itself: it would give access to their frames.
    who = salted_hmac(
        "frames.pending",
        repr(sorted(owner.items())),
        algorithm="sha256",
    )
    return f"{ROOT}/{who.hexdigest()[:32]}"


def _uploads(directory: str) -> Iterator[str]:
    """Yield the paths of all uploads of a user."""
    directories, files = _listed(directory)
    for name in [*directories, *files]:
        yield f"{directory}/{name}"


def _listed(directory: str) -> tuple[list[str], list[str]]:
    try:
        return frames_storage().listdir(directory)
    except FileNotFoundError:  # Nothing has ever been stored there.
        return [], []


def _time(path: str) -> datetime:
    """Return the time at which an upload was stored."""
    nanoseconds = int(path.rpartition("/")[2].partition("-")[0], 16)
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
