"""Earlier states of a frame."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
from django.utils.dateparse import parse_datetime

from ..compat import legacy_names
from ..models import Change, Frame
from ..storage import blobs
from .difference import first_values, put_back
from .signed_state import CELLS, SHARED_STATE, load_state


@dataclass(frozen=True)
class State:
    """The state of a frame before a change.

    Attributes:
        payload: the name of its payload; empty if only its cells are known.
        fields: the fields of the frame's row that belong to the data.
        shared_state: D-Tale's state for everyone who opens the frame.
        frame: the data.
    """

    payload: str
    fields: dict[str, Any]
    shared_state: dict[str, Any]
    frame: pd.DataFrame


def state_before(row: Frame, change: Change, is_last: bool = False) -> State:
    """Return the state of a frame before a change.

    It starts with the first whole state that was kept after that, or with the present
    one, and puts the cells of all changes in between back.

    Args:
        row: the frame's row with its ``content``.
        is_last: the present state is the one directly after the change: all later
            changes were undone.

    Raises:
        FileNotFoundError, CorruptPayload: see ``blobs.load``.
        FrameUnreadable: a change has no valid signature.
    """
    later = Change.objects.filter(frame=row.pk, pk__gte=change.pk).order_by("pk")
    if is_last:
        later = later.filter(pk=change.pk)
    whole = later.exclude(payload="").first()
    if whole is None:
        payload, content, fields = row.payload, row.content, {}  # type: ignore[attr-defined]
        steps = list(later)
    else:
        payload, content, fields = whole.payload, whole.content, fields_of(whole)
        steps = list(later.filter(pk__lt=whole.pk))
    frame = legacy_names.sanitize_frame(blobs.load(payload))
    state = load_state(row, SHARED_STATE, bytes(content)) or {}
    state = legacy_names.sanitize_shared_state(state)
    if steps:
        kept = [load_state(row, CELLS, bytes(each.cells)) for each in steps]
        frame = put_back(frame, first_values(each["cells"] for each in kept))
        for each in reversed(kept):
            state = _back(each, state)
    return State("" if steps else payload, fields, state, frame)


def fields_of(change: Change) -> dict[str, Any]:
    """Return the fields of the frame's row in the state before a change."""
    return {**change.fields, "data_at": parse_datetime(change.fields["data_at"])}


def _back(kept: dict[str, Any], state: dict[str, Any]) -> dict[str, Any]:
    """Return D-Tale's state before a change of cells."""
    before = {each["name"]: each for each in kept["dtypes"]}
    dtypes = [before.get(each["name"], each) for each in state.get("dtypes") or ()]
    history = (state.get("history") or [])[: kept["history"]]
    return {**state, "dtypes": dtypes, "history": history}
