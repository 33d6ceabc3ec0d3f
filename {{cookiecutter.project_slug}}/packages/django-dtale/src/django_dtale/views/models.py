"""The pages on which users filter rows of the site's models and open them in D-Tale."""

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods

from ..api import open_run
from ..decorators import frames_login_required
from ..sources import model_data
from ..sources.runs import run_model


@login_required
@frames_login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model(request: HttpRequest, app_label: str, model_name: str) -> HttpResponse:
    """Show the filters of a model. A POST opens the rows that match them."""
    model_admin = model_data.find_model_admin(request, app_label, model_name)
    if model_admin is None:
        raise Http404
    changelist = model_data.get_changelist(model_admin, request)
    if request.method == "POST":
        rows = changelist.queryset
        return redirect(open_run(run_model(request, model_admin, rows, request.GET)))
    filters = [
        {"title": each.title, "choices": list(each.choices(changelist))}
        for each in changelist.filter_specs
    ]
    is_filtered = bool(changelist.query or changelist.get_filters_params())
    context = {
        "is_filtered": is_filtered,
        "name": capfirst(model_admin.opts.verbose_name_plural),
        "changelist": changelist,
        "filters": filters,
        "fields": model_data.visible_fields(model_admin, request),
        "others": [
            (name, value)
            for name, values in request.GET.lists()
            for value in values
            if name not in (SEARCH_VAR, PAGE_VAR)
        ],
    }
    return render(request, "frames/model.html", context)
