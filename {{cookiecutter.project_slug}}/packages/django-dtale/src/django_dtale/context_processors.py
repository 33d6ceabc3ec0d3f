from typing import Any

from django.conf import settings
from django.http import HttpRequest

from .theme import SYSTEM, THEMES, theme_in


def site(request: HttpRequest) -> dict[str, Any]:
    """Return the site's name, the theme and all themes for templates."""
    return {
        "site_name": settings.SITE_NAME,
        "theme": theme_in(request.COOKIES) or SYSTEM,
        "themes": THEMES,
    }
