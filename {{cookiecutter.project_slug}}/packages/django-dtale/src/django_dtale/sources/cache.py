"""Fresh tables of a cached source, which several people share."""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from ..models import Frame, Origin, Share
from ..unit_of_work import unit_of_work
from ..workspace import Workspace, bind
from .registry import Source

# The owner's filters and order, which other people have not chosen.
OF_THE_OWNER = {"columnFilters", "outlierFilters", "query", "invertFilter", "sortInfo"}


def fresh_frame(
    source: Source, parameters: dict[str, Any], here: Workspace
) -> Frame | None:
    """Return a fresh frame of a source that the workspace may use, or None.

    A frame of another user is shared with the workspace's user, as read-only. Frames
    whose data were edited or sorted since they were collected are not used.
    """
    if not (source.cache and here.user_id):
        return None
    fresh = Frame.objects.filter(
        origin=Origin.SOURCE,
        source=source.key,
        parameters=parameters,
        data_at__gt=timezone.now() - timedelta(seconds=source.cache),
        updated_at__lte=F("data_at"),
        owner__isnull=False,
    ).order_by("-data_at")
    own = fresh.owned_by(here).first()
    if own is not None:
        return own
    frame = fresh.first()
    if frame is not None:
        _share(frame, here)
    return frame


def _share(frame: Frame, here: Workspace) -> None:
    """Let the workspace's user read a frame, in a view of their own."""
    _row, is_new = Share.objects.get_or_create(frame=frame, user_id=here.user_id)
    if not is_new:
        return
    with bind(here), unit_of_work() as unit:
        opened = unit.get(frame.pk)
        state = opened.view_state
        settings = state.get("settings") or {}
        columns = opened.shared_state.get("dtypes") or ()
        state["settings"] = {
            key: value for key, value in settings.items() if key not in OF_THE_OWNER
        }
        state["visible"] = {column["name"]: True for column in columns}
