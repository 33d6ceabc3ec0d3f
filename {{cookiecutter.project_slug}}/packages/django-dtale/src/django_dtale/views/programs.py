"""Requests of programs, which send an access token. Errors are JSON."""

import functools
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

from ..decorators import check_access, frames_login_required
from ..errors import to_frame_error
from ..exceptions import FrameError, RateLimited
from ..models import Frame
from ..models.tokens import PREFIX, Scope, Token
from ..workspace import Workspace, bind


class TokenMissing(FrameError):
    """The request has no valid access token."""

    status = 401

    def __str__(self) -> str:
        return _(
            "Send one of your access tokens in the header Authorization: Bearer "
            "dtale_... You can create one on the page “Access tokens” of this "
            "site."
        )


def token_required(scope: Scope) -> Callable[[Callable], Callable]:
    """Decorate a view for programs: it requires an access token with a scope.

    The workspace of the token's user is bound while the view runs, and ``request.token``
    is the token. Responses to exceptions are JSON with an ``error`` message.
    """

    def decorate(view: Callable) -> Callable:
        @functools.wraps(view)
        def handle(
            request: HttpRequest, *args: object, **kwargs: object
        ) -> HttpResponse:
            try:
                token = _checked_token(request, scope)
                request.token = token  # type: ignore[attr-defined]
                with bind(Workspace(token.user)):
                    return view(request, *args, **kwargs)
            except Exception as error:
                return _error_response(error)

        return handle

    return decorate


def token_or_session(scope: Scope) -> Callable[[Callable], Callable]:
    """Decorate a view for programs and for users who may have frames."""

    def decorate(view: Callable) -> Callable:
        for_programs = token_required(scope)(view)
        for_users = frames_login_required(view)

        @functools.wraps(view)
        def handle(
            request: HttpRequest, *args: object, **kwargs: object
        ) -> HttpResponse:
            chosen = for_programs if has_token(request) else for_users
            return chosen(request, *args, **kwargs)

        return handle

    return decorate


def has_token(request: HttpRequest) -> bool:
    """Return whether a request has an access token, which may be invalid."""
    # A proxy in front of the site may add a bearer token of its own.
    return _token(request).startswith(PREFIX)


def frame_response(
    request: HttpRequest, frame: Frame, status: int = 200
) -> JsonResponse:
    """Return the response about a frame that a program has created or changed."""
    return JsonResponse(
        {
            "url": request.build_absolute_uri(frame.get_absolute_url()),
            "id": frame.pk,
            "name": frame.name,
            "rows": frame.rows,
            "columns": frame.columns,
            "as_of": frame.data_at.isoformat(),
            "version": frame.data_version,
            "notes": frame.conversion_notes.splitlines(),
        },
        status=status,
    )


def _token(request: HttpRequest) -> str:
    scheme, __, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _checked_token(request: HttpRequest, scope: Scope) -> Token:
    token = Token.objects.authenticate(_token(request), scope)
    if token is None:
        raise TokenMissing
    check_access(token.user)
    return token


def _error_response(error: Exception) -> JsonResponse:
    problem = to_frame_error(error)
    status = 422 if problem.status == 400 else problem.status
    response = JsonResponse({"error": str(problem)}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    if isinstance(problem, RateLimited):
        response["Retry-After"] = "60"  # Seconds. The limit is for one minute.
    return response
