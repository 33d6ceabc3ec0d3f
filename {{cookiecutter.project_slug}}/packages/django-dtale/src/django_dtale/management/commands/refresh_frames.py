"""Run the sources of frames again, for a scheduler."""

import re
from argparse import ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections
from django.utils import timezone

from django_dtale.api import refresh
from django_dtale.errors import user_message
from django_dtale.exceptions import FrameNotFound
from django_dtale.models import Frame
from django_dtale.sources.registry import get_source

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def age(text: str) -> timedelta:
    """Return the age for a text such as "24h"."""
    match = re.fullmatch(r"(\d{1,6})([mhd]?)", text)
    if match is None:
        raise ArgumentTypeError("write 30 or 30m for minutes, 24h, or 7d")
    return timedelta(**{UNITS[match[2] or "m"]: int(match[1])})


class Command(BaseCommand):
    help = (
        "Replace the data of frames that came from a source or a model with the current "
        "data, one frame at a time. If a frame cannot be refreshed, it keeps its data, "
        "the command continues with the next one, and the exit status is 1."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--source", metavar="KEY", help="only frames of this source: shop.orders"
        )
        parser.add_argument(
            "--older-than",
            type=age,
            metavar="AGE",
            help="only frames whose data are older: 30m, 24h or 7d (default: all)",
        )
        parser.add_argument(
            "--frame",
            type=int,
            action="append",
            default=[],
            metavar="NUMBER",
            help="only the frame with this number; repeat for more",
        )

    def handle(
        self,
        *,
        source: str | None,
        older_than: timedelta | None,
        frame: list[int],
        **options: Any,
    ) -> None:
        frames = Frame.objects.with_source()
        if frame:
            # The command reports each of these frames that has no source.
            frames = Frame.objects.kept().filter(pk__in=frame)
        if source:
            frames = frames.filter(source=source)
            if not (get_source(source) or frames.exists()):
                raise CommandError(f"There is no source {source!r}.")
        if older_than is not None:
            frames = frames.filter(data_at__lt=timezone.now() - older_than)
        pks = list(frames.order_by("data_at").values_list("pk", flat=True))
        known = Frame.objects.kept().filter(pk__in=frame).values_list("pk", flat=True)
        pks += sorted(set(frame).difference(known))  # These do not exist.
        failed = [pk for pk in pks if not self.refresh(pk)]
        if failed:
            text = f"{len(failed)} of {len(pks)} frames were not refreshed."
            raise CommandError(text)
        self.stdout.write(f"{len(pks)} frames were refreshed.")

    def refresh(self, pk: int) -> bool:
        """Refresh a frame, print a line about it, and return whether it succeeded."""
        name = str(pk)
        try:
            frame = Frame.objects.kept().filter(pk=pk).first()
            if frame is None:
                raise FrameNotFound(pk)
            name = str(frame)
            refresh(frame)
        except Exception as error:
            self.stderr.write(f"{name}: {user_message(error)}")
            # If the connection to the database was lost, the next frame gets a new one.
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()
            return False
        self.stdout.write(f"{name}: {frame.rows} rows, {frame.columns} columns")
        return True
