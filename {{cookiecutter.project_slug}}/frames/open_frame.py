"""A frame that a request works with: what was read of it, and what is to be written."""

import logging
import threading
from functools import partial

from cachetools import TTLCache
from django.core.signing import BadSignature
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from . import frame_storage, old_names
from .column_names import check_names
from .exceptions import Conflict, FrameUnreadable, LimitExceeded, ReadOnly
from .formats import grouped
from .frame_names import clean_name, free_name
from .limits import check_cells, check_owner
from .models import Frame, Record, update_without_waiting
from .payload import PayloadDamaged
from .removal import remove_bytes
from .sealing import seal, unseal

logger = logging.getLogger(__name__)

RECORD = "frames.record"
VIEW = "frames.view"
MAX_VIEW = 4 << 20  # Bytes; with a thousand columns it is a tenth of that.

_touched = TTLCache(10_000, ttl=600)  # Seconds. Frames that this process has opened.
_touched_lock = threading.Lock()


class OpenFrame:
    """A frame that a request works with: its row, its record, and its data.

    Attributes:
        row: the ``Frame``.
        share: the ``Share`` by which a reader sees it; None for its owner.
        record: dict of what D-Tale keeps for everyone who opens it.
        view: dict of how this person looks at it; a reader begins as the owner does.
        source: tuple of what the data are made of, a key for ``frame_storage.cached``;
            None before they are read, and if they were set.
    """

    def __init__(self, unit, row, share=None, is_new=False):
        self.unit = unit
        self.row = row
        self.share = share
        self.is_new = is_new
        self._frame = self.source = None
        self._record = self._view = None
        self._has_new_data = False
        self._fields = {}  # Of the row: name -> new value.
        self._sealed = {}  # Of RECORD and VIEW, those that have changed.

    def require_owner(self):
        """Refuse what a reader must not do.

        Raises:
            ReadOnly: with a text that says what they can do.
        """
        if self.share is not None:
            raise ReadOnly(self.row)

    @property
    def frame(self):
        """The data (``pandas.DataFrame``), None for a new frame without any.

        Setting them is a change; what is done to them in place is none.

        Raises:
            Conflict: they were replaced since the row was read.
            FrameUnreadable: they cannot be read.
            InputRefused, LimitExceeded, ReadOnly: on setting them.
        """
        if self._frame is None and not self.is_new:
            self._frame = self._load_frame()
            self.source = (self.row.payload,)
        return self._frame

    @frame.setter
    def frame(self, frame):
        self.require_owner()
        check_cells(*frame.shape)
        check_names(frame.columns)
        self.show(frame)
        self._has_new_data = True
        if self.unit.conversions:
            self._fields["conversions"] = "\n".join(self.unit.conversions)
            self.unit.conversions = []

    def touch(self):
        """Remember when it was opened, to about ten minutes, if nobody is in the way."""
        with _touched_lock:
            is_recent = _touched.get(self.row.pk, False)
            _touched[self.row.pk] = True
        if not is_recent:
            update_without_waiting(self.row.pk, opened=timezone.now())

    def show(self, frame, source=None):
        """Let this request see the data in another form, which is not stored."""
        self._frame, self.source = frame, source

    @property
    def record(self):
        if self._record is None:
            self._record = old_names.repaired_record(self._unseal(RECORD) or {})
        return self._record

    @property
    def view(self):
        if self._view is None:
            self._view = old_names.repaired_view(self._unseal(VIEW) or {})
        return self._view

    @property
    def is_loaded(self):
        """Say (bool) whether the data have been read, or set, already."""
        return self._frame is not None

    @property
    def has_own_view(self):
        """Say (bool) whether this is a reader who has changed how they look at it."""
        return self.share is not None and bool(self.share.settings)

    @property
    def name(self):
        return self.row.name

    @name.setter
    def name(self, name):
        self.require_owner()
        names = self.unit.names()
        taken = {name for pk, name in names.items() if pk != self.row.pk}
        self._fields["name"] = self.row.name = free_name(clean_name(name), taken)

    def changes(self):
        """Say (bool) whether something is to be written, by comparing what was set."""
        if self.is_new:
            return self._has_new_data
        self._sealed = self._changed_parts()
        return bool(self._has_new_data or self._fields or self._sealed)

    def save_bytes(self):
        """Store new data, if there are any.

        Returns:
            list: empty, or the names (str) of the new payload and of the one before.

        Raises:
            Conflict: somebody else was faster already.
        """
        if not self._has_new_data:
            return []
        current = Frame.objects.filter(pk=self.row.pk, version=self.row.version)
        if not (self.is_new or current.exists()):
            raise Conflict
        name, size = frame_storage.save(self._frame, self.row.payload)
        self._fields |= {
            "payload": name,
            "nbytes": size,
            "rows": len(self._frame),
            "columns": self._frame.shape[1],
            "changed": timezone.now(),
        }
        return [(name, self.row.payload)]

    def save_row(self):
        """Write the row, and what belongs to it.

        Raises:
            Conflict: somebody else has changed it since it was read.
            LimitExceeded
        """
        if self.is_new:
            self._insert()
        elif self.share is not None:
            self._update(self.share, settings=self._sealed[VIEW])
        else:
            self._save()

    def _insert(self):
        sealed = self._changed_parts()
        owner = self.unit.workspace.owner(make=True)
        for field, value in (self._fields | owner).items():
            setattr(self.row, field, value)
        self.row.settings = sealed.get(VIEW, b"")
        check_owner(self.unit.workspace, self.row, is_new=True)
        self.row.save(force_insert=True)
        Record.objects.create(frame=self.row, content=sealed.get(RECORD, b""))

    def _save(self):
        if self._fields.get("nbytes", 0) > self.row.nbytes:
            larger = Frame(pk=self.row.pk, nbytes=self._fields["nbytes"])
            check_owner(self.unit.workspace, larger, is_new=False)
        if VIEW in self._sealed:
            self._fields["settings"] = self._sealed[VIEW]
        self._update(self.row, **self._fields)
        if RECORD in self._sealed:
            records = Record.objects.filter(frame=self.row)
            records.update(content=self._sealed[RECORD])
        if self._has_new_data:
            new = self._fields["payload"]
            transaction.on_commit(partial(remove_bytes, self.row.payload, new))

    @staticmethod
    def _update(row, **fields):
        same = type(row).objects.filter(pk=row.pk, version=row.version)
        if not same.update(version=F("version") + 1, **fields):
            raise Conflict

    def _stored(self, part):
        if self.is_new:
            return b""
        # bytes(): PostgreSQL's driver gives a memoryview.
        if part == RECORD:
            return bytes(self.row.content)
        if self.has_own_view:
            return bytes(self.share.settings)
        return bytes(self.row.settings)

    def _unseal(self, part):
        stored = self._stored(part)
        try:
            return unseal(stored, self._purpose(part)) if stored else None
        except BadSignature:
            logger.error("The record of frame %s was not written here.", self.row.pk)
            raise self._unreadable() from None

    def _changed_parts(self):
        """Return what differs from what is stored: {RECORD or VIEW: sealed bytes}."""
        parts = {RECORD: self._record, VIEW: self._view}
        if self.share is not None:
            del parts[RECORD]  # Whatever D-Tale did to it: it is not the reader's.
        changed = {}
        for part, value in parts.items():
            if not value:
                continue
            stored = self._stored(part)
            if (new := seal(value, self._purpose(part), stored)) != stored:
                if part == VIEW and len(new) > MAX_VIEW:
                    raise LimitExceeded(
                        _(
                            "Filters, formats and highlights of frame %(frame)s would take "
                            "%(size)s bytes, and may take %(limit)s. Take some away."
                        )
                        % {
                            "frame": self.row,
                            "size": grouped(len(new)),
                            "limit": grouped(MAX_VIEW),
                        }
                    )
                changed[part] = new
        return changed

    def _purpose(self, part):
        return f"{part}:{self.row.pk}"

    def _load_frame(self):
        try:
            frame = frame_storage.load(self.row.payload, self.row.pk)
            return old_names.repaired_frame(frame)
        except FileNotFoundError as error:
            same = Frame.objects.filter(pk=self.row.pk, payload=self.row.payload)
            if not same.exists():
                self.unit.conflict = True  # D-Tale would catch the exception.
                raise Conflict from None
            reason = error
        except PayloadDamaged as error:
            reason = error
        logger.error("The data of frame %s cannot be read: %s", self.row.pk, reason)
        raise self._unreadable() from None

    def _unreadable(self):
        return FrameUnreadable(
            _(
                "The data of frame %(frame)s cannot be read: its file is missing, damaged, "
                "or signed with another key. It was left as it is; the server's log says "
                "more."
            )
            % {"frame": self.row}
        )
