"""Pages on which users filter rows of the site's models and open them in D-Tale."""

from django.contrib.admin.views.main import PAGE_VAR, SEARCH_VAR
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods, require_safe

from ..decorators import frames_login_required
from . import model_data


@login_required
@frames_login_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """List the models that the user may open."""
    apps = model_data.open_models(request)
    for app in apps:
        app["models"] = [model._meta for model in app["models"]]
    return render(request, "frames/models.html", {"apps": apps})


@login_required
@frames_login_required
@require_http_methods(["GET", "HEAD", "POST"])
def model(request: HttpRequest, app_label: str, model_name: str) -> HttpResponse:
    """Show the filters of a model. A POST opens the rows that match them."""
    model_admin = model_data.get_model_admin_or_404(request, app_label, model_name)
    changelist = model_data.get_changelist(model_admin, request)
    if request.method == "POST":
        return model_data.open_rows(request, model_admin, changelist.queryset)
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
