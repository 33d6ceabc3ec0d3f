"""The switch between the themes, in the header of pages and below the grid."""

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ...models import Preferences
from ...theme import THEMES, remember_theme


@require_POST
def choose_theme(request: HttpRequest) -> HttpResponse:
    """Remember a theme, and return to the page on which it was chosen.

    The response to a script is empty, because the script changes the page itself.
    """
    theme = request.POST.get("theme")
    if theme not in THEMES:
        return HttpResponseBadRequest()
    response: HttpResponse
    if request.headers.get("Accept") == "application/json":
        response = HttpResponse(status=204)
    else:
        came_from, host = request.headers.get("Referer"), request.get_host()
        is_ours = url_has_allowed_host_and_scheme(
            came_from, {host}, require_https=request.is_secure()
        )
        response = redirect(came_from if is_ours and came_from else "frames:home")
    if request.user.is_authenticated:
        Preferences.save_theme(request.user, theme)
    remember_theme(response, theme)
    return response
