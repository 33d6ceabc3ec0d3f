"""Receive uploaded files, and open them or ask their owner about the options."""

import contextlib
from pathlib import Path, PurePath
from typing import Any

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from ... import workspace
from ...conf import dtale_settings
from ...decorators import form_page
from ...exceptions import LimitExceeded, SourceError
from ...formats import format_megabytes, format_number
from ...gateway.fair_shares import READ, fair
from ...readers.options import ImportOptions
from ...readers.process.outline import Table
from ...workspace import Workspace
from ..steps import (
    Opening,
    Steps,
    Target,
    reading,
    report_errors_to_script,
    respond,
)
from ..whole_body import require_whole_body
from .pending import store
from .tables import OF_TABLE

# The types of files that can be read, as in `django_dtale.readers.files`. That module
# is not imported here, because it imports pandas.
SUFFIXES = (
    ".csv .tsv .xlsx .xlsm .xls .parquet .json .jsonl .ndjson .feather .zip".split()
)
MAX_TABLES = 100  # The limit of one upload.


@csrf_exempt  # `_receive` checks the token, after the length of the body was checked.
@form_page
@report_errors_to_script
@fair(READ)
def upload(request: HttpRequest) -> HttpResponseBase:
    """Receive files, and open them or send their owner to a page about them."""
    if request.method != "POST":  # The login page redirects users back to this view.
        return redirect("frames:home")
    header = request.META.get("CONTENT_LENGTH", "")
    length = int(header) if header.isdecimal() else 0  # Parse it as Django does.
    if length > max_bytes():
        raise LimitExceeded(
            gettext(
                "This upload has %(size)s MB; the limit is %(limit)s MB. Make it "
                "smaller, or open a part of it."
            )
            % {
                "size": format_megabytes(length),
                "limit": format_number(dtale_settings.MAX_UPLOAD_MB),
            }
        )
    # Store uploads of any size in temporary files, because all readers need a file.
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    require_whole_body(request)
    try:
        return _receive(request)
    except TooManyFilesSent:
        limit = max_files()
        text = ngettext(
            "Only %(limit)s file can be uploaded at a time. Zip the files, or choose "
            "one.",
            "Only %(limit)s files can be uploaded at a time. Zip the files, or choose "
            "fewer.",
            limit,
        )
        raise LimitExceeded(text % {"limit": format_number(limit)}) from None
    except Exception:
        for handler in request.upload_handlers:
            # Django would leave an incomplete file to the garbage collector.
            with contextlib.suppress(OSError):
                handler.upload_interrupted()
        raise


@csrf_protect
def _receive(request: HttpRequest) -> HttpResponseBase:
    files: list[Any] = request.FILES.getlist("file")
    if not files:
        raise SourceError(gettext("No file was uploaded. Choose a file first."))
    here = workspace.current()
    here.owner_fields(create=True)  # Save the session before the steps run.
    sent = [(file.temporary_file_path(), file.name) for file in files]
    target = _target(request)
    if target is not None:
        target.frame(here)  # Refuse other people's frames before the file is read.
    work = _open_or_confirm(here, sent, "check" in request.POST, target)
    return respond(request, work)


def _target(request: HttpRequest) -> Target | None:
    """Return the frame that gets the data, if the form was that of `views.update`."""
    pk = request.POST.get("frame", "")
    if not pk.isdecimal():
        return None
    return Target(int(pk), append=request.POST.get("how") == "append")


def max_bytes() -> int:
    """Return the maximum size of an upload in bytes."""
    return dtale_settings.MAX_UPLOAD_MB << 20


def max_files() -> int:
    """Return the maximum number of files of an upload."""
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FILES
    return MAX_TABLES if limit is None else limit


def _open_or_confirm(
    here: Workspace,
    files: list[tuple[str, str]],
    must_confirm: bool,
    target: Target | None = None,
) -> Steps:
    """Open a single file without doubts, or send its owner to the upload's page."""
    from ...readers.doubts import Detection
    from ...readers.process.client import Reader

    tables: list[tuple[int, Table]] = []
    options = ImportOptions()
    if target is not None:  # Read the file as the previous one was read.
        options = ImportOptions.from_dict(target.frame(here).import_options)
    if len(files) == 1:
        [(path, name)] = files
        with Reader(path, name) as reader:
            confirm = "always" if must_confirm else "if_uncertain"
            try:
                data = yield from reading(reader.read(options=options, confirm=confirm))
            except SourceError:
                if target is None or options == ImportOptions():
                    raise
                # The page shows the problem, and the options that can be changed.
                data = Detection(options)
            if not isinstance(data, Detection):
                yield {"step": "opening"}
                with Opening(here, target) as opening:
                    stem = PurePath(reader.table_name).stem
                    known = options.to_dict()
                    opening.open(data, stem, origin_name=name, import_options=known)
                    yield {"location": opening.location()}
                return
            if not {"sheet", "member"} & {doubt.option for doubt in data.doubts}:
                size = Path(path).stat().st_size
                tables = [(0, Table(reader.table_name, nbytes=size))]
    chosen = {0: options} if tables else {}
    tables = tables or (yield from _list_tables(files))
    pending = store(here, files, tables, chosen, target)
    yield {"location": reverse("frames:check", args=[pending.token])}


def _list_tables(files: list[tuple[str, str]]) -> Steps:
    """Return the tables in all files, each with the number of its file.

    A file that cannot be read is a table with a problem.

    Raises:
        SourceError: no file can be read.
    """
    from ...readers.process.client import Reader

    tables: list[tuple[int, Table]] = []
    for number, (path, name) in enumerate(files):
        with Reader(path, name) as reader:
            try:
                found = yield from reading(reader.tables(), number, len(files), name)
            except OF_TABLE as error:
                size = Path(path).stat().st_size
                found = [Table(name, nbytes=size, problem=str(error))]
        tables += [(number, table) for table in found]
    problems = [table.problem for _, table in tables]
    if all(problems):
        raise SourceError(" ".join(dict.fromkeys(problems)))
    if len(tables) > MAX_TABLES:
        text = gettext(
            "There are %(count)s tables; the limit is %(limit)s. Send fewer at a time."
        )
        values = {"count": format_number(len(tables)), "limit": MAX_TABLES}
        raise LimitExceeded(text % values)
    return tables
