"""Downloads: the data of a frame as a file, for users and for programs."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..api import repeat
from ..dtale.loader import load_dtale
from ..errors import first_error
from ..exceptions import FilterRefused, InputRefused
from ..formats import format_number
from ..forms import DownloadForm
from ..gateway import fair_shares
from ..models.data_ids import split_data_id
from ..models.tokens import Scope
from ..readers.options import flag
from .programs import has_token, token_or_session

if TYPE_CHECKING:
    import pandas as pd

    from ..dtale.visible_data import GridView
    from ..unit_of_work.open_frame import OpenFrame

# The module is not imported here, because it imports pandas.
CLIENT = Path(__file__).parents[1] / "client.py"
FORMATS = {  # The names of the formats in the audit log.
    "csv": "CSV",
    "xlsx": "Excel",
    "tsv": "TSV",
    "parquet": "Parquet",
    "json": "JSON",
    "jsonl": "JSON Lines",
}
SHOWN, ALL = DownloadForm.SHOWN, DownloadForm.ALL
# Some systems do not allow these characters in names of files.
RESERVED = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
# Bytes of a table. Files of larger tables go straight to the disk, because the script
# that shows the progress keeps a file in the browser's memory.
MAX_IN_MEMORY = 200 << 20


@dataclass(frozen=True)
class Choice:
    """A choice of data and of a format. By default, the data are as they are stored."""

    kind: str
    rows: str = ALL
    columns: str = ALL
    is_formatted: bool = False
    is_safe: bool = False

    @property
    def has_all_data(self) -> bool:
        return (self.rows, self.columns) == (ALL, ALL)


@require_safe
def client_module(request: HttpRequest) -> FileResponse:
    """Send the module with which notebooks send and read tables."""
    file = CLIENT.open("rb")  # The response closes it.
    return FileResponse(file, as_attachment=True, filename="client.py")


@never_cache
@require_safe
@token_or_session(Scope.READ)
def data(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """Send the data of a frame as a file. The kind is "csv" or "parquet".

    Programs can send an access token with the scope "read" instead of a session. With
    ``?view=1``, the file has the rows and columns that the user sees in D-Tale.

    The header ``As-Of`` says of when the data are. If a request has the ``ETag`` of the
    same file in ``If-None-Match``, the response is 304, without the file.
    """
    part = SHOWN if flag("view", request.GET.get("view", "0")) else ALL
    return _send(request, pk, Choice(kind, part, part))


@never_cache
@require_safe
@token_or_session(Scope.READ)
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Send the data of a frame as a file, or show the page that offers this.

    With ``?format=csv``, the response is a file with what the user sees in D-Tale.
    `DownloadForm` has the other parameters. Without a format, it is the page, with
    the format ``?preselect=`` chosen.

    Args:
        pk: the primary key of the frame, or D-Tale's data ID of a saved view or of an
            earlier state.
    """
    if "format" not in request.GET:
        with fair_shares.share(fair_shares.CALCULATION):
            return repeat(lambda: _page(request, pk))
    form = DownloadForm(request.GET)
    if not form.is_valid():
        raise InputRefused(first_error(form))
    chosen = form.cleaned_data
    is_text = chosen["format"] in form.TEXT_FORMATS
    choice = Choice(
        chosen["format"],
        chosen["rows"] or SHOWN,
        chosen["columns"] or SHOWN,
        is_text and chosen["values"] == form.FORMATTED,
        is_text and chosen["safe"],
    )
    return _send(request, pk, choice)


def _page(request: HttpRequest, pk: int) -> HttpResponse:
    from ..compat.workbook import MAX_ROWS
    from ..unit_of_work import unit_of_work

    form, problem = DownloadForm(), None
    preselected = request.GET.get("preselect", "")
    with unit_of_work() as unit:
        opened, view = unit.get(pk), load_dtale().grid_view(pk)
        count, columns, names = len(opened.frame), view.columns(), opened.frame.columns
        try:
            shown = len(view.rows())
        except FilterRefused as error:
            shown, problem = None, error
        formats = view.formats(opened.frame[columns])
        frame, title, is_sorted = opened.row, _title(opened), view.is_sorted()
        url = frame.path_of("main", split_data_id(pk)[1])
    initial = preselected if preselected in FORMATS else "csv"
    form.initial = {"format": initial, "rows": SHOWN, "columns": SHOWN}
    form.initial["values"] = form.STORED
    fields: dict[str, Any] = form.fields
    if shown is None:
        form.initial["rows"] = ALL
    elif shown == count and not is_sorted:
        del fields["rows"]
    if "rows" in fields:
        fields["rows"].choices = _row_choices(shown, count)
    if columns == list(names):
        del fields["columns"]
    else:
        fields["columns"].choices = _column_choices(len(columns), len(names))
    if not (formats.text or formats.excel):
        del fields["values"]
    context = {
        "form": form,
        "title": title,
        "url": url,
        "problem": problem,
        "formats": formats,
        "rows": shown,
        "columns": len(columns),
        "is_too_long": count > MAX_ROWS,
        "max_rows": MAX_ROWS,
        "shows_progress": frame.nbytes <= MAX_IN_MEMORY,
    }
    return render(request, "frames/download.html", context)


