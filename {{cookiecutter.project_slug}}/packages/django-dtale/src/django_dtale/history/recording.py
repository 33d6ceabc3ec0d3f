"""Record a change of a frame's data in its history and in the audit log."""

from typing import TYPE_CHECKING, Any

from ..compat import legacy_names
from ..models import Action, AuditEntry, Change, Frame, Kind
from ..storage import blobs
from ..storage.payload import CorruptPayload
from ..workspace import Workspace
from . import log
from .difference import Difference, compare

if TYPE_CHECKING:
    import pandas as pd


def record_change(
    before: Frame,
    data: "pd.DataFrame",
    fields: dict[str, Any],
    workspace: Workspace,
    kind: str | None = None,
    goes_back: Change | None = None,
) -> tuple[int, set[str]]:
    """Add a change to the history, which is then trimmed.

    Args:
        before: the frame's row before the change, with its ``content``.
        data: the new data.
        fields: the new values of the row's fields, with the new payload.
        workspace: the workspace of the person who makes the change.
        kind: a value of ``Kind``; None to find out by comparing the data.
        goes_back: the change before which an undo or a restoration returns.

    Returns:
        The bytes of all earlier states, and payloads that may be unused now.
    """
    difference = _difference(before, data, fields, kind, goes_back)
    if difference is not None:
        log.add(
            before,
            difference,
            user_id=workspace.user_id,
            detail=fields.get("origin_name") or "",
            undoes=goes_back if kind == Kind.UNDONE else None,
        )
        label = str(Kind(difference.kind).label)
        user = workspace.signed_in_user
        AuditEntry.objects.record(user, Action.CHANGED, before, label)
    nbytes, unused = log.trim(before.pk, fields["payload"])
    return nbytes, unused | {before.payload}


def _difference(
    row: Frame,
    data: "pd.DataFrame",
    fields: dict[str, Any],
    kind: str | None,
    back: Change | None,
) -> Difference | None:
    """Return what a change does; None if it changes only the order of columns."""
    if kind in (Kind.REPLACED, Kind.APPENDED):
        rows = row.rows if kind == Kind.APPENDED else 0
        return Difference(kind, count=fields["rows"] - rows)
    if back is not None and "data_version" in fields:
        return Difference(str(kind), back.columns, back.count)
    try:
        before = legacy_names.sanitize_frame(blobs.load(row.payload))
    except (FileNotFoundError, CorruptPayload):  # There is nothing to return to.
        return None
    found = compare(before, data)
    if back is None or found is None:
        return found
    return Difference(str(kind), back.columns, back.count, cells=found.cells)
