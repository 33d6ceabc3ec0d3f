"""The page "Recently deleted"."""

import contextlib
import math
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_safe

from .. import workspace
from ..conf import dtale_settings
from ..decorators import form_page
from ..exceptions import FrameNotFound
from ..history import trash as history
from ..models import Frame, RemovedShare
from .listing import PER_PAGE, chosen_tables, text_about


def restore_url(tables: Iterable[int]) -> str:
    """Return the URL to which a button sends a POST to restore deleted tables."""
    query = urlencode({"table": list(tables)}, doseq=True)
    return f"{reverse('frames:restore_tables')}?{query}"


def has_trash(here: workspace.Workspace) -> bool:
    """Return whether a workspace has anything that can be restored."""
    own = Frame.objects.filter(**here.owner_fields())
    is_trash = Q(deleted_at__isnull=False) | Q(removedshares__isnull=False)
    return own.filter(is_trash).exists()


@require_safe
@form_page
def trash(request: HttpRequest) -> HttpResponse:
    """List the deleted tables and the removed shares that the user can restore."""
    here = workspace.current()
    frames = Frame.objects.deleted_by(here).defer("settings").order_by("-deleted_at")
    page = Paginator(frames, PER_PAGE).get_page(request.GET.get("page"))
    shares = removed_shares(here).select_related("frame", "user", "group")
    context = {
        "page": page,
        "frames": [(each, days_left(each.deleted_at)) for each in page],  # type: ignore[arg-type]
        "shares": [(share, days_left(share.removed_at)) for share in shares],
        "days": dtale_settings.TRASH_DAYS,
    }
    return render(request, "frames/trash.html", context)


@form_page
def restore(request: HttpRequest) -> HttpResponse:
    """Restore tables, all or none of them. Buttons of other pages do this."""
    if request.method != "POST":
        return redirect("frames:trash")
    here, tables = workspace.current(), chosen_tables(request)
    with transaction.atomic():
        frames = [history.restore(here, pk) for pk in tables]
    if frames:
        text = text_about(
            frames,
            gettext("%(frame)s was restored."),
            ngettext(
                "%(count)s table was restored.",
                "%(count)s tables were restored.",
                len(frames),
            ),
        )
        messages.success(request, text)
    return redirect("frames:home")


@form_page
def delete_for_good(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a table that is in "Recently deleted" for good."""
    here = workspace.current()
    frame = Frame.objects.deleted_by(here).defer("settings").filter(pk=pk).first()
    if frame is None:
        raise FrameNotFound(pk)
    if request.method == "POST":
        history.delete_for_good(here, pk)
        text = gettext("%(frame)s was deleted for good.") % {"frame": frame.title}
        messages.success(request, text)
        return redirect("frames:trash")
    return render(request, "frames/delete_for_good.html", {"frame": frame})


@form_page
def empty(request: HttpRequest) -> HttpResponse:
    """Delete everything that is in "Recently deleted" for good."""
    here = workspace.current()
    frames, shares = Frame.objects.deleted_by(here), removed_shares(here)
    if request.method == "POST":
        for pk in frames.values_list("pk", flat=True):
            # The table may have been restored meanwhile.
            with contextlib.suppress(FrameNotFound):
                history.delete_for_good(here, pk)
        shares.delete()
        messages.success(request, gettext("“Recently deleted” is empty now."))
        return redirect("frames:home")
    context = {"tables": frames.count(), "shares": shares.count()}
    return render(request, "frames/empty.html", context)


def removed_shares(here: workspace.Workspace) -> QuerySet[RemovedShare]:
    """Return the removed shares of a workspace's tables, except of deleted ones."""
    frames = Frame.objects.owned_by(here)
    return RemovedShare.objects.filter(frame__in=frames).order_by("-removed_at")


def days_left(since: datetime) -> int:
    """Return the number of days until ``purge_frames`` may delete something for good."""
    until = since + timedelta(days=dtale_settings.TRASH_DAYS)
    return max(0, math.ceil((until - timezone.now()) / timedelta(days=1)))
