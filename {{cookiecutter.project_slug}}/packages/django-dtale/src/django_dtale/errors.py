"""Turn exceptions into messages for users, and into responses."""

import logging
import sys

from django.db import Error as DatabaseError
from django.db import InterfaceError, OperationalError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext

from .exceptions import (
    CopyHelps,
    DiskFull,
    FrameError,
    FrameNotFound,
    ServiceUnavailable,
    UnexpectedError,
)
from .logs import add_log_context, request_id
from .storage.disk import is_full

logger = logging.getLogger(__name__)

# Database drivers raise these exceptions if they cannot reach the database, or if a
# wait times out.
NO_DATABASE = InterfaceError, OperationalError
# The messages of these exceptions describe the machine, so users do not see them.
SYSTEM_ERRORS = DatabaseError, ImportError, MemoryError, OSError
MAX_REASON = 300  # Characters.
# After these errors, the same request may succeed a little later, or with other input.
RETRIED = {400, 408, 409, 413, 429, 500, 503, 507}


def is_expected(error: BaseException) -> bool:
    """Return whether the library has a specific message for an exception."""
    return isinstance(error, (FrameError, *NO_DATABASE)) or is_full(error)


def to_frame_error(error: object) -> FrameError:
    """Return a ``FrameError`` whose message tells the user what went wrong.

    A ``FrameError`` is returned unchanged. Any other exception is logged with its
    traceback. Users see the first line of its message, and the ID of the request, which
    is also in the log.

    Args:
        error: an exception, or the message of the exception that is being handled.
    """
    if not isinstance(error, FrameError):
        number = request_id()
        logger.error("Request %s failed", number, exc_info=error)  # type: ignore[arg-type]
        if is_full(error if isinstance(error, BaseException) else sys.exception()):
            error = DiskFull(number)
        elif isinstance(error, NO_DATABASE):
            error = ServiceUnavailable(gettext("The database"), number)
        else:
            text = gettext("%(reason)s (request %(number)s)")
            error = UnexpectedError(text % {"reason": _reason(error), "number": number})
    add_log_context(refused=type(error).__name__)
    return error


def user_message(error: object) -> str:
    """Return the message about an error that the user sees."""
    return str(to_frame_error(error))


def first_error(form: BaseForm) -> str:
    """Return the first error of a form, for a place with room for a single message."""
    name, errors = next(iter(form.errors.items()))
    label = form[name].label if name in form.fields else ""
    return f"{label}: {errors[0]}" if label else str(errors[0])


def _reason(error: object) -> str | Promise:
    # Messages of Plotly and of some other libraries begin with an empty line.
    lines = str(error).strip().splitlines()
    if isinstance(error, SYSTEM_ERRORS) or not lines:
        return UnexpectedError.title
    # The message contains file names if a library cannot be compiled or loaded.
    if any(place and place in lines[0] for place in sys.path):
        return UnexpectedError.title
    return lines[0][:MAX_REASON]


def json_error(status: int, why: object) -> JsonResponse:
    """Return an error response in the form that D-Tale's pages expect.

    Args:
        status: the HTTP status. D-Tale's own error responses have the status 200.
        why: a message, or an exception with a message.
    """
    return JsonResponse({"success": False, **error_fields(why)}, status=status)


def error_fields(why: object) -> dict[str, str]:
    """Return the message about an error, and where to copy a frame if that helps."""
    fields = {"error": str(why)}
    if isinstance(why, CopyHelps):
        fields["copy_url"] = why.copy_url
    return fields


def error_response(error: object, request: HttpRequest, is_page: bool) -> HttpResponse:
    """Return the error response to a request for D-Tale, as a page or as JSON."""
    error = to_frame_error(error)
    if is_page:
        return error_page(error, request)
    if isinstance(error, FrameNotFound) and not request.user.is_authenticated:
        # The session may have expired while a page with the user's own frame was open.
        hint = gettext("If it is yours, sign in in another tab, then try again.")
        return json_error(401, f"{error} {hint}")
    return json_error(error.status, error)


def error_page(error: FrameError, request: HttpRequest | None = None) -> HttpResponse:
    """Return the page about a ``FrameError``, with the next steps.

    Without a request, or if the database may be down, the page does not say who is
    signed in, because the user is unknown.
    """
    # The request has no user if a middleware before that of authentication failed.
    has_user = hasattr(request, "user") and not isinstance(error, ServiceUnavailable)
    context = {
        "title": error.title,
        "text": error,
        "has_user": has_user,
        "is_missing": has_user and isinstance(error, FrameNotFound),
        "is_forbidden": has_user and error.status == 403,
        "retry": _page_to_retry(request) if error.status in RETRIED else "",
    }
    if not has_user:
        # The theme is in a cookie, so it needs no database.
        cookies = request.COOKIES if request is not None else {}
        request = HttpRequest()
        request.COOKIES = cookies
    return render(request, "frames/problem.html", context, status=error.status)


def safe_error_page(error: FrameError, request: HttpRequest) -> HttpResponse:
    """Return the page about an error, without the user if the user cannot be read.

    The database may have failed since, or a session may be broken.
    """
    try:
        return error_page(error, request)
    except Exception:
        logger.exception("The error page could not be rendered for the user")
        return error_page(error)


def _page_to_retry(request):
    """Return the URL of the page on which the user can try again, or an empty text."""
    if request is None:
        return ""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    came_from, host = request.headers.get("Referer"), request.get_host()
    is_ours = url_has_allowed_host_and_scheme(
        came_from, {host}, require_https=request.is_secure()
    )
    return came_from if is_ours else ""
