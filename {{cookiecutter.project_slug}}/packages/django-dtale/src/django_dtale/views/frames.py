"""The app's own pages: the home page, and the pages to manage frames."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from .. import workspace
from ..access import Access, access_to
from ..api import copy_frame
from ..conf import dtale_settings
from ..decorators import form_page, user_can_use_frames
from ..dtale.assets.finder import static_url
from ..errors import first_error
from ..exceptions import FrameNotFound, NotEditable, OwnerOnly, ReadOnly
from ..forms import NameForm
from ..gateway import fair_shares
from ..models import Change, Frame, Presence
from ..models.data_ids import split_data_id
from ..sharing.present import people_here
from ..sources.registry import all_sources
from .listing import (
    LAYOUTS,
    Listing,
    back_to_list,
    layout_of,
    remember_layout,
    with_own_shares,
    with_share_counts,
)
from .trash import has_trash, restore_url
from .uploads.receive import SUFFIXES, max_bytes, max_files

# D-Tale and pandas are imported in the views that need them, so that other pages are
# fast.


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Show users their frames, frames shared with them, and ways to open data."""
    layout = request.GET.get("layout", "")
    if layout in LAYOUTS:
        return remember_layout(request, layout)
    context: dict[str, Any] = {
        "dtale_static": static_url("dtale/static"),
        "user_can_use_frames": user_can_use_frames(request.user),
        "layout": layout_of(request),
        "debug": settings.DEBUG,
        "has_tables": False,
    }
    if context["user_can_use_frames"]:
        here = workspace.current()
        own: QuerySet[Frame] = Frame.objects.none()
        if not here.has_no_token:  # First visits need no query.
            own = Frame.objects.owned_by(here)
        own = with_share_counts(own)
        lists = [Listing(request, own, "page", without="owner")]
        context["own"] = lists[0]
        context["has_trash"] = not here.has_no_token and has_trash(here)
        context |= upload_context()
        # Visitors who are not signed in have no models.
        context["has_sources"] = bool(here.user_id or all_sources())
        if here.user_id:
            shared = with_own_shares(Frame.objects.shared_in(here), here)
            context["shared"] = Listing(request, shared, "shared", without="shared")
            lists.append(context["shared"])
        # Only people who have tables search for them.
        context["has_tables"] = any(each.search or not each.is_empty for each in lists)
        context["can_restore"] = dtale_settings.TRASH_DAYS > 0
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
        OwnerOnly: the frame belongs to another user, who has shared it.
    """
    frame = get_visible_frame(pk)
    if not workspace.current().owns(frame):
        raise OwnerOnly(frame)
    return frame


def add_undo_message(request: HttpRequest, text: str, url: str) -> None:
    """Add a message with a button that undoes what the message reports.

    Args:
        url: the URL of the view that undoes it. The button sends a POST.
    """
    context = {"text": text, "url": url}
    html = render_to_string("frames/undo.html", context, request)
    messages.success(request, html)


def get_editable_frame(pk: int) -> tuple[Frame, Access]:
    """Return a frame whose data the user may change, and the user's rights.

    Raises:
        FrameNotFound: the workspace cannot see a frame with this primary key.
        ReadOnly: the user may only read the frame.
    """
    frame = get_visible_frame(pk)
    access = access_to(frame, workspace.current())
    if access is None or not access.can_write:
        raise ReadOnly(frame)
    return frame, access


@form_page
def rename(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a frame. The response to a script is JSON with the new name, or an error."""
    from ..unit_of_work import unit_of_work

    frame = get_own_frame(pk)
    others = Frame.objects.visible_in(workspace.current()).exclude(pk=pk)
    form = NameForm(request.POST or None, initial={"name": frame.name}, taken=others)
    is_script = request.headers.get("Accept") == "application/json"
    if request.method == "POST" and form.is_valid():
        with unit_of_work() as unit:
            unit.get(pk).name = frame.name = form.cleaned_data["name"]
        if is_script:
            return JsonResponse({"name": frame.name, "title": frame.title})
        messages.success(request, gettext("The table was renamed."))
        return redirect("frames:home")
    if is_script and form.errors:
        return JsonResponse({"error": first_error(form)}, status=400)
    return render(request, "frames/rename.html", {"frame": frame, "form": form})


@require_safe
@form_page
def update(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the form that replaces the data of a frame with a file, or appends it.

    The form is sent to the view of all uploads.
    """
    frame, _access = get_editable_frame(pk)
    if frame.can_edit is not None:
        raise NotEditable(frame)
    context = {"frame": frame, **upload_context()}
    return render(request, "frames/update.html", context)


@never_cache
@require_safe
def state(request: HttpRequest, pk: int) -> JsonResponse:
    """Return the version of a frame's data, and who else has it open.

    Open grids ask for it. The response has the names of other people, and a text with
    them, only if there are any.
    """
    frame, here = get_visible_frame(pk), workspace.current()
    change = frame.latest_change_of_others(here)
    access = access_to(frame, here)
    found = {"version": frame.data_version, "as_of": frame.data_at.isoformat()}
    if change is not None:
        found |= {"change": change.pk, "text": _text_about(change, access)}
    Presence.objects.record(frame, here)
    if access is not None and (people := people_here(frame, here, access)):
        text = gettext("Also here: %(names)s") % {"names": ", ".join(people)}
        found |= {"people": people, "people_text": text}
    return JsonResponse(found)


def _text_about(change: Change, access: Access | None) -> str:
    # Readers need not know who else works on the table.
    if change.user is None or access is None or not access.can_write:
        return gettext("This table was changed.")
    return gettext("%(name)s has changed this table.") % {"name": change.user}


@form_page
@fair_shares.fair(fair_shares.CALCULATION)
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy a frame that the user can see. The copy belongs to the user.

    Args:
        pk: the primary key of the frame, or D-Tale's data ID of one of its saved views.
    """
    pk, variant = split_data_id(pk)
    frame = get_visible_frame(pk)
    if request.method == "POST":
        return redirect(copy_frame(frame, variant))
    return render(request, "frames/copy.html", {"frame": frame})


@form_page
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    from ..unit_of_work import unit_of_work

    frame = get_own_frame(pk)
    if request.method == "POST":
        with unit_of_work() as unit:
            unit.delete(pk)
        text = gettext("%(frame)s was deleted.") % {"frame": frame.title}
        add_undo_message(request, text, restore_url([pk]))
        return back_to_list(request)
    days = dtale_settings.TRASH_DAYS
    context = {"frame": frame, "is_shared": frame.shares.exists(), "days": days}
    return render(request, "frames/delete.html", context)
