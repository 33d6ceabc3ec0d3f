"""The pages on which users review an upload before they open it.

An upload with one table has a page with a preview. If there are several tables, a list
comes first.
"""

import dataclasses
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from ... import workspace
from ...decorators import form_page
from ...errors import first_error
from ...exceptions import FrameError
from ...formats import format_number
from ...gateway.fair_shares import READ, fair
from .. import steps
from .column_menus import caption, cells, column_menus
from .import_form import ImportForm, doubts_by_field
from .pending import PendingUpload, get_pending_upload
from .table_list import TableList
from .tables import open_tables

# pandas is imported where it is needed, so that other pages are fast.


@form_page
@steps.report_errors_to_script
@fair(READ)
def check(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show an upload. Its owner can correct the import options, open it, or cancel."""
    pending = get_pending_upload(workspace.current(), token)
    if "discard" in request.POST:
        pending.discard()
        text = ngettext(
            "The file was not opened, and was deleted from the site.",
            "The files were not opened, and were deleted from the site.",
            len(pending.files),
        )
        messages.success(request, text)
        return redirect("frames:home")
    if len(pending.tables) > 1:
        return _list(request, pending)
    return _check_only(request, pending)


@form_page
@fair(READ)
def check_table(request: HttpRequest, token: str, number: int) -> HttpResponseBase:
    """Show one of several tables. Its owner can correct its import options."""
    pending = get_pending_upload(workspace.current(), token)
    form = _sent_form(request, pending.table(number).name)
    context = _context(pending, number, form)
    preview = context["preview"]
    if form is None or "keep" not in request.POST or not form.is_valid():
        return render(request, "frames/check.html", context)
    if preview.problem:
        return render(request, "frames/check.html", context)
    table = dataclasses.replace(
        pending.table(number),
        rows=preview.total_rows,
        columns=preview.total_columns,
        key=preview.key,
        problem="",
    )
    pending.choose(number, form.import_options(), table)
    return redirect("frames:check", token)


@require_safe
def opened(request: HttpRequest, count: int) -> HttpResponseBase:
    """Show the list of frames, with a message about those that were opened."""
    text = ngettext(
        "%(count)s table was opened.", "%(count)s tables were opened.", count
    )
    messages.success(request, text % {"count": format_number(count)})
    return redirect("frames:home")


# The list of tables -------------------------------------------------------------------


def _list(request: HttpRequest, pending: PendingUpload) -> HttpResponseBase:
    tables = TableList(pending, request.POST or None)
    problem: FrameError | None = None
    if "open" in request.POST:
        try:
            tables.check()
            work = open_tables(
                workspace.current(), pending, tables.chosen, tables.as_one
            )
            return steps.respond(request, work)
        except FrameError as error:
            if steps.is_script(request):
                return steps.problem_line(str(error))
            problem = error
    context = {"list": tables, "pending": pending, "problem": problem}
    return render(request, "frames/tables.html", context)


# The preview of a table ---------------------------------------------------------------


def _check_only(request: HttpRequest, pending: PendingUpload) -> HttpResponseBase:
    """Show the only table of an upload, or open it."""
    form = _sent_form(request, pending.table(0).name)
    problem: FrameError | None = None
    if form is not None and "open" in request.POST:
        if form.is_valid():
            chosen = dataclasses.replace(pending, options={0: form.import_options()})
            work = open_tables(workspace.current(), chosen, [0])
            try:
                return steps.respond(request, work)
            except FrameError as error:
                problem = error
        elif steps.is_script(request):
            return steps.problem_line(first_error(form))
    context = _context(pending, 0, form)
    if problem is not None:
        context["problem"] = problem
    return render(request, "frames/check.html", context)


def _sent_form(request: HttpRequest, name: str) -> ImportForm | None:
    return ImportForm(request.POST, name=name) if request.POST else None


def _context(
    pending: PendingUpload, number: int, form: ImportForm | None
) -> dict[str, Any]:
    """Return the context of the page: the form, and the preview with its options."""
    from ...readers.doubts import Detection
    from ...readers.process.client import Reader, result_of
    from ...readers.process.outline import Preview

    options = pending.options_of(number)
    if form is not None and form.is_valid():
        # The form replaces earlier choices: a type can be automatic again.
        options = pending.place(number).updated(form.import_options())
    try:
        with pending.opened(number) as (path, name), Reader(path, name) as reader:
            work = reader.inspect(options=options, with_answers=form is None)
            detected, preview = result_of(work)
    except FrameError as error:
        detected, preview = Detection(), Preview(problem=str(error))
    if form is None:
        name = pending.table(number).name
        form = ImportForm(None, name=name, detected=detected.probable(), chosen=options)
    doubts = doubts_by_field(detected)
    form.add_doubts(doubts)
    return {
        "name": pending.title(number),
        "pending": pending,
        "is_only": len(pending.tables) == 1,
        "target": pending.target,
        "form": form,
        "preview": preview,
        "problem": preview.problem,
        "columns": column_menus(preview, form, doubts),
        "rows": cells(preview),
        "caption": caption(preview),
    }
