"""Whose frames this request may see: one ContextVar, bound by a middleware."""

import contextlib
import secrets
from contextvars import ContextVar
from dataclasses import dataclass, field

from .frame_names import free_name
from .models import Frame, Preferences

VISITOR = "frames_visitor"  # Where a session keeps a visitor's token.
NOBODY = "nobody"  # In place of the token of who has none: no row has it.


class NoWorkspace(RuntimeError):
    """Frames were asked for by nobody: no workspace is bound here."""


@dataclass(frozen=True)
class Workspace:
    """A signed-in user, or a visitor who is known by their session.

    Args:
        user: the user, or AnonymousUser or None with a session.
        session: ``SessionBase`` of a visitor.
    """

    user: object
    session: object = field(default=None, repr=False)

    @property
    def user_id(self):
        """The user's primary key, None for a visitor."""
        return getattr(self.user, "pk", None)

    @property
    def is_empty(self):
        """Say (bool) whether this is a visitor who has never had a frame."""
        return self.owner().get("visitor") == NOBODY

    def owner(self, make=False):
        """Return the fields (dict) by which this workspace's rows are found or made.

        Args:
            make: give a visitor who has none yet a token, in their session. Without
                one they have no rows, and the fields find none.
        """
        if self.user_id:
            return {"owner_id": self.user_id}
        token = self.session.get(VISITOR) if self.session is not None else None
        if token is None and make:
            if self.session is None:
                raise NoWorkspace("A frame needs an owner: a user, or a session.")
            token = self.session[VISITOR] = secrets.token_hex(16)
        return {"owner_id": None, "visitor": token or NOBODY}

    def owns(self, row):
        """Say (bool) whether a row belongs to whoever works here."""
        return all(getattr(row, name) == value for name, value in self.owner().items())


def adopt(sender, request, user, **kwargs):
    """Give who signs in what they made as a visitor: a receiver of user_logged_in."""
    token = request.session.pop(VISITOR, None)
    if token is None:
        return
    taken = set(Frame.objects.filter(owner=user).values_list("name", flat=True))
    for frame in Frame.objects.filter(visitor=token).defer("settings"):
        frame.owner, frame.visitor = user, ""
        frame.name = free_name(frame.name, taken)
        frame.save()
        taken.add(frame.name)
    preferences = Preferences.objects.filter(visitor=token)
    if Preferences.objects.filter(owner=user).exists():
        preferences.delete()
    else:
        preferences.update(owner=user, visitor=None)


_current = ContextVar("workspace")


def current():
    """Return the bound Workspace.

    Raises:
        NoWorkspace: none is bound.
    """
    workspace = _current.get(None)
    if workspace is None:
        raise NoWorkspace(
            "Frames belong to someone. Requests have a workspace by "
            "frames.middleware.WorkspaceMiddleware; elsewhere use "
            "frames.workspace.bind(Workspace(user))."
        )
    return workspace


@contextlib.contextmanager
def bind(workspace):
    """Bind a Workspace for the time of a with-block."""
    token = _current.set(workspace)
    try:
        yield workspace
    finally:
        _current.reset(token)
