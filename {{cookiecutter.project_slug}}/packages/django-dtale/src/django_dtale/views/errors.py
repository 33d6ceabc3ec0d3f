"""Error pages, for handler400 to handler500 in the site's urls.py.

Django's views for 400, 403 and 404 look for a CSRF token in the submitted form. If the
form cannot be read, this would cause a server error. `unwrap` removes the decorator
that does this.
"""

import sys
from inspect import unwrap

from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.views import defaults

from ..errors import NO_DATABASE, error_page, safe_error_page, to_frame_error
from ..exceptions import PageForbidden, RequestInvalid


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page of status 400, or 503 if the session could not be saved.

    If the database fails, Django would report that the session was deleted, and that
    the user may have signed out.
    """
    if isinstance(exception, SessionInterrupted):
        error = exception.__context__  # This is an UpdateError.
        reason = error and error.__context__
        if isinstance(reason, NO_DATABASE):
            return error_page(to_frame_error(reason))
    if isinstance(exception, DisallowedHost):
        return unwrap(defaults.bad_request)(request, exception)
    return safe_error_page(RequestInvalid(), request)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return safe_error_page(PageForbidden(), request)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return unwrap(defaults.page_not_found)(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Return the page of status 500, with the ID of the request in the log."""
    return safe_error_page(to_frame_error(sys.exception()), request)
