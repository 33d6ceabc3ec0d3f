"""How large a result of D-Tale's would be, told before it is made.

Each check is one of ``dtale_input.CHECKS``.
"""

import json

import pandas as pd
from dtale import global_state
from flask import request

from .limits import check_cells

SHORTEST = pd.Timedelta("1h")  # Of the periods that are no fixed time: business hours.


def check_column(data_id):
    """Some builders make as many columns, or as long texts, as they are told.

    Raises:
        LimitExceeded
    """
    cfg, rows = json.loads(request.args["cfg"]), global_state.get_data(data_id).shape[0]
    if request.args.get("type") == "encoder" and cfg.get("algo") == "feature_hasher":
        check_cells(rows, int(cfg["n"]))
    elif request.args.get("type") == "random" and cfg.get("type") == "string":
        check_cells(rows, int(cfg.get("length") or 10))


def check_reshape(data_id):
    """A pivot has a column for each value, and resampling a row for each period.

    Raises:
        LimitExceeded
    """
    kind, cfg = request.args.get("type"), json.loads(request.args["cfg"])
    data = global_state.get_data(data_id)
    if kind == "pivot":
        rows, columns = (
            data.groupby(cfg[side]).ngroups for side in ("index", "columns")
        )
        check_cells(rows, columns * len(cfg["values"]))
    elif kind == "resample":
        times = data[cfg["index"]]
        offset = pd.tseries.frequencies.to_offset(cfg["freq"])
        is_fixed = isinstance(offset, pd.offsets.Tick)
        period = pd.Timedelta(offset) if is_fixed else SHORTEST
        rows = (times.max() - times.min()) / period
        check_cells(1 if pd.isna(rows) else 1 + int(rows), data.shape[1])
