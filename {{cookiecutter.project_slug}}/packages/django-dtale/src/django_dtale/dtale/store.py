"""D-Tale's store, restricted to the frames of the bound workspace.

In one request, D-Tale gets a frame from its store ten times and sets it three times.
The request's unit of work answers all of these calls.
"""

import json
from collections.abc import Iterator, MutableMapping
from typing import Any

import pandas as pd
from dtale.global_state import DefaultStore, DtaleInstance, convert_name_to_url_path
from flask import has_request_context, request

from ..exceptions import FrameNotFound
from ..models.names import plain_name
from ..storage import blobs
from ..unit_of_work import current
from ..unit_of_work.open_frame import OpenFrame
from .editing import check_edit, with_rules, without_rules
from .endpoints import GRID
from .patches.filters import check_settings
from .patches.predefined import with_states, without_states
from .patches.sorting import needed_columns, needs_sorted_rows, row_order

OF_THE_VIEW = "visible", "width", "resized"


def _shared(part):
    """Return a property for a part of the shared state, writable only by people who may edit."""

    def read(self):
        return self.opened.shared_state.get(part)

    def write(self, value):
        self.opened.check_writable()
        self.opened.shared_state[part] = value

    return property(read, write)


class FrameInstance(DtaleInstance):
    """A frame as D-Tale's code sees it, for the user who has opened it.

    Settings (filters, sorting, formats, highlights) and hidden columns belong to the
    user, and everything else belongs to the frame.
    """

    def __init__(self, opened: OpenFrame) -> None:
        self.opened = opened

    metadata = _shared("metadata")
    context_variables = _shared("context_variables")
    history = _shared("history")
    dataset = _shared("dataset")
    dataset_dim = _shared("dataset_dim")

    def load_data(self, **kwargs: object) -> pd.DataFrame:
        opened = self.opened
        frame = opened.frame
        # Data that this request has sorted or set are in order.
        if opened.source != opened.origin or not needs_sorted_rows():
            return frame
        # Each person can sort a frame in their own view.
        names = {column["name"] for column in self.dtypes or ()}
        wanted = (self.settings or {}).get("sortInfo") or ()
        sort = [each for each in wanted if each[0] in names]
        order = row_order(frame, sort, opened.origin)
        if order is None:
            return frame
        needed = needed_columns(frame, self.settings or {})
        if needed is not None:
            return blobs.cached(
                (*opened.origin, "columns", json.dumps([sort, needed])),
                lambda: _sorted(frame[needed], order),
            )
        source = *opened.origin, json.dumps(sort)
        opened.override_data(
            blobs.cached(source, lambda: _sorted(frame, order)), source
        )
        return opened.frame

    @property
    def data(self) -> pd.DataFrame:
        return self.load_data()

    @data.setter
    def data(self, data: pd.DataFrame) -> None:
        # The grid sets data that it has sorted. Sorting changes only the user's view.
        if has_request_context() and request.endpoint == GRID:
            if data is not self.opened.frame:
                self.opened.override_data(data)
            return
        self.opened.check_writable()
        check_edit(self.opened.row)
        self.opened.frame = data

    def rows(self, **kwargs: object) -> int:
        return self.opened.rows

    @property
    def name(self) -> str:
        return plain_name(self.opened.name)

    @name.setter
    def name(self, name: str) -> None:
        self.opened.name = name

    @property
    def settings(self) -> Any:
        settings = with_states(self.opened.view_state.get("settings"))
        return with_rules(settings, self.opened.row, self.opened.can_write)

    @settings.setter
    def settings(self, settings: dict[str, Any] | None) -> None:
        settings = settings and without_states(settings)
        check_settings(settings or {})
        # D-Tale sets the settings with each page of the grid. If they are the same, the
        # view stays as it was stored.
        if settings != (self.settings and without_states(self.settings)):
            self.opened.view_state["settings"] = without_rules(settings)

    @property
    def dtypes(self) -> Any:
        dtypes = self.opened.shared_state.get("dtypes")
        visible = self.opened.view_state.get("visible") or {}
        # A saved view shows new columns, even if the owner of the frame hides them.
        shows_new = bool(visible and self.opened.variant)
        widths = (self.opened.view_state.get("settings") or {}).get("widths") or {}
        if not (dtypes and (visible or widths)):
            return dtypes
        return [
            {
                **column,
                "visible": visible.get(column["name"], shows_new or column["visible"]),
                **_width(widths.get(column["name"])),
            }
            for column in dtypes
        ]

    @dtypes.setter
    def dtypes(self, dtypes: Any) -> None:
        if self.opened.keeps_view_in_row:
            self.opened.shared_state["dtypes"] = dtypes
            return
        visible = {column["name"]: column["visible"] for column in dtypes}
        if [_without_view(column) for column in dtypes] != [
            _without_view(column) for column in self.dtypes or ()
        ]:
            self.opened.check_writable()
            self._set_shared_dtypes(dtypes)
        self.opened.view_state["visible"] = visible

    def _set_shared_dtypes(self, dtypes):
        """Change the columns, but leave those hidden that the owner has hidden."""
        state = self.opened.shared_state
        kept = {each["name"]: each for each in state.get("dtypes") or ()}
        state["dtypes"] = [
            {
                **_without_view(column),
                **{
                    key: value
                    for key, value in kept.get(column["name"], column).items()
                    if key in OF_THE_VIEW
                },
            }
            for column in dtypes
        ]


