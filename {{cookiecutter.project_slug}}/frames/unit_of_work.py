"""What one request reads of the workspace's frames, and does to them, as a whole.

A row is read at the first question, a frame's data when they are asked for. What really
changed is written at the end, if nobody else was faster: bytes under a new name, then
the row that names them, then the old bytes are removed.
"""

import contextlib
from contextvars import ContextVar

from django.db import transaction

from . import workspace
from .exceptions import FrameMissing
from .models import Frame, Share
from .open_frame import OpenFrame
from .removal import remove_bytes

_unit = ContextVar("unit_of_work")


@contextlib.contextmanager
def unit_of_work(lock=False):
    """Do what a with-block does to frames as a whole, or not at all.

    Args:
        lock: hold the rows of the frames that are asked for until the end, so that
            nobody changes them meanwhile. Needs a transaction around it.

    Yields:
        Unit

    Raises:
        NoWorkspace: none is bound.
        Conflict: another unit of work was faster; nothing was changed.
        LimitExceeded: a frame is too large, or one too many; nothing was changed.
    """
    unit = Unit(workspace.current(), lock)
    token = _unit.set(unit)
    try:
        yield unit
        unit.commit()
    finally:
        _unit.reset(token)
        # The frames know their unit. Left in a circle, their data would stay in memory
        # until Python looks for such circles.
        unit.release()


def current():
    """Return the Unit of the request.

    Raises:
        NoWorkspace: outside of any.
    """
    unit = _unit.get(None)
    if unit is None:
        raise workspace.NoWorkspace("Frames are there inside of unit_of_work().")
    return unit


def is_bound():
    """Say (bool) whether there is a unit of work here."""
    return _unit.get(None) is not None


class Unit:
    """The workspace's frames as one request sees them.

    Attributes:
        broken: set it, and nothing is written.
        conflict: something that was read is not there any more; try again.
        unavailable: the Unavailable that D-Tale has caught, if it has.
        preferences: the person's Preferences, once they have been read.
        conversions: list of what was converted in the data that come next.
    """

    def __init__(self, workspace, lock=False):
        self.workspace = workspace
        self.lock = lock
        self.broken = self.conflict = False
        self.unavailable = None
        self.preferences = None
        self.conversions = []
        self._opened = {}  # Primary key -> OpenFrame, or None: not this workspace's.
        self._reserved = set()
        self._deleted = []
        self._pks = None

    def get(self, key):
        """Return the OpenFrame of a primary key (int or str).

        Raises:
            FrameMissing: the workspace has none.
        """
        if not (str(key).isdecimal() and len(str(key)) < 19):
            raise FrameMissing(key)
        pk = int(key)
        if pk not in self._opened:
            self._opened[pk] = self._load(pk)
        opened = self._opened.get(pk)
        if opened is None:
            raise FrameMissing(key)
        return opened

    def pks(self):
        """Return the primary keys (list[int]) of the workspace's frames, in order."""
        if self._pks is None:
            self._pks = Frame.objects.pks_in(self.workspace)
        opened = self._opened.items()
        return sorted(
            (self._pks | {pk for pk, each in opened if each})
            - {pk for pk, each in opened if not each}
        )

    def all(self, content=False):
        """Return every OpenFrame of the workspace (list), in order.

        Args:
            content: read what D-Tale keeps of each, too.
        """
        missing = [pk for pk in self.pks() if pk not in self._opened]
        if missing:
            rows = Frame.objects.visible_in(self.workspace).exclude(pk__in=self._opened)
            rows = rows.with_content() if content else rows.defer("settings")
            if self.lock:
                rows = rows.select_for_update(of=("self",))
            shares = Share.objects.of(self.workspace) if self.workspace.user_id else ()
            shares = {share.frame_id: share for share in shares}
            for row in rows:
                if self.workspace.owns(row):
                    self._opened[row.pk] = OpenFrame(self, row)
                elif row.pk in shares:  # Or it was shared in this moment.
                    self._opened[row.pk] = OpenFrame(self, row, shares[row.pk])
        return [self._opened[pk] for pk in self.pks() if pk in self._opened]

    def reserve(self):
        """Return a primary key (int) for a new frame."""
        pk = Frame.objects.reserve_pk()
        self._reserved.add(pk)
        return pk

    def add(self, pk):
        """Return a new OpenFrame; it becomes a row if it is given data.

        Raises:
            FrameMissing: the primary key was not reserved here.
        """
        if pk not in self._reserved:
            raise FrameMissing(pk)
        self._opened[pk] = opened = OpenFrame(self, Frame(pk=pk), is_new=True)
        return opened

    def delete(self, key):
        """Delete a frame at the end.

        Raises:
            FrameMissing: the workspace has none of this primary key.
            ReadOnly: it is somebody else's.
        """
        opened = self.get(key)
        opened.require_owner()
        self._opened[opened.row.pk] = None
        if not opened.is_new:
            self._deleted.append(opened.row.pk)

    def release(self):
        """Let go of the frames. `unit_of_work` does it."""
        self._opened = {}

    def commit(self):
        """Write what has changed. `unit_of_work` does it."""
        opened = [each for each in self._opened.values() if each]
        changed = [each for each in opened if not self.broken and each.changes()]
        if self.broken or not (changed or self._deleted):
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
            # If only the database's answer was lost, a row may name the new bytes: then
            # they stay, and purge_frames will tell.
            if not at_the_end:
                for names in saved:
                    remove_bytes(*names)
            raise

    def _delete_row(self, pk):
        """Delete a row, whatever others have changed in the frame since it was read.

        Raises:
            FrameMissing: the frame was given to somebody else meanwhile.
        """
        frames = Frame.objects.filter(pk=pk)
        if not frames.owned_by(self.workspace).delete()[0] and frames.exists():
            raise FrameMissing(pk)

    def _load(self, pk):
        if self.lock:
            Frame.objects.select_for_update().filter(pk=pk).first()
        row = Frame.objects.quick_get(pk)
        if row is None:
            return None
        if self.workspace.owns(row):
            return OpenFrame(self, row)
        if not self.workspace.user_id:
            return None
        shares = Share.objects.of(self.workspace).filter(frame=row)
        share = (shares.select_for_update() if self.lock else shares).first()
        return OpenFrame(self, row, share) if share else None
