"""Delete what has expired: frames, trash, history, audit log, files and uploads."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import click
from django.core.management.base import BaseCommand, CommandParser
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from django_dtale.history.limits import delete_until, old_changes
from django_dtale.history.log import all_payloads
from django_dtale.models import (
    AuditEntry,
    Change,
    Frame,
    PersonalView,
    Presence,
    RemovedShare,
    SavedView,
)
from django_dtale.models.data_ids import variant_of_state, variant_of_view
from django_dtale.storage import blobs
from django_dtale.views.uploads import pending

from ...conf import dtale_settings


class Command(BaseCommand):
    help = (
        "Delete for good: frames that nobody has opened for EXPIRE_DAYS days; frames and "
        "shares that users deleted TRASH_DAYS days ago; changes of frames after "
        "HISTORY_DAYS days, and entries of the audit log after AUDIT_DAYS days; files "
        "that nothing refers to (left by killed processes, or because they could not be "
        "deleted while they were mapped); and uploads that were not confirmed within a "
        "day. You can run this command as often as you like."
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
        self.dry_run, self.now = dry_run, timezone.now()
        counts = {
            "expired frames": self.delete_frames(self.expired_frames()),
            "deleted frames": self.delete_frames(
                Frame.objects.filter(deleted_at__lt=self.before("TRASH_DAYS"))
            ),
            "removed shares": self.delete_rows(
                RemovedShare.objects.filter(removed_at__lt=self.before("TRASH_DAYS"))
            ),
            "changes": self.delete_changes(),
            "entries of the audit log": self.delete_rows(self.old_audit_entries()),
            "views without a table": self.delete_rows(views_of_nothing()),
            "unreferenced files": self.delete_files(grace),
            "abandoned uploads": self.delete_each(
                list(pending.expired_paths()), "Abandoned uploads", pending.remove
            ),
        }
        # These rows are old after a minute, so that their number tells nothing.
        self.delete_rows(Presence.objects.old())
        *first, last = (f"{count} {what}" for what, count in counts.items())
        done = "would be deleted" if dry_run else "deleted"
        self.stdout.write(f"{', '.join(first)} and {last} {done}.")

    def before(self, days: str) -> datetime:
        """Return the time before which things are too old, according to a setting."""
        return self.now - timedelta(days=getattr(dtale_settings, days))

    def expired_frames(self) -> QuerySet[Frame]:
        if not dtale_settings.EXPIRE_DAYS:
            return Frame.objects.none()
        last = self.before("EXPIRE_DAYS")
        return Frame.objects.kept().filter(last_opened_at__lt=last)

    def old_audit_entries(self) -> QuerySet[AuditEntry]:
        if not dtale_settings.AUDIT_DAYS:
            return AuditEntry.objects.none()
        return AuditEntry.objects.filter(at__lt=self.before("AUDIT_DAYS"))

    def delete_frames(self, frames: QuerySet[Frame]) -> int:
        def delete(pk: int) -> None:
            # Filter again: the frame may have been opened or restored meanwhile.
            frames.filter(pk=pk).delete()

        return self.delete_each(
            list(frames.values_list("pk", flat=True)), "Frames", delete
        )

    def delete_changes(self) -> int:
        """Delete old changes, and the files of the states before them."""
        last = old_changes(self.before("HISTORY_DAYS"))
        counts = [
            Change.objects.filter(frame=pk, pk__lte=change).count()
            for pk, change in last.items()
        ]
        self.delete_each(
            list(last.items()), "Histories", lambda item: delete_until(*item)
        )
        return sum(counts)

    def delete_files(self, grace: int) -> int:
        # List the files before the rows, so that files of new rows are not in the list.
        last = timezone.now() - timedelta(minutes=grace)
        stored = {name for name, time in blobs.list_payloads() if time <= last}
        orphans = stored.difference(*map(blobs.files_of, all_payloads()))
        return self.delete_each(sorted(orphans), "Unreferenced files", self.remove)

    def delete_rows(self, rows: QuerySet) -> int:
        return rows.count() if self.dry_run else rows.delete()[0]

    def delete_each(self, items: list, label: str, delete: Callable) -> int:
        for item in self.progress(items, label):
            if not self.dry_run:
                delete(item)
        return len(items)

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


def views_of_nothing() -> QuerySet[PersonalView]:
    """Return people's views of saved views and of earlier states that are deleted."""
    same_frame: Any = {"frame": OuterRef("frame"), "number": OuterRef("variant")}
    pk: Any = F("pk")
    saved = SavedView.objects.alias(number=variant_of_view(pk)).filter(**same_frame)
    changes = Change.objects.alias(number=variant_of_state(pk)).filter(**same_frame)
    views = PersonalView.objects.exclude(variant=0)
    return views.exclude(Exists(saved)).exclude(Exists(changes))
