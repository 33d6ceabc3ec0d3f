"""The library's settings: the keys of the dict `DTALE`, with their defaults.

``dtale_settings.MAX_CELLS`` reads ``settings.DTALE`` on each access, so a test can
override a key with ``override_settings(DTALE={...})``. Do not copy a value into a
constant of a module. `docs/settings.md` is generated from ``SETTINGS``, and `checks.py`
uses ``SETTINGS`` to validate the dict.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

ENDPOINT_KINDS = "page", "data", "export"


class Kind(NamedTuple):
    """A rule for the values that a key accepts."""

    accepts: Callable[[Any], bool]
    hint: str  # The end of a sentence that begins with "Write".


def _is_filters(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(name, str)
        and isinstance(each, Mapping)
        and isinstance(each.get("filter"), str)
        and each.keys() <= {"filter", "description"}
        for name, each in value.items()
    )


def _is_endpoints(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(name, str) and kind in ENDPOINT_KINDS for name, kind in value.items()
    )


FLAG = Kind(lambda value: isinstance(value, bool), "True or False")
NUMBER = Kind(
    lambda value: type(value) is int and value >= 0, "a whole number, 0 or more"
)
TEXT = Kind(lambda value: isinstance(value, str), "a text in quotation marks")
DIRECTORY = Kind(
    lambda value: isinstance(value, str | Path) and bool(str(value)),
    'a path, such as BASE_DIR / "data"',
)
ENDPOINTS = Kind(
    _is_endpoints,
    'a dict such as {"version_info": "data"}, with "page", "data" or "export" for each '
    "endpoint of D-Tale",
)
FUNCTION = Kind(
    lambda value: callable(value) or isinstance(value, str),
    'a function, or its dotted path, such as "shop.rules.can_use_frames"',
)
FLAG_OR_FUNCTION = Kind(
    lambda value: FLAG.accepts(value) or FUNCTION.accepts(value),
    'True, False, a function, or its dotted path, such as "shop.rules.can_list_users"',
)
VALUES = Kind(
    lambda value: isinstance(value, Mapping) or FUNCTION.accepts(value),
    'a dict such as {"my_region": "North"}, or a function that returns one, or its '
    'dotted path, such as "shop.rules.filter_values"',
)
FILTERS = Kind(
    _is_filters,
    'a dict such as {"Large orders": {"filter": "price > 1000", "description": "..."}}',
)


class Setting(NamedTuple):
    """A key of DTALE.

    Attributes:
        default: the value if the key is missing. If there is a ``default_text``, this
            is a function that derives the default from the other settings.
        default_text: the description of a derived default in the documentation.
    """

    default: Any
    kind: Kind
    description: str
    default_text: str = ""


def _data_directory(current: "DtaleSettings") -> Path:
    base = getattr(settings, "BASE_DIR", None)
    if base is None:
        raise ImproperlyConfigured(
            'Set DTALE["DATA_DIR"] to a private directory for the frames of users: '
            "there is no default, because the settings have no BASE_DIR."
        )
    return Path(base, "data")


SETTINGS = {
    "PREFIX": Setting(
        "flask",
        TEXT,
        "Path under which D-Tale is mounted, without leading and trailing slashes. Its "
        "first segment must not be `dtale`, nor that of another page of the site.",
    ),
    "DATA_DIR": Setting(
        _data_directory,
        DIRECTORY,
        "Private directory for the library's data. Frame files are in its "
        'subdirectory `frames`, unless you set `STORAGES["frames"]`.',
        '`BASE_DIR / "data"`',
    ),
    "LOGIN_REQUIRED": Setting(
        True,
        FLAG,
        "Whether only signed-in users can have and see frames. If false, anonymous "
        "visitors have frames in their session.",
    ),
    "USER_CAN_USE_FRAMES": Setting(
        "django_dtale.decorators.is_signed_in_if_required",
        FUNCTION,
        "Access policy: a function, or its dotted path. It receives the user of the "
        "request, who may be anonymous, and returns whether this user can have and see "
        "frames. The default depends on `LOGIN_REQUIRED`.",
    ),
    "LIST_USERS": Setting(
        False,
        FLAG_OR_FUNCTION,
        "Whether users can search for each other when they share a table, by username, "
        "first and last name, or e-mail address. If false, they have to type the exact "
        "username or e-mail address. You can also give a function, or its dotted path, "
        "that receives the user who searches and returns `True` or `False`.",
    ),
    "EXTRA_ENDPOINTS": Setting(
        {},
        ENDPOINTS,
        "Additional endpoints of D-Tale to open, each with its kind: `page` if people "
        "open it, `export` if it returns a file, `data` if pages request it in the "
        "background. The cost of these endpoints is not limited.",
    ),
    "FILTER_VALUES": Setting(
        {},
        VALUES,
        "Values that users can use in filters, by name: with `my_region` in this dict, "
        "they can write `region == @my_region`. A value is a number, a text, a date, "
        "`True`, `False`, or a list of these. Instead of the dict, you can give a "
        "function, or its dotted path, that receives the user of the request, who may "
        "be anonymous, and returns the dict.",
    ),
    "PREDEFINED_FILTERS": Setting(
        {},
        FILTERS,
        "Filters that users can switch on and off in D-Tale's menu. The dict maps the "
        'name of each filter to `{"filter": ..., "description": ...}`. A table offers '
        "the filters whose columns it has.",
    ),
    "MAX_COUNT": Setting(200, NUMBER, "Number of frames that one user can have."),
    "MAX_MB": Setting(5_000, NUMBER, "Total megabytes of one user's frames."),
    "MAX_CELLS": Setting(100_000_000, NUMBER, "Rows x columns of one frame."),
    "MAX_COLUMNS": Setting(5_000, NUMBER, "Columns of one frame."),
    "SOURCE_ROWS": Setting(
        100_000,
        NUMBER,
        "Rows to read from a table that can be larger than memory: an ibis expression, a "
        "DuckDB relation, an Arrow dataset or a SQL query. The argument `limit` of "
        "`explore` and `publish` overrides this number.",
    ),
    "MAX_UPLOAD_MB": Setting(
        200, NUMBER, "Megabytes of one upload, which can contain several files."
    ),
    "READER_MB": Setting(
        lambda current: max(1_000, 10 * current.MAX_UPLOAD_MB),
        NUMBER,
        "Maximum megabytes of memory for reading an uploaded file.",
        "ten times `MAX_UPLOAD_MB`, at least `1000`",
    ),
    "READER_SECONDS": Setting(
        120,
        NUMBER,
        "Maximum number of seconds for reading an uploaded file. Small files have a "
        "lower limit: 10 seconds, plus 3 for each megabyte.",
    ),
    "MAX_SECONDS": Setting(
        120,
        NUMBER,
        "Seconds after which a request counts as stuck: it is logged, and gunicorn "
        "replaces its worker. 0: never.",
    ),
    "EXPIRE_DAYS": Setting(
        90,
        NUMBER,
        "Days after which `manage.py purge_frames` deletes a frame that nobody has "
        "opened. 0: never.",
    ),
    "TRASH_DAYS": Setting(
        30,
        NUMBER,
        "Days for which users can restore deleted tables and removed shares. "
        "Afterwards, `manage.py purge_frames` deletes them for good. 0: its next run "
        "deletes them.",
    ),
    "HISTORY_COUNT": Setting(
        200,
        NUMBER,
        "Number of changes of one frame that are kept, so that users can undo them and "
        "restore earlier states. 0: none.",
    ),
    "HISTORY_MB": Setting(
        500,
        NUMBER,
        "Maximum megabytes of the earlier states of one frame. The oldest are deleted "
        "first. They count towards `MAX_MB`.",
    ),
    "HISTORY_DAYS": Setting(
        30, NUMBER, "Days after which `manage.py purge_frames` deletes old changes."
    ),
    "AUDIT_DAYS": Setting(
        365,
        NUMBER,
        "Days after which `manage.py purge_frames` deletes entries of the audit log. 0: "
        "never.",
    ),
    "MAX_TOKEN_DAYS": Setting(
        0,
        NUMBER,
        "Maximum number of days for which a new access token is valid. 0: users can "
        "create tokens that never expire. Existing tokens do not change.",
    ),
    "CACHE_MB": Setting(
        500, NUMBER, "Megabytes of memory in each process for recently used frames."
    ),
    "FETCHED_DIR": Setting(
        lambda current: Path(current.DATA_DIR, "fetched"),
        DIRECTORY,
        "Directory for frames that were downloaded from a remote storage.",
        '`DATA_DIR / "fetched"`',
    ),
    "FETCHED_MB": Setting(
        10_000, NUMBER, "Megabytes of disk space for downloaded frames."
    ),
    "PATCHED_DIR": Setting(
        lambda current: Path(current.DATA_DIR, "patched"),
        DIRECTORY,
        "Directory for patched copies of D-Tale's scripts. They are written when they "
        "are first needed.",
        '`DATA_DIR / "patched"`',
    ),
    "METRICS_TOKEN": Setting(
        "",
        TEXT,
        "Bearer token for reading the metrics with Prometheus. Without it, no metrics "
        "are collected.",
    ),
}


class DtaleSettings:
    """The keys of SETTINGS as attributes, with the current values of DTALE."""

    def __getattr__(self, name: str) -> Any:
        try:
            setting = SETTINGS[name]
        except KeyError:
            raise AttributeError(f"{name} is not a key of DTALE") from None
        given = configured()
        if name in given:
            value = given[name]
        elif setting.default_text:
            value = setting.default(self)
        else:
            value = setting.default
        is_path = setting.kind in (FUNCTION, FLAG_OR_FUNCTION, VALUES)
        if is_path and isinstance(value, str):
            return import_string(value)
        return value


def configured() -> Mapping[str, Any]:
    """Return the site's DTALE, or an empty dict if DTALE is missing or invalid."""
    given = getattr(settings, "DTALE", None)
    return given if isinstance(given, Mapping) else {}


dtale_settings = DtaleSettings()
