"""Create or update a frame from a file, and print its path."""

from pathlib import Path
from typing import Any

import click
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.core.management.base import BaseCommand, CommandError, CommandParser

from django_dtale.api import open_data, share_with
from django_dtale.exceptions import FrameError
from django_dtale.models import Origin
from django_dtale.readers.options import ARGUMENTS, ImportOptions
from django_dtale.workspace import Workspace, bind

# Each of ``ARGUMENTS``, its value (empty for a flag), and its help.
TEXTS = [
    ("encoding", "NAME", "such as utf-8 or cp1252"),
    ("sep", "CHARACTER", "the separator of a CSV file, such as ; or \\t"),
    ("quote", "CHARACTER", 'the quotation mark of a CSV file, "" for none'),
    ("decimal", "MARK", "the decimal mark: . or ,"),
    ("thousands", "MARK", 'the mark between thousands, "" for none'),
    ("header", "ROWS", "the number of the row with the column names, or 1,2 for two"),
    ("no_header", "", "no row contains column names"),
    ("skip_rows", "COUNT", "rows to skip below the header"),
    ("skip_footer", "COUNT", "rows to skip at the end"),
    ("ragged", "", "lines can have more values than there are names of columns"),
    ("day_first", "", "01/02/2026 is in February"),
    ("month_first", "", "01/02/2026 is in January"),
    ("null_value", "WORD", "a word that means a missing value; repeat for more"),
    ("sheet", "NAME", "the sheet of a workbook"),
    ("member", "NAME", "the file in an archive"),
    (
        "type",
        "COLUMN=TYPE",
        "text, integer, number, date, date:FORMAT, boolean or category; repeat for more",
    ),
]


class Command(BaseCommand):
    help = (
        "Create a frame from a file (CSV, TSV, Excel, Parquet, JSON, Feather), or give "
        "its data to a frame of this name."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE")
        parser.add_argument(
            "--owner", required=True, metavar="NAME", help="the owner of the frame"
        )
        parser.add_argument(
            "--name", help="name of the frame (default: the file's name)"
        )
        parser.add_argument(
            "--share",
            action="append",
            default=[],
            metavar="NAME",
            help="a user who can read the frame; repeat for more users",
        )
        update = parser.add_mutually_exclusive_group()
        update.add_argument(
            "--replace",
            action="store_true",
            help="if the owner has a frame with this name, replace its data",
        )
        update.add_argument(
            "--append",
            action="store_true",
            help="if the owner has a frame with this name, add the rows at its end",
        )
        group = parser.add_argument_group(
            "options of the file",
            "They are detected. If one is not certain, the command asks for it.",
        )
        for argument, metavar, text in TEXTS:
            name = f"--{argument.replace('_', '-')}"
            value: dict[str, Any] = {"action": "append", "metavar": metavar}
            if not metavar:
                value = {"action": "append_const", "const": ""}
            group.add_argument(name, dest=argument, help=text, **value)

    def handle(
        self,
        *,
        file: str,
        owner: str,
        name: str | None,
        share: list[str],
        replace: bool,
        append: bool,
        **options: Any,
    ) -> None:
        # Imported here, because it imports pandas, which is slow.
        from django_dtale.readers.dataframe import read_certain

        user = self.user(owner)
        readers = [self.user(reader) for reader in share]
        try:
            given = {key: options[key] for key in ARGUMENTS if options.get(key)}
            stream: Any = self.stderr  # Django's wrapper has the methods of a file.
            # The length is set when the first progress is reported.
            with click.progressbar(length=1, label="Reading", file=stream) as bar:

                def progress(done, total):
                    bar.length = total
                    bar.update(done - bar.pos)

                chosen = ImportOptions.from_arguments(given)
                data = read_certain(file, chosen, progress, style="command")
            with bind(Workspace(user)):
                frame = open_data(
                    data,
                    name or Path(file).stem,
                    replace=replace,
                    append=append,
                    origin=Origin.FILE,
                    origin_name=Path(file).name,
                    import_options=chosen.to_dict(),
                )
            share_with(frame, readers)
        except FrameError as error:
            raise CommandError(str(error)) from None
        for note in frame.conversion_notes.splitlines():
            self.stderr.write(note)
        self.stdout.write(frame.get_absolute_url())

    def user(self, name: str) -> AbstractBaseUser:
        User = get_user_model()
        try:
            return User.objects.get_by_natural_key(name)
        except User.DoesNotExist:
            raise CommandError(
                f"There is no user {name!r}. Create one with `manage.py createsuperuser` "
                "or in the admin."
            ) from None
