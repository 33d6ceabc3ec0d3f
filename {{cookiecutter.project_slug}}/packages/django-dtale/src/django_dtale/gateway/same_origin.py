"""Check that requests to D-Tale come from this site.

D-Tale changes data on GET and checks no CSRF token, so a link or a form on another site
could change data on behalf of a user. Browsers send headers with the origin of a
request: https://web.dev/articles/fetch-metadata
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

from ..dtale.endpoints import Kind


def is_same_origin(request: HttpRequest, kind: Kind) -> bool:
    """Return whether a page of this site sent a request, or a user opened a page."""
    headers = request.META
    site = headers.get("HTTP_SEC_FETCH_SITE")
    if site is None:
        # Older browsers, and browsers over plain HTTP, do not send this header. They
        # may still name the page that sent the request.
        page = headers.get("HTTP_ORIGIN") or headers.get("HTTP_REFERER")
        return is_trusted_origin(request, page) if page else kind is Kind.PAGE
    if kind is Kind.PAGE:
        return site in ("same-origin", "none")
    is_opened = headers.get("HTTP_SEC_FETCH_MODE") == "navigate"
    return site == "same-origin" and (kind is Kind.EXPORT or not is_opened)


def is_trusted_origin(request: HttpRequest, url: str) -> bool:
    """Return whether a URL has the request's host, or is in CSRF_TRUSTED_ORIGINS."""
    try:
        parts = urlsplit(url)
    except ValueError:  # No browser sends such a URL.
        return False
    return (
        parts.netloc == request.get_host()
        or f"{parts.scheme}://{parts.netloc}" in settings.CSRF_TRUSTED_ORIGINS
    )
