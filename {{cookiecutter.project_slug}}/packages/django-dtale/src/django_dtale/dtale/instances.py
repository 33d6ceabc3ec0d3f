"""Create, copy and list frames of the bound workspace with D-Tale's functions."""

from typing import Any

import pandas as pd
from dtale.utils import get_bool_arg, json_timestamp
from flask import jsonify, request
from werkzeug import Response

from ..compat.dtypes import DisplayableFrame, make_displayable
from ..exceptions import FrameUnreadable
from ..models import Frame, Origin
from ..models.names import plain_name
from ..quotas import check_cells
from ..unit_of_work import current, unit_of_work
from ..unit_of_work.open_frame import OpenFrame
from ..view import View
from . import opening
from .patches.registry import STORE, resolve


def open_frame(
    frame: pd.DataFrame | DisplayableFrame,
    name: str = "",
    claim_name: bool = False,
    view: View | None = None,
    **fields: Any,
) -> str:
    """Create a frame from data in the bound workspace, and return its data id.

    Args:
        frame: The data.
        name: The name of the frame. If it is taken, a number is appended.
        claim_name: Fail if the workspace has a frame with this name.
        view: How the frame opens.
        fields: Values of other fields of the row, such as ``note``.

    Returns:
        D-Tale's data id, such as "1" for the first frame.

    Raises:
        UnsupportedDtype: D-Tale cannot show this data.
        LimitExceeded: The data is too large.
        Conflict: The claimed name is taken.
        ValueError: The view does not fit the data.
    """
    if not isinstance(frame, DisplayableFrame):
        check_cells(*frame.shape)
        frame = make_displayable(frame)
    if view is not None:
        opening.check(view, frame)
        frame = opening.arranged(view, frame)
    check_cells(*frame.frame.shape)
    with unit_of_work() as unit:
        unit.expected = frame
        store = resolve(STORE)
        data_id = store.new_data_inst()
        # D-Tale's check for duplicates would load every frame.
        resolve("dtale.views:startup")(
            data=frame.frame,
            data_id=data_id,
            ignore_duplicate=True,
            **(opening.startup_options(view, frame) if view else {}),
        )
        opened = unit.get(data_id)
        if view is not None:
            opening.apply(view, frame, store.get_data_inst(data_id))
            fields |= opening.renewed_fields(view)
        if claim_name:
            opened.claim_name(name)
        else:
            store.set_name(data_id, name)
        opened.set_fields(**fields)
    return data_id


def copy_frame(pk: int) -> str:
    """Copy a frame that the bound workspace can see, and return the new data id.

    The copy keeps the current filters, sorting and formats.

    Args:
        pk: the primary key, or the data ID of a saved view of the frame.
    """
    with unit_of_work() as unit:
        row = unit.get(pk).row
        unit.conversions = row.conversion_notes.splitlines()
        store = resolve(STORE)
        original = store.get_data_inst(pk)
        data_id = store.new_data_inst()
        copied = store.get_data_inst(data_id)
        for part in ("data", "dtypes", "metadata", "context_variables", "history"):
            setattr(copied, part, getattr(original, part))
        copied.settings = original.settings
        store.set_name(data_id, unit.get(pk).name)
        unit.get(data_id).set_fields(
            note=row.note,
            origin=Origin.COPY,
            origin_name=row.title,
            data_at=row.data_at,
        )
    return data_id


def processes() -> Response:
    """Return D-Tale's list of frames, without loading each frame to get its size."""
    with_dtypes = get_bool_arg(request, "dtypes")
    unit, frames = current(), []
    rows = Frame.objects.visible_in(unit.workspace).with_content().defer("settings")
    for row in rows:
        try:
            dtypes = OpenFrame(unit, row).shared_state.get("dtypes") or []
        except FrameUnreadable:  # The frame's page shows the reason.
            dtypes = []
        created = pd.Timestamp(row.created_at).tz_localize(None)
        frames.append(
            {
                "data_id": str(row.pk),
                "name": plain_name(row.name),
                "rows": row.rows,
                "columns": row.columns,
                "names": dtypes if with_dtypes else ",".join(c["name"] for c in dtypes),
                "start": f"{created:%I:%M:%S %p}".removeprefix("0"),
                "ts": json_timestamp(created),
                "mem_usage": row.nbytes,
            }
        )
    return jsonify(success=True, data=sorted(frames, key=lambda frame: frame["ts"]))
