"""Record in the audit log that people open and export frames.

Changes, shares and deletions are recorded in the same transaction in which they are
saved. Reading must not fail if the database cannot be written to, so failures are logged.
"""

import logging
import threading

from cachetools import TTLCache
from django.db import DatabaseError, transaction

from ..models import Action, AuditEntry
from ..models.waiting import wait_at_most
from .open_frame import OpenFrame

logger = logging.getLogger(__name__)

MAX_WAIT = 2_000  # Milliseconds for which reading waits for other writers of SQLite.

# The openings that this process has recorded recently. The TTL is in seconds.
_recently_opened: TTLCache = TTLCache(10_000, ttl=600)
_lock = threading.Lock()


def record_opening(opened: OpenFrame) -> None:
    """Record that the user opened a frame, at most every ten minutes."""
    owner_fields = opened.unit.workspace.owner_fields()
    key = opened.row.pk, *owner_fields.values()
    with _lock:
        if key in _recently_opened:
            return
        _recently_opened[key] = True
    if not _record(opened, Action.OPENED):
        with _lock:
            _recently_opened.pop(key, None)


def record_export(opened: OpenFrame, detail: str) -> None:
    """Record that the user exported data of a frame.

    Args:
        detail: the format of the file. It must not contain data or filters.
    """
    _record(opened, Action.EXPORTED, detail)


def _record(opened: OpenFrame, action: Action, detail: str = "") -> bool:
    """Return whether the entry was written."""
    user = opened.unit.workspace.signed_in_user
    try:
        with wait_at_most(MAX_WAIT), transaction.atomic():
            AuditEntry.objects.record(user, action, opened.row, detail)
    except DatabaseError:
        logger.exception("The audit log cannot be written: %s", action)
        return False
    return True
