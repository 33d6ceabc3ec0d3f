"""The workspace: the user or visitor whose frames a request can see.

WorkspaceMiddleware binds it to a ContextVar.
"""

import contextlib
import functools
import secrets
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model
from django.http import HttpRequest

from .filters.site import values_of
from .models import Frame, Preferences
from .models.names import unique_name

if TYPE_CHECKING:
    from django.contrib.sessions.backends.base import SessionBase

SESSION_KEY = "frames_visitor"  # The key of a visitor's token in the session.
# Sentinel that matches no row: this visitor has no token yet.
NO_VISITOR = "nobody"


class NoWorkspace(RuntimeError):
    """Code needs frames, but no workspace is bound."""


@dataclass(frozen=True)
class Workspace:
    """A signed-in user, or a visitor who is identified by their session.

    Args:
        user: the user. For a visitor, this is an AnonymousUser or None.
        session: the session of a visitor.
    """

    user: AbstractBaseUser | AnonymousUser | None
    session: "SessionBase | None" = field(default=None, repr=False)

    @classmethod
    def of(cls, frame: Frame) -> Self:
        """Return the workspace of a frame's owner."""
        session: Any = {SESSION_KEY: frame.visitor_token}
        return cls(frame.owner, None if frame.owner_id else session)

    @property
    def user_id(self) -> Any:
        """Return the user's primary key, or None for a visitor."""
        return getattr(self.user, "pk", None)

    @property
    def signed_in_user(self) -> AbstractBaseUser | None:
        """Return the user, or None for a visitor."""
        return self.user if self.user_id else None  # type: ignore[return-value]

    @property
    def has_no_token(self) -> bool:
        """Return whether this is a visitor who has never had a frame."""
        return self.owner_fields().get("visitor_token") == NO_VISITOR

    @functools.cached_property
    def filter_values(self) -> Mapping[str, Any]:
        """Return the site's values that this user can use in filters."""
        return values_of(self.user or AnonymousUser())

    def owner_fields(self, create: bool = False) -> dict[str, Any]:
        """Return the fields with which this workspace's rows are filtered and created.

        Args:
            create: create a token in the session of a visitor who has none. A visitor
                without a token has no rows, and the fields match no row.
        """
        if self.user_id:
            return {"owner_id": self.user_id}
        token = self.session.get(SESSION_KEY) if self.session is not None else None
        if token is None and create:
            if self.session is None:
                raise NoWorkspace("A frame needs an owner: a user, or a session.")
            token = self.session[SESSION_KEY] = secrets.token_hex(16)
        return {"owner_id": None, "visitor_token": token or NO_VISITOR}

    def lock(self) -> None:
        """Lock the user's row until the end of the transaction.

        Transactions that call this method run one after another. Visitors have no row,
        so theirs do not wait, except in SQLite.
        """
        if self.user_id:
            users = get_user_model()._default_manager.filter(pk=self.user_id)
            users.select_for_update().values_list("pk").first()

    def owns(self, row: Model) -> bool:
        """Return whether a row belongs to this workspace."""
        return all(
            getattr(row, name) == value for name, value in self.owner_fields().items()
        )


def claim_visitor_frames(
    sender: object, request: HttpRequest, user: AbstractBaseUser, **kwargs: object
) -> None:
    """Give a user who signs in the frames that they created as a visitor.

    This is a receiver of ``user_logged_in``.
    """
    token = request.session.pop(SESSION_KEY, None)
    if token is not None:
        _claim(token, user)
    # WorkspaceMiddleware writes the theme into the cookie of this browser.
    stored = Preferences.objects.filter(owner=user)  # type: ignore[misc]
    settings = stored.values_list("app_settings", flat=True).first() or {}
    request.frames_theme = settings.get("theme")  # type: ignore[attr-defined]


def _claim(token, user):
    own = Frame.objects.filter(owner=user)
    taken = set(own.values_list("name", flat=True))
    for frame in Frame.objects.filter(visitor_token=token).defer("settings"):
        frame.views.filter(user=None).update(user=user)
        frame.owner = user
        frame.visitor_token = ""
        frame.name = unique_name(frame.name, taken)
        # Another request may be changing the other fields.
        frame.save(update_fields=["owner", "visitor_token", "name"])
        for views in frame.views, frame.saved_views:
            views.filter(user=None).update(user=user)
        taken.add(frame.name)
    preferences = Preferences.objects.filter(visitor_token=token)
    if Preferences.objects.filter(owner=user).exists():
        preferences.delete()
    else:
        preferences.update(owner=user, visitor_token=None)


_current: ContextVar[Workspace] = ContextVar("workspace")


def current() -> Workspace:
    """Return the bound workspace.

    Raises:
        NoWorkspace: no workspace is bound.
    """
    workspace = _current.get(None)
    if workspace is None:
        raise NoWorkspace(
            "Frames need an owner, but no workspace is bound. For requests, add "
            "django_dtale.middleware.WorkspaceMiddleware to MIDDLEWARE. Elsewhere, use "
            "django_dtale.workspace.bind(Workspace(user))."
        )
    return workspace


@contextlib.contextmanager
def bind(workspace: Workspace) -> Iterator[Workspace]:
    """Bind a workspace for the duration of a with-block."""
    token = _current.set(workspace)
    try:
        yield workspace
    finally:
        _current.reset(token)
