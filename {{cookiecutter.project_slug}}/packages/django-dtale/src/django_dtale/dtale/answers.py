"""Responses that were calculated before, and are sent again without a calculation.

A stored payload never changes. As long as the data and the view of a person are the same,
a request that only reads gets the same response, so this process caches it. If several
people request the same at once, one request calculates and the others wait for it.
"""

import hashlib
import threading
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakValueDictionary

from django.http import HttpResponse
from django.utils.translation import get_language
from dtale import predefined_filters
from werkzeug import Request

from ..storage import blobs
from ..unit_of_work import audit, current
from ..unit_of_work.open_frame import OpenFrame
from .endpoints import CHART_EXPORT, GRID, PURE
from .exports import export_format

ENTRY_OVERHEAD = 2_000  # Bytes of a response's headers and key.
# Bytes of the largest file that is cached. The page of a chart has 1.5 MB, or 5 MB if the
# client accepts no compression.
MAX_FILE = 8 << 20

_running: WeakValueDictionary[tuple, "_Calculation"] = WeakValueDictionary()
_running_lock = threading.Lock()


class _Calculation:
    """A lock, which a `WeakValueDictionary` can hold."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def answer(
    request: Request,
    endpoint: str,
    data_id: str | None,
    run: Callable[[], HttpResponse],
) -> HttpResponse:
    """Return the cached response to a request, or calculate and cache it.

    The user may see the frame. The input of a request is validated only if its response
    is not in the cache.

    Args:
        run: validates the input, and returns D-Tale's response.
    """
    if endpoint not in PURE or request.method != "GET" or data_id is None:
        return run()
    opened = current().get(data_id)
    key = _key(request, endpoint, opened)
    if key is None:
        return run()
    file_format = export_format(endpoint, request.args)
    with _running_lock:
        calculation = _running.setdefault(key, _Calculation())
    with calculation.lock:
        found = blobs.find(key)
        if found is None:
            response = run()
            is_small = not file_format or len(response.content) <= MAX_FILE
            if is_small and _is_lasting(response, opened):
                kept = response.content, dict(response.headers)
                blobs.keep(key, kept, len(response.content) + ENTRY_OVERHEAD)
            return response
    if file_format:  # D-Tale's application records those that it calculates.
        audit.record_export(opened, file_format)
    content, headers = found
    return HttpResponse(content, headers=headers)


def _key(request: Request, endpoint: str, opened: OpenFrame) -> tuple | None:
    """Return the key of a response, or None if the response can differ each time."""
    if endpoint == CHART_EXPORT and not _is_constant(request.args):
        return None
    # The page of an exported grid also depends on the preferences of the person.
    if endpoint == GRID and export_format(endpoint, request.args):
        return None
    if request.args.get("action", "test") != "test":  # The request makes a table.
        return None
    if opened.is_new or opened.source not in (None, opened.origin):
        return None
    query = request.query_string.decode("latin-1")
    settings: Any = opened.view_state.get("settings") or {}
    chosen = settings.get("predefinedFilters") or {}
    # The site's functions can return other rows and values each time.
    if "@" in query or "%40" in query or "@" in repr(settings):
        return None
    if any(each.get("active", True) for each in chosen.values()):
        return None
    if any(each.active for each in predefined_filters.PREDEFINED_FILTERS):
        return None
    digest = hashlib.sha256(usedforsecurity=False)
    for part in opened.stored_parts():
        digest.update(len(part).to_bytes(8, "big") + part)
    arguments = tuple(sorted(request.args.items(multi=True)))
    path = request.script_root + request.path
    # D-Tale compresses its responses, and not all browsers know the same encodings.
    sent = get_language(), request.headers.get("Accept-Encoding", "")
    return (*opened.origin, "answer", path, arguments, digest.digest(), *sent)


def _is_constant(args: Mapping[str, str]) -> bool:
    """Return whether a chart depends only on the data, the view and the arguments.

    Maps also depend on what the person has uploaded, and a chart of some of the rows can
    be of other rows each time.
    """
    return args.get("chart_type") != "maps" and args.get("load", "100") == "100"


def _is_lasting(response: HttpResponse, opened: OpenFrame) -> bool:
    """Return whether a response is a success that changed nothing."""
    return (
        response.status_code == 200
        and not response.cookies
        and not current().failed
        and not current().stale
        and current().unavailable is None
        and b'"success":false' not in response.content[-20:]
        and b'"error":' not in response.content[:20]
        and not opened.has_changes()
    )
