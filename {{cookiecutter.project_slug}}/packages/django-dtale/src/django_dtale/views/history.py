"""The pages of a frame's history: changes, undo, and earlier states."""

from itertools import groupby

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from ..api import repeat
from ..decorators import form_page, frames_login_required
from ..exceptions import FrameNotFound
from ..gateway.fair_shares import CALCULATION, fair
from ..models import Change, Frame, Kind
from ..models.data_ids import variant_of_state
from .frames import get_editable_frame

PER_PAGE = 100


@never_cache
@form_page
def history(request: HttpRequest, pk: int) -> HttpResponseBase:
    """List the changes of a frame, the latest first."""
    frame, access = get_editable_frame(pk)
    changes = frame.changes.select_related("user", "undoes", "undone_by")
    changes = changes.defer("content", "cells")
    if access.history_since is not None:
        changes = changes.filter(made_at__gte=access.history_since)
    page = Paginator(changes.order_by("-pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "frame": frame,
        "page": page,
        "entries": [Entry(list(group)) for _, group in groupby(page, _group)],
        "can_undo": changes.filter(undone_by=None).exclude(kind=Kind.UNDONE).exists(),
    }
    return render(request, "frames/history.html", context)


@frames_login_required
@require_POST
@fair(CALCULATION)
def undo(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Undo the last change. The response to a script is JSON with a text."""
    from ..unit_of_work import going_back

    change = repeat(lambda: going_back.undo(pk))
    text = gettext("Undone: %(change)s.") % {"change": change.text}
    if request.headers.get("Accept") == "application/json":
        return JsonResponse({"text": text})
    messages.success(request, text)
    return redirect("frames:history", pk)


@form_page
@fair(CALCULATION)
def restore(request: HttpRequest, pk: int, number: int) -> HttpResponseBase:
    """Restore the state of a frame before a change."""
    from ..unit_of_work import going_back

    if request.method != "POST":
        frame, access = get_editable_frame(pk)
        change = get_object_or_404(frame.changes, pk=number)
        if not access.can_see(change):
            raise FrameNotFound(pk)
        context = {"frame": frame, "change": change}
        return render(request, "frames/restore.html", context)
    repeat(lambda: going_back.restore(pk, number))
    text = gettext("The earlier state was restored. You can undo this.")
    messages.success(request, text)
    return redirect("frames:history", pk)


class Entry:
    """A line in the list of changes: adjacent edits of one column are one line.

    Attributes:
        change: the latest of its changes.
        first: the earliest, whose state is the one before all of them.
    """

    def __init__(self, changes: list[Change]) -> None:
        self.change, self.first = changes[0], changes[-1]
        self.count = sum(each.count for each in changes)

    @property
    def text(self) -> str:
        return self.change.text_for(self.count)

    @property
    def url(self) -> str:
        """The path of the page in D-Tale with the state before."""
        variant = variant_of_state(self.first.pk)
        return Frame(pk=self.first.frame_id).path_of("main", variant)


def _group(change: Change) -> tuple:
    is_edit = change.kind == Kind.EDITED and not hasattr(change, "undone_by")
    key = (change.user_id, change.columns) if is_edit else change.pk
    return change.kind, str(key)
