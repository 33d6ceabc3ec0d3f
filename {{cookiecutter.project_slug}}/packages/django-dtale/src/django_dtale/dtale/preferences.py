"""Store preferences for each user: D-Tale itself has one set for everyone.

Preferences are the theme, the language, the pinned menu, the sizes of cells, uploaded
maps (GeoJSON) and the Mapbox token. The preferences of a visitor belong to the session,
and move to the account when the visitor signs in.
"""

import contextlib
import logging
from collections import UserDict
from collections.abc import Iterator
from typing import Any

from django.core.signing import BadSignature
from django.db import transaction
from django.utils.translation import gettext
from dtale import global_state
from dtale.translations import _languages as languages
from flask import after_this_request, has_request_context, request

from ..exceptions import FrameError, LimitExceeded
from ..formats import format_number
from ..models import Preferences
from ..storage import signing
from ..theme import SYSTEM, THEMES, remember_theme, theme_in
from ..unit_of_work import current, is_bound

logger = logging.getLogger(__name__)

GEOJSON = "frames.geojson"
MAX_MAPS = 20 << 20  # Bytes for each user.


class PreferenceRefused(FrameError, ValueError):
    """A preference cannot have this value."""


def _is_pixel_size(value):
    return value is None or (type(value) is int and 10 <= value <= 5_000)


# The preferences that users may change. The value of each is checked, because D-Tale
# writes the values into its pages.
ALLOWED = {
    "theme": lambda value: value in THEMES,
    "language": lambda value: value in list(languages),
    "pin_menu": lambda value: type(value) is bool,
    "max_column_width": _is_pixel_size,
    "max_row_height": _is_pixel_size,
}


class AppSettings(UserDict):
    """D-Tale's settings with the current user's preferences, which are read lazily.

    D-Tale modifies this dictionary, and then passes it to `set_app_settings`. Outside a
    request, for example while D-Tale is built, all settings have their defaults.
    """

    def __init__(self) -> None:
        super().__init__()
        self.data = dict(global_state.APP_SETTINGS)
        self.is_read = not is_bound()

    def __getitem__(self, name: str) -> Any:
        if name in ALLOWED:
            self.read()
        return super().__getitem__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.read()  # Otherwise, a later read would overwrite this value.
        super().__setitem__(name, value)

    def __iter__(self) -> Iterator[str]:
        self.read()
        return super().__iter__()

    def read(self) -> None:
        if not self.is_read:
            self.is_read = True
            self.data |= _preferences().app_settings
            self.data["theme"] = current_theme()


def set_app_settings(settings: dict[str, Any]) -> None:
    """Save the preferences that the current user has changed.

    D-Tale's own function also copies them into the settings of every frame.

    Raises:
        PreferenceRefused: A setting cannot be changed, or cannot have its new value.
    """
    before = AppSettings()
    changed = {
        name: value for name, value in settings.items() if before.get(name) != value
    }
    for name, value in changed.items():
        if name not in ALLOWED or not ALLOWED[name](value):
            raise PreferenceRefused(f"{name} cannot be {str(value)[:50]!r} here.")
    with _edit_preferences() as preferences:
        preferences.app_settings |= changed
    if "theme" in changed:
        after_this_request(lambda response: _with_theme(response, changed["theme"]))


def current_theme() -> str:
    """Return the theme of this browser, or else the one that the user has saved.

    The saved one is then written into the cookie of this browser, so that the site's
    pages have it, too.
    """
    theme = theme_in(request.cookies) if has_request_context() else None
    # D-Tale also writes pages about missing static files, which have no user.
    if theme is not None or not is_bound():
        return theme or SYSTEM
    saved = _preferences().app_settings.get("theme")
    if saved is not None and has_request_context():
        after_this_request(lambda response: _with_theme(response, saved))
    return saved or SYSTEM


def _with_theme(response, theme):
    remember_theme(response, theme)
    return response


def get_mapbox_token() -> str | None:
    """Return the current user's Mapbox token, or None."""
    return _preferences().mapbox_token or None


def set_mapbox_token(token: object) -> None:
    """Save the current user's Mapbox token.

    Raises:
        PreferenceRefused: The token is invalid.
    """
    if not (isinstance(token, str) and token.isascii() and 0 < len(token) <= 200):
        raise PreferenceRefused(
            "A Mapbox token must be one line of up to 200 characters."
        )
    with _edit_preferences() as preferences:
        preferences.mapbox_token = token


class GeojsonList(list):
    """The maps that the current user has uploaded. D-Tale has a global list instead."""

    def __iter__(self) -> Iterator[Any]:
        return iter(_maps(_preferences()))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def append(self, geojson: Any) -> None:
        with _edit_preferences() as preferences:
            maps = signing.dumps([*_maps(preferences), geojson], GEOJSON)
            if len(maps) > MAX_MAPS:
                raise LimitExceeded(
                    gettext(
                        "Your maps would take %(size)s bytes; the limit for each user "
                        "is %(limit)s. Use a simpler map."
                    )
                    % {
                        "size": format_number(len(maps)),
                        "limit": format_number(MAX_MAPS),
                    }
                )
            preferences.geojson = maps


def _maps(preferences):
    """Return the uploaded maps, or an empty list if they cannot be read."""
    if not preferences.geojson:
        return []
    try:
        return signing.loads(bytes(preferences.geojson), GEOJSON)
    except BadSignature:
        # The user can upload the maps again. Until then, charts have to work without
        # them.
        logger.error(
            "The maps of preferences %s have no valid signature of this site.",
            preferences.pk,
        )
        return []


def _preferences():
    """Return the current user's Preferences, read once per unit of work."""
    unit = current()
    if unit.preferences is None:
        owner = unit.workspace.owner_fields()
        # Only charts need the maps, which can be large.
        rows = Preferences.objects.defer("geojson").filter(**owner)
        unit.preferences = rows.first() or Preferences()
    return unit.preferences


@contextlib.contextmanager
def _edit_preferences():
    """Yield the current user's Preferences, locked until they are saved."""
    unit = current()
    owner = unit.workspace.owner_fields(create=True)
    with transaction.atomic():
        row, _ = Preferences.objects.select_for_update().get_or_create(**owner)
        yield row
        row.save()
    unit.preferences = row
