"""The pages of a frame's saved views."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from ... import workspace
from ...access import access_to
from ...decorators import form_page, frames_login_required
from ...dtale.loader import load_dtale
from ...exceptions import FrameNotFound, ViewReadOnly
from ...gateway.fair_shares import CALCULATION, fair
from ...models import PersonalView, SavedView
from ...models.data_ids import split_data_id
from ..frames import get_editable_frame, get_visible_frame
from .forms import ViewForm


@never_cache
@require_safe
@form_page
def views(request: HttpRequest, pk: int) -> HttpResponse:
    """List the saved views of a frame."""
    frame = get_visible_frame(pk)
    access, user_id = access_to(frame, workspace.current()), workspace.current().user_id
    if access is None:
        raise FrameNotFound(pk)
    saved = list(frame.saved_views.select_related("user").defer("settings"))
    entries = [
        {
            "view": view,
            "url": request.build_absolute_uri(view.get_absolute_url()),
            "can_change": access.can_change(view, user_id),
        }
        for view in saved
    ]
    # Readers do not see who else can see the table.
    context = {"frame": frame, "entries": entries, "can_write": access.can_write}
    return render(request, "frames/views.html", context)


@form_page
@fair(CALCULATION)
def save(request: HttpRequest, data_id: int) -> HttpResponse:
    """Save what the user sees as a view, and open it.

    Args:
        data_id: D-Tale's data ID of the frame, or of one of its saved views.
    """
    frame, _access = get_editable_frame(split_data_id(data_id)[0])
    form = ViewForm(request.POST or None, taken=frame.saved_views.all())
    if request.method == "POST" and form.is_valid():
        saved = load_dtale().save_view(data_id, **form.cleaned_data)
        return redirect(saved)
    context = {"frame": frame, "form": form, "is_new": True}
    return render(request, "frames/view_name.html", context)


@form_page
def rename(request: HttpRequest, pk: int, view: int) -> HttpResponse:
    saved = get_own_view(pk, view)
    others = saved.frame.saved_views.exclude(pk=view)
    form = ViewForm(request.POST or None, initial={"name": saved.name}, taken=others)
    if request.method == "POST" and form.is_valid():
        saved.name = form.cleaned_data["name"]
        saved.save(update_fields=["name"])
        messages.success(request, gettext("The view was renamed."))
        return redirect("frames:views", pk)
    context = {"frame": saved.frame, "view": saved, "form": form}
    return render(request, "frames/view_name.html", context)


@frames_login_required
@require_POST
@fair(CALCULATION)
def update(request: HttpRequest, pk: int, view: int) -> HttpResponse:
    """Give a view the filters, formats and so on that the user sees in it now."""
    saved = get_own_view(pk, view)
    load_dtale().update_view(saved, request.POST.get("chart", ""))
    return redirect(saved)


@frames_login_required
@require_POST
def reset(request: HttpRequest, pk: int, view: int) -> HttpResponse:
    """Discard what the user has changed in a view for themselves."""
    saved = get_saved_view(pk, view)
    own = PersonalView.objects.of(workspace.current())
    own.filter(frame=pk, variant=saved.variant).delete()
    return redirect(saved)


@form_page
def delete(request: HttpRequest, pk: int, view: int) -> HttpResponse:
    saved = get_own_view(pk, view)
    if request.method == "POST":
        saved.delete()
        text = gettext("The view %(view)s was deleted.") % {"view": saved.name}
        messages.success(request, text)
        return redirect("frames:views", pk)
    context = {"frame": saved.frame, "view": saved}
    return render(request, "frames/delete_view.html", context)


def get_saved_view(pk: int, view: int) -> SavedView:
    """Return a saved view of a frame that the bound workspace can see.

    Raises:
        FrameNotFound: the workspace cannot see the frame, or it has no such view.
    """
    frame = get_visible_frame(pk)
    saved = frame.saved_views.filter(pk=view).first()
    if saved is None:
        raise FrameNotFound(pk)
    return saved


def get_own_view(pk: int, view: int) -> SavedView:
    """Return a saved view that the user may change.

    Raises:
        FrameNotFound: see ``get_saved_view``.
        ReadOnly: the user may only read the frame.
        ViewReadOnly: another person has saved the view.
    """
    saved = get_saved_view(pk, view)
    _frame, access = get_editable_frame(pk)
    if not access.can_change(saved, workspace.current().user_id):
        raise ViewReadOnly(saved)
    return saved
