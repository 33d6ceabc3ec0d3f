import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext

from .dtale.endpoints import GATEWAY
from .errors import error_page, is_expected, to_frame_error
from .exceptions import DiskFull, LimitExceeded
from .theme import remember_theme
from .workspace import Workspace, bind

if TYPE_CHECKING:
    from django.core.handlers.wsgi import WSGIRequest

MAX_FORM = 64 << 10  # Bytes.


class BodyMiddleware:
    """Refuse long bodies from clients without a session, before they are read.

    `CsrfViewMiddleware`, which runs next, reads the body to find the CSRF token. A
    client that sends a long body slowly would occupy a thread. Sign-in forms are short.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        # Views that are exempt from the CSRF check limit the length of the body
        # themselves.
        if getattr(view, "csrf_exempt", False):
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) <= MAX_FORM:
            return None
        if not request.session.is_empty():
            return None
        text = gettext("This form is too large for a visitor who has not signed in.")
        return error_page(to_frame_error(LimitExceeded(text)), request)


class NoStoreMiddleware:
    """Keep pages out of caches of browsers and proxies, unless a view allows caching.

    Pages show users' data. Static files do not pass through this middleware if it comes
    after WhiteNoise's.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class WorkspaceMiddleware:
    """Bind the user's workspace, and route requests for D-Tale to the gateway.

    This middleware has to come after AuthenticationMiddleware.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: "WSGIRequest") -> HttpResponseBase:
        if GATEWAY in request.environ:
            request.urlconf = "django_dtale.gateway.urls"
        # The user and the session are lazy: pages that need no frames do not load them.
        with bind(Workspace(request.user, request.session)):
            response = self.get_response(request)
        # Signing in sets this attribute.
        if theme := getattr(request, "frames_theme", None):
            remember_theme(response, theme)
        if response.status_code == DiskFull.status:
            discard_body(request)
        return response

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        """Return an error page for exceptions that have a message for users."""
        if is_expected(exception):
            return error_page(to_frame_error(exception), request)
        return None


def discard_body(request: HttpRequest) -> None:
    """Read the rest of a request's body that could not be stored.

    Browsers and many programs read a response only after they have sent the whole body.
    If the rest were not read, they would report a broken connection. The length was
    checked before.
    """
    with contextlib.suppress(OSError):  # The client may have closed the connection.
        while request.read(1 << 16):
            pass
