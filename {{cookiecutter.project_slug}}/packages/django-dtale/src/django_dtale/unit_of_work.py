"""The unit of work: all changes that a request makes to frames are saved together.

The row and the data of a frame are read when they are first needed. Changes are written
at the end, unless another request has changed the frame in the meantime. First the new
bytes are stored under a new name, then the row that refers to them is written, and then
the old bytes are removed.
"""

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import transaction

from . import workspace
from .exceptions import FrameNotFound, ServiceUnavailable
from .models import Frame, Preferences, Share
from .open_frame import OpenFrame
from .storage.cleanup import remove_bytes
from .workspace import Workspace

if TYPE_CHECKING:
    from .compat.dtypes import DisplayableFrame

_unit: "ContextVar[UnitOfWork]" = ContextVar("unit_of_work")


@contextlib.contextmanager
def unit_of_work(lock: bool = False) -> Iterator["UnitOfWork"]:
    """Save all changes that a with-block makes to frames, or none of them.

    Args:
        lock: lock the row of each frame when it is read, so that no other request can
            change the frame until the end. This needs a transaction around the block.

    Raises:
        NoWorkspace: no workspace is bound.
        Conflict: another unit of work has changed a frame. Nothing was saved.
        LimitExceeded: a frame exceeds a limit. Nothing was saved.
    """
    unit = UnitOfWork(workspace.current(), lock)
    token = _unit.set(unit)
    try:
        yield unit
        unit.commit()
    finally:
        _unit.reset(token)
        # The frames refer to their unit. Without this call, their data would stay in
        # memory until Python collects reference cycles.
        unit.release()


def current() -> "UnitOfWork":
    """Return the bound unit of work.

    Raises:
        NoWorkspace: no unit of work is bound.
    """
    unit = _unit.get(None)
    if unit is None:
        raise workspace.NoWorkspace("Frames are available only inside unit_of_work().")
    return unit


def is_bound() -> bool:
    """Return whether a unit of work is bound."""
    return _unit.get(None) is not None


class UnitOfWork:
    """The workspace's frames as one request sees them.

    Attributes:
        failed: if it is true, nothing is saved.
        stale: if it is true, another request replaced data before they could be read,
            and this request has to be run again.
        unavailable: a ServiceUnavailable that D-Tale has caught.
        preferences: the user's Preferences, once they have been read.
        conversions: the conversions of the data that D-Tale is about to store.
        expected: the ``DisplayableFrame`` of the data that D-Tale is about to store.
    """

    def __init__(self, workspace: Workspace, lock: bool = False) -> None:
        self.workspace = workspace
        self.lock = lock
        self.failed = self.stale = False
        self.unavailable: ServiceUnavailable | None = None
        self.preferences: Preferences | None = None
        self.conversions: list[str] = []
        self.expected: DisplayableFrame | None = None
        # Maps primary keys to frames, or to None if the workspace has no such frame.
        self._opened: dict[int, OpenFrame | None] = {}
        self._reserved: set[int] = set()
        self._deleted: list[int] = []
        # Maps primary keys to the names of all frames, once the names have been read.
        self._names: dict[int, str] | None = None

    def get(self, key: int | str) -> OpenFrame:
        """Return the frame with a primary key.

        Raises:
            FrameNotFound: the workspace has no such frame.
        """
        pk = _as_pk(key)
        if pk not in self._opened:
            self._opened[pk] = self._load(pk)
        opened = self._opened.get(pk)
        if opened is None:
            raise FrameNotFound(key)
        return opened

    def names(self) -> dict[int, str]:
        """Return the names of the workspace's frames by primary key, in order."""
        if self._names is None:
            visible = Frame.objects.visible_in(self.workspace)
            self._names = dict(visible.values_list("pk", "name"))
        opened = {pk: each.name if each else None for pk, each in self._opened.items()}
        names = sorted((self._names | opened).items())
        return {pk: name for pk, name in names if name is not None}

    def name(self, key: int | str) -> str:
        """Return the name of the frame with a primary key.

        When D-Tale lists frames, it gets the names one by one. If `names` has read all
        names, this method needs no query.

        Raises:
            FrameNotFound: the workspace has no such frame.
        """
        pk = _as_pk(key)
        if self._names and pk in self._names and pk not in self._opened:
            return self._names[pk]
        return self.get(pk).name

    def take_expected(self, data: object) -> "DisplayableFrame | None":
        """Return ``expected`` and clear it if it has these data, else return None."""
        if self.expected is None or self.expected.frame is not data:
            return None
        expected, self.expected = self.expected, None
        return expected

    def reserve_id(self) -> int:
        """Return a primary key for a new frame."""
        pk = Frame.objects.reserve_pk()
        self._reserved.add(pk)
        return pk

    def add(self, pk: int) -> OpenFrame:
        """Return a new frame, which is saved only if its data are set.

        Raises:
            FrameNotFound: the primary key was not reserved by this unit of work.
        """
        if pk not in self._reserved:
            raise FrameNotFound(pk)
        self._opened[pk] = opened = OpenFrame(self, Frame(pk=pk), is_new=True)
        return opened

    def delete(self, key: int | str) -> None:
        """Mark a frame to be deleted at the end.

        Raises:
            FrameNotFound: the workspace has no such frame.
            ReadOnly: the frame belongs to another user.
        """
        opened = self.get(key)
        opened.check_writable()
        self._opened[opened.row.pk] = None
        if not opened.is_new:
            self._deleted.append(opened.row.pk)

    def release(self) -> None:
        """Drop the references to the frames. `unit_of_work` calls this."""
        self._opened = {}

    def commit(self) -> None:
        """Write all changes. `unit_of_work` calls this."""
        opened = [each for each in self._opened.values() if each]
        changed = [each for each in opened if not self.failed and each.has_changes()]
        if self.failed or not (changed or self._deleted):
            return
        saved, at_the_end = [], False
        try:
            for each in changed:
                saved += each.save_bytes()
            with transaction.atomic():
                for pk in self._deleted:
                    self._delete_row(pk)
                for each in changed:
                    each.save_row()
                at_the_end = True
        except BaseException:
            # If only the database's response to the commit was lost, a row may refer to
            # the new bytes. They are kept, and purge_frames deletes them if no row
            # refers to them.
            if not at_the_end:
                for names in saved:
                    remove_bytes(*names)
            raise

    def _delete_row(self, pk: int) -> None:
        """Delete a row, even if other requests have changed it since it was read.

        Raises:
            FrameNotFound: the frame belongs to another user now.
        """
        frames = Frame.objects.filter(pk=pk)
        if not frames.owned_by(self.workspace).delete()[0] and frames.exists():
            raise FrameNotFound(pk)

    def _load(self, pk: int) -> OpenFrame | None:
        if self.lock:
            Frame.objects.select_for_update().filter(pk=pk).first()
        row = Frame.objects.with_content().filter(pk=pk).first()
        if row is None:
            return None
        if self.workspace.owns(row):
            return OpenFrame(self, row)
        if not self.workspace.user_id:
            return None
        shares = Share.objects.of(self.workspace).filter(frame=row)
        share = (shares.select_for_update() if self.lock else shares).first()
        return OpenFrame(self, row, share) if share else None


def _as_pk(key: int | str) -> int:
    """Return a primary key as an integer.

    Raises:
        FrameNotFound: no frame can have this key.
    """
    if not (str(key).isdecimal() and len(str(key)) < 19):
        raise FrameNotFound(key)
    return int(key)
