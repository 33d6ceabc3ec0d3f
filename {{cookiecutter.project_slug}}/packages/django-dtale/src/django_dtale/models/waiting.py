"""Limit for how long a query waits for other writers of SQLite."""

import contextlib
from collections.abc import Iterator

from django.db import connection


@contextlib.contextmanager
def wait_at_most(milliseconds: int) -> Iterator[None]:
    """Wait less than usual for other writers in a with-block.

    SQLite has one lock for all tables. Other databases lock rows, and do not change.
    """
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        [before] = cursor.execute("PRAGMA busy_timeout").fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {before}")
