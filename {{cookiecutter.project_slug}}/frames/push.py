"""From a program to a frame: POST a table, with a token, and get the frame's address."""

import contextlib
import re
import shutil
import tempfile
from pathlib import Path, PurePosixPath

from django.http import JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from .exceptions import FrameError, TooFast, as_problem
from .explore import publish
from .fair_shares import READ, share
from .limits import check_pace, check_size
from .tokens import Token
from .workspace import Workspace, bind

KINDS = {
    ".csv": ["text/csv"],
    ".tsv": ["text/tab-separated-values"],
    ".parquet": ["application/vnd.apache.parquet", "application/x-parquet"],
}
PARQUET = b"PAR1"  # How a file begins.


class PushRefused(FrameError):
    """What was sent cannot become a frame: ``PushRefused(status, text)``."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


@csrf_exempt  # A token is sent by nobody's browser on its own, as a cookie is.
@never_cache
@require_POST
def push(request):
    """Make a frame of a CSV, TSV or Parquet file: the body, or a form's only file.

    ``?name=`` is what the frame is called. What kind of file it is, is told by the end
    of that name (or of the file's), by its Content-Type, or for Parquet by itself.

    Returns:
        JsonResponse: 201 with the frame's ``url``, ``id``, ``name``, ``rows`` and
        ``columns``; or ``error``, a text, with 401 (the token), 411, 413 (too large),
        415 (which kind?), 422 (it cannot be read or shown), 429 (too many), 503 or 507
        (the database does not answer, the disk is full).
    """
    try:
        user = _user(request)
        here = Workspace(user)
        check_pace(here)
        with bind(here), share(READ):
            frame = _push(request, user)
    except FrameError as error:
        status = 422 if error.status == 400 else error.status
        response = JsonResponse({"error": str(error)}, status=status)
        if status == 401:
            response["WWW-Authenticate"] = "Bearer"
        if isinstance(error, TooFast):
            response["Retry-After"] = "60"  # Seconds: it counts those of a minute.
        return response
    except Exception as error:
        problem = as_problem(error)
        return JsonResponse({"error": str(problem)}, status=problem.status)
    return JsonResponse(
        {
            "url": request.build_absolute_uri(frame.get_absolute_url()),
            "id": frame.pk,
            "name": frame.name,
            "rows": frame.rows,
            "columns": frame.columns,
        },
        status=201,
    )


def _user(request):
    scheme, __, token = request.headers.get("Authorization", "").partition(" ")
    user = None
    if scheme.lower() == "bearer":
        user = Token.objects.user_of(token.strip())
    if user is None:
        raise PushRefused(
            401,
            _(
                "Send one of your tokens, as Authorization: Bearer dtale_... A page of "
                "this site makes them: Access tokens."
            ),
        )
    return user


def _push(request, user):
    if not request.META.get("CONTENT_LENGTH", "").isdecimal():
        raise PushRefused(411, _("Say how long the request is, by Content-Length."))
    check_size(int(request.META["CONTENT_LENGTH"]))
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
        # Messages are about a file of this name.
        named = re.sub(r"[^\w .-]", "_", stem)[:60] or "data"
        path = received.rename(Path(directory, named + suffix))
        return publish(_read(path), owner=user, name=stem)


@contextlib.contextmanager
def _file(request):
    """Yield the file that was sent: its stream, name (str) and Content-Type (str)."""
    # Here: `manage.py` does not wait for them.
    from werkzeug.exceptions import HTTPException
    from werkzeug.formparser import FormDataParser, default_stream_factory
    from werkzeug.http import parse_options_header

    content_type, options = parse_options_header(request.META.get("CONTENT_TYPE"))
    if content_type != "multipart/form-data":
        yield request, "", content_type
        return
    with contextlib.ExitStack() as opened:
        parser = FormDataParser(
            # The parser closes no file, and knows none of a form that it gives up.
            lambda *args, **kwargs: opened.enter_context(
                default_stream_factory(*args, **kwargs)
            ),
            silent=False,
            max_form_parts=10,
        )
        try:
            __, __, files = parser.parse(request, content_type, None, options)
            [(__, file)] = files.items(multi=True)
        except (HTTPException, ValueError):
            text = _("A form has to have exactly one file in it.")
            raise PushRefused(422, text) from None
        yield file.stream, file.filename or "", file.mimetype


def _suffix(name, filename, content_type, path):
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
            "Say what kind of file this is: by ?name=sales.csv (or .tsv, .parquet), or "
            "by its Content-Type, such as text/csv."
        ),
    )


def _read(path):
    from .reader import Reader, outcome  # Here: it imports pandas.

    with Reader(path, path.name) as reader:
        return outcome(reader.read(options={}))
