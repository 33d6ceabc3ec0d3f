"""A frame within a request, which is loaded when needed, and saved at the end."""

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache
from django.core.signing import BadSignature
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from .compat import legacy_names
from .compat.columns import check_names
from .exceptions import Conflict, FrameUnreadable, LimitExceeded, ReadOnly
from .formats import format_number
from .models import Frame, Record, Share, update_without_waiting
from .models.names import clean_name, unique_name
from .quotas import check_cells, check_quota
from .storage import blobs, signing
from .storage.cleanup import remove_bytes
from .storage.payload import CorruptPayload

if TYPE_CHECKING:
    import pandas as pd

    from .unit_of_work import UnitOfWork

logger = logging.getLogger(__name__)

# Stored data are signed with these purposes, so they must never change.
SHARED_STATE = "frames.record"
VIEW_STATE = "frames.view"
# Bytes. The view of a frame with a thousand columns needs a tenth of this.
MAX_VIEW = 4 << 20

# Primary keys of frames that this process has marked as opened. The TTL is in seconds.
_recently_opened: TTLCache = TTLCache(10_000, ttl=600)
_recently_opened_lock = threading.Lock()


class OpenFrame:
    """A frame within a request: its row, its state and its data.

    Attributes:
        share: the ``Share`` by which a reader sees the frame; None for its owner.
        shared_state: D-Tale's state that is the same for everyone who opens the frame.
        view_state: this user's filters, sorting and formats. Readers start with those
            of the owner.
        source: a key for ``blobs.cached`` that identifies the origin of the data; None
            before the data are read, and after new data were set.
    """

    def __init__(
        self,
        unit: "UnitOfWork",
        row: Frame,
        share: Share | None = None,
        is_new: bool = False,
    ) -> None:
        self.unit = unit
        self.row = row
        self.share = share
        self.is_new = is_new
        self._frame: Any = None
        self.source: tuple | None = None
        self._shared_state: dict[str, Any] | None = None
        self._view_state: dict[str, Any] | None = None
        self._has_new_data = self._claims_name = False
        self._fields: dict[str, Any] = {}  # New values of the row's fields.
        self._views: list[tuple[Share, bytes]] = []  # New views of readers.
        # The changed parts of the state, pickled and signed.
        self._signed: dict[str, bytes] = {}

    def check_writable(self) -> None:
        """Refuse to change a frame that another user has shared.

        Raises:
            ReadOnly: the message says what readers can do.
        """
        if self.share is not None:
            raise ReadOnly(self.row)

    @property
    def frame(self) -> "pd.DataFrame":
        """The data; None for a new frame that has no data yet.

        Changes are saved only if they are assigned, not if they are made in place.

        Raises:
            Conflict: the data were replaced after the row was read.
            FrameUnreadable: the data cannot be read.
            InputRefused, LimitExceeded, ReadOnly: the new data are refused.
        """
        if self._frame is None and not self.is_new:
            self._frame = self._load_frame()
            self.source = (self.row.payload,)
        return self._frame

    @frame.setter
    def frame(self, frame: "pd.DataFrame") -> None:
        self.check_writable()
        check_cells(*frame.shape)
        check_names(frame.columns)
        self.override_data(frame)
        self._has_new_data = True
        if self.unit.conversions:
            self._fields["conversion_notes"] = "\n".join(self.unit.conversions)
            self.unit.conversions = []

    def set_fields(self, **fields: Any) -> None:
        """Set fields of the row, which are saved together with the other changes."""
        self._fields |= fields

    def begin_replacement(self) -> None:
        """Prepare to replace all data, so that open grids will know about it.

        Raises:
            ReadOnly: the frame belongs to another user.
        """
        self.check_writable()
        self.set_fields(
            data_version=self.row.data_version + 1,
            data_at=timezone.now(),
            conversion_notes="",
        )

    def add_notes(self, notes: Iterable[str]) -> None:
        """Add sentences to the notes about conversions."""
        present = self._fields.get("conversion_notes", self.row.conversion_notes)
        self.set_fields(conversion_notes="\n".join([*present.splitlines(), *notes]))

    def change_views_of_readers(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the view state of each reader who has a view of their own.

        Args:
            change: changes a view state in place.
        """
        for share in Share.objects.filter(frame=self.row).exclude(settings=b""):
            reader = OpenFrame(self.unit, self.row, share)
            try:
                change(reader.view_state)
            except FrameUnreadable:  # The frame's page tells the reader.
                continue
            if VIEW_STATE in (changed := reader._changed_parts()):
                self._views.append((share, changed[VIEW_STATE]))

    def mark_opened(self) -> None:
        """Save the time of opening, at most every ten minutes, skipping locked rows."""
        with _recently_opened_lock:
            is_recent = _recently_opened.get(self.row.pk, False)
            _recently_opened[self.row.pk] = True
        if not is_recent:
            update_without_waiting(self.row.pk, last_opened_at=timezone.now())

    def override_data(self, frame: "pd.DataFrame", source: tuple | None = None) -> None:
        """Replace the data for this request only, without saving them."""
        self._frame, self.source = frame, source

    @property
    def shared_state(self) -> dict[str, Any]:
        if self._shared_state is None:
            self._shared_state = legacy_names.sanitize_shared_state(
                self._load_state(SHARED_STATE) or {}
            )
        return self._shared_state

    @property
    def view_state(self) -> dict[str, Any]:
        if self._view_state is None:
            self._view_state = legacy_names.sanitize_view_state(
                self._load_state(VIEW_STATE) or {}
            )
        return self._view_state

    @property
    def is_loaded(self) -> bool:
        """Return whether the data have been read or set."""
        return self._frame is not None

    @property
    def has_own_view(self) -> bool:
        """Return whether a reader has changed their view of the frame."""
        return self.share is not None and bool(self.share.settings)

    @property
    def name(self) -> str:
        return self.row.name

    @name.setter
    def name(self, name: str) -> None:
        self.check_writable()
        names = self.unit.names()
        taken = {name for pk, name in names.items() if pk != self.row.pk}
        self._fields["name"] = self.row.name = unique_name(clean_name(name), taken)

    def claim_name(self, name: str) -> None:
        """Name a new frame. Saving it fails if its owner has another with this name."""
        self._fields["name"] = self.row.name = clean_name(name)
        self._claims_name = True

    @property
    def index(self) -> list[str]:
        """The names of the columns that replace the index of the original data."""
        settings = self.view_state.get("settings") or {}
        return [name for name in settings.get("indexes") or () if name in self.frame]

    def has_changes(self) -> bool:
        """Return whether there is anything to save."""
        if self.is_new:
            return self._has_new_data
        self._signed = self._changed_parts()
        return bool(self._has_new_data or self._fields or self._signed)

    def save_bytes(self) -> list[tuple[str, str]]:
        """Store new data, if there are any.

        Returns:
            A list of one pair, the names of the new and the previous payload, or an
            empty list.

        Raises:
            Conflict: another request has changed the frame meanwhile.
        """
        if not self._has_new_data:
            return []
        current = Frame.objects.filter(pk=self.row.pk, version=self.row.version)
        if not (self.is_new or current.exists()):
            raise Conflict
        name, size = blobs.save(self._frame, self.row.payload)
        self._fields |= {
            "payload": name,
            "nbytes": size,
            "rows": len(self._frame),
            "columns": self._frame.shape[1],
            # The data were changed after `data_at` only if they were edited.
            "updated_at": self._fields.get("data_at", timezone.now()),
        }
        return [(name, self.row.payload)]

    def save_row(self) -> None:
        """Write the frame and its record, or the share of a reader.

        Raises:
            Conflict: another request has changed the row since it was read, or has
                created a frame with the claimed name.
            LimitExceeded: the frame exceeds a quota of its owner.
        """
        if self.is_new:
            self._insert()
        elif self.share is not None:
            self._update(self.share, settings=self._signed[VIEW_STATE])
        else:
            self._save()

    def _insert(self) -> None:
        signed = self._changed_parts()
        owner = self.unit.workspace.owner_fields(create=True)
        for field, value in (self._fields | owner).items():
            setattr(self.row, field, value)
        if self._claims_name:
            self.unit.workspace.lock()
            own = Frame.objects.owned_by(self.unit.workspace)
            if own.filter(name=self.row.name).exists():
                raise Conflict
        self.row.settings = signed.get(VIEW_STATE, b"")
        check_quota(self.unit.workspace, self.row, is_new=True)
        self.row.save(force_insert=True)
        Record.objects.create(frame=self.row, content=signed.get(SHARED_STATE, b""))

    def _save(self) -> None:
        if self._fields.get("nbytes", 0) > self.row.nbytes:
            larger = Frame(pk=self.row.pk, nbytes=self._fields["nbytes"])
            check_quota(self.unit.workspace, larger, is_new=False)
        if VIEW_STATE in self._signed:
            self._fields["settings"] = self._signed[VIEW_STATE]
        self._update(self.row, **self._fields)
        for share, settings in self._views:
            self._update(share, settings=settings)
        if SHARED_STATE in self._signed:
            records = Record.objects.filter(frame=self.row)
            records.update(content=self._signed[SHARED_STATE])
        if self._has_new_data:
            new = self._fields["payload"]
            transaction.on_commit(partial(remove_bytes, self.row.payload, new))

    @staticmethod
    def _update(row: Frame | Share, **fields: Any) -> None:
        same = type(row).objects.filter(pk=row.pk, version=row.version)
        if not same.update(version=F("version") + 1, **fields):
            raise Conflict

    def _stored(self, part: str) -> bytes:
        if self.is_new:
            return b""
        # PostgreSQL's driver returns a memoryview.
        if part == SHARED_STATE:
            return bytes(self.row.content)  # type: ignore[attr-defined]
        if self.has_own_view:
            return bytes(self.share.settings)  # type: ignore[union-attr]
        return bytes(self.row.settings)

    def _load_state(self, part: str) -> Any:
        stored = self._stored(part)
        try:
            return signing.loads(stored, self._purpose(part)) if stored else None
        except BadSignature:
            logger.error("The state of frame %s has no valid signature.", self.row.pk)
            raise self._unreadable() from None

    def _changed_parts(self) -> dict[str, bytes]:
        """Return the changed parts of the state, signed and keyed by name."""
        parts = {SHARED_STATE: self._shared_state, VIEW_STATE: self._view_state}
        if self.share is not None:
            # Readers cannot change the shared state, even through D-Tale.
            del parts[SHARED_STATE]
        changed: dict[str, bytes] = {}
        for part, value in parts.items():
            if not value:
                continue
            stored = self._stored(part)
            if (new := signing.dumps(value, self._purpose(part), stored)) != stored:
                if part == VIEW_STATE and len(new) > MAX_VIEW:
                    raise LimitExceeded(
                        _(
                            "The filters, formats and highlights of table %(frame)s "
                            "would take %(size)s bytes; the limit is %(limit)s. "
                            "Remove some."
                        )
                        % {
                            "frame": self.row,
                            "size": format_number(len(new)),
                            "limit": format_number(MAX_VIEW),
                        }
                    )
                changed[part] = new
        return changed

    def _purpose(self, part: str) -> str:
        return f"{part}:{self.row.pk}"

    def _load_frame(self) -> "pd.DataFrame":
        try:
            frame = blobs.load(self.row.payload, self.row.pk)
            return legacy_names.sanitize_frame(frame)
        except FileNotFoundError as error:
            same = Frame.objects.filter(pk=self.row.pk, payload=self.row.payload)
            if not same.exists():
                # The gateway checks this flag, because D-Tale may catch the exception.
                self.unit.stale = True
                raise Conflict from None
            reason: Exception = error
        except CorruptPayload as error:
            reason = error
        logger.error("The data of frame %s cannot be read: %s", self.row.pk, reason)
        raise self._unreadable() from None

    def _unreadable(self) -> FrameUnreadable:
        return FrameUnreadable(
            _(
                "The data of table %(frame)s cannot be read, because its file is "
                "missing, damaged, or signed with another key. Nothing was changed. "
                "Please tell an administrator; the server's log has details."
            )
            % {"frame": self.row}
        )
