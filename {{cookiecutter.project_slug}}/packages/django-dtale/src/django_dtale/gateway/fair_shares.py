"""Limit how many threads one user can occupy, so that others get responses, too.

A process has few threads (8 in gunicorn.conf.py), and a calculation may occupy one for
seconds. Requests beyond a user's share wait for a few seconds, and are then refused
with status 429. Waiting requests need threads as well, so their number is limited, too:
one user can occupy at most 3 + 1 + 3 of the 8 threads. Under gunicorn, most requests
wait without a thread (see `django_dtale.contrib.gunicorn_pool`).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from threading import Condition

from django.utils.translation import gettext

from .. import workspace
from ..exceptions import TooManyRequests

CALCULATION, READ = "calculation", "read"
# The number of requests of one user that may run at the same time. Over HTTP/1.1,
# browsers send up to 6 requests at a time: 3 calculations run, and 3 wait.
RUNNING = {CALCULATION: 3, READ: 1}
WAITING = 3
# The maximum waiting time in seconds. Reading the first file in a new process takes
# longer, because D-Tale is imported.
SECONDS = {CALCULATION: 5, READ: 10}

_changed = Condition()
_running: Counter = Counter()
_waiting: Counter = Counter()


@contextmanager
def share(kind: str) -> Iterator[None]:
    """Count a with-block as one running request of the current user.

    Visitors who have no frame yet are not limited, because they cannot be told apart.
    If they had a common share, one of them could lock out the others.

    Args:
        kind: CALCULATION, or READ to receive and read a file.

    Raises:
        TooManyRequests: the user's other requests did not finish in time.
    """
    here = workspace.current()
    if here.has_no_token:
        yield
        return
    who = here.user_id or here.owner_fields()["visitor_token"]
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


def fair(kind: str) -> Callable[[Callable], Callable]:
    """Return a decorator for views whose requests count towards a user's share.

    A streaming response counts until its end.
    """

    def decorate(view):
        @wraps(view)
        def shared(request, *args, **kwargs):
            with ExitStack() as stack:
                stack.enter_context(share(kind))
                response = view(request, *args, **kwargs)
                if response.streaming:
                    # The server always closes a response, which closes this iterable.
                    content = ReleaseOnClose(
                        response.streaming_content, stack.pop_all()
                    )
                    response.streaming_content = content
                return response

        return shared

    return decorate


class ReleaseOnClose:
    """An iterable that releases a share when it is closed."""

    def __init__(self, content: Iterable[bytes], stack: ExitStack) -> None:
        self.content, self.stack = content, stack

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.content)

    def close(self) -> None:
        self.stack.close()


def _wait(who: object, kind: str) -> None:
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
        raise TooManyRequests(
            gettext(
                "Another of your files is still being read. Please wait until it is "
                "open, then try again."
            )
        )
    raise TooManyRequests(
        gettext(
            "Too many of your calculations are still running. Please wait a few "
            "seconds and try again."
        )
    )


def _subtract(counter: Counter, key: object) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
