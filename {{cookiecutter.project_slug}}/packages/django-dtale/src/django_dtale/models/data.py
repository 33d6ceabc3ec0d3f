"""The methods of a frame that read or change its data."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    import pandas as pd

    from ..view import View
    from .frames import Frame
    from .views import SavedView


class Data:
    """The methods of ``Frame`` that need pandas and D-Tale.

    The models know neither, so these methods look up functions of ``api`` when they are
    called.
    """

    def replace(self: "Frame", data: object, **options: Any) -> None:  # type: ignore[misc]
        """Replace the data. The address, shares, filters and formats stay.

        See ``api.replace_data`` for the arguments and the errors.
        """
        import_string("django_dtale.api.replace_data")(self, data, **options)

    def append(self: "Frame", data: object, **options: Any) -> None:  # type: ignore[misc]
        """Add rows at the end. The data need the same columns, in any order.

        See ``api.append_data`` for the arguments and the errors.
        """
        import_string("django_dtale.api.append_data")(self, data, **options)

    def refresh(self: "Frame") -> None:  # type: ignore[misc]
        """Replace the data with those that the frame's source returns now.

        See ``api.refresh`` for the errors.
        """
        import_string("django_dtale.api.refresh")(self)

    def save_view(  # type: ignore[misc]
        self: "Frame", name: str, view: "View", user: AbstractBaseUser | None = None
    ) -> "SavedView":
        """Save a view with a name. A view with this name is replaced.

        Args:
            view: what the saved view shows. It cannot say what is ``editable``.
            user: the author of the view, by default the owner of the table.

        Raises:
            ValueError: the name is empty, or the view does not fit the data.
            LimitExceeded: the table has too many saved views.
        """
        dtale = import_string("django_dtale.dtale.loader.load_dtale")()
        return dtale.define_view(self, name, view, user)

    def to_dataframe(  # type: ignore[misc]
        self: "Frame", view: bool = False, user: AbstractBaseUser | None = None
    ) -> "pd.DataFrame":
        """Return the data as they were given, or as a person sees them in D-Tale.

        See ``reading.read_data`` for the arguments and the errors.
        """
        read = import_string("django_dtale.reading.read_data")
        return read(self, view=view, user=user)
