"""Remove the bytes of frames that no longer exist."""

import logging
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from ..models import Frame

logger = logging.getLogger(__name__)


def remove_payload(sender: "type[Frame]", instance: "Frame", **kwargs: object) -> None:
    """Remove the bytes of a deleted frame once the transaction is committed.

    This receiver of ``pre_delete`` locks the row and reads it again, because an edit
    may have changed the frame's payload in the meantime.
    """
    row = sender.objects.select_for_update().filter(pk=instance.pk).values("payload")
    if payload := (row.first() or {"payload": ""})["payload"]:
        transaction.on_commit(lambda: remove_bytes(payload))


def remove_bytes(name: str, current: str = "") -> None:
    """Remove a payload that no row refers to any more.

    If a file cannot be removed now, ``purge_frames`` removes it later.

    Args:
        name: the name of the payload.
        current: the name of the row's current payload, whose files are kept.
    """
    from . import blobs  # Imported here, because it imports pandas.

    for each in blobs.files_of(name) - blobs.files_of(current):
        try:
            blobs.remove(each)
        except Exception:
            logger.warning(
                "%s cannot be removed now. `manage.py purge_frames` will remove it.",
                each,
                exc_info=True,
            )