def _without_view(column):
    """Return D-Tale's description of a column without what belongs to a view."""
    return {key: value for key, value in column.items() if key not in OF_THE_VIEW}


def _width(pixels):
    """Return what the grid stores in a column that a user has resized."""
    return {"width": pixels, "resized": True} if pixels else {}


def _sorted(frame, order):
    frame = frame.take(order)
    return frame, int(frame.memory_usage().sum())


class WorkspaceFrames(MutableMapping):
    """The mapping of data ids to `FrameInstance` that D-Tale's DefaultStore needs."""

    def build_instance(
        self, data_id: int | str | None, data: object = None
    ) -> DtaleInstance:
        if data_id is None:
            return DtaleInstance(data)
        return FrameInstance(current().add(int(data_id)))

    def __getitem__(self, data_id: int | str) -> FrameInstance:
        try:
            return FrameInstance(current().get(data_id))
        except FrameNotFound:
            raise KeyError(data_id) from None

    def __setitem__(self, data_id: int | str, instance: object) -> None:
        """Do nothing: the unit of work already knows what D-Tale has changed."""

    def __delitem__(self, data_id: int | str) -> None:
        current().delete(data_id)

    def __iter__(self) -> Iterator[str]:
        return map(str, current().names())

    def __len__(self) -> int:
        return len(current().names())


class WorkspaceStore(DefaultStore):
    """D-Tale's store, with only the frames of the bound workspace."""

    def __init__(self) -> None:
        self._data_store = WorkspaceFrames()

    def build_data_id(self) -> str:
        """Return a new id from the database, so that no two threads get the same."""
        return str(current().reserve_id())

    def get_data_inst(self, data_id: int | str | None) -> DtaleInstance:
        """Return the instance of a frame.

        For an unknown id, D-Tale's own method would create an empty frame.

        Raises:
            FrameNotFound
        """
        if data_id is None:
            return self._data_store.build_instance(None)
        return FrameInstance(current().get(data_id))

    def get_data_id_by_name(self, data_name: object) -> str | None:
        """Return the id of the frame with this name, or None if there is none.

        A number is always an id, so that a frame named "2" cannot hide frame 2.
        """
        if data_name is None or str(data_name).isdecimal():
            return None
        for pk, name in current().names().items():
            given = {name, plain_name(name)}
            if name and data_name in given.union(map(convert_name_to_url_path, given)):
                return str(pk)
        return None

    def get_name(self, data_id: int | str | None) -> str:
        """Return a frame's name, safe in HTML."""
        return "" if data_id is None else plain_name(current().name(data_id))

    def resolve_id(self, id_or_name: Any) -> str:
        """Return the id of the workspace's frame with this id or name.

        Raises:
            FrameNotFound: The workspace has no such frame.
        """
        data_id = self.get_data_id_by_name(id_or_name) or id_or_name
        return str(current().get(data_id).data_id)

    def set_name(self, data_id: int | str, val: str | None) -> None:
        if val not in (None, ""):
            self.get_data_inst(data_id).name = val

    def delete_instance(self, data_id: int | str) -> None:
        """Delete a frame. Ignore ids of frames that the workspace cannot see."""
        if data_id in self._data_store:
            del self._data_store[data_id]

    def clear_store(self) -> None:
        """Do nothing: D-Tale calls this on shutdown, but stored frames must stay."""
