"""Restore deleted frames, or delete them for good."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext

from ..exceptions import FrameNotFound
from ..models import Action, AuditEntry, Frame
from ..models.names import unique_name
from ..quotas import check_count
from ..workspace import Workspace


@transaction.atomic
def restore(here: Workspace, pk: int) -> Frame:
    """Restore a deleted frame of a workspace, with its shares and views.

    If its name is taken meanwhile, a number is appended.

    Raises:
        FrameNotFound: the workspace has no such deleted frame.
        LimitExceeded: the owner has MAX_COUNT other frames.
    """
    here.lock()
    frame = _deleted(here, pk)
    check_count(here, frame)
    taken = set(Frame.objects.owned_by(here).values_list("name", flat=True))
    frame.name = unique_name(frame.name, taken)
    Frame.objects.filter(pk=pk).update(
        deleted_at=None,
        name=frame.name,
        version=F("version") + 1,
        last_opened_at=timezone.now(),  # Otherwise, the frame could expire at once.
    )
    AuditEntry.objects.record(here.signed_in_user, Action.RESTORED, frame)
    return frame


@transaction.atomic
def delete_for_good(here: Workspace, pk: int) -> None:
    """Delete a deleted frame of a workspace, with its files.

    Raises:
        FrameNotFound: the workspace has no such deleted frame.
    """
    frame = _deleted(here, pk)
    user = here.signed_in_user
    AuditEntry.objects.record(user, Action.DELETED, frame, gettext("For good"))
    frame.delete()


def _deleted(here: Workspace, pk: int) -> Frame:
    """Return a deleted frame of a workspace, whose row is locked.

    Raises:
        FrameNotFound: the workspace has no such deleted frame.
    """
    deleted = Frame.objects.deleted_by(here).select_for_update(of=("self",))
    frame = deleted.defer("settings").filter(pk=pk).first()
    if frame is None:
        raise FrameNotFound(pk)
    return frame
