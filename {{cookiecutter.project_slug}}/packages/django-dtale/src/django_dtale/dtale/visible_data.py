"""Read the data of a frame as a user sees them in D-Tale."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from dtale import global_state, query

from ..compat.number_formats import (
    date_formatter,
    excel_date_format,
    excel_number_format,
    number_formatter,
)
from .patches.registry import STORE, resolve


@dataclass(frozen=True)
class GridFormats:
    """The formats of numbers and dates that a user has chosen in the grid.

    Attributes:
        text: a function for each column whose format can be written as text.
        excel: Excel's format for each column that Excel can show in the same way.
        not_text, not_excel: the names of the other columns that have a format.
    """

    text: dict[str, Callable[[Any], str]] = field(default_factory=dict)
    excel: dict[str, str] = field(default_factory=dict)
    not_text: list[str] = field(default_factory=list)
    not_excel: list[str] = field(default_factory=list)


class GridView:
    """A frame, a saved view or an earlier state as the bound workspace's user sees it.

    Args:
        data_id: D-Tale's data ID of it.

    Raises:
        FrameNotFound: The workspace has no such frame.
    """

    def __init__(self, data_id: int) -> None:
        self.data_id = data_id
        self._instance: Any = resolve(STORE).get_data_inst(data_id)
        self._settings: dict[str, Any] = self._instance.settings or {}

    def data(self) -> pd.DataFrame:
        """Return the rows and the columns that the user sees, in order.

        Raises:
            FrameError: The data cannot be read or filtered.
        """
        return self.rows()[self.columns()].reset_index(drop=True)

    def rows(self) -> pd.DataFrame:
        """Return the rows that the user sees, filtered and sorted, with all columns.

        If the user highlights the rows that match a filter, all rows are returned, as
        in the grid. The labels of the rows are those of the stored data.

        Raises:
            FrameError: The data cannot be read or filtered.
        """
        data_id = str(self.data_id)
        data = query.handle_predefined(data_id)
        if self._settings.get("highlightFilter"):
            return data
        text = query.build_query(data_id, global_state.get_query(data_id))
        context = global_state.get_context_variables(data_id)
        return query.run_query(data, text, context, ignore_empty=True)

    def columns(self) -> list[str]:
        """Return the names of the columns that the user sees. Locked ones come first."""
        columns = sorted(self._instance.dtypes or (), key=lambda each: each["index"])
        visible = [column["name"] for column in columns if column["visible"]]
        locked = self._settings.get("locked") or ()
        order = [name for name in locked if name in visible] + visible
        return list(dict.fromkeys(order))

    def is_sorted(self) -> bool:
        """Return whether the user has sorted the rows."""
        return bool(self._settings.get("sortInfo"))

    def formats(self, data: pd.DataFrame) -> GridFormats:
        """Return the formats that the user has chosen for the columns of some data."""
        formats = GridFormats()
        chosen = self._settings.get("columnFormats") or {}
        for name, column in data.items():
            text, kind = (chosen.get(name) or {}).get("fmt"), column.dtype.kind
            # The formats of text are objects.
            if not (text and isinstance(text, str) and kind in "iufM"):
                continue
            if kind == "M":
                as_text, excel = date_formatter(text), excel_date_format(text)
                if column.dt.tz is not None:  # Excel has no time zones.
                    excel = None
            else:
                as_text, excel = number_formatter(text), excel_number_format(text)
            if as_text:
                formats.text[name] = as_text
            else:
                formats.not_text.append(name)
            if excel:
                formats.excel[name] = excel
            else:
                formats.not_excel.append(name)
        return formats
