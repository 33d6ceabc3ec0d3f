"""Read the data of a frame back, in a view, a job or a shell."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import AbstractBaseUser

from .api import repeat
from .dtale.loader import load_dtale
from .models import Frame
from .workspace import Workspace, bind

if TYPE_CHECKING:
    import pandas as pd


def read_data(
    frame: Frame, *, view: bool = False, user: AbstractBaseUser | None = None
) -> "pd.DataFrame":
    """Return the data of a frame, which the caller may change.

    Args:
        view: return the rows and columns as a person sees them in D-Tale: filtered,
            sorted, without hidden columns, and in the order of the grid. Columns that
            replaced an index stay columns. Otherwise, return all data in their
            original order and with their original index. Edits are included. Values
            that D-Tale cannot show stay converted; ``conversion_notes`` lists them.
        user: the person whose view it is, by default the owner.

    Raises:
        FrameNotFound: the frame is not shared with this user.
        FrameError: the data cannot be read.
    """
    # Imported here, because these modules import pandas, which is slow.
    from .compat.export import as_given
    from .unit_of_work import unit_of_work

    def read() -> "pd.DataFrame":
        with unit_of_work() as unit:
            opened = unit.get(frame.pk)
            if view:
                return load_dtale().grid_view(frame.pk).data()
            return as_given(opened.frame, opened.index)

    with bind(Workspace(user) if user else Workspace.of(frame)):
        return repeat(read)
