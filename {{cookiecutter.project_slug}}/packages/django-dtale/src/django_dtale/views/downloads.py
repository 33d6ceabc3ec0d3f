"""Downloads: the data of a frame as a file, for users and for programs."""

import hashlib
from pathlib import Path

from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..api import repeat
from ..dtale.loader import load_dtale
from ..gateway import fair_shares
from ..models.tokens import Scope
from ..readers.options import flag
from .programs import token_or_session

# The module is not imported here, because it imports pandas.
CLIENT = Path(__file__).parents[1] / "client.py"


@require_safe
def client_module(request: HttpRequest) -> FileResponse:
    """Send the module with which notebooks send and read tables."""
    file = CLIENT.open("rb")  # The response closes it.
    return FileResponse(file, as_attachment=True, filename="client.py")


@never_cache
@require_safe
@token_or_session(Scope.READ)
def download(request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
    """Send the data of a frame as a file. The kind is "csv" or "parquet".

    Programs can send an access token with the scope "read" instead of a session. With
    ``?view=1``, the file has the rows and columns that the user sees in D-Tale.

    The header ``As-Of`` says of when the data are. If a request has the ``ETag`` of the
    same file in ``If-None-Match``, the response is 304, without the file.
    """
    as_seen = flag("view", request.GET.get("view", "0"))
    with fair_shares.share(fair_shares.CALCULATION):
        return repeat(lambda: _download(request, pk, kind, as_seen))


def _download(
    request: HttpRequest, pk: int, kind: str, as_seen: bool
) -> HttpResponseBase:
    from ..compat.export import WRITERS, in_original_order
    from ..unit_of_work import unit_of_work

    with unit_of_work() as unit:
        opened = unit.get(pk)
        opened.mark_opened()
        row = opened.row
        # Stored data never change. Filters can use values that change without an edit.
        etag, file = f'"{kind}-{row.payload}"', None
        if as_seen:
            file = WRITERS[kind](load_dtale().visible_data(pk))
            digest = hashlib.file_digest(file, "sha256")  # type: ignore[arg-type]
            etag = f'"{digest.hexdigest()}"'
        response: HttpResponseBase | None = get_conditional_response(request, etag)
        if response is None:
            file = file or WRITERS[kind](in_original_order(opened.frame), opened.index)
            file.seek(0)
            name = row.title.translate({ord("/"): "_", ord("\\"): "_"})
            response = FileResponse(file, as_attachment=True, filename=f"{name}.{kind}")
        elif file:
            file.close()
    response["ETag"], response["As-Of"] = etag, row.data_at.isoformat()
    return response
