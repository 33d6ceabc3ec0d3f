"""The Django debug toolbar, for development.

https://django-debug-toolbar.readthedocs.io/en/stable/configuration.html
"""

from django.apps import apps
from django.conf import settings
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver

from ..dtale.endpoints import GATEWAY

FORM = "application/x-www-form-urlencoded"


def toolbar_urls() -> list[URLPattern | URLResolver]:
    """Return the toolbar's URLs, or none if the toolbar is not in INSTALLED_APPS."""
    if not apps.is_installed("debug_toolbar"):
        return []
    # Import it here, because the toolbar is not installed in production.
    from debug_toolbar.toolbar import debug_toolbar_urls

    return debug_toolbar_urls()


def show_toolbar(request: HttpRequest) -> bool:
    """Return whether the toolbar may observe a request (SHOW_TOOLBAR_CALLBACK)."""
    headers = request.META
    return (
        settings.DEBUG
        and headers.get("REMOTE_ADDR") in settings.INTERNAL_IPS
        # A proxy on this machine forwards other people's requests from a local address.
        and "HTTP_X_FORWARDED_FOR" not in headers
        # The toolbar must not change D-Tale's pages.
        and GATEWAY not in headers
        # The toolbar would read a body that the view did not read, as in a refused
        # upload.
        and (request.method == "GET" or request.content_type == FORM)
    )
