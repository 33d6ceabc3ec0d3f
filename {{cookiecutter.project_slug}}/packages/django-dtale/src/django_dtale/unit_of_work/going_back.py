"""Undo changes of frames, and restore earlier states."""

from ..exceptions import FrameNotFound, NothingToUndo
from ..history import log
from ..history.signed_state import unreadable
from ..history.states import state_before
from ..models import Change, Kind
from ..storage.payload import CorruptPayload
from .open_frame import OpenFrame
from .unit import unit_of_work


def undo(pk: int) -> Change:
    """Undo the last change of a frame in the bound workspace, and return that change.

    Calling this function again undoes the change before it.

    Raises:
        FrameNotFound: the workspace has no such frame.
        ReadOnly: the user may not change the frame.
        NothingToUndo: no change is left, or it was made before the user was an editor.
        Conflict: another request has changed the frame meanwhile.
    """
    with unit_of_work() as unit:
        opened = unit.get(pk)
        opened.check_writable()
        change = log.undoable(pk)
        if change is None or not opened.access.can_see(change):
            raise NothingToUndo(opened.row)
        _go_back(opened, change, Kind.UNDONE)
    return change


def restore(pk: int, number: int) -> Change:
    """Restore the state of a frame before a change, and return that change.

    Raises:
        FrameNotFound: the workspace has no such frame, or no such change.
        ReadOnly, Conflict: see ``undo``.
    """
    with unit_of_work() as unit:
        opened = unit.get(pk)
        opened.check_writable()
        change = Change.objects.filter(frame=pk, pk=number).first()
        if change is None or not opened.access.can_see(change):
            raise FrameNotFound(pk)
        _go_back(opened, change, Kind.RESTORED)
    return change


def _go_back(opened: OpenFrame, change: Change, kind: str) -> None:
    try:
        state = state_before(opened.row, change, is_last=kind == Kind.UNDONE)
    except (FileNotFoundError, CorruptPayload):
        raise unreadable(opened.row) from None
    opened.go_back(state, change, kind)
