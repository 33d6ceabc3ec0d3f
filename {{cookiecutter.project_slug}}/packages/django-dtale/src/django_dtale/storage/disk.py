"""Detect errors that mean that a disk is full."""

import errno
import sqlite3

# EDQUOT means that a quota is exceeded. Windows does not have it.
FULL_ERRNOS = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# The second code means that there is no room for the -shm file beside the database.
FULL_SQLITE_CODES = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
FULL_SQLSTATE = "53100"  # disk_full


def is_full(error: BaseException | None) -> bool:
    """Return whether an exception, or one of its causes, means that a disk is full."""
    while error is not None:
        if (
            (isinstance(error, OSError) and error.errno in FULL_ERRNOS)
            or getattr(error, "sqlite_errorcode", None) in FULL_SQLITE_CODES
            or getattr(error, "sqlstate", None) == FULL_SQLSTATE
        ):
            return True
        # The cause of Django's database errors is the driver's error.
        error = error.__cause__
    return False
