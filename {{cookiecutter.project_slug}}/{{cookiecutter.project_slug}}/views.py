"""The site's own pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods
from django_dtale import explore
from django_dtale.decorators import frames_login_required
from django_dtale.views.frames import home


def index(request: HttpRequest) -> HttpResponse:
    """Show the library's home page. templates/frames/home.html adds the sample."""
    return home(request)


@frames_login_required
@require_http_methods(["GET", "HEAD", "POST"])
def create_df(request: HttpRequest) -> HttpResponse:
    """Create the sample table on POST, and open it. A link must not create data."""
    if request.method != "POST":
        return render(request, "create_df.html")
    import pandas as pd  # This import is slow, and other pages do not need it.

    df = pd.DataFrame(dict(a=[1, 2, 3], b=[4, 5, 6]))
    return explore(request, df)
