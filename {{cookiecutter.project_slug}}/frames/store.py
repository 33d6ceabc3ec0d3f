"""D-Tale's store, with nothing in it but the frames of the bound workspace.

D-Tale asks its store for a frame ten times in a request and stores it back three times.
All of that is answered by the request's unit of work.
"""

import json
from collections.abc import MutableMapping

from dtale.global_state import DefaultStore, DtaleInstance, convert_name_to_url_path
from dtale.utils import sort_df_for_grid
from flask import has_request_context, request

from . import frame_storage
from .dtale_filters import check_settings
from .exceptions import FrameMissing
from .unit_of_work import current

# D-Tale stores a frame in another order when somebody sorts what they see.
GRID_ENDPOINT = "dtale.get_data"


def _recorded(part):
    """Return a property for a part of the record, which only the owner changes."""

    def read(self):
        return self.opened.record.get(part)

    def write(self, value):
        self.opened.require_owner()
        self.opened.record[part] = value

    return property(read, write)


class FrameInstance(DtaleInstance):
    """What D-Tale knows of a frame, for whoever looks at it.

    The settings (filters, sorting, formats, highlights) are each person's own, and
    which columns are hidden; the rest is the frame's.
    """

    def __init__(self, opened):
        self.opened = opened

    metadata = _recorded("metadata")
    context_variables = _recorded("context_variables")
    history = _recorded("history")
    dataset = _recorded("dataset")
    dataset_dim = _recorded("dataset_dim")

    def load_data(self, **kwargs):
        opened = self.opened
        if opened.is_loaded or not opened.has_own_view:
            return opened.frame
        # A reader who sorts: everyone has the data in their own order.
        names = {column["name"] for column in self.dtypes or ()}
        sort = [
            each for each in self.settings.get("sortInfo") or () if each[0] in names
        ]
        source = opened.row.payload, json.dumps(sort)
        frame = frame_storage.cached(source, lambda: _sorted(opened.frame, sort))
        opened.show(frame, source)
        return opened.frame

    @property
    def data(self):
        return self.load_data()

    @data.setter
    def data(self, data):
        if self.opened.share is None:
            self.opened.frame = data
        elif has_request_context() and request.endpoint == GRID_ENDPOINT:
            self.opened.show(data)
        else:
            self.opened.require_owner()

    def rows(self, **kwargs):
        return self.opened.row.rows

    @property
    def name(self):
        return self.opened.name

    @name.setter
    def name(self, name):
        self.opened.name = name

    @property
    def settings(self):
        return self.opened.view.get("settings")

    @settings.setter
    def settings(self, settings):
        check_settings(settings or {})
        self.opened.view["settings"] = settings

    @property
    def dtypes(self):
        dtypes = self.opened.record.get("dtypes")
        visible = self.opened.view.get("visible")
        if not (dtypes and visible):
            return dtypes
        return [
            {**column, "visible": visible.get(column["name"], column["visible"])}
            for column in dtypes
        ]

    @dtypes.setter
    def dtypes(self, dtypes):
        if self.opened.share is None:
            self.opened.record["dtypes"] = dtypes
            return
        visible = {column["name"]: column["visible"] for column in dtypes}
        if [{**column, "visible": True} for column in dtypes] != [
            {**column, "visible": True} for column in self.dtypes
        ]:
            self.opened.require_owner()
        self.opened.view["visible"] = visible


def _sorted(frame, sort):
    frame = sort_df_for_grid(frame, {"sort": sort} if sort else {})
    return frame, int(frame.memory_usage().sum())


class WorkspaceFrames(MutableMapping):
    """The store of D-Tale's DefaultStore: data id -> FrameInstance."""

    def build_instance(self, data_id, data=None):
        if data_id is None:
            return DtaleInstance(data)
        return FrameInstance(current().add(int(data_id)))

    def __getitem__(self, data_id):
        try:
            return FrameInstance(current().get(data_id))
        except FrameMissing:
            raise KeyError(data_id) from None

    def __setitem__(self, data_id, instance):
        """D-Tale stores back what it has changed; the unit of work knows already."""

    def __delitem__(self, data_id):
        current().delete(data_id)

    def __iter__(self):
        return map(str, current().names())

    def __len__(self):
        return len(current().names())


class WorkspaceStore(DefaultStore):
    """D-Tale's global state, where it is more than the mapping above."""

    def __init__(self):
        self._data_store = WorkspaceFrames()

    def build_data_id(self):
        """Return a new id (str), from the database: no two threads get the same."""
        return str(current().reserve())

    def get_data_inst(self, data_id):
        """D-Tale makes an empty frame of an id that it does not know; this refuses it.

        Raises:
            FrameMissing
        """
        if data_id is None:
            return self._data_store.build_instance(None)
        return FrameInstance(current().get(data_id))

    def get_data_id_by_name(self, data_name):
        """Return the id (str) of the frame with this name, None if there is none.

        A number is an id: no frame can hide another one by being called "2".
        """
        if data_name is None or str(data_name).isdecimal():
            return None
        for pk, name in current().names().items():
            if name and data_name in (name, convert_name_to_url_path(name)):
                return str(pk)
        return None

    def get_name(self, data_id):
        """Return a frame's name (str)."""
        return "" if data_id is None else current().name(data_id)

    def known_id(self, id_or_name):
        """Return the id (str) of the workspace's frame with this id or name.

        Raises:
            FrameMissing: there is none.
        """
        data_id = self.get_data_id_by_name(id_or_name) or id_or_name
        return str(current().get(data_id).row.pk)

    def set_name(self, data_id, val):
        if val not in (None, ""):
            self.get_data_inst(data_id).name = val

    def delete_instance(self, data_id):
        """Delete a frame; an id that is not this workspace's is passed over."""
        if data_id in self._data_store:
            del self._data_store[data_id]

    def clear_store(self):
        """Nothing: D-Tale empties its store when its server is shut down."""
