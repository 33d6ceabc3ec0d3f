"""What D-Tale keeps once for everyone, here once for each person.

Theme, language, pinned menu and sizes; the maps (GeoJSON) that they uploaded; their
Mapbox token. A visitor's are their session's, and follow them when they sign in.
"""

import contextlib
import logging
from collections import UserDict

from django.core.signing import BadSignature
from django.db import transaction
from django.utils.translation import gettext
from dtale import global_state
from dtale.translations import _languages as languages

from .exceptions import FrameError, LimitExceeded
from .formats import grouped
from .models import Preferences
from .sealing import seal, unseal
from .unit_of_work import current, is_bound

logger = logging.getLogger(__name__)

GEOJSON = "frames.geojson"
MAX_MAPS = 20 << 20  # Bytes, of one person.


class PreferenceRefused(FrameError, ValueError):
    """A value that a preference cannot have."""


def _pixels(value):
    return value is None or (type(value) is int and 10 <= value <= 5_000)


# What a person may set, and what it can be: D-Tale writes it into its pages.
ALLOWED = {
    "theme": lambda value: value in ("light", "dark"),
    "language": lambda value: value in list(languages),
    "pin_menu": lambda value: type(value) is bool,
    "max_column_width": _pixels,
    "max_row_height": _pixels,
}


class AppSettings(UserDict):
    """D-Tale's settings as one person has them; their own are read when they count.

    D-Tale changes what it gets and sets it then. Outside of a request, as while D-Tale
    is built, all are the defaults.
    """

    def __init__(self):
        super().__init__()
        self.data = dict(global_state.APP_SETTINGS)
        self.is_read = not is_bound()

    def __getitem__(self, name):
        if name in ALLOWED:
            self.read()
        return super().__getitem__(name)

    def __setitem__(self, name, value):
        self.read()  # Or what is read later would take its place.
        super().__setitem__(name, value)

    def __iter__(self):
        self.read()
        return super().__iter__()

    def read(self):
        if not self.is_read:
            self.is_read = True
            self.data |= _preferences().app_settings


def set_app_settings(settings):
    """Remember a person's settings.

    D-Tale also writes them into the settings of every frame: not here.

    Raises:
        PreferenceRefused: for one that is not theirs to set, or a value it cannot have.
    """
    before = AppSettings()
    changed = {
        name: value for name, value in settings.items() if before.get(name) != value
    }
    for name, value in changed.items():
        if name not in ALLOWED or not ALLOWED[name](value):
            raise PreferenceRefused(f"{name} cannot be {str(value)[:50]!r} here.")
    with _changing() as preferences:
        preferences.app_settings |= changed


def get_mapbox_token():
    """Return the person's token for Mapbox's maps (str), None if they gave none."""
    return _preferences().mapbox_token or None


def set_mapbox_token(token):
    """Remember a person's token for Mapbox's maps.

    Raises:
        PreferenceRefused: it is none.
    """
    if not (isinstance(token, str) and token.isascii() and 0 < len(token) <= 200):
        raise PreferenceRefused("A Mapbox token is a line of up to 200 characters.")
    with _changing() as preferences:
        preferences.mapbox_token = token


class GeojsonList(list):
    """The maps that a person has uploaded, in place of D-Tale's one list for all."""

    def __iter__(self):
        return iter(_maps(_preferences()))

    def __len__(self):
        return len(list(iter(self)))

    def append(self, geojson):
        with _changing() as preferences:
            maps = seal([*_maps(preferences), geojson], GEOJSON)
            if len(maps) > MAX_MAPS:
                raise LimitExceeded(
                    gettext(
                        "Your maps would take %(size)s bytes, and one person's may take "
                        "%(limit)s. Use a simpler map."
                    )
                    % {"size": grouped(len(maps)), "limit": grouped(MAX_MAPS)}
                )
            preferences.geojson = maps


def _maps(preferences):
    """Return the uploaded maps (list of dict): none, if they cannot be read."""
    if not preferences.geojson:
        return []
    try:
        return unseal(bytes(preferences.geojson), GEOJSON)
    except BadSignature:
        # People have them, and upload them again; their charts are to work meanwhile.
        logger.error(
            "The maps of preferences %s were not written here.", preferences.pk
        )
        return []


def _preferences():
    """Return the Preferences of who works here, read once in a unit of work."""
    unit = current()
    if unit.preferences is None:
        owner = unit.workspace.owner()
        unit.preferences = Preferences.objects.quick_get(**owner) or Preferences()
    return unit.preferences


@contextlib.contextmanager
def _changing():
    """Change the Preferences of who works here; two at once lose nothing."""
    unit = current()
    owner = unit.workspace.owner(make=True)
    with transaction.atomic():
        row, _ = Preferences.objects.select_for_update().get_or_create(**owner)
        yield row
        row.save()
    unit.preferences = row
