"""Read the data of a frame as a user sees them in D-Tale."""

import pandas as pd
from dtale import global_state, query

from .patches.registry import STORE, resolve


def visible_data(pk: int) -> pd.DataFrame:
    """Return the rows and the columns that the bound workspace's user sees, in order.

    The rows are filtered and sorted. If the user highlights the rows that match a
    filter, all rows are returned, as in the grid. Locked columns come first.

    Raises:
        FrameNotFound: The workspace has no such frame.
        FrameError: The data cannot be read or filtered.
    """
    instance, data_id = resolve(STORE).get_data_inst(pk), str(pk)
    settings = instance.settings or {}
    data = query.handle_predefined(data_id)
    if not settings.get("highlightFilter"):
        text = query.build_query(data_id, global_state.get_query(data_id))
        context = global_state.get_context_variables(data_id)
        data = query.run_query(data, text, context, ignore_empty=True)
    columns = sorted(instance.dtypes or (), key=lambda column: column["index"])
    visible = [column["name"] for column in columns if column["visible"]]
    locked = [name for name in settings.get("locked") or () if name in visible]
    order = list(dict.fromkeys(locked + visible))
    return data[order].reset_index(drop=True)
