"""Delete the oldest changes of frames: to save space, or because of their age."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Max

from ..models import Change, Frame
from ..quotas import excess
from ..workspace import Workspace
from . import log
from .cleanup import remove_unused

if TYPE_CHECKING:
    from ..models.frames import FrameQuerySet


@transaction.atomic
def make_room(workspace: Workspace) -> None:
    """Delete the oldest changes of a user's frames until MAX_MB is not exceeded.

    Frames that other requests are changing now are skipped: these requests make room
    themselves.
    """
    missing = excess(workspace)
    if missing <= 0:
        return
    frames = Frame.objects.filter(**workspace.owner_fields(), history_nbytes__gt=0)
    sizes = {pk: list(log.sized(pk, name)) for pk, name in _locked(frames)}
    changes = [(change, pk) for pk, each in sizes.items() for change in each]
    last: dict[int, int] = {}
    for change, pk in sorted(changes):
        if missing <= 0:
            break
        last[pk] = change.pk
        missing -= change.nbytes
    for pk, until in last.items():
        _delete_until(pk, until, sizes[pk])


def old_changes(before: datetime) -> dict[int, int]:
    """Return the last change of each frame that was made before a time."""
    old = Change.objects.filter(made_at__lt=before).order_by("frame")
    return dict(old.values_list("frame").annotate(last=Max("pk")))


@transaction.atomic
def delete_until(pk: int, change: int) -> None:
    """Delete a change of a frame and all older ones, and the files only they need."""
    for _, payload in _locked(Frame.objects.filter(pk=pk), wait=True):
        _delete_until(pk, change, log.sized(pk, payload))


def _locked(frames: "FrameQuerySet", wait: bool = False) -> list[tuple[int, str]]:
    """Lock frames, and return their keys and payloads."""
    can_skip = connection.features.has_select_for_update_skip_locked
    # A weaker lock than usual: inserting a change of a frame does not wait for it.
    frames = frames.select_for_update(skip_locked=can_skip and not wait, no_key=True)
    return list(frames.order_by("pk").values_list("pk", "payload"))


def _delete_until(pk: int, change: int, sizes: Iterable[log.Sized]) -> None:
    kept = sum(each.nbytes for each in sizes if each.pk > change)
    unused = log.delete_until(pk, change)
    Frame.objects.filter(pk=pk).update(history_nbytes=kept)
    if unused:
        transaction.on_commit(partial(remove_unused, pk, unused))
