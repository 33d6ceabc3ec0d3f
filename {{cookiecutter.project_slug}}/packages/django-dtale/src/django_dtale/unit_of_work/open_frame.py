"""A frame within a request, which is loaded when needed, and saved at the end."""

import logging
import threading
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from cachetools import TTLCache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from ..access import Access, access_to
from ..compat import legacy_names
from ..compat.columns import check_names
from ..exceptions import Conflict, LimitExceeded
from ..history.cleanup import remove_unused
from ..history.limits import make_room
from ..history.recording import record_change
from ..history.signed_state import (
    SHARED_STATE,
    VIEW_STATE,
    unreadable,
)
from ..models import (
    Change,
    Frame,
    Kind,
    Record,
    update_without_waiting,
)
from ..models.names import clean_name, unique_name
from ..quotas import check_cells, check_quota
from ..storage import blobs
from ..storage.payload import CorruptPayload
from ..workspace import Workspace
from .frame_state import FrameState

if TYPE_CHECKING:
    import pandas as pd

    from ..history.states import State

logger = logging.getLogger(__name__)

# Primary keys of frames that this process has marked as opened. The TTL is in seconds.
_recently_opened: TTLCache = TTLCache(10_000, ttl=600)
_recently_opened_lock = threading.Lock()


class OpenFrame(FrameState):
    """A frame within a request: its row, its state and its data.

    Attributes:
        source: a key for ``blobs.cached`` that identifies the origin of the data; None
            before the data are read, and after new data were set.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._frame: Any = None
        self.source: tuple | None = None
        self._has_new_data = self._claims_name = False
        self._kind: str | None = None  # Why the data change, if it is known.
        self._goes_back: Change | None = None  # The change before which to return.

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
            self.source = self.origin
        return self._frame

    @frame.setter
    def frame(self, frame: "pd.DataFrame") -> None:
        self.set_data(frame)

    @property
    def origin(self) -> tuple:
        """The key of the stored data for ``blobs.cached``."""
        return (self.row.payload,)

    @property
    def data_version(self) -> int | None:
        """The version of the data, which each replacement changes."""
        return self.row.data_version

    @property
    def rows(self) -> int:
        """The number of rows of the stored data."""
        return self.row.rows

    def set_data(self, frame: "pd.DataFrame") -> None:
        """Set new data, which are saved at the end. The setter of ``frame`` calls this."""
        self.check_writable()
        check_cells(*frame.shape)
        check_names(frame.columns)
        # People sort the grid in their own views. The rows are stored in their original
        # order, which their labels tell.
        if not frame.index.is_monotonic_increasing:
            frame = frame.sort_index()
        self.override_data(frame)
        self._has_new_data = True
        if self.unit.conversions:
            self._fields["conversion_notes"] = "\n".join(self.unit.conversions)
            self.unit.conversions = []

    def set_fields(self, **fields: Any) -> None:
        """Set fields of the row, which are saved together with the other changes."""
        self._fields |= fields

    def begin_replacement(self, append: bool = False) -> None:
        """Prepare to replace all data, so that open grids will know about it.

        Args:
            append: whether rows will be added to the present ones.

        Raises:
            ReadOnly: the user may not change the frame.
        """
        self.check_writable()
        self._kind = Kind.APPENDED if append else Kind.REPLACED
        self.set_fields(
            data_version=self.row.data_version + 1,
            data_at=timezone.now(),
            conversion_notes="",
        )

    def add_notes(self, notes: Iterable[str]) -> None:
        """Add sentences to the notes about conversions."""
        present = self._fields.get("conversion_notes", self.row.conversion_notes)
        self.set_fields(conversion_notes="\n".join([*present.splitlines(), *notes]))

    def go_back(self, state: "State", change: Change, kind: str) -> None:
        """Return to the state before a change.

        Args:
            state: that state.
            kind: UNDONE or RESTORED.

        Raises:
            ReadOnly: the user may not change the frame.
        """
        self.check_writable()
        self.frame = state.frame
        self._shared_state = state.shared_state
        self._kind, self._goes_back = kind, change
        if state.payload:  # It is stored already.
            self.set_fields(
                **state.fields,
                payload=state.payload,
                data_version=self.row.data_version + 1,
                updated_at=timezone.now(),
            )

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
    def name(self) -> str:
        return self.row.name

    @name.setter
    def name(self, name: str) -> None:
        self.check_owner()
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
        if "payload" in self._fields:
            return []
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
        """Write the frame and its record, and the view of this person.

        Raises:
            Conflict: another request has changed the row since it was read, or has
                created a frame with the claimed name.
            LimitExceeded: the frame exceeds a quota of its owner.
        """
        if self.is_new:
            self._insert()
            return
        view = self._signed.get(VIEW_STATE)
        if view is not None and self.keeps_view_in_row:
            self._fields["settings"], view = view, None
        # Write the frame first. An inserted row that refers to the frame locks it, too,
        # so in another order, two requests could wait for each other.
        if self._fields or SHARED_STATE in self._signed:
            self._save()
        if view is not None:
            self._save_view(view)
        # The owner may have removed a share since the row was read.
        if not self.access.is_owner and self._access_now() != self.access:
            raise Conflict

    def _access_now(self) -> Access | None:
        return access_to(self.row, self.unit.workspace)

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
        make_room(self.unit.workspace)
        Record.objects.create(frame=self.row, content=signed.get(SHARED_STATE, b""))

    def _save(self) -> None:
        is_larger = self._fields.get("nbytes", 0) > self.row.nbytes
        if is_larger:
            self._check_quota()
        self._update(self.row, **self._fields)
        if self._has_new_data:
            is_larger |= self._record_change()
        if is_larger:
            make_room(self._owner())
        for view, settings in self._views:
            self._update(view, settings=settings)
        if SHARED_STATE in self._signed:
            records = Record.objects.filter(frame=self.row)
            records.update(content=self._signed[SHARED_STATE])

    def _record_change(self) -> bool:
        """Add the change to the history, and return whether that takes more space."""
        nbytes, unused = record_change(
            self.row,
            self._frame,
            self._fields,
            self.unit.workspace,
            self._kind,
            self._goes_back,
        )
        transaction.on_commit(partial(remove_unused, self.row.pk, unused))
        if nbytes != self.row.history_nbytes:
            Frame.objects.filter(pk=self.row.pk).update(history_nbytes=nbytes)
        return nbytes > self.row.history_nbytes

    def _check_quota(self) -> None:
        larger = Frame(pk=self.row.pk, nbytes=self._fields["nbytes"])
        try:
            check_quota(self._owner(), larger, is_new=False)
        except LimitExceeded:
            if self.access.is_owner:
                raise
            # Other people need not know how much the owner has.
            raise LimitExceeded(
                gettext(
                    "This change needs more space than the owner of the table has left. "
                    "Nothing was changed."
                )
            ) from None

    def _owner(self) -> Workspace:
        is_owner = self.access.is_owner
        return self.unit.workspace if is_owner else Workspace.of(self.row)

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
        raise unreadable(self.row) from None
