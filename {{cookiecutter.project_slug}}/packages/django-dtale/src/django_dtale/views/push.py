"""The API for programs: POST a file, and receive the URL of its frame."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from ..api import append_data, open_data, replace_data
from ..exceptions import FrameError, NotEditable
from ..gateway.fair_shares import READ, share
from ..models import Frame, Origin
from ..models.names import clean_name
from ..models.tokens import Scope
from ..quotas import check_rate, check_size
from ..readers.doubts import Detection, refusal
from ..readers.options import ARGUMENTS, ImportOptions, flag
from ..workspace import current
from .frames import get_editable_frame
from .programs import frame_response, token_required
from .whole_body import require_whole_body

# The media types of each format that can be read, see ``readers.files``.
OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
KINDS = {
    ".csv": ["text/csv"],
    ".tsv": ["text/tab-separated-values"],
    ".parquet": ["application/vnd.apache.parquet", "application/x-parquet"],
    ".feather": ["application/vnd.apache.arrow.file"],
    ".json": ["application/json"],
    ".jsonl": ["application/jsonl", "application/x-ndjson"],
    ".ndjson": [],
    ".xlsx": [OFFICE],
    ".xlsm": ["application/vnd.ms-excel.sheet.macroenabled.12"],
    ".xls": ["application/vnd.ms-excel"],
    ".zip": ["application/zip"],
}
PARAMETERS = {"name", "replace", "append", *ARGUMENTS}
PARQUET = b"PAR1"  # Parquet files begin with these bytes.


class PushRefused(FrameError):
    """The request is not valid: ``PushRefused(status, text)``."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@csrf_exempt  # Unlike cookies, bearer tokens are not sent automatically.
@never_cache
@require_POST
@token_required(Scope.WRITE)
def push(request: HttpRequest, pk: int | None = None) -> JsonResponse:
    """Create a frame from a file, or give its data to a frame that the user may edit.

    The file is the body, or a form's only file. ``?name=`` is the frame's name. With
    ``&replace=1`` or ``&append=1``, the frame with this name gets the data if there is
    one. The format is determined by the suffix of the name or of the file's name, by
    the Content-Type, or, for Parquet, by the content. The other parameters are those of
    ``readers.options.ARGUMENTS``.

    Args:
        pk: the primary key of the frame whose data are replaced, or, with
            ``?append=1``, to which the rows are added.

    Returns:
        A response with status 201, or 200 if the frame existed before. It has the
        frame's ``url``, ``id``, ``name``, ``rows`` and ``columns``, the time and the
        number of its data (``as_of``, ``version``), and ``notes`` about conversions and
        dropped filters. Otherwise, it has an ``error`` message. Its status is then 401
        (no valid token), 403 (the token lacks the scope "write", the user may not have
        frames, or may not edit the frame), 404 (no such frame), 409 (other
        requests change the frame all the time), 411 (no length), 413 (too large), 415
        (unknown format), 422 (cannot be read or shown), 429 (too many), 503 (the
        database does not respond) or 507 (the disk is full).
    """
    check_rate(current())
    with share(READ):
        frame = _push(request, pk)
    return frame_response(request, frame, 200 if frame.data_version else 201)


