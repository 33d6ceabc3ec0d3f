"""The rights of the bound workspace's user for a frame."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .decorators import may_list_users
from .models import Change, Frame, Role, SavedView, Share
from .workspace import Workspace


@dataclass(frozen=True)
class Access:
    """The rights of a person who can see a frame.

    Attributes:
        role: a value of ``Role``; None for the owner.
        history_since: the time from which an editor sees changes; None for all.
    """

    role: str | None = None
    history_since: datetime | None = None

    @property
    def is_owner(self) -> bool:
        return self.role is None

    @property
    def can_write(self) -> bool:
        """Return whether the person may change the data."""
        return self.role in (None, Role.EDITOR)

    def can_see(self, change: Change) -> bool:
        """Return whether the person may see, undo and restore the state before a change."""
        is_recent = self.history_since is None or change.made_at >= self.history_since
        return self.can_write and is_recent

    def can_change(self, view: SavedView, user_id: Any) -> bool:
        """Return whether a person may change a saved view: the owner, or its author."""
        is_author = user_id is not None and view.user_id == user_id
        return self.is_owner or (self.can_write and is_author)


OWNER = Access()


def access_to(frame: Frame, workspace: Workspace, lock: bool = False) -> Access | None:
    """Return the rights of a workspace for a frame, or None if it has none.

    Args:
        lock: lock the rows of the shares, so that they cannot be removed meanwhile.
    """
    if frame.deleted_at is not None:
        return None
    if workspace.owns(frame):
        return OWNER
    shares = Share.objects.of(workspace).filter(frame=frame)
    if lock:
        shares = shares.select_for_update(of=("self",))
    found = list(shares)
    if not found:
        return None
    editors = [share for share in found if share.role == Role.EDITOR]
    if not editors:
        return Access(Role.READER)
    times = [share.history_since for share in editors]
    return Access(Role.EDITOR, None if None in times else min(filter(None, times)))


def owner_address(frame: Frame, workspace: Workspace) -> str:
    """Return the e-mail address of a frame's owner; empty if a user may not see it.

    Users see the addresses of people who have shared a frame with them by name, and of
    everyone if LIST_USERS lets them search for other users.
    """
    owner, user = frame.owner, workspace.signed_in_user
    if owner is None or user is None:
        return ""
    is_direct = Share.objects.filter(frame=frame, user=user.pk).exists()
    if not (is_direct or may_list_users(user)):
        return ""
    return getattr(owner, owner.get_email_field_name(), "") or ""
