"""The model of presence: which people have a frame open now."""

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import OperationalError, models
from django.utils import timezone

from .waiting import wait_at_most

if TYPE_CHECKING:
    from ..workspace import Workspace
    from .frames import Frame

# Open grids ask for the state of their frame every 20 seconds.
WRITE_AFTER = timedelta(seconds=20)
STAYS = timedelta(minutes=1)


class PresenceQuerySet(models.QuerySet["Presence"]):
    def recent(self) -> Self:
        """Return the rows of people who were seen within the last minute."""
        return self.filter(seen_at__gte=timezone.now() - STAYS)

    def old(self) -> Self:
        """Return the rows that are not needed any more."""
        return self.filter(seen_at__lt=timezone.now() - STAYS)

    def record(self, frame: "Frame", workspace: "Workspace") -> None:
        """Remember that the workspace's user has a frame open.

        This writes at most every 20 seconds, and never waits for other writers.
        Visitors who are not signed in are not recorded.
        """
        if workspace.user_id is None:
            return
        now = timezone.now()
        own = self.filter(frame=frame, user=workspace.user_id)
        last = own.values_list("seen_at", flat=True).first()
        if last is not None and now - last < WRITE_AFTER:
            return
        # If the database is busy, the next request of this page writes the row.
        with contextlib.suppress(OperationalError), wait_at_most(0):
            if last is None:
                row = Presence(frame=frame, user_id=workspace.user_id, seen_at=now)
                Presence.objects.bulk_create([row], ignore_conflicts=True)
            else:
                own.update(seen_at=now)


class Presence(models.Model):
    """The time at which a person's open page last asked for the state of a frame."""

    # Without constraints in the database, an insert does not lock the rows of the frame
    # and of the user, so it never waits for edits. Django deletes the rows with them.
    frame = models.ForeignKey(
        "Frame", on_delete=models.CASCADE, related_name="+", db_constraint=False
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_constraint=False,
    )
    seen_at = models.DateTimeField(default=timezone.now)

    objects = PresenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "presence"
        constraints = [
            models.UniqueConstraint(fields=["frame", "user"], name="presence_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id} at {self.frame_id}"
