"""Limits on the number and the size of a user's frames."""

from datetime import timedelta

from django.db.models import F, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from .conf import dtale_settings
from .exceptions import LimitExceeded, RateLimited
from .formats import format_megabytes, format_number, format_size
from .models import Frame
from .readers.limits import check_cells
from .workspace import Workspace

__all__ = [
    "check_cells",
    "check_count",
    "check_quota",
    "check_rate",
    "check_size",
    "excess",
]

MAX_FRAMES_PER_MINUTE = 60  # The limit for all programs of one user together.


def check_quota(workspace: Workspace, frame: Frame, is_new: bool) -> None:
    """Refuse a frame with which its owner would exceed MAX_COUNT or MAX_MB.

    Earlier states of frames are not counted, because the oldest are deleted to make
    room: see ``history.limits.make_room``.

    Args:
        workspace: the owner's workspace.
        frame: the frame with its new size.
        is_new: whether the frame is new. MAX_COUNT is checked only for new frames.

    Raises:
        LimitExceeded: the message says which limit, and by how much.
    """
    if is_new:
        check_count(workspace, frame)
    others = Frame.objects.filter(**workspace.owner_fields()).exclude(pk=frame.pk)
    is_deleted = Q(deleted_at__isnull=False)
    sums = others.aggregate(
        used=Sum("nbytes", default=0),
        deleted=Sum("nbytes", filter=is_deleted, default=0),
    )
    used = sums["used"] + frame.nbytes
    limit = dtale_settings.MAX_MB << 20
    if used > limit:
        text = _(
            "With this table of %(size)s MB, your tables would take %(used)s MB, "
            "%(more)s MB more than your limit of %(limit)s MB. Delete other tables "
            "first."
        )
        if sums["deleted"]:
            text = _(
                "With this table of %(size)s MB, your tables would take %(used)s MB, "
                "%(more)s MB more than your limit of %(limit)s MB. %(deleted)s MB of "
                "these are deleted tables. Empty “Recently deleted” first: %(url)s"
            )
        raise LimitExceeded(
            text
            % {
                "size": format_megabytes(frame.nbytes),
                "used": format_megabytes(used),
                "more": format_megabytes(used - limit),
                "limit": format_number(dtale_settings.MAX_MB),
                "deleted": format_megabytes(sums["deleted"]),
                "url": reverse("frames:trash"),
            }
        )


def check_count(workspace: Workspace, frame: Frame) -> None:
    """Refuse one more frame if its owner has MAX_COUNT others. Deleted ones do not count.

    Raises:
        LimitExceeded: the message says by how much.
    """
    others = Frame.objects.owned_by(workspace).exclude(pk=frame.pk)
    count, most = others.count() + 1, dtale_settings.MAX_COUNT
    if count > most:
        raise LimitExceeded(
            _(
                "You would have %(count)s tables; the limit is %(limit)s. Delete "
                "%(more)s to make room."
            )
            % {
                "count": format_number(count),
                "limit": format_number(most),
                "more": format_number(count - most),
            }
        )


def excess(workspace: Workspace) -> int:
    """Return by how many bytes a user's frames and their history exceed MAX_MB.

    Deleted frames count until ``purge_frames`` deletes them for good. If the result is
    not positive, the limit is not exceeded.
    """
    own = Frame.objects.filter(**workspace.owner_fields())
    used = own.aggregate(used=Sum(F("nbytes") + F("history_nbytes"), default=0))["used"]
    return used - (dtale_settings.MAX_MB << 20)


def check_size(nbytes: int) -> None:
    """Refuse a file that is larger than MAX_UPLOAD_MB.

    Raises:
        LimitExceeded: the message contains both sizes.
    """
    limit = dtale_settings.MAX_UPLOAD_MB << 20
    if nbytes > limit:
        raise LimitExceeded(
            _(
                "This file has %(size)s; the limit is %(limit)s. Make it smaller, or "
                "open a part of it."
            )
            % {"size": format_size(nbytes), "limit": format_size(limit)}
        )


def check_rate(workspace: Workspace) -> None:
    """Refuse another frame after MAX_FRAMES_PER_MINUTE within a minute.

    Raises:
        RateLimited: the user has to wait for up to a minute.
    """
    since = timezone.now() - timedelta(minutes=1)
    made = Frame.objects.owned_by(workspace).filter(created_at__gt=since).count()
    if made >= MAX_FRAMES_PER_MINUTE:
        raise RateLimited(
            _(
                "You created %(made)s tables within a minute, which is the limit. "
                "Wait a minute, then send fewer."
            )
            % {"made": made}
        )
