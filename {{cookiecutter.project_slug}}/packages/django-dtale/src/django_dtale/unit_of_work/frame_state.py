"""The state of a frame in D-Tale, as a person sees it."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import F

from ..access import OWNER, Access
from ..compat import legacy_names
from ..compat.missing_columns import without_missing
from ..exceptions import Conflict, FrameUnreadable, OwnerOnly, ReadOnly
from ..history.signed_state import SHARED_STATE, VIEW_STATE, dump_state, load_state
from ..models import Frame, PersonalView, SavedView
from ..models.data_ids import data_id, split_variant

if TYPE_CHECKING:
    from .unit import UnitOfWork


class FrameState:
    """A frame's row, the rights of a person, and D-Tale's state for them.

    Attributes:
        access: the rights of the bound workspace.
        personal: the row with the view of this person; None if there is none yet.
        shared_state: D-Tale's state that is the same for everyone who opens the frame.
        view_state: this user's filters, sorting and formats. Other people start with
            those of the owner.
        missing: the columns that the stored view names, and that the frame does not
            have. The parts of the view that name them are left out.
    """

    variant = 0  # See `data_ids`. This is the frame itself.

    def __init__(
        self,
        unit: "UnitOfWork",
        row: Frame,
        access: Access = OWNER,
        personal: PersonalView | None = None,
        is_new: bool = False,
    ) -> None:
        self.unit = unit
        self.row = row
        self.access = access
        self.personal = personal
        self.is_new = is_new
        self._shared_state: dict[str, Any] | None = None
        self._view_state: dict[str, Any] | None = None
        self._fields: dict[str, Any] = {}  # New values of the row's fields.
        # Other views of the frame, and their new settings.
        self._views: list[tuple[PersonalView | SavedView, bytes]] = []
        self.missing: set[str] = set()
        self._fitting_view = b""  # The view without the parts that were left out.
        # The changed parts of the state, pickled and signed.
        self._signed: dict[str, bytes] = {}

    @property
    def data_id(self) -> int:
        """D-Tale's data ID."""
        return data_id(self.row.pk, self.variant)

    def check_owner(self) -> None:
        """Refuse to do something that only the owner of a frame may do.

        Raises:
            OwnerOnly: the frame belongs to another user.
        """
        if not self.access.is_owner:
            raise OwnerOnly(self.row)

    @property
    def can_write(self) -> bool:
        """Return whether the person may change the data."""
        return self.access.can_write

    def check_writable(self) -> None:
        """Refuse to change a frame that another user has shared.

        Raises:
            ReadOnly: the message says what readers can do.
        """
        if not self.can_write:
            raise ReadOnly(self.row)

    def stored_parts(self) -> list[bytes]:
        """Return the stored parts of the state, which differ if D-Tale's state does."""
        return [self._stored(SHARED_STATE), self._stored(VIEW_STATE)]

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
            self._view_state = self._without_missing_columns(
                legacy_names.sanitize_view_state(self._load_state(VIEW_STATE) or {})
            )
        return self._view_state

    @property
    def chart(self) -> dict[str, str]:
        """The parameters of the chart with which D-Tale's page of charts opens."""
        return (self.view_state.get("settings") or {}).get("chart") or {}

    @property
    def has_own_view(self) -> bool:
        """Return whether a person other than the owner has changed their view."""
        return self.personal is not None and bool(self.personal.settings)

    def change_other_views(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the saved views, and the views of other people.

        Args:
            change: changes a view state in place.
        """
        personal = PersonalView.objects.filter(frame=self.row).exclude(settings=b"")
        if self.personal is not None:
            personal = personal.exclude(pk=self.personal.pk)
        # Earlier states keep their data.
        others: list[PersonalView | SavedView] = [
            each for each in personal if not split_variant(each.variant)[0]
        ]
        others += SavedView.objects.filter(frame=self.row).exclude(settings=b"")
        for view in others:
            if signed := self._changed_view(bytes(view.settings), change):
                self._views.append((view, signed))
        if self.keeps_view_in_row or not self.row.settings:
            return
        # This person is an editor: the view in the row is that of the owner.
        if signed := self._changed_view(bytes(self.row.settings), change):
            self._fields["settings"] = signed

    def _changed_view(
        self, stored: bytes, change: Callable[[dict[str, Any]], None]
    ) -> bytes | None:
        """Return a changed view state, signed, or None if it stays the same."""
        try:
            state = load_state(self.row, VIEW_STATE, stored)
        except FrameUnreadable:  # The frame's page tells this person.
            return None
        change(state)
        signed = dump_state(self.row, VIEW_STATE, state, stored)
        return None if signed == stored else signed

    def _save_view(self, settings: bytes) -> None:
        """Save the view of a person in its own row.

        Raises:
            Conflict: another request of this person has saved the view meanwhile.
        """
        if self.personal is not None:
            self._update(self.personal, settings=settings)
            return
        with contextlib.suppress(IntegrityError), transaction.atomic():
            PersonalView.objects.create(
                frame=self.row,
                user_id=self.unit.workspace.user_id,
                variant=self.variant,
                settings=settings,
            )
            return
        raise Conflict

    @staticmethod
    def _update(row: Frame | PersonalView | SavedView, **fields: Any) -> None:
        same = type(row).objects.filter(pk=row.pk, version=row.version)
        if not same.update(version=F("version") + 1, **fields):
            raise Conflict

    @property
    def keeps_view_in_row(self) -> bool:
        """Return whether this person's view is that of the owner."""
        return self.access.is_owner

    def _stored(self, part: str) -> bytes:
        if self.is_new:
            return b""
        # PostgreSQL's driver returns a memoryview.
        if part == SHARED_STATE:
            return bytes(self.row.content)  # type: ignore[attr-defined]
        if self.has_own_view:
            return bytes(self.personal.settings)  # type: ignore[union-attr]
        return self._initial_view()

    def _initial_view(self) -> bytes:
        """Return the view of people who have no view of their own."""
        return bytes(self.row.settings)

    def _without_missing_columns(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return a view state without the parts that name columns which are missing.

        The stored view keeps them until the person changes it, because the columns
        come back if the change is undone.
        """
        columns = {each["name"] for each in self.shared_state.get("dtypes") or ()}
        if not (columns and state.get("settings")):
            return state
        settings, self.missing = without_missing(state["settings"], columns)
        if self.missing:
            state = {**state, "settings": settings}
            self._fitting_view = dump_state(self.row, VIEW_STATE, state)
        return state

    def _load_state(self, part: str) -> Any:
        return load_state(self.row, part, self._stored(part))

    def _changed_parts(self) -> dict[str, bytes]:
        """Return the changed parts of the state, signed and keyed by name."""
        parts = {SHARED_STATE: self._shared_state, VIEW_STATE: self._view_state}
        if not self.access.can_write:
            # Readers cannot change the shared state, even through D-Tale.
            del parts[SHARED_STATE]
        changed: dict[str, bytes] = {}
        for part, value in parts.items():
            if not value:
                continue
            stored = self._stored(part)
            if part == VIEW_STATE:
                stored = self._fitting_view or stored
            if (new := dump_state(self.row, part, value, stored)) != stored:
                changed[part] = new
        return changed
