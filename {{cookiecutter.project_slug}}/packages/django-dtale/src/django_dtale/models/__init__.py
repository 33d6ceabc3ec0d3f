"""The models: frames, shares, views, history, preferences, presence, tokens and the audit log."""

from .audit import Action, AuditEntry
from .frames import Frame, Origin, Record, update_without_waiting
from .history import Change, Kind
from .preferences import Preferences
from .presence import Presence
from .shares import EVERYONE, People, RemovedShare, Role, Share
from .tokens import Token
from .views import PersonalView, SavedView

__all__ = [
    "EVERYONE",
    "Action",
    "AuditEntry",
    "Change",
    "Frame",
    "Kind",
    "Origin",
    "People",
    "PersonalView",
    "Preferences",
    "Presence",
    "Record",
    "RemovedShare",
    "Role",
    "SavedView",
    "Share",
    "Token",
    "update_without_waiting",
]