def _push(request: HttpRequest, pk: int | None) -> Frame:
    if unknown := set(request.GET) - PARAMETERS:
        text = _("There is no parameter %(name)s. These exist: %(names)s.")
        names = {"name": min(unknown)[:100], "names": ", ".join(sorted(PARAMETERS))}
        raise PushRefused(422, text % names)
    replace, append = _mode(request)
    frame = None
    if pk is not None:
        frame, access = get_editable_frame(pk)
        # The rule for edits binds editors, but not the programs of the owner.
        if frame.can_edit is not None and not access.is_owner:
            raise NotEditable(frame)
    if not request.META.get("CONTENT_LENGTH", "").isdecimal():
        raise PushRefused(411, _("The request needs a Content-Length header."))
    check_size(int(request.META["CONTENT_LENGTH"]))
    require_whole_body(request)
    given = {key: request.GET.getlist(key) for key in ARGUMENTS if key in request.GET}
    options = ImportOptions.from_arguments(given)
    with (
        _file(request) as (stream, filename, content_type),
        tempfile.TemporaryDirectory(prefix="push-") as directory,
    ):
        name = request.GET.get("name") or filename
        received = Path(directory, "received")
        with received.open("wb") as file:
            shutil.copyfileobj(stream, file)
        suffix = _suffix(name, filename, content_type, received)
        stem = name[: -len(suffix)] if name.lower().endswith(suffix) else name
        if (replace or append) and not (frame or clean_name(stem)):
            raise PushRefused(
                422, _("To replace or append data, send the table's name: ?name=sales.")
            )
        data = _read(received, (clean_name(stem) or "data") + suffix, options)
        token: Any = request.token  # type: ignore[attr-defined]
        origin = {"origin": Origin.PUSH, "origin_name": token.name}
        if given:
            origin["import_options"] = options.to_dict()
        if frame is None:
            return open_data(data, stem, replace=replace, append=append, **origin)
        update = append_data if append else replace_data
        update(frame, data, workspace=current(), **origin)
        return frame


def _mode(request: HttpRequest) -> tuple[bool, bool]:
    """Return whether ``replace`` and whether ``append`` is requested.

    Raises:
        PushRefused: both are requested.
    """
    replace, append = (
        flag(name, request.GET.get(name, "0")) for name in ("replace", "append")
    )
    if replace and append:
        raise PushRefused(
            422, _("Send only one of the parameters replace=1 and append=1.")
        )
    return replace, append


@contextlib.contextmanager
def _file(request: HttpRequest) -> Iterator[tuple[Any, str, str]]:
    """Yield the uploaded file: its stream, name and Content-Type."""
    # Imported here, so that `manage.py` commands do not wait for them.
    from werkzeug.exceptions import HTTPException
    from werkzeug.formparser import FormDataParser, default_stream_factory
    from werkzeug.http import parse_options_header

    content_type, options = parse_options_header(request.META.get("CONTENT_TYPE"))
    if content_type != "multipart/form-data":
        yield request, "", content_type
        return
    with contextlib.ExitStack() as opened:
        parser = FormDataParser(
            # The parser closes no files, and does not return the files of an invalid
            # form.
            lambda *args, **kwargs: opened.enter_context(
                default_stream_factory(*args, **kwargs)
            ),
            silent=False,
            max_form_parts=10,
        )
        try:
            stream: Any = request  # A request can be read like a file.
            files = parser.parse(stream, content_type, None, options)[2]
            [(__, file)] = files.items(multi=True)
        except (HTTPException, ValueError):
            text = _("A form must contain exactly one file.")
            raise PushRefused(422, text) from None
        yield file.stream, file.filename or "", file.mimetype


def _suffix(name: str, filename: str, content_type: str, path: Path) -> str:
    for each in (name, filename):
        suffix = PurePosixPath(each.lower()).suffix
        if suffix in KINDS:
            return suffix
    for suffix, types in KINDS.items():
        if content_type in types:
            return suffix
    with path.open("rb") as file:
        if file.read(len(PARQUET)) == PARQUET:
            return ".parquet"
    raise PushRefused(
        415,
        _(
            "The format of the file is unknown. Send ?name=sales.csv (or another "
            "extension: %(suffixes)s), or a Content-Type such as text/csv."
        )
        % {"suffixes": " ".join(KINDS)},
    )


def _read(path: Path, name: str, options: ImportOptions) -> Any:
    from ..readers.process.client import Reader, result_of  # This imports pandas.

    with Reader(path, name) as reader:
        work = reader.read(options=options, confirm="if_uncertain", style="query")
        data = result_of(work)
        if isinstance(data, Detection):
            raise refusal(reader.name, data.doubts, "query")
        return data
