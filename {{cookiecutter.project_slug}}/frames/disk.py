"""Whether an error says that a disk is full."""

import errno
import sqlite3

# The second one is of a quota, which Windows does not have.
OF_FILES = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# The second one: the first connection makes a file (-shm) beside the database.
OF_SQLITE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE}
OF_POSTGRESQL = "53100"  # disk_full


def is_full(error):
    """Return whether an exception, or what has led to it, says that a disk is full."""
    while error is not None:
        if (
            (isinstance(error, OSError) and error.errno in OF_FILES)
            or getattr(error, "sqlite_errorcode", None) in OF_SQLITE
            or getattr(error, "sqlstate", None) == OF_POSTGRESQL
        ):
            return True
        error = error.__cause__  # Of Django's errors, the driver's.
    return False
