"""Delete expired frames, unreferenced files and abandoned uploads."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from django_dtale.models import Frame
from django_dtale.storage import blobs
from django_dtale.views.uploads import pending

from ...conf import dtale_settings


class Command(BaseCommand):
    help = (
        "Delete frames that nobody has opened for EXPIRE_DAYS days, files that no frame "
        "refers to (left by killed processes, or because they could not be deleted while "
        "they were mapped), and uploads that were not confirmed within a day. You can run "
        "this command as often as you like."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="list what would be deleted, without deleting it",
        )
        parser.add_argument(
            "--grace",
            type=int,
            default=60,
            metavar="MINUTES",
            help="keep unreferenced files that are newer than this: a running request may "
            "need them (default: %(default)s)",
        )

    def handle(self, *, dry_run: bool, grace: int, **options: Any) -> None:
        now = timezone.now()
        frames = Frame.objects.none()
        if dtale_settings.EXPIRE_DAYS:
            last = now - timedelta(days=dtale_settings.EXPIRE_DAYS)
            frames = Frame.objects.filter(last_opened_at__lt=last)
        expired = list(frames.only("pk"))
        for frame in self.progress(expired, "Expired frames"):
            if not dry_run:
                # Filter again, because the frame may have been opened meanwhile.
                frames.filter(pk=frame.pk).delete()
        # List the files before the rows, so that files of new rows are not in the list.
        last = now - timedelta(minutes=grace)
        stored = {name for name, time in blobs.list_payloads() if time <= last}
        named = Frame.objects.values_list("payload", flat=True)
        orphans = stored.difference(*map(blobs.files_of, named))
        for name in self.progress(sorted(orphans), "Unreferenced files"):
            if not dry_run:
                self.remove(name)
        uploads = list(pending.expired_paths())
        for path in self.progress(uploads, "Abandoned uploads"):
            if not dry_run:
                pending.remove(path)
        done = "would be deleted" if dry_run else "deleted"
        self.stdout.write(
            f"{len(expired)} expired frames, {len(orphans)} unreferenced files and "
            f"{len(uploads)} abandoned uploads {done}."
        )

    def progress(self, items: list, label: str) -> Iterator[Any]:
        file: Any = self.stderr  # Django's wrapper has the methods of a file.
        bar = click.progressbar(items, label=label, file=file, show_pos=True)
        with bar as shown:
            yield from shown

    def remove(self, name: str) -> None:
        try:
            blobs.remove(name)
        except OSError as error:
            self.stderr.write(
                f"{name} could not be deleted: {error}. The next run tries again."
            )
