from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.http import HttpRequest

from . import throttle


class AccountBackend(ModelBackend):
    """Django's ModelBackend, with a limit on wrong passwords.

    Keep it first in AUTHENTICATION_BACKENDS, so that attempts over the limit do not
    reach other backends.
    """

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> AbstractBaseUser | None:
        """Return the user, or None.

        Raises:
            throttle.TooManyTries: There were too many wrong passwords.
        """
        if username is None:
            username = kwargs.get(get_user_model().USERNAME_FIELD)
        # Calls without a request come from code on this machine, such as commands.
        if request is not None and username is not None and password is not None:
            throttle.count(request, username)
        return super().authenticate(request, username, password, **kwargs)

    # BaseBackend's method calls `authenticate`, which counts. ModelBackend's does not.
    aauthenticate = BaseBackend.aauthenticate  # type: ignore[assignment]
