"""Open a file in D-Tale, from the shell: its frame's address is printed."""

from pathlib import Path

import click
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from frames.exceptions import FrameError
from frames.models import Frame


class Command(BaseCommand):
    help = "Make a frame of a file (CSV, TSV, Excel, Parquet, JSON, Feather)."

    def add_arguments(self, parser):
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--owner", required=True, metavar="NAME", help="the user whose frame it is"
        )
        parser.add_argument("--name", help="of the frame (default: the file's)")
        parser.add_argument(
            "--share",
            action="append",
            default=[],
            metavar="NAME",
            help="a user who may read it; can be given again",
        )

    def handle(self, *, file, owner, name, share, **options):
        # Here: it imports pandas, for which no other command should wait.
        from frames.sources import read_file

        owner = self.user(owner)
        readers = [self.user(reader) for reader in share]
        try:
            # Its length is known once there is something to read.
            with click.progressbar(length=1, label="Reading", file=self.stderr) as bar:

                def progress(done, total):
                    bar.length = total
                    bar.update(done - bar.pos)

                data = read_file(file, progress=progress)
            frame = Frame.objects.publish(
                data, owner=owner, name=name or Path(file).stem, shared_with=readers
            )
        except FrameError as error:
            raise CommandError(str(error)) from None
        for note in frame.conversions.splitlines():
            self.stderr.write(note)
        self.stdout.write(frame.get_absolute_url())

    def user(self, name):
        User = get_user_model()
        try:
            return User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            raise CommandError(
                f"There is no user {name!r}. `manage.py createsuperuser` or the admin "
                "makes one."
            ) from None
