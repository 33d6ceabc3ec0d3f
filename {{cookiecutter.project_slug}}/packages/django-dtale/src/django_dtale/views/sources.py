"""The pages on which users open and refresh the data of registered sources."""

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from .. import api, workspace
from ..decorators import form_page, frames_login_required
from ..errors import first_error
from ..exceptions import FrameError
from ..gateway.fair_shares import CALCULATION, fair, share
from ..models import Frame
from ..models.tokens import Scope
from ..sources import model_data, registry
from ..sources.cache import fresh_frame
from ..sources.parameters import to_json
from ..sources.registry import Source
from ..sources.runs import Run, run_again, run_source
from ..workspace import Workspace
from . import steps
from .frames import get_own_frame
from .programs import frame_response, has_token, token_required


@frames_login_required
@require_safe
def sources(request: HttpRequest) -> HttpResponseBase:
    """List the sources and the models that the user may open."""
    apps = model_data.open_models(request)
    for app in apps:
        app["models"] = [model._meta for model in app["models"]]
    allowed = [each for each in registry.all_sources() if each.is_allowed(request.user)]
    return render(request, "frames/sources.html", {"sources": allowed, "apps": apps})


@form_page
@steps.report_errors_to_script
@fair(CALCULATION)
def source(request: HttpRequest, key: str) -> HttpResponseBase:
    """Show the form of a source. A POST opens its data."""
    found = registry.get_source(key)
    if found is None or not found.is_allowed(request.user):
        # The response does not reveal whether there is such a source.
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        raise Http404
    is_sent = request.method == "POST"
    form = found.form(request.POST if is_sent else None, label_suffix="")
    context = {"source": found, "form": form}
    if is_sent and form.is_valid():
        here = workspace.current()
        here.owner_fields(create=True)  # Save the session before the steps run.
        parameters = to_json(form)
        try:
            return steps.respond(request, _open(request, found, parameters, here))
        except FrameError as error:
            context["problem"] = error
            return render(request, "frames/source.html", context, status=error.status)
    if is_sent and steps.is_script(request):
        return steps.problem_line(first_error(form))
    return render(request, "frames/source.html", context)


def _open(
    request: HttpRequest, source: Source, parameters: dict, here: Workspace
) -> steps.Steps:
    fresh = fresh_frame(source, parameters, here)
    if fresh is not None:
        yield {"location": fresh.get_absolute_url()}
        return
    yield {"step": "collecting"}
    run = run_source(source, request, parameters)
    data = api.collect(run)
    with steps.Opening(here) as opening:
        yield {"step": "opening"}
        with run.failures():  # The view of the source may not fit the data.
            opening.open(data, run.name, view=run.view, **run.fields)
        yield {"location": opening.location()}


# Refreshing ---------------------------------------------------------------------------


@csrf_exempt  # The views for programs and for people check what they need.
@never_cache
def refresh(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Run the source of a frame again. Programs can send a token of the scope "write".

    Returns:
        For programs, the same JSON as for a push, with status 200, or with an
        ``error`` message. Its status is then 403 (the owner may not use the source any
        more), 409 (there is no source, or it has changed), 500 (it failed), or one of
        those of ``push``.
    """
    chosen = _refresh_for_program if has_token(request) else _refresh_for_person
    return chosen(request, pk)


@require_POST
@token_required(Scope.WRITE)
def _refresh_for_program(request: HttpRequest, pk: int) -> JsonResponse:
    frame = get_own_frame(pk)
    with share(CALCULATION):
        api.refresh(frame)
    return frame_response(request, frame)


@csrf_protect
@form_page
@steps.report_errors_to_script
@fair(CALCULATION)
def _refresh_for_person(request: HttpRequest, pk: int) -> HttpResponseBase:
    frame = get_own_frame(pk)
    if request.method == "POST":
        return steps.respond(request, _refresh(frame, run_again(frame)))
    return render(request, "frames/refresh.html", {"frame": frame})


def _refresh(frame: Frame, run: Run) -> steps.Steps:
    yield {"step": "collecting"}
    data = api.collect(run)
    yield {"step": "opening"}
    with run.failures():
        api.replace_data(frame, data, view=run.view, **run.fields)
    yield {"location": frame.get_absolute_url()}
