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
from django.db.models import F
from django.utils import timezone

from .. import workspace
from ..access import access_to
from ..exceptions import FrameNotFound, ServiceUnavailable
from ..history.cleanup import remove_files
from ..models import (
    Action,
    AuditEntry,
    Change,
    Frame,
    PersonalView,
    Preferences,
    SavedView,
)
from ..models.data_ids import DIGITS, FRAMES, split_data_id, split_variant
from ..storage import blobs
from ..workspace import Workspace
from .open_frame import OpenFrame
from .variants import EarlierState, OpenView

if TYPE_CHECKING:
    from ..compat.dtypes import DisplayableFrame

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
        opened = {
            pk: each.name if each else None
            for pk, each in self._opened.items()
            if pk < FRAMES  # Views and earlier states are not frames.
        }
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
        """Mark a frame to be deleted at the end. Its owner can restore it for some days.

        Raises:
            FrameNotFound: the workspace has no such frame.
            OwnerOnly: the frame belongs to another user.
        """
        opened = self.get(key)
        opened.check_owner()
        if opened.variant:  # A saved view or an earlier state is not a frame.
            return
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
                for new, previous in saved:
                    remove_files(blobs.files_of(new) - blobs.files_of(previous))
            raise

    def _delete_row(self, pk: int) -> None:
        """Delete a row, even if other requests have changed it since it was read.

        Raises:
            FrameNotFound: the frame belongs to another user now.
        """
        frames = Frame.objects.filter(pk=pk)
        own = frames.owned_by(self.workspace).first()
        if own is None:
            if frames.kept().exists():
                raise FrameNotFound(pk)
            return
        frames.update(deleted_at=timezone.now(), version=F("version") + 1)
        user = self.workspace.signed_in_user
        AuditEntry.objects.record(user, Action.DELETED, own)

    def _load(self, key: int) -> OpenFrame | None:
        pk, variant = split_data_id(key)
        if variant:
            return self._load_variant(pk, variant)
        if self.lock:
            # Other requests can still insert rows that refer to the frame.
            Frame.objects.select_for_update(no_key=True).filter(pk=pk).first()
        row = Frame.objects.with_content().filter(pk=pk).first()
        access = access_to(row, self.workspace, self.lock) if row else None
        if row is None or access is None:
            return None
        personal = None if access.is_owner else self._personal_view(pk, 0)
        return OpenFrame(self, row, access, personal)

    def _load_variant(self, pk: int, variant: int) -> OpenFrame | None:
        """Return a saved view or an earlier state of a frame, or None."""
        try:
            base = self.get(pk)
        except FrameNotFound:
            return None
        is_state, key = split_variant(variant)
        personal = self._personal_view(pk, variant)
        if not is_state:
            saved = SavedView.objects.filter(frame=pk, pk=key).first()
            return OpenView(base, saved, personal) if saved else None
        change = Change.objects.filter(frame=pk, pk=key).first()
        if change is None or not base.access.can_see(change):
            return None
        return EarlierState(base, change, personal)

    def _personal_view(self, pk: int, variant: int) -> PersonalView | None:
        views = PersonalView.objects.of(self.workspace)
        views = views.filter(frame=pk, variant=variant)
        return (views.select_for_update() if self.lock else views).first()


def _as_pk(key: int | str) -> int:
    """Return a primary key as an integer.

    Raises:
        FrameNotFound: no frame can have this key.
    """
    if not (str(key).isdecimal() and len(str(key)) <= DIGITS):
        raise FrameNotFound(key)
    return int(key)
