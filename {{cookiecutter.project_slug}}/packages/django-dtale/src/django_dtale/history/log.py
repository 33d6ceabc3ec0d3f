"""Keep the changes of a frame, within the limits of the site."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from django.db.models import QuerySet

from ..conf import dtale_settings
from ..models import Change, Frame, Kind
from ..storage import blobs
from .difference import Difference
from .signed_state import CELLS, SHARED_STATE, dump_state, load_state

# The fields of a frame that belong to its data, and are restored with them.
FIELDS = "nbytes", "rows", "columns", "origin", "origin_name", "conversion_notes"


def add(
    before: Frame,
    difference: Difference,
    *,
    user_id: Any,
    detail: str = "",
    undoes: Change | None = None,
) -> Change | None:
    """Add a change to the history of a frame, or do nothing if HISTORY_COUNT is 0.

    Args:
        before: the frame's row as it was before the change, with its ``content``.
        difference: what the change did.
        user_id: the primary key of the user; None for a visitor.
        detail: more about the change, such as the name of a file.
        undoes: the change that this one undoes.
    """
    if not dtale_settings.HISTORY_COUNT:
        return None
    content = bytes(before.content)  # type: ignore[attr-defined]
    if difference.cells is None:
        kept: dict[str, Any] = {
            "payload": before.payload,
            "content": content,
            "fields": {name: getattr(before, name) for name in FIELDS}
            | {"data_at": before.data_at.isoformat()},
        }
    else:
        state = load_state(before, SHARED_STATE, content) or {}
        dtypes = state.get("dtypes") or ()
        cells = {
            "cells": difference.cells,
            "dtypes": [each for each in dtypes if each["name"] in difference.cells],
            "history": len(state.get("history") or ()),
        }
        kept = {"cells": dump_state(before, CELLS, cells)}
    return Change.objects.create(
        frame_id=before.pk,
        user_id=user_id,
        kind=difference.kind,
        columns=[_storable(name) for name in difference.columns[:100]],
        count=difference.count,
        detail=_storable(detail[:255]),
        undoes=undoes,
        **kept,
    )


def _storable(text: str) -> str:
    """Return a text without characters that PostgreSQL refuses in text and in JSON."""
    return (
        text.encode("utf-8", "replace")
        .decode()
        .replace("\0", "\N{REPLACEMENT CHARACTER}")
    )


def trim(pk: int, payload: str) -> tuple[int, set[str]]:
    """Delete the oldest changes of a frame that exceed HISTORY_COUNT or HISTORY_MB.

    Args:
        payload: the name of the frame's present payload.

    Returns:
        The bytes of all earlier states, and the payloads of the deleted changes.
    """
    limit = dtale_settings.HISTORY_MB << 20
    nbytes = 0
    for number, change in enumerate(sized(pk, payload)):
        if number == dtale_settings.HISTORY_COUNT or nbytes + change.nbytes > limit:
            return nbytes, delete_until(pk, change.pk)
        nbytes += change.nbytes
    return nbytes, set()


class Sized(NamedTuple):
    """A change, and the bytes of its files that neither newer ones nor the frame need."""

    pk: int
    nbytes: int


def sized(pk: int, payload: str) -> Iterator[Sized]:
    """Yield the changes of a frame with their sizes, beginning with the newest.

    Args:
        payload: the name of the frame's present payload.
    """
    files = blobs.files_of(payload)
    changes = Change.objects.filter(frame=pk).order_by("-pk")
    for change, name in list(changes.values_list("pk", "payload")):
        more = blobs.files_of(name) - files
        files |= more
        yield Sized(change, sum(map(blobs.file_size, more)))


def delete_until(pk: int, change: int) -> set[str]:
    """Delete a change of a frame and all older ones. Return their payloads.

    Newer changes do not need older ones, so only the oldest may be deleted.
    """
    changes = Change.objects.filter(frame=pk, pk__lte=change)
    names = set(changes.exclude(payload="").values_list("payload", flat=True))
    changes.delete()
    return names


def undoable(pk: int) -> Change | None:
    """Return the last change of a frame that is neither undone nor an undo itself."""
    changes = Change.objects.filter(frame=pk, undone_by=None).exclude(kind=Kind.UNDONE)
    return changes.order_by("-pk").first()


def payloads_in_use(pk: int) -> Iterable[str]:
    """Return the payloads of a frame and of its earlier states."""
    yield from Frame.objects.filter(pk=pk).values_list("payload", flat=True)
    kept = Change.objects.filter(frame=pk).exclude(payload="")
    yield from kept.values_list("payload", flat=True).distinct()


def all_payloads() -> QuerySet:
    """Return the payloads of all frames and of all earlier states.

    One query reads both, because a request may move a payload from a frame to a change,
    or back.
    """
    frames, changes = (
        model.objects.order_by().values_list("payload", flat=True)
        for model in (Frame, Change)
    )
    return frames.union(changes).order_by()
