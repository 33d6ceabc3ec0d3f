"""How much of a process one person may keep busy, so that it always answers others.

A process has few threads (8 in gunicorn.conf.py), and a calculation may take each of
them for seconds. Requests beyond a person's share wait for a moment and are then refused
with 429. A waiting request needs a thread as well, so the number of those is limited, too:
one person has at most 3 + 1 + 3 of the 8 threads. Under gunicorn most requests wait
without a thread, see `frames.gunicorn_pool`.
"""

from collections import Counter
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import Condition

from django.utils.translation import gettext

from . import workspace
from .exceptions import TooMany

CALCULATION, READ = "calculation", "read"
# What may run at once. A browser sends up to 6 requests at a time by HTTP/1.1: with
# those that wait, as many are admitted.
RUNNING = {CALCULATION: 3, READ: 1}
WAITING = 3
# A request waits no longer than this. The first file of a process that has just started
# takes longer than others: D-Tale is imported.
SECONDS = {CALCULATION: 5, READ: 10}

_changed = Condition()
_running, _waiting = Counter(), Counter()


@contextmanager
def share(kind):
    """Take a part of the current person's share for the time of a with-block.

    Visitors who have no frame yet are not limited: there is nothing by which they could
    be told apart, and in a common share one of them could lock out the others.

    Args:
        kind: CALCULATION, or READ for a file that is received and read.

    Raises:
        TooMany: the person's other requests did not finish in time.
    """
    here = workspace.current()
    if here.is_empty:
        yield
        return
    who = here.user_id or here.owner()["visitor"]
    with _changed:
        if _running[who, kind] >= RUNNING[kind]:
            _wait(who, kind)
        _running[who, kind] += 1
    try:
        yield
    finally:
        with _changed:
            _subtract(_running, (who, kind))
            _changed.notify_all()


def fair(kind):
    """Return a decorator for views whose requests are part of a person's share.

    An answer that is streamed is part of it until its end.
    """

    def decorate(view):
        @wraps(view)
        def shared(request, *args, **kwargs):
            with ExitStack() as stack:
                stack.enter_context(share(kind))
                response = view(request, *args, **kwargs)
                if response.streaming:
                    # The server closes what it iterates over, whatever happens.
                    held = Held(response.streaming_content, stack.pop_all())
                    response.streaming_content = held
                return response

        return shared

    return decorate


class Held:
    """An iterable that releases a share when it is closed."""

    def __init__(self, content, stack):
        self.content, self.stack = content, stack

    def __iter__(self):
        return iter(self.content)

    def close(self):
        self.stack.close()


def _wait(who, kind):
    is_free = False
    if _waiting[who] < WAITING:
        _waiting[who] += 1
        try:
            is_free = _changed.wait_for(
                lambda: _running[who, kind] < RUNNING[kind], SECONDS[kind]
            )
        finally:
            _subtract(_waiting, who)
    if is_free:
        return
    if kind is READ:
        raise TooMany(
            gettext(
                "Another file of yours is still being read. Please try again when it is "
                "open, or in a few seconds."
            )
        )
    raise TooMany(
        gettext(
            "Too many of your requests are still being calculated. Please wait a few "
            "seconds and try again."
        )
    )


def _subtract(counter, key):
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
