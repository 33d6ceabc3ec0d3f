"""The site's own pages."""

import inspect
import sys

from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import get_script_prefix
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from frames.access import login_required_if_asked, problem_page
from frames.exceptions import as_problem
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


# Around these Django looks for a token in what was posted, and a form that cannot be read
# would become a failure of the server.
bad_request, permission_denied, page_not_found = map(
    inspect.unwrap,
    (defaults.bad_request, defaults.permission_denied, defaults.page_not_found),
)


def server_error(request):
    """Say that something went wrong, and under which number the log has it."""
    return problem_page(as_problem(sys.exception()))
