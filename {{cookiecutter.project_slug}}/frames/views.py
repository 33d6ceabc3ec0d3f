"""The app's own pages: the home page, and what people do with their frames."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import fair_shares, workspace
from .access import form_page, login_required_if_asked, may_have_frames
from .exceptions import FrameMissing, ReadOnly
from .explore import copy_frame
from .forms import NameForm, ShareForm
from .listing import Listing
from .models import Frame, Share
from .static_files import static_url
from .uploads import SUFFIXES, max_bytes

# D-Tale and pandas are imported where they are needed: the other pages do not wait.


@require_safe
def home(request):
    """Show people their frames, those shared with them, and where data come from."""
    context = {
        "dtale_static": static_url("dtale/static"),
        "may_have_frames": may_have_frames(request.user),
    }
    if context["may_have_frames"]:
        here = workspace.current()
        own = Frame.objects.none()
        if not here.is_empty:  # Who comes for the first time waits for no database.
            own = Frame.objects.owned_by(here).annotate(readers=Count("shares"))
        context["own"] = Listing(request, own, "page")
        context |= {"max_upload": max_bytes(), "accepted": ",".join(SUFFIXES)}
        if here.user_id:
            shared = Frame.objects.shared_in(here).select_related("owner")
            context["shared"] = Listing(request, shared, "shared")
    return render(request, "frames/home.html", context)


def visible(pk):
    """Return a Frame that the request's workspace can see.

    Raises:
        FrameMissing: it can see none of this primary key.
    """
    frame = Frame.objects.visible_in(workspace.current()).filter(pk=pk).first()
    if frame is None:
        raise FrameMissing(pk)
    return frame


def own(pk):
    """Return a Frame of the request's workspace's own.

    Raises:
        ReadOnly: it is shared with its user, for reading.
    """
    frame = visible(pk)
    if not workspace.current().owns(frame):
        raise ReadOnly(frame)
    return frame


@form_page
def rename(request, pk):
    from .unit_of_work import unit_of_work

    frame = own(pk)
    others = Frame.objects.visible_in(workspace.current()).exclude(pk=pk)
    form = NameForm(request.POST or None, initial={"name": frame.name}, taken=others)
    if request.method == "POST" and form.is_valid():
        with unit_of_work() as unit:
            unit.get(pk).name = form.cleaned_data["name"]
        messages.success(request, gettext("The frame has its new name."))
        return redirect("frames:home")
    return render(request, "frames/rename.html", {"frame": frame, "form": form})


@form_page
@fair_shares.fair(fair_shares.CALCULATION)
def copy(request, pk):
    """Give a person a frame of their own, equal to one that they can see."""
    frame = visible(pk)
    if request.method == "POST":
        return redirect(copy_frame(frame))
    return render(request, "frames/copy.html", {"frame": frame})


@form_page
def delete(request, pk):
    from .unit_of_work import unit_of_work

    frame = own(pk)
    if request.method == "POST":
        with unit_of_work() as unit:
            unit.delete(pk)
        text = gettext("%(frame)s was deleted.") % {"frame": frame.title}
        messages.success(request, text)
        return redirect("frames:home")
    context = {"frame": frame, "readers": frame.shares.count()}
    return render(request, "frames/delete.html", context)


@login_required  # Else anybody could try out who has an account here.
@form_page
def share(request, pk):
    """Let people read a frame, by their names, or no longer."""
    frame = own(pk)
    form = ShareForm(request.POST or None, frame=frame)
    if request.method == "POST":
        if form.is_valid():
            form.save()
            text = gettext("%(person)s can read it now.")
            person = form.cleaned_data["person"]
            messages.success(request, text % {"person": person})
            return redirect("frames:share", pk)
    shares = frame.shares.select_related("user").order_by("pk")
    context = {"frame": frame, "form": form, "shares": shares}
    return render(request, "frames/share.html", context)


@login_required
@form_page
def take_back(request, pk, share):
    """Let a person no longer read a frame: a button of the page before."""
    frame = own(pk)
    if request.method == "POST":
        share = get_object_or_404(frame.shares.select_related("user"), pk=share)
        share.delete()
        text = gettext("%(person)s can no longer read it.") % {"person": share.user}
        messages.success(request, text)
    return redirect("frames:share", pk)


@form_page
def leave(request, pk):
    """Take a frame that somebody has shared out of one's list."""
    frame = visible(pk)
    if workspace.current().owns(frame):
        return redirect("frames:delete", pk)
    if request.method == "POST":
        Share.objects.of(workspace.current()).filter(frame=frame).delete()
        text = gettext("%(frame)s is no longer in your list.")
        messages.success(request, text % {"frame": frame.title})
        return redirect("frames:home")
    return render(request, "frames/leave.html", {"frame": frame})


@login_required_if_asked
@never_cache
@require_safe
def download(request, pk, kind):
    """Send a frame's data, all of them, as a file of this kind: csv or parquet."""
    from .downloads import WRITERS
    from .unit_of_work import unit_of_work

    calculation = fair_shares.share(fair_shares.CALCULATION)
    with calculation, unit_of_work() as unit:
        opened = unit.get(pk)
        opened.touch()
        file = WRITERS[kind](opened.frame)
    name = opened.row.title.replace("/", "_")
    return FileResponse(file, as_attachment=True, filename=f"{name}.{kind}")
