"""How much one person may have, and how large a frame may be."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Sum
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from .exceptions import LimitExceeded, TooFast
from .formats import grouped, megabytes
from .models import Frame

FRAMES_A_MINUTE = 60  # Of one person's programs.


def check_cells(rows, columns):
    """Refuse a frame with more cells than FRAMES_MAX_CELLS, or more columns than
    FRAMES_MAX_COLUMNS.

    Raises:
        LimitExceeded
    """
    limit = settings.FRAMES_MAX_COLUMNS
    if columns > limit:
        raise LimitExceeded(
            _(
                "This frame has %(columns)s columns, and it may have %(limit)s "
                "(FRAMES_MAX_COLUMNS). Open fewer columns."
            )
            % {"columns": grouped(columns), "limit": grouped(limit)}
        )
    cells, limit = rows * columns, settings.FRAMES_MAX_CELLS
    if cells > limit:
        raise LimitExceeded(
            _(
                "This frame has %(rows)s rows x %(columns)s columns = %(cells)s cells, "
                "%(more)s more than the %(limit)s that a frame may have "
                "(FRAMES_MAX_CELLS). Open fewer rows or columns."
            )
            % {
                "rows": grouped(rows),
                "columns": grouped(columns),
                "cells": grouped(cells),
                "more": grouped(cells - limit),
                "limit": grouped(limit),
            }
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
                _(
                    "This would be frame number %(count)s, and one person may have "
                    "%(limit)s (FRAMES_MAX_COUNT). Delete %(more)s first."
                )
                % {
                    "count": grouped(count),
                    "limit": grouped(limit),
                    "more": grouped(count - limit),
                }
            )
    used = others.aggregate(used=Sum("nbytes", default=0))["used"] + frame.nbytes
    limit = settings.FRAMES_MAX_MB << 20
    if used > limit:
        raise LimitExceeded(
            _(
                "With this frame of %(size)s MB you would have %(used)s MB, %(more)s MB "
                "more than the %(limit)s MB that one person may have (FRAMES_MAX_MB). "
                "Delete other frames first."
            )
            % {
                "size": megabytes(frame.nbytes),
                "used": megabytes(used),
                "more": megabytes(used - limit),
                "limit": grouped(settings.FRAMES_MAX_MB),
            }
        )


def check_size(nbytes):
    """Refuse a file with more bytes (int) than FRAMES_MAX_UPLOAD_MB.

    Raises:
        LimitExceeded
    """
    limit = settings.FRAMES_MAX_UPLOAD_MB << 20
    if nbytes > limit:
        raise LimitExceeded(
            _("This has %(size)s, and may have %(limit)s (FRAMES_MAX_UPLOAD_MB).")
            % {"size": filesizeformat(nbytes), "limit": filesizeformat(limit)}
        )


def check_pace(workspace):
    """Refuse a program's frame if its person has FRAMES_A_MINUTE of the last minute.

    Raises:
        TooFast
    """
    since = timezone.now() - timedelta(minutes=1)
    made = Frame.objects.owned_by(workspace).filter(created__gt=since).count()
    if made >= FRAMES_A_MINUTE:
        raise TooFast(
            _(
                "You have %(made)s frames that were made within a minute, and that is "
                "the limit. Wait a minute, and send fewer."
            )
            % {"made": made}
        )
