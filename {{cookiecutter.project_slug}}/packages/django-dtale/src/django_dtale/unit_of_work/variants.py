"""Saved views and earlier states of frames, which D-Tale shows like frames."""

from typing import TYPE_CHECKING, Any

from ..exceptions import EarlierStateReadOnly
from ..history.signed_state import unreadable
from ..history.states import State, state_before
from ..models import Change, PersonalView, SavedView
from ..models.data_ids import variant_of_state
from ..storage.payload import CorruptPayload
from .open_frame import OpenFrame

if TYPE_CHECKING:
    import pandas as pd


class OpenVariant(OpenFrame):
    """Something of a frame that has its own view state.

    Args:
        base: the frame.
    """

    def __init__(
        self, base: OpenFrame, variant: int, personal: PersonalView | None
    ) -> None:
        super().__init__(base.unit, base.row, base.access, personal)
        self.base = base
        self.variant = variant

    @property
    def keeps_view_in_row(self) -> bool:
        return False


class OpenView(OpenVariant):
    """A saved view of a frame. The data are those of the frame."""

    def __init__(
        self, base: OpenFrame, saved: SavedView, personal: PersonalView | None
    ) -> None:
        super().__init__(base, saved.variant, personal)
        self.saved = saved

    @property
    def shared_state(self) -> dict[str, Any]:
        return self.base.shared_state

    def set_data(self, frame: "pd.DataFrame") -> None:
        self.base.set_data(frame)
        self.override_data(self.base.frame)

    @property
    def name(self) -> str:
        return f"{self.row.title}: {self.saved.name}"

    @name.setter
    def name(self, name: str) -> None:
        self.base.name = name

    @property
    def chart(self) -> dict[str, str]:
        return self.saved.chart or super().chart

    def _load_frame(self) -> "pd.DataFrame":
        return self.base.frame

    def _initial_view(self) -> bytes:
        return bytes(self.saved.settings)


class EarlierState(OpenVariant):
    """The state of a frame before a change. It cannot be changed."""

    def __init__(
        self, base: OpenFrame, change: Change, personal: PersonalView | None
    ) -> None:
        super().__init__(base, variant_of_state(change.pk), personal)
        self.change = change
        self._state: State | None = None

    @property
    def state(self) -> State:
        """The data of the state, and what D-Tale knows about them."""
        if self._state is None:
            try:
                self._state = state_before(self.base.row, self.change)
            except (FileNotFoundError, CorruptPayload):
                raise unreadable(self.row) from None
        return self._state

    @property
    def can_write(self) -> bool:
        return False

    def check_writable(self) -> None:
        raise EarlierStateReadOnly(self.row)

    def check_owner(self) -> None:
        raise EarlierStateReadOnly(self.row)

    @property
    def shared_state(self) -> dict[str, Any]:
        return self.state.shared_state

    @property
    def origin(self) -> tuple:
        return (f"before-{self.change.pk}",)

    @property
    def data_version(self) -> None:
        return None  # An earlier state never changes.

    @property
    def rows(self) -> int:
        return len(self.frame)

    def _load_frame(self) -> "pd.DataFrame":
        return self.state.frame
