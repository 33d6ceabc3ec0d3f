"""Limits on the number and the size of a user's frames."""

from datetime import timedelta

from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from .conf import dtale_settings
from .exceptions import LimitExceeded, RateLimited
from .formats import format_megabytes, format_number
from .models import Frame
from .readers.limits import check_cells
from .workspace import Workspace

__all__ = ["check_cells", "check_quota", "check_rate", "check_size"]

MAX_FRAMES_PER_MINUTE = 60  # The limit for all programs of one user together.


def check_quota(workspace: Workspace, frame: Frame, is_new: bool) -> None:
    """Refuse a frame with which its owner would exceed MAX_COUNT or MAX_MB.

    Args:
        workspace: the owner's workspace.
        frame: the frame with its new size.
        is_new: whether the frame is new. MAX_COUNT is checked only for new frames.

    Raises:
        LimitExceeded: the message says which limit, and by how much.
    """
    others = Frame.objects.owned_by(workspace).exclude(pk=frame.pk)
    count, most = others.count() + 1, dtale_settings.MAX_COUNT
    if is_new and count > most:
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
    used = others.aggregate(used=Sum("nbytes", default=0))["used"] + frame.nbytes
    limit = dtale_settings.MAX_MB << 20
    if used > limit:
        raise LimitExceeded(
            _(
                "With this table of %(size)s MB, your tables would take %(used)s MB, "
                "%(more)s MB more than your limit of %(limit)s MB. Delete other "
                "tables first."
            )
            % {
                "size": format_megabytes(frame.nbytes),
                "used": format_megabytes(used),
                "more": format_megabytes(used - limit),
                "limit": format_number(dtale_settings.MAX_MB),
            }
        )


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
            % {"size": filesizeformat(nbytes), "limit": filesizeformat(limit)}
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
