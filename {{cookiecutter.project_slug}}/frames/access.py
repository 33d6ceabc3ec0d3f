"""Who may have frames at all, and who may ask D-Tale for something from where.

D-Tale changes data on GET and knows no token, so a link or a form on another site would
do it in the name of whoever follows it. Browsers say where a request comes from.
https://web.dev/articles/fetch-metadata
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.decorators import user_passes_test
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from .endpoints import Kind
from .exceptions import FrameMissing, Unavailable

# Where D-Tale's WSGI environment has Django's request.
DJANGO_REQUEST = "frames.request"


def may_have_frames(user):
    """Say (bool) whether a request's user may: see FRAMES_LOGIN_REQUIRED."""
    return user.is_authenticated or not settings.FRAMES_LOGIN_REQUIRED


# For the site's own views that make or show frames.
login_required_if_asked = user_passes_test(may_have_frames)


def form_page(view):
    """A view that shows a form and takes it, for people who may have frames."""
    return login_required_if_asked(require_http_methods(["GET", "HEAD", "POST"])(view))


def refusal(request, kind):
    """Say why a request is not answered, if it is not.

    Args:
        request: ``HttpRequest``.
        kind: ``Kind`` of what it asks for.

    Returns:
        HttpResponse, or None: it may be answered.
    """
    if kind is Kind.STATIC:
        return None
    if not may_have_frames(request.user):
        if kind is Kind.DATA:
            text = _("You are not signed in. Sign in in another tab, then try again.")
            return error(401, text)
        return redirect_to_login(request.get_full_path())
    if is_from_here(request, kind):
        return None
    if kind is Kind.PAGE:
        return render(request, "frames/elsewhere.html", status=403)
    return error(403, _("D-Tale answers this only to pages of this site."))


def is_from_here(request, kind):
    """Say (bool) whether a page of this site asks, or for a page the person does."""
    headers = request.META
    site = headers.get("HTTP_SEC_FETCH_SITE")
    if site is None:
        # An older browser, or one that was told of no TLS: where the page is that asks.
        page = headers.get("HTTP_ORIGIN") or headers.get("HTTP_REFERER")
        return is_own(request, page) if page else kind is Kind.PAGE
    if kind is Kind.PAGE:
        return site in ("same-origin", "none")
    is_opened = headers.get("HTTP_SEC_FETCH_MODE") == "navigate"
    return site == "same-origin" and (kind is Kind.EXPORT or not is_opened)


def is_own(request, url):
    """Say (bool) whether a URL is of the host that was asked, or a trusted origin."""
    try:
        parts = urlsplit(url)
    except ValueError:  # No browser sends such a one.
        return False
    return (
        parts.netloc == request.get_host()
        or f"{parts.scheme}://{parts.netloc}" in settings.CSRF_TRUSTED_ORIGINS
    )


def error(status, why):
    """Return an answer in the form in which D-Tale's pages expect a failure.

    Args:
        status: int; D-Tale's own failures are a 200.
        why: a text, or an exception that has one.
    """
    return JsonResponse({"success": False, "error": str(why)}, status=status)


def problem_page(problem, request=None):
    """Return the page (HttpResponse) about a ``FrameError``, which leads home.

    Without a request, and if the database may be down, nobody knows who is signed in:
    then the page says nothing about it.
    """
    has_user = request is not None and not isinstance(problem, Unavailable)
    context = {
        "title": problem.title,
        "text": problem,
        "has_user": has_user,
        "is_missing": has_user and isinstance(problem, FrameMissing),
    }
    request = request if has_user else HttpRequest()
    return render(request, "frames/problem.html", context, status=problem.status)
