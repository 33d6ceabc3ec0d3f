"""The site's own pages."""

from django.conf import settings
from django.db import Error, connection
from django.http import HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import get_script_prefix
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from frames.access import login_required_if_asked
from frames.explore import explore
from frames.views import home


def index(request):
    """The home page of `frames`; templates/frames/home.html adds the sample to it."""
    return home(request)


@login_required_if_asked
@require_http_methods(["GET", "HEAD", "POST"])
def create_df(request):
    """Make the sample frame and go to it. By POST: a link must not make data."""
    if request.method != "POST":
        return render(request, "create_df.html")
    import pandas as pd  # Here, so that no other page waits for the import.

    df = pd.DataFrame(dict(a=[1, 2, 3], b=[4, 5, 6]))
    return explore(request, df)


@csrf_exempt  # It changes nothing, and D-Tale knows no token.
def add_prefix(request, rest):
    """Redirect /dtale/... to where D-Tale is: its pages sometimes forget the prefix."""
    path = request.get_full_path().removeprefix(get_script_prefix())
    return HttpResponseRedirect(
        f"{get_script_prefix()}{settings.DTALE_PREFIX}/{path}", preserve_request=True
    )


@never_cache
@require_safe
def healthz(request):
    """Say that the database answers, and whether D-Tale has been built already."""
    # Here, because wsgi.py builds Django's side, and this module is part of it.
    from .wsgi import application

    dtale = "built" if application.instances else "not built yet"
    status = {"database": "ok", "dtale": dtale}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        status["database"] = "unavailable"
    return JsonResponse(status, status=200 if status["database"] == "ok" else 503)
