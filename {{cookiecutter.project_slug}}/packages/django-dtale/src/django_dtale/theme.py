"""The theme of pages and grids: light, dark, or that of the system.

The choice is in a cookie, so that the first byte of each page contains it. The
preferences of a user also contain it, for their other browsers.
"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

COOKIE = "dtale_theme"
SYSTEM = "system"
THEMES = SYSTEM, "light", "dark"
YEAR = 365 * 24 * 60 * 60  # Seconds.


def theme_in(cookies: Mapping[str, str]) -> str | None:
    """Return the theme in a request's cookies, or None without a valid one."""
    theme = cookies.get(COOKIE)
    return theme if theme in THEMES else None


def remember_theme(response: Any, theme: str) -> None:
    """Set the cookie of the theme in a response of Django or of Flask.

    Args:
        theme: one of THEMES.
    """
    response.set_cookie(
        COOKIE,
        theme,
        max_age=YEAR,
        path=settings.SESSION_COOKIE_PATH,
        domain=settings.SESSION_COOKIE_DOMAIN,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
