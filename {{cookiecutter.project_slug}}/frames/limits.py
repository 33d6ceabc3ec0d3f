"""How much one person may have, and how large a frame may be."""

from django.conf import settings
from django.db.models import Sum

from .exceptions import LimitExceeded
from .models import Frame


def check_cells(rows, columns):
    """Refuse a frame with more cells than FRAMES_MAX_CELLS.

    Raises:
        LimitExceeded
    """
    cells, limit = rows * columns, settings.FRAMES_MAX_CELLS
    if cells > limit:
        raise LimitExceeded(
            f"This frame has {rows:,} rows x {columns:,} columns = {cells:,} cells, "
            f"{cells - limit:,} more than the {limit:,} that a frame may have "
            "(FRAMES_MAX_CELLS). Open fewer rows or columns."
        )


def check_owner(workspace, frame, is_new):
    """Refuse a frame with which its owner has more than FRAMES_MAX_COUNT or _MB.

    Args:
        workspace: the owner's ``Workspace``.
        frame: the ``Frame``, with the size that it is to have.
        is_new: bool; one that is there already is one of the owner's.

    Raises:
        LimitExceeded
    """
    others = Frame.objects.owned_by(workspace).exclude(pk=frame.pk)
    if is_new:
        count, limit = others.count() + 1, settings.FRAMES_MAX_COUNT
        if count > limit:
            raise LimitExceeded(
                f"This would be frame number {count:,}, and one person may have "
                f"{limit:,} (FRAMES_MAX_COUNT). Delete {count - limit:,} first."
            )
    used = others.aggregate(used=Sum("nbytes", default=0))["used"] + frame.nbytes
    limit = settings.FRAMES_MAX_MB << 20
    if used > limit:
        raise LimitExceeded(
            f"With this frame of {frame.nbytes / 2**20:,.1f} MB you would have "
            f"{used / 2**20:,.1f} MB, {(used - limit) / 2**20:,.1f} MB more than the "
            f"{settings.FRAMES_MAX_MB:,} MB that one person may have "
            "(FRAMES_MAX_MB). Delete other frames first."
        )
