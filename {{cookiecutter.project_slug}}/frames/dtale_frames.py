"""Frames as D-Tale makes, copies and lists them, in the store of the bound workspace."""

import pandas as pd
from dtale.utils import get_bool_arg, json_timestamp
from flask import jsonify, request

from .dtale_replaced import STORE, find
from .exceptions import FrameUnreadable
from .kinds import Prepared
from .limits import check_cells
from .models import Frame
from .open_frame import OpenFrame
from .unit_of_work import current, unit_of_work


def open_frame(frame, name="", note=""):
    """Make a frame of the bound workspace from data.

    Args:
        frame: ``pandas.DataFrame``, or ``kinds.Prepared``.
        name: str; a name that is taken gets a number.
        note: str, shown beside the grid.

    Returns:
        str: D-Tale's data id, "1" for the first.

    Raises:
        KindError: D-Tale cannot show such data.
        LimitExceeded: they are too many.
    """
    prepared = frame if isinstance(frame, Prepared) else None
    frame = prepared.frame if prepared else frame
    check_cells(*frame.shape)
    with unit_of_work() as unit:
        unit.expected = prepared
        store = find(STORE)
        data_id = store.new_data_inst()
        # D-Tale's check for duplicates would load every frame.
        find("dtale.views:startup")(data=frame, data_id=data_id, ignore_duplicate=True)
        store.set_name(data_id, name)
        unit.get(data_id).row.note = note
    return data_id


def copy_frame(pk):
    """Copy a frame that the bound workspace can see, as it looks: the new id (str)."""
    with unit_of_work() as unit:
        row = unit.get(pk).row
        unit.conversions = row.conversions.splitlines()
        store = find(STORE)
        original = store.get_data_inst(pk)
        data_id = store.new_data_inst()
        copied = store.get_data_inst(data_id)
        for part in ("data", "dtypes", "metadata", "context_variables", "history"):
            setattr(copied, part, getattr(original, part))
        copied.settings = original.settings
        store.set_name(data_id, original.name)
        unit.get(data_id).row.note = row.note
    return data_id


def processes():
    """D-Tale's list of frames: it would load each one to tell its size."""
    with_dtypes = get_bool_arg(request, "dtypes")
    unit, frames = current(), []
    rows = Frame.objects.visible_in(unit.workspace).with_content().defer("settings")
    for row in rows:
        try:
            dtypes = OpenFrame(unit, row).record.get("dtypes") or []
        except FrameUnreadable:  # Its own page says why; the others are fine.
            dtypes = []
        created = pd.Timestamp(row.created).tz_localize(None)
        frames.append(
            {
                "data_id": str(row.pk),
                "name": row.name,
                "rows": row.rows,
                "columns": row.columns,
                "names": dtypes if with_dtypes else ",".join(c["name"] for c in dtypes),
                "start": f"{created:%I:%M:%S %p}".removeprefix("0"),
                "ts": json_timestamp(created),
                "mem_usage": row.nbytes,
            }
        )
    return jsonify(success=True, data=sorted(frames, key=lambda frame: frame["ts"]))
