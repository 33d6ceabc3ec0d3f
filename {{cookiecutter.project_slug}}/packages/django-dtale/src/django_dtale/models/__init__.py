"""The models: frames, shares, preferences and access tokens."""

from .frames import Frame, Origin, Record, Share, update_without_waiting
from .preferences import Preferences
from .tokens import Token

__all__ = [
    "Frame",
    "Origin",
    "Preferences",
    "Record",
    "Share",
    "Token",
    "update_without_waiting",
]
