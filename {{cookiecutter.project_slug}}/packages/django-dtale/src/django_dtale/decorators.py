"""The access policy, which decides who may use frames, and decorators for views."""

from collections.abc import Callable

from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.views.decorators.http import require_http_methods

from .conf import dtale_settings
from .exceptions import AccessDenied

User = AbstractBaseUser | AnonymousUser


def is_signed_in_if_required(user: User) -> bool:
    """Return whether a user is signed in or LOGIN_REQUIRED is false."""
    return user.is_authenticated or not dtale_settings.LOGIN_REQUIRED


def user_can_use_frames(user: User) -> bool:
    """Return whether USER_CAN_USE_FRAMES allows a user to have frames."""
    return bool(dtale_settings.USER_CAN_USE_FRAMES(user))


def may_list_users(user: User) -> bool:
    """Return whether LIST_USERS lets a user search for other users."""
    rule = dtale_settings.LIST_USERS
    return bool(rule(user) if callable(rule) else rule)


def check_access(user: User) -> bool:
    """Return whether a user may have frames. If false, the user has to sign in first.

    Raises:
        AccessDenied: the policy refuses a user who has signed in.
    """
    is_allowed = user_can_use_frames(user)
    if user.is_authenticated and not is_allowed:
        raise AccessDenied
    return is_allowed


# A decorator for views of the site that create or show frames.
frames_login_required = user_passes_test(check_access)


def form_page(view: Callable) -> Callable:
    """Decorate a view that shows and handles a form, for users who may have frames."""
    return frames_login_required(require_http_methods(["GET", "HEAD", "POST"])(view))
