"""The parts of a frame's state in D-Tale, as signed bytes."""

import logging
from typing import Any

from django.core.signing import BadSignature
from django.utils.translation import gettext as _

from ..exceptions import FrameUnreadable, LimitExceeded
from ..formats import format_number
from ..models import Frame
from ..storage import signing

logger = logging.getLogger(__name__)

# Stored data are signed with these purposes, so they must never change.
SHARED_STATE = "frames.record"
VIEW_STATE = "frames.view"
CELLS = "frames.cells"
# Bytes. The view of a frame with a thousand columns needs a tenth of this.
MAX_VIEW = 4 << 20


def load_state(frame: Frame, part: str, stored: bytes) -> Any:
    """Return a part of a frame's state, or None if nothing is stored.

    Raises:
        FrameUnreadable: the bytes were not signed for this part of this frame.
    """
    try:
        return signing.loads(stored, _purpose(frame, part)) if stored else None
    except BadSignature:
        logger.error("The state of frame %s has no valid signature.", frame.pk)
        raise unreadable(frame) from None


def dump_state(frame: Frame, part: str, value: Any, stored: bytes = b"") -> bytes:
    """Return a part of a frame's state as signed bytes.

    Args:
        stored: the present bytes, which are returned if the value is the same.

    Raises:
        LimitExceeded: a view is larger than MAX_VIEW.
    """
    signed = signing.dumps(value, _purpose(frame, part), stored)
    if part == VIEW_STATE and signed != stored and len(signed) > MAX_VIEW:
        raise LimitExceeded(
            _(
                "The filters, formats and highlights of table %(frame)s would take "
                "%(size)s bytes; the limit is %(limit)s. Remove some."
            )
            % {
                "frame": frame,
                "size": format_number(len(signed)),
                "limit": format_number(MAX_VIEW),
            }
        )
    return signed


def unreadable(frame: Frame) -> FrameUnreadable:
    """Return the error about data or a state that cannot be read."""
    return FrameUnreadable(
        _(
            "The data of table %(frame)s cannot be read, because its file is missing, "
            "damaged, or signed with another key. Nothing was changed. Please tell an "
            "administrator; the server's log has details."
        )
        % {"frame": frame}
    )


def _purpose(frame: Frame, part: str) -> str:
    return f"{part}:{frame.pk}"
