"""Actions for several tables at once, which buttons on the home page send."""

import itertools
import shutil
from collections.abc import Callable, Iterable
from functools import partial, wraps
from typing import IO, Any
from urllib.parse import urlencode
from zipfile import ZIP_DEFLATED, ZipFile

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.text import get_text_list
from django.utils.translation import gettext, ngettext

from .. import workspace
from ..api import repeat
from ..decorators import form_page
from ..exceptions import FrameNotFound, LimitExceeded, OwnerOnly
from ..formats import format_size
from ..forms import ShareForm
from ..gateway import fair_shares
from ..models import Frame
from .downloads import FORMATS, Choice, data_file, file_name
from .frames import add_undo_message
from .listing import back_to_list, chosen_tables, text_about
from .sharing import names_of, remove_from_list
from .trash import restore_url

# Bytes of the tables in one archive. Larger tables can be downloaded one by one.
MAX_ARCHIVE = 500 << 20


def for_chosen(view: Callable[..., HttpResponseBase]) -> Callable:
    """Decorate a view that gets the chosen tables, which the user can see."""

    @form_page
    @wraps(view)
    def wrapper(request: HttpRequest, **options: str) -> HttpResponseBase:
        tables = chosen_tables(request)
        visible = Frame.objects.visible_in(workspace.current()).defer("settings")
        frames = visible.in_bulk(tables)
        for pk in tables:
            if pk not in frames:
                raise FrameNotFound(pk)
        if not frames:
            messages.warning(request, gettext("Choose one or more tables first."))
            return redirect("frames:home")
        return view(request, [frames[pk] for pk in tables], **options)

    return wrapper


def only_post(view: Callable[..., HttpResponseBase]) -> Callable:
    """Decorate a view that does nothing for a GET, such as one after signing in."""

    @wraps(view)
    def wrapper(
        request: HttpRequest, frames: list[Frame], **options: str
    ) -> HttpResponseBase:
        if request.method != "POST":
            return redirect("frames:home")
        return view(request, frames, **options)

    return wrapper


@for_chosen
@only_post
def delete(request: HttpRequest, frames: list[Frame]) -> HttpResponse:
    """Delete tables, all or none of them."""
    from ..unit_of_work import unit_of_work

    with unit_of_work() as unit:
        for frame in frames:
            unit.delete(frame.pk)
    count = len(frames)
    text = text_about(
        frames,
        gettext("%(frame)s was deleted."),
        ngettext(
            "%(count)s table was deleted.", "%(count)s tables were deleted.", count
        ),
    )
    add_undo_message(request, text, restore_url(frame.pk for frame in frames))
    return back_to_list(request)


@for_chosen
@only_post
def leave(request: HttpRequest, frames: list[Frame]) -> HttpResponse:
    """Remove tables of other users from the list of tables shared with this user."""
    here = workspace.current()
    for frame in frames:
        if here.owns(frame):  # The button is only in the list of shared tables.
            raise FrameNotFound(frame.pk)
    with transaction.atomic():
        for frame in frames:
            remove_from_list(frame, here)
    text = text_about(
        frames,
        gettext("%(frame)s is no longer in your list."),
        ngettext(
            "%(count)s table is no longer in your list.",
            "%(count)s tables are no longer in your list.",
            len(frames),
        ),
    )
    messages.success(request, text)
    return redirect("frames:home")


@login_required  # Otherwise, visitors could find out who has an account.
@for_chosen
def share(request: HttpRequest, frames: list[Frame]) -> HttpResponse:
    """Share tables with the same people. The URL of the page names the tables."""
    owner: Any = request.user
    for frame in frames:
        if not workspace.current().owns(frame):
            raise OwnerOnly(frame)
    is_sent = "role" in request.POST
    if request.method == "POST" and not is_sent:  # This is the button of the list.
        query = urlencode({"table": [frame.pk for frame in frames]}, doseq=True)
        return redirect(f"{reverse('frames:bulk_share')}?{query}")
    form = ShareForm(
        request.POST if is_sent else None,
        frames=frames,
        owner=owner,
        sends_mail=False,  # There would be a mail for each table.
    )
    if is_sent and form.is_valid():
        form.save()
        text = text_about(
            frames,
            gettext("%(frame)s was shared with %(people)s."),
            ngettext(
                "%(count)s table was shared with %(people)s.",
                "%(count)s tables were shared with %(people)s.",
                len(frames),
            ),
            people=get_text_list(names_of(form), gettext("and")),
        )
        messages.success(request, text)
        return redirect("frames:home")
    context = {"frames": frames, "form": form}
    return render(request, "frames/share_several.html", context)


@for_chosen
@only_post
def download(request: HttpRequest, frames: list[Frame], kind: str) -> FileResponse:
    """Send a zip archive with a file for each table. The kind is "csv" or "parquet"."""
    from ..compat.export import temporary_file

    size = sum(frame.nbytes for frame in frames)
    if size > MAX_ARCHIVE:
        raise LimitExceeded(
            gettext(
                "The tables that you chose have %(size)s; the limit of one download is "
                "%(limit)s. Choose fewer tables, or download large tables one by one."
            )
            % {"size": format_size(size), "limit": format_size(MAX_ARCHIVE)}
        )
    names = file_names(frames)

    def write(file: IO[bytes]) -> None:
        with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as archive:
            for frame, name in zip(frames, names, strict=True):
                with (
                    repeat(partial(_exported, frame.pk, kind)) as data,
                    archive.open(f"{name}.{kind}", "w", force_zip64=True) as entry,
                ):
                    shutil.copyfileobj(data, entry, 1 << 20)

    with fair_shares.share(fair_shares.CALCULATION):
        file = temporary_file(write)
    return FileResponse(file, as_attachment=True, filename="tables.zip")


def _exported(pk: int, kind: str) -> IO[bytes]:
    from ..unit_of_work import audit, unit_of_work

    with unit_of_work() as unit:
        opened = unit.get(pk)
        opened.mark_opened()
        file = data_file(opened, Choice(kind))
        audit.record_export(opened, f"{FORMATS[kind]}, zip")
    return file


def file_names(frames: Iterable[Frame]) -> list[str]:
    """Return a name of a file for each table, without the suffix.

    The names differ also on systems that ignore upper and lower case.
    """
    names: dict[str, str] = {}
    for frame in frames:
        name = file_name(frame.title)
        numbered = (f"{name} {number}" for number in itertools.count(2))
        each = next(
            each
            for each in itertools.chain([name], numbered)
            if each.casefold() not in names
        )
        names[each.casefold()] = each
    return list(names.values())
