from django.http import HttpRequest, HttpResponseRedirect
from django.urls import get_script_prefix
from django.views.decorators.csrf import csrf_exempt

from ..conf import dtale_settings


@csrf_exempt  # The view changes nothing, and D-Tale sends no CSRF token.
def add_prefix(request: HttpRequest, rest: str) -> HttpResponseRedirect:
    """Redirect /dtale/... to D-Tale: some links on its pages lack the prefix."""
    path = request.get_full_path().removeprefix(get_script_prefix())
    return HttpResponseRedirect(
        f"{get_script_prefix()}{dtale_settings.PREFIX}/{path}", preserve_request=True
    )
