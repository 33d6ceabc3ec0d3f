import contextlib
from contextvars import ContextVar

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend, ModelBackend

from . import throttle

_known = ContextVar("known_user", default=None)


@contextlib.contextmanager
def known(user):
    """Let a with-block find a user who was read already, without a query for them."""
    token = _known.set(user)
    try:
        yield
    finally:
        _known.reset(token)


class AccountBackend(ModelBackend):
    """Django's own, with a limit to wrong passwords, and one query less.

    Keep it the first of AUTHENTICATION_BACKENDS: who has tried too often is stopped
    here, before any other one is asked.
    """

    def authenticate(self, request, username=None, password=None, **kwargs):
        """Return the user, or None, as ever.

        Raises:
            throttle.TooManyTries: wrong passwords came too often; `middleware` says so.
        """
        if username is None:
            username = kwargs.get(get_user_model().USERNAME_FIELD)
        # Without a request it is a program of one's own that asks.
        if request is not None and username is not None and password is not None:
            throttle.count(request, username)
        return super().authenticate(request, username, password, **kwargs)

    # By way of the one above: ModelBackend's goes to the database itself.
    aauthenticate = BaseBackend.aauthenticate

    def get_user(self, user_id):
        user = _known.get()
        if user is None or str(user.pk) != str(user_id):
            return super().get_user(user_id)
        return user if self.user_can_authenticate(user) else None
