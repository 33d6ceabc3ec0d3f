"""Copy the database and the frames' files into a new directory, while the site runs."""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.files.storage import FileSystemStorage
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from django_dtale.history.log import all_payloads
from django_dtale.models import Change, Frame
from django_dtale.storage import blobs
from django_dtale.storage.backend import frames_storage

TRIES = 20


class Command(BaseCommand):
    help = (
        "Copy the SQLite database and the files of all frames and of their earlier states "
        "to a new directory. The site can keep running. On the same disk, the files are "
        "hard links, which take no space: the files of frames never change."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("directory", type=Path, metavar="DIRECTORY")

    def handle(self, *, directory: Path, **options: Any) -> None:
        is_local = isinstance(frames_storage(), FileSystemStorage)
        if connection.vendor != "sqlite" or not is_local:
            raise CommandError(
                "This command supports only SQLite and local files. docs/operating.md "
                "describes how to back up PostgreSQL and S3."
            )
        database, files = directory / "db.sqlite3", directory / "frames"
        try:
            directory.mkdir(mode=0o700)
            files.mkdir(mode=0o700)
        except OSError as error:
            raise CommandError(
                f"{directory} cannot be created: {error.strerror}. Enter a new directory "
                "whose parent exists."
            ) from None
        # Copy most files before the database. Copying to another disk takes time,
        # during which files that the copied database refers to could be replaced.
        copy_files(files, all_payloads())
        missing = None
        for _ in range(TRIES):
            count, named = copy_database(database)
            before, missing = missing, copy_files(files, named)
            # If the same file is missing twice, it was not replaced: the site does not
            # have it either.
            if not missing or (before is not None and missing <= before):
                break
        else:
            raise CommandError(
                "Frames change faster than they can be copied. Try again when fewer users "
                "are active."
            )
        for name in files_in(files) - required_files(named):
            (files / name).unlink()
        for name in sorted(missing):
            self.stderr.write(
                f"{name} is missing, so a frame or an earlier state of it has no data."
            )
        self.stdout.write(f"Copied {count} frames and the database to {directory}.")


def copy_database(path: Path) -> tuple[int, list[str]]:
    """Copy the database to a file.

    Returns:
        The number of its frames, and the payloads to which it refers.
    """
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    with contextlib.closing(sqlite3.connect(path)) as copy:
        frames, changes = (
            copy.execute(f"SELECT payload FROM {model._meta.db_table}").fetchall()
            for model in (Frame, Change)
        )
    return len(frames), [payload for (payload,) in frames + changes]


def files_in(directory: Path) -> set[str]:
    """Return the names of the files in a directory."""
    return {path.name for path in directory.iterdir()}


def required_files(payloads: Iterable[str]) -> set[str]:
    """Return the names of the files that payloads consist of."""
    return set().union(*map(blobs.files_of, payloads))


def copy_files(directory: Path, payloads: Iterable[str]) -> set[str]:
    """Link or copy the files of payloads. Return the names of missing files."""
    missing = set()
    for name in required_files(payloads) - files_in(directory):
        try:
            _link_or_copy(frames_storage().path(name), directory / name)
        except FileNotFoundError:
            missing.add(name)
    return missing


def _link_or_copy(source: str, target: Path) -> None:
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    # The target is on another disk, or the disk does not support hard links.
    except OSError:
        part = target.with_suffix(blobs.PARTIAL)
        shutil.copy(source, part)
        part.rename(target)
