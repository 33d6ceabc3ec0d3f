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
        expected: ``kinds.Prepared`` of the data that come next, if they are prepared.
    """

    def __init__(self, workspace, lock=False):
        self.workspace = workspace
        self.lock = lock
        self.broken = self.conflict = False
        self.unavailable = None
        self.preferences = None
        self.conversions = []
        self.expected = None
        self._opened = {}  # Primary key -> OpenFrame, or None: not this workspace's.
        self._reserved = set()
        self._deleted = []
        self._names = None  # Primary key -> name, of all frames, once they are listed.

    def get(self, key):
        """Return the OpenFrame of a primary key (int or str).

        Raises:
            FrameMissing: the workspace has none.
        """
        pk = _as_pk(key)
        if pk not in self._opened:
            self._opened[pk] = self._load(pk)
        opened = self._opened.get(pk)
        if opened is None:
            raise FrameMissing(key)
        return opened

    def names(self):
        """Return the workspace's frames in order: {primary key (int): name (str)}."""
        if self._names is None:
            self._names = Frame.objects.names_in(self.workspace)
        opened = {pk: each and each.name for pk, each in self._opened.items()}
        names = sorted((self._names | opened).items())
        return {pk: name for pk, name in names if name is not None}

    def name(self, key):
        """Return the name (str) of the frame with a primary key (int or str).

        D-Tale asks for one name after the other when it lists frames. The list has
        brought them all, so that this needs no query for each frame.

        Raises:
            FrameMissing: the workspace has none.
        """
        pk = _as_pk(key)
        if self._names and pk in self._names and pk not in self._opened:
            return self._names[pk]
        return self.get(pk).name

    def take_expected(self, data):
        """Return ``expected`` once, if this is its data; else None."""
        if self.expected is None or self.expected.frame is not data:
            return None
        expected, self.expected = self.expected, None
        return expected

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


def _as_pk(key):
    """Return a primary key (int or str) as an int.

    Raises:
        FrameMissing: no frame can have this one.
    """
    if not (str(key).isdecimal() and len(str(key)) < 19):
        raise FrameMissing(key)
    return int(key)
