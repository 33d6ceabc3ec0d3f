"""Fresh tables of a cached source, which several people share."""

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from ..models import Frame, Origin, Share
from ..view import View
from ..workspace import Workspace, bind
from .registry import Source

# The owner's filters, which other people have not chosen. The order is that of the
# source: tables that their owner has sorted are not used.
OF_THE_OWNER = {"columnFilters", "outlierFilters", "query", "invertFilter"}


def fresh_frame(
    source: Source, parameters: dict[str, Any], here: Workspace
) -> Frame | None:
    """Return a fresh frame of a source that the workspace may use, or None.

    A frame of another user is shared with the workspace's user, as read-only. Frames
    whose data were edited or sorted since they were collected are not used.
    """
    if not (source.cache and here.user_id):
        return None
    fresh = (
        Frame.objects.kept()
        .filter(
            origin=Origin.SOURCE,
            source=source.key,
            parameters=parameters,
            data_at__gt=timezone.now() - timedelta(seconds=source.cache),
            updated_at__lte=F("data_at"),
            owner__isnull=False,
        )
        .order_by("-data_at")
    )
    own = fresh.owned_by(here).first()
    if own is not None:
        return own
    frame = fresh.first()
    if frame is not None:
        _share(frame, here, source)
    return frame


def _share(frame: Frame, here: Workspace, source: Source) -> None:
    """Let the workspace's user read a frame, in a view of their own."""
    # Imported here, because it imports pandas, which is slow.
    from ..unit_of_work import unit_of_work

    if Share.objects.of(here).filter(frame=frame).exists():
        return
    Share.objects.grant(frame, here.user)  # type: ignore[arg-type]
    with bind(here), unit_of_work() as unit:
        opened = unit.get(frame.pk)
        state = opened.view_state
        settings = state.get("settings") or {}
        columns = opened.shared_state.get("dtypes") or ()
        state["settings"] = {
            key: value for key, value in settings.items() if key not in OF_THE_OWNER
        }
        view = source.view or View()
        if view.query:
            state["settings"]["query"] = view.query
        shown = {*(view.columns or ()), *settings.get("indexes", ())}
        state["visible"] = {
            column["name"]: column["name"] not in view.hide
            and (not view.columns or column["name"] in shown)
            for column in columns
        }
