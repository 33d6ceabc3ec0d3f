"""Copy the database and the frames' files into a new directory, while the site runs."""

import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

from django.core.files.storage import FileSystemStorage, storages
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from frames import frame_storage
from frames.models import Frame

TRIES = 20


class Command(BaseCommand):
    help = (
        "Copy SQLite's database, and the files of all frames that it names, into a new "
        "directory. The site may go on running. On the same disk, the files are links: "
        "they never change, and take no room twice."
    )

    def add_arguments(self, parser):
        parser.add_argument("directory", type=Path, metavar="DIRECTORY")

    def handle(self, *, directory, **options):
        is_local = isinstance(storages["frames"], FileSystemStorage)
        if connection.vendor != "sqlite" or not is_local:
            raise CommandError(
                "This is for SQLite and local files. docs/operating.md says how to back "
                "up PostgreSQL and S3."
            )
        database, files = directory / "db.sqlite3", directory / "frames"
        try:
            directory.mkdir(mode=0o700)
            files.mkdir(mode=0o700)
        except OSError as error:
            raise CommandError(
                f"{directory} cannot be made: {error.strerror}. Name a new directory in "
                "one that is there."
            ) from None
        # On another disk this takes longest. It comes first, so that little is left to
        # be copied once the database is: what it names must not be replaced meanwhile.
        keep(files, Frame.objects.values_list("payload", flat=True))
        missing = None
        for _ in range(TRIES):
            named = copy_database(database)
            before, missing = missing, keep(files, named)
            # A file that is missing twice under the same name was not replaced: it is
            # gone, in the site as well.
            if not missing or (before is not None and missing <= before):
                break
        else:
            raise CommandError(
                "Frames change faster than they can be copied. Try again, at a time when "
                "fewer people work."
            )
        for name in set(os.listdir(files)) - needed(named):
            (files / name).unlink()
        for name in sorted(missing):
            self.stderr.write(f"{name} is missing in the site: its frame has no data.")
        self.stdout.write(f"{len(named)} frames and the database are in {directory}.")


def copy_database(path):
    """Copy the database to a file, and return the payloads (list of str) it names."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM INTO %s", [str(path)])
    with contextlib.closing(sqlite3.connect(path)) as copy:
        rows = copy.execute(f"SELECT payload FROM {Frame._meta.db_table}")
        return [payload for (payload,) in rows]


def needed(payloads):
    """Return the names (set of str) of the files of payloads."""
    return set().union(*map(frame_storage.files_of, payloads))


def keep(directory, payloads):
    """Link or copy the files of payloads; return which (set of str) are not there."""
    missing = set()
    for name in needed(payloads) - set(os.listdir(directory)):
        try:
            _link_or_copy(storages["frames"].path(name), directory / name)
        except FileNotFoundError:
            missing.add(name)
    return missing


def _link_or_copy(source, target):
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # Another disk, or one without links.
        part = target.with_suffix(frame_storage.PART)
        shutil.copy(source, part)
        part.rename(target)
