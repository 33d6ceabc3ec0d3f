"""The bytes of frames that are not there any more."""

import logging

logger = logging.getLogger(__name__)


def remove_bytes(name, current=""):
    """Remove a payload that no row names any more; what cannot go now, goes later.

    Args:
        name: str, the payload's.
        current: str, of the one that the row names now: what that leans on stays.
    """
    from . import frame_storage  # Here: it imports pandas.

    for each in frame_storage.files_of(name) - frame_storage.files_of(current):
        try:
            frame_storage.remove(each)
        except Exception:
            logger.warning(
                "%s stays until `manage.py purge_frames`.", each, exc_info=True
            )
