"""Delete frames that nobody opens any more, and bytes that no frame names."""

from datetime import timedelta

import click
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from frames import frame_storage, pending
from frames.models import Frame


class Command(BaseCommand):
    help = (
        "Delete frames that were not opened for FRAMES_EXPIRE_DAYS, and stored bytes "
        "that no frame names: of a process that was killed, or of a file that could not "
        "be removed while it was mapped. And uploaded files that waited for a day to be "
        "opened. Run it as often as you like."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would go, delete nothing"
        )
        parser.add_argument(
            "--grace",
            type=int,
            default=60,
            metavar="MINUTES",
            help="leave bytes that are younger: a request may be about to name them "
            "(default: %(default)s)",
        )

    def handle(self, *, dry_run, grace, **options):
        now = timezone.now()
        frames = Frame.objects.none()
        if settings.FRAMES_EXPIRE_DAYS:
            last = now - timedelta(days=settings.FRAMES_EXPIRE_DAYS)
            frames = Frame.objects.filter(opened__lt=last)
        expired = list(frames.only("pk"))
        for frame in self.progress(expired, "Expired frames"):
            if not dry_run:
                # As it is now: somebody may have opened it meanwhile.
                frames.filter(pk=frame.pk).delete()
        # The bytes are listed first: what is stored after that is not seen at all.
        last = now - timedelta(minutes=grace)
        stored = {name for name, time in frame_storage.stored() if time <= last}
        named = Frame.objects.values_list("payload", flat=True)
        orphans = stored.difference(*map(frame_storage.files_of, named))
        for name in self.progress(sorted(orphans), "Bytes of no frame"):
            if not dry_run:
                self.remove(name)
        waiting = list(pending.expired())
        for path in self.progress(waiting, "Uploads nobody opened"):
            if not dry_run:
                pending.remove(path)
        done = "would be deleted" if dry_run else "deleted"
        self.stdout.write(
            f"{len(expired)} expired frames and {len(orphans)} files without a frame "
            f"{done}, and {len(waiting)} uploads that nobody opened."
        )

    def progress(self, items, label):
        bar = click.progressbar(items, label=label, file=self.stderr, show_pos=True)
        with bar as shown:
            yield from shown

    def remove(self, name):
        try:
            frame_storage.remove(name)
        except OSError as error:
            self.stderr.write(f"{name} stays until the next time: {error}")
