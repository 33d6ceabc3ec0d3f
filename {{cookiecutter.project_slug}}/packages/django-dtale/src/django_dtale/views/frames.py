"""The app's own pages: the home page, and the pages to manage frames."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import workspace
from ..api import copy_frame
from ..decorators import form_page, user_can_use_frames
from ..dtale.assets.finder import static_url
from ..exceptions import FrameNotFound, NotEditable, ReadOnly
from ..forms import NameForm, ShareForm
from ..gateway import fair_shares
from ..models import Frame, Share
from ..sources.registry import all_sources
from .listing import Listing
from .uploads.receive import SUFFIXES, max_bytes, max_files

# D-Tale and pandas are imported in the views that need them, so that other pages are
# fast.


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show users their frames, frames shared with them, and ways to open data."""
    context = {
        "dtale_static": static_url("dtale/static"),
        "user_can_use_frames": user_can_use_frames(request.user),
    }
    if context["user_can_use_frames"]:
        here = workspace.current()
        own = Frame.objects.none()
        if not here.has_no_token:  # First visits need no query.
            own = Frame.objects.owned_by(here).annotate(readers=Count("shares"))
        context["own"] = Listing(request, own, "page")
        context |= upload_context()
        # Visitors who are not signed in have no models.
        context["has_sources"] = bool(here.user_id or all_sources())
        if here.user_id:
            shared = Frame.objects.shared_in(here).select_related("owner")
            context["shared"] = Listing(request, shared, "shared")
    return render(request, "frames/home.html", context)


def upload_context() -> dict[str, Any]:
    """Return the variables of the upload form."""
    return {
        "max_upload": max_bytes(),
        "max_files": max_files(),
        "accepted": ",".join(SUFFIXES),
    }


def get_visible_frame(pk: int) -> Frame:
    """Return a frame that the bound workspace can see.

    Raises:
        FrameNotFound: the workspace cannot see a frame with this primary key.
    """
    frame = Frame.objects.visible_in(workspace.current()).filter(pk=pk).first()
    if frame is None:
        raise FrameNotFound(pk)
    return frame


def get_own_frame(pk: int) -> Frame:
    """Return a frame that belongs to the bound workspace.

    Raises:
        FrameNotFound: the workspace cannot see a frame with this primary key.
        ReadOnly: the frame belongs to another user, who has shared it.
    """
    frame = get_visible_frame(pk)
    if not workspace.current().owns(frame):
        raise ReadOnly(frame)
    return frame


@form_page
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    from ..unit_of_work import unit_of_work

    frame = get_own_frame(pk)
    others = Frame.objects.visible_in(workspace.current()).exclude(pk=pk)
    form = NameForm(request.POST or None, initial={"name": frame.name}, taken=others)
    if request.method == "POST" and form.is_valid():
        with unit_of_work() as unit:
            unit.get(pk).name = form.cleaned_data["name"]
        messages.success(request, gettext("The table was renamed."))
        return redirect("frames:home")
    return render(request, "frames/rename.html", {"frame": frame, "form": form})


@require_safe
@form_page
def update(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form that replaces the data of a frame with a file, or appends it.

    The form is sent to the view of all uploads.
    """
    frame = get_own_frame(pk)
    if frame.can_edit is not None:
        raise NotEditable(frame)
    context = {"frame": frame, **upload_context()}
    return render(request, "frames/update.html", context)


@never_cache
@require_safe
def state(request: HttpRequest, pk: int) -> JsonResponse:
    """Return the version of a frame's data. Open grids ask for it."""
    frame = get_visible_frame(pk)
    as_of = frame.data_at.isoformat()
    return JsonResponse({"version": frame.data_version, "as_of": as_of})


@form_page
@fair_shares.fair(fair_shares.CALCULATION)
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy a frame that the user can see. The copy belongs to the user."""
    frame = get_visible_frame(pk)
    if request.method == "POST":
        return redirect(copy_frame(frame))
    return render(request, "frames/copy.html", {"frame": frame})


@form_page
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    from ..unit_of_work import unit_of_work

    frame = get_own_frame(pk)
    if request.method == "POST":
        with unit_of_work() as unit:
            unit.delete(pk)
        text = gettext("%(frame)s was deleted.") % {"frame": frame.title}
        messages.success(request, text)
        return redirect("frames:home")
    context = {"frame": frame, "readers": frame.shares.count()}
    return render(request, "frames/delete.html", context)


@login_required  # Otherwise, visitors could find out who has an account.
@form_page
def share(request: HttpRequest, pk: int) -> HttpResponse:
    """Share a frame with a user by name, and list the users who can read it."""
    frame = get_own_frame(pk)
    form = ShareForm(request.POST or None, frame=frame)
    if request.method == "POST" and form.is_valid():
        form.save()
        text = gettext("%(person)s can now see this table.")
        person = form.cleaned_data["person"]
        messages.success(request, text % {"person": person})
        return redirect("frames:share", pk)
    shares = frame.shares.select_related("user").order_by("pk")
    context = {"frame": frame, "form": form, "shares": shares}
    return render(request, "frames/share.html", context)


@login_required
@form_page
def remove_access(request: HttpRequest, pk: int, share: int) -> HttpResponse:
    """Stop sharing a frame with a user. A button on the page of `share` does this."""
    frame = get_own_frame(pk)
    if request.method == "POST":
        taken = get_object_or_404(frame.shares.select_related("user"), pk=share)
        taken.delete()
        text = gettext("%(person)s can no longer see this table.") % {
            "person": taken.user
        }
        messages.success(request, text)
    return redirect("frames:share", pk)


@form_page
def leave(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove another user's frame from the list of frames shared with this user."""
    frame = get_visible_frame(pk)
    if workspace.current().owns(frame):
        return redirect("frames:delete", pk)
    if request.method == "POST":
        Share.objects.of(workspace.current()).filter(frame=frame).delete()
        text = gettext("%(frame)s is no longer in your list.")
        messages.success(request, text % {"frame": frame.title})
        return redirect("frames:home")
    return render(request, "frames/leave.html", {"frame": frame})
