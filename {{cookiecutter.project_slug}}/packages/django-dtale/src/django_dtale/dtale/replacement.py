"""Replace the data of a frame, or append rows, with D-Tale's functions."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import pandas as pd
from django.utils.translation import gettext

from ..compat.carry_over import carry_over
from ..compat.combine import combine
from ..compat.dtypes import DisplayableFrame, make_displayable
from ..exceptions import SourceError
from ..quotas import check_cells
from ..unit_of_work import unit_of_work
from ..view import View
from . import opening
from .patches.dtypes import classify_type
from .patches.registry import STORE, resolve


def replace_frame(
    pk: int,
    frame: pd.DataFrame | DisplayableFrame,
    append: bool = False,
    view: View | None = None,
    **fields: Any,
) -> None:
    """Replace the data of a frame in the bound workspace, or add rows at their end.

    The view of each user stays: filters, sorting, formats and hidden columns.
    Parts that do not fit the new data are dropped, and a note names dropped filters.

    Args:
        append: Keep the present rows. The data need the same columns.
        view: How the frame opens. Because users keep their own views, only ``editable``,
            ``title``, ``page`` and ``chart`` take effect.
        fields: Values of other fields of the row, such as ``note``.

    Raises:
        UnsupportedDtype: D-Tale cannot show this data.
        LimitExceeded: The data is too large.
        SourceError: The columns are not the same, and ``append`` is true.
        ReadOnly: The frame belongs to another user.
        Conflict: Another request has changed the frame at the same time.
        ValueError: The view does not fit the data.
    """
    data = frame if isinstance(frame, DisplayableFrame) else make_displayable(frame)
    with unit_of_work() as unit:
        opened = unit.get(pk)
        opened.begin_replacement(append)
        instance = resolve(STORE).get_data_inst(pk)
        columns = [each["name"] for each in instance.dtypes or ()]
        if append:
            _check_columns(opened.frame.columns, data.frame.columns)
            # If the owner has sorted the grid, the rows are stored in that order.
            present = DisplayableFrame(opened.frame.sort_index(), opened.index)
            data = combine([("", present), ("", data)])
        data = _in_order(data, columns)
        check_cells(*data.frame.shape)
        renewed: dict[str, Any] = {}
        if view is not None:
            opening.check(view, data)
            fields |= opening.renewed_fields(view)
            renewed = opening.renewed_settings(view)
        opened.set_fields(**fields)
        retyped = _retyped(instance.dtypes or (), data.frame)
        settings, dropped = carry_over(instance.settings or {}, data.frame, retyped)
        hidden = [each["name"] for each in instance.dtypes or () if not each["visible"]]
        unit.expected = data
        resolve("dtale.views:startup")(
            data=data.frame,
            data_id=pk,
            ignore_duplicate=True,
            hide_columns=hidden,
        )
        locked = dict.fromkeys(instance.settings["locked"] + settings["locked"])
        instance.settings = {
            **settings,
            "indexes": instance.settings["indexes"],
            "locked": list(locked),
            **renewed,
        }
        opened.add_notes(dropped)

        def change(state: dict[str, Any]) -> None:
            if settings := state.get("settings"):
                kept, _ = carry_over(settings, data.frame, retyped)
                indexes = instance.settings["indexes"]
                state["settings"] = {**kept, "indexes": indexes, **renewed}

        opened.change_other_views(change)


def _retyped(dtypes: Iterable[dict[str, Any]], frame: pd.DataFrame) -> set[str]:
    """Return the columns that have values of another type now.

    Args:
        dtypes: D-Tale's descriptions of the columns of the previous data.
    """
    return {
        each["name"]
        for each in dtypes
        if each["name"] in frame
        and _kind(each["dtype"]) != _kind(str(frame[each["name"]].dtype))
    }


def _kind(dtype: str) -> str:
    letter = classify_type(dtype)
    return "number" if letter in "IF" else letter


def _check_columns(present: pd.Index, new: pd.Index) -> None:
    """Check that new rows have the columns of a frame.

    Raises:
        SourceError: The message names the columns that differ.
    """
    missing, more = present.difference(new), new.difference(present)
    if not len(missing) and not len(more):
        return
    texts = (
        (gettext("These are missing: %(columns)s."), missing),
        (gettext("These are not in the table: %(columns)s."), more),
    )
    raise SourceError(
        gettext("The new rows need the same columns as the table.")
        + " "
        + " ".join(
            text % {"columns": ", ".join(names[:5])}
            for text, names in texts
            if len(names)
        )
    )


def _in_order(data: DisplayableFrame, columns: list[str]) -> DisplayableFrame:
    """Return data whose columns are in the present order, followed by new columns.

    If a column is gone, the data have another layout, and keep their own order.
    """
    names = data.frame.columns.tolist()
    order = [*columns, *(name for name in names if name not in columns)]
    if order == names or not set(columns) <= set(names):
        return data
    return dataclasses.replace(data, frame=data.frame[order])