def _row_choices(shown: int | None, count: int) -> list[tuple[str, str]]:
    text = ngettext(
        "The row of the table", "All %(count)s rows, in their original order", count
    )
    choices = [(ALL, text % {"count": format_number(count)})]
    if shown is None:
        return choices
    text = ngettext(
        "The row that you see in the grid",
        "The %(count)s rows that you see in the grid, in the same order",
        shown,
    )
    return [(SHOWN, text % {"count": format_number(shown)}), *choices]


def _column_choices(shown: int, count: int) -> list[tuple[str, str]]:
    text = ngettext(
        "The column that you see in the grid",
        "The %(count)s columns that you see in the grid, in the same order",
        shown,
    )
    every = ngettext(
        "The column of the table",
        "All %(count)s columns",
        count,
    )
    return [
        (SHOWN, text % {"count": format_number(shown)}),
        (ALL, every % {"count": format_number(count)}),
    ]


def _send(request: HttpRequest, pk: int, choice: Choice) -> HttpResponseBase:
    with fair_shares.share(fair_shares.CALCULATION):
        return repeat(lambda: _file_response(request, pk, choice))


def _file_response(request: HttpRequest, pk: int, choice: Choice) -> HttpResponseBase:
    from ..unit_of_work import audit, unit_of_work

    with unit_of_work() as unit:
        opened = unit.get(pk)
        opened.mark_opened()
        row = opened.row
        # Stored data never change. Filters can use values that change without an edit.
        etag, file = f'"{choice.kind}-{opened.origin[0]}"', None
        if choice != Choice(choice.kind):
            file = data_file(opened, choice)
            digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
            etag = f'"{digest.hexdigest()}"'
        response: HttpResponseBase | None = get_conditional_response(request, etag)
        if response is None:
            file = file or data_file(opened, choice)
            file.seek(0)
            name = f"{file_name(_title(opened))}.{choice.kind}"
            response = FileResponse(file, as_attachment=True, filename=name)
            by_program = gettext("%(format)s, by a program")
            detail = by_program if has_token(request) else "%(format)s"
            audit.record_export(opened, detail % {"format": FORMATS[choice.kind]})
        elif file:
            file.close()
    response["ETag"], response["As-Of"] = etag, row.data_at.isoformat()
    return response


def _title(opened: "OpenFrame") -> str:
    """Return the title of a frame, with the name of the saved view if it is one."""
    return (opened.variant and opened.name) or opened.row.title


def data_file(opened: "OpenFrame", choice: Choice) -> IO[bytes]:
    """Return data of a frame as a temporary file, positioned at its beginning.

    Raises:
        FrameError: the data cannot be read or filtered, or are too large for the format.
    """
    from ..compat.export import WRITERS, in_original_order

    options: dict[str, Any] = {}
    if choice.has_all_data:
        chosen = in_original_order(opened.frame)
        if choice.kind == "parquet":
            options["index"] = opened.index
    else:
        chosen = _chosen_data(opened, load_dtale().grid_view(opened.data_id), choice)
    if choice.is_formatted:
        formats = load_dtale().grid_view(opened.data_id).formats(chosen)
        is_excel = choice.kind == "xlsx"
        options["formats"] = formats.excel if is_excel else formats.text
    if choice.is_safe:
        options["is_safe"] = True
    return WRITERS[choice.kind](chosen, **options)


def _chosen_data(
    opened: "OpenFrame", view: "GridView", choice: Choice
) -> "pd.DataFrame":
    from ..compat.export import in_original_order

    is_shown = choice.rows == SHOWN
    rows = view.rows() if is_shown else in_original_order(opened.frame)
    if choice.columns == SHOWN:
        rows = rows[view.columns()]
    return rows.reset_index(drop=True)


def file_name(title: str) -> str:
    """Return a title as the name of a file, without characters that systems forbid."""
    return RESERVED.sub("_", title)[:150]
