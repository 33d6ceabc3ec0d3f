"""Remove the bytes of frames that no longer exist."""

import logging
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from ..models import Frame

logger = logging.getLogger(__name__)


def remove_payloads(sender: "type[Frame]", instance: "Frame", **kwargs: object) -> None:
    """Remove the bytes of a deleted frame once the transaction is committed.

    This receiver of ``pre_delete`` locks the row and reads it again, because an edit
    may have changed the frame's payload in the meantime.
    """
    row = sender.objects.select_for_update().filter(pk=instance.pk).values("payload")
    names = {payload for each in row if (payload := each["payload"])}
    changes = instance.changes.exclude(payload="").values_list("payload", flat=True)
    names.update(changes)
    if names:
        transaction.on_commit(partial(remove_unused, instance.pk, names))


def remove_unused(pk: int, payloads: Iterable[str]) -> None:
    """Remove the files of a frame's payloads, except those that it still needs."""
    # Imported here, because they import pandas.
    from ..storage import blobs
    from .log import payloads_in_use

    def files(names: Iterable[str]) -> set[str]:
        return set().union(*map(blobs.files_of, names))

    remove_files(files(payloads) - files(payloads_in_use(pk)))


def remove_files(names: Iterable[str]) -> None:
    """Remove files that no row refers to any more.

    If a file cannot be removed now, ``purge_frames`` removes it later.
    """
    from ..storage import blobs

    for each in names:
        try:
            blobs.remove(each)
        except Exception:
            logger.warning(
                "%s cannot be removed now. `manage.py purge_frames` will remove it.",
                each,
                exc_info=True,
            )
