"""Who may have frames at all: anybody, or only people who are signed in."""

from django.conf import settings
from django.contrib.auth.decorators import user_passes_test


def may_have_frames(user):
    """Say (bool) whether a request's user may: see FRAMES_LOGIN_REQUIRED."""
    return user.is_authenticated or not settings.FRAMES_LOGIN_REQUIRED


# For views that make or show frames: who has to sign in is sent to the login page, and
# comes back.
login_required_if_asked = user_passes_test(may_have_frames)
