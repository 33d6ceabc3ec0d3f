"""The rule of ``Frame.can_edit``, which says what people may edit in D-Tale.

The rule applies to everyone, including the owner of the table. D-Tale stores all
changes of data with one method of ``store``, so the rule is checked there, and an
endpoint of a later release cannot bypass it.
"""

from typing import Any

from flask import has_request_context, request

from ..exceptions import NotEditable
from ..models import Frame
from .endpoints import EDIT_CELL

# These endpoints store the columns in another order.
REORDERING = "dtale.update_column_position", "dtale.update_locked"


def check_edit(frame: Frame) -> None:
    """Refuse a request of D-Tale that changes data which cannot be edited.

    Code outside of D-Tale's requests may change all data.

    Raises:
        NotEditable: the message says what can be edited.
    """
    if frame.can_edit is None or not has_request_context():
        return
    if request.endpoint in REORDERING:
        return
    column = request.args.get("col", "")
    if request.endpoint != EDIT_CELL or column not in frame.can_edit:
        raise NotEditable(frame)
    choices = frame.can_edit[column]
    if choices is not None and request.args.get("updated") not in choices:
        raise NotEditable(frame, column)


def with_rules(
    settings: dict[str, Any] | None, frame: Frame, can_write: bool = True
) -> dict[str, Any] | None:
    """Return D-Tale's settings for a frame, so that its grid offers only allowed edits.

    Args:
        can_write: whether the person may change the data at all.
    """
    if settings is None:
        return None
    if not can_write:
        return {**settings, "allow_cell_edits": False, "column_edit_options": {}}
    if frame.can_edit is None:
        return settings
    # D-Tale itself offers to make a cell empty.
    choices = {
        column: [each for each in values if each != "nan"]
        for column, values in frame.can_edit.items()
        if values is not None
    }
    return {
        **settings,
        "allow_cell_edits": list(frame.can_edit) or False,
        "column_edit_options": choices,
    }


def without_rules(settings: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return settings without the rule, which is stored only in ``Frame.can_edit``."""
    if not settings or "column_edit_options" not in settings:
        return settings
    kept = {k: v for k, v in settings.items() if k != "column_edit_options"}
    return {**kept, "allow_cell_edits": True}
