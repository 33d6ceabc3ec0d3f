"""System checks of the site's configuration, and of the installed release of D-Tale.

`manage.py` commands such as `runserver` and `migrate` run these checks. For other
servers, `wsgi.py` runs them.
"""

import difflib
import logging
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.storage import (
    ManifestFilesMixin,
    staticfiles_storage,
)
from django.core.checks import (
    CheckMessage,
    Error,
    Tags,
    Warning,
    register,
    run_checks,
)
from django.core.checks.security.base import (
    check_secret_key,
    check_secret_key_fallbacks,
)
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import SystemCheckError
from django.db import connections
from django.urls import URLPattern, URLResolver, get_resolver

from .conf import SETTINGS, dtale_settings
from .dtale.assets.finder import folder
from .dtale.assets.patches import patched_files
from .dtale.assets.patching import SUPPORTED, DtaleChanged
from .dtale.endpoints import OPEN
from .filters.checks import check_filters
from .names import SITE_SEGMENTS, InvalidName, check_dtale_prefix

logger = logging.getLogger(__name__)

TAG = "frames"
# Maps the settings of older releases to the keys of DTALE that have replaced them.
OLD_SETTINGS = {
    **{f"FRAMES_{name}": name for name in SETTINGS},
    "DTALE_PREFIX": "PREFIX",
    "FRAMES_MENDED_DIR": "PATCHED_DIR",
    "METRICS_TOKEN": "METRICS_TOKEN",
}
OLD_APP = "frames"
FINDER = "django_dtale.dtale.assets.finder.DtaleFinder"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
WORKSPACE = "django_dtale.middleware.WorkspaceMiddleware"
VERIFIED_DTALE = "3.22.0"  # The patches were verified with this release.


def require_clean() -> None:
    """Run the checks of this app and of the site, because WSGI and ASGI servers do not.

    This function also checks that static files have been collected, and that keys
    cannot be guessed. `manage.py` cannot require collected files, because
    `collectstatic` would fail, too. It checks keys only with `--deploy`. Warnings are
    logged.

    Raises:
        SystemCheckError: a check found an error.
    """
    found = run_checks(tags=[TAG, "site"]) + check_collected()
    if not settings.DEBUG:
        found += check_secret_key(None) + check_secret_key_fallbacks(None)
    errors = [each for each in found if each.is_serious()]
    if errors:
        raise SystemCheckError("\n".join(str(error) for error in errors))
    for each in found:
        logger.warning("%s", each)


@register(TAG)
def check_settings(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report old settings, and unknown keys or invalid values in DTALE."""
    given = getattr(settings, "DTALE", {})
    if not isinstance(given, Mapping):
        hint = 'Write DTALE = {"MAX_COUNT": 200}, for example.'
        return [Error("DTALE is not a dict.", hint=hint, id="frames.E004")]
    return [*_unknown(given), *_wrong(given), *_old_names(given)]


def _unknown(given: Mapping[str, Any]) -> Iterator[CheckMessage]:
    for name in sorted(given.keys() - SETTINGS.keys(), key=str):
        close = difflib.get_close_matches(str(name).upper(), SETTINGS, 1)
        question = f" Did you mean {close[0]}?" if close else ""
        yield Warning(
            f"DTALE has the unknown key {name!r}.{question}",
            hint="docs/settings.md of django-dtale describes all keys.",
            id="frames.W002",
        )
    extra = dtale_settings.EXTRA_ENDPOINTS
    for endpoint in extra if SETTINGS["EXTRA_ENDPOINTS"].kind.accepts(extra) else ():
        if endpoint in OPEN:
            yield Warning(
                f'DTALE["EXTRA_ENDPOINTS"] has {endpoint}, which is already open.',
                hint="Remove it.",
                id="frames.W003",
            )


def _wrong(given: Mapping[str, Any]) -> Iterator[CheckMessage]:
    for name, setting in SETTINGS.items():
        value = given.get(name)
        if name in given and not setting.kind.accepts(value):
            is_secret = name.endswith("TOKEN")
            shown = f"a {type(value).__name__}" if is_secret else repr(value)[:100]
            text, hint = f'DTALE["{name}"] is {shown}.', f"Write {setting.kind.hint}."
            yield Error(text, hint=hint, id="frames.E004")
    for name in "DATA_DIR", "USER_CAN_USE_FRAMES", "LIST_USERS", "FILTER_VALUES":
        try:
            getattr(dtale_settings, name)
        except ImproperlyConfigured as error:
            yield Error(str(error), id="frames.E004")
        except ImportError as error:
            text = f'DTALE["{name}"] cannot be imported: {error}.'
            yield Error(text, id="frames.E004")


def _old_names(given: Mapping[str, Any]) -> Iterator[CheckMessage]:
    for old, new in OLD_SETTINGS.items():
        # METRICS_TOKEN is also a key of DTALE. If the key is set, the setting with this
        # name may belong to another app.
        is_replaced = old == new and new in given
        if hasattr(settings, old) and not is_replaced:
            yield Error(
                f"The setting {old} is no longer used.",
                hint=f'Replace it with DTALE = {{"{new}": ...}}.',
                id="frames.E005",
            )
    if OLD_APP in settings.INSTALLED_APPS and not apps.is_installed("django_dtale"):
        yield Error(
            f"The app {OLD_APP} has been renamed to django_dtale.",
            hint='Write "django_dtale" in INSTALLED_APPS, and delete the old folder.',
            id="frames.E005",
        )


register(check_filters, TAG)


@register(TAG)
def check_prefix(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report a PREFIX that would break D-Tale's pages or hide a page of the site."""
    try:
        check_dtale_prefix(
            dtale_settings.PREFIX, taken=SITE_SEGMENTS | installed_segments()
        )
    except InvalidName as error:
        return [
            Error(
                str(error),
                hint='Change DTALE["PREFIX"] in settings.py.',
                id="frames.E001",
            )
        ]
    return []


@register(TAG)
def check_dtale(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report an installed release of D-Tale that the patches do not fit."""
    installed = version("dtale")
    if installed == VERIFIED_DTALE:
        return []
    try:
        if not installed.startswith(SUPPORTED.rstrip("*")):
            raise DtaleChanged("another release", "the environment")
        patched_files("static")
        patched_files("templates")
    except DtaleChanged as error:
        return [Error(str(error), id="frames.E002")]
    return []


@register(TAG)
def check_finder(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report a missing `DtaleFinder`: D-Tale's pages would have no scripts."""
    if FINDER in settings.STATICFILES_FINDERS:
        return []
    return [
        Error(
            "D-Tale's scripts are not among the static files.",
            hint=f'Add "{FINDER}" to STATICFILES_FINDERS.',
            id="frames.E006",
        )
    ]


@register(TAG)
def check_middleware(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report a missing or misplaced WorkspaceMiddleware: views need the workspace."""
    names = list(settings.MIDDLEWARE)
    # A site may use another middleware instead of AuthenticationMiddleware.
    known = [name for name in names if name in (AUTHENTICATION, WORKSPACE)]
    if known[-1:] == [WORKSPACE]:
        return []
    return [
        Error(
            f"{WORKSPACE} is missing from MIDDLEWARE, or is listed too early.",
            hint=f'Add "{WORKSPACE}" after the middleware that sets request.user.',
            id="frames.E007",
        )
    ]


@register(TAG)
def check_metrics(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Report METRICS_TOKEN if the client library of Prometheus is not installed."""
    if not dtale_settings.METRICS_TOKEN or find_spec("prometheus_client"):
        return []
    return [
        Error(
            'DTALE["METRICS_TOKEN"] is set, but prometheus-client is not installed.',
            hint="Install it: uv sync --inexact --extra metrics, or pip install "
            '"django-dtale[metrics]".',
            id="frames.E009",
        )
    ]


@register(Tags.database)
def check_users(
    app_configs: object, databases: Sequence[str] | None = None, **kwargs: object
) -> list[CheckMessage]:
    """Report an AUTH_USER_MODEL that was changed after the tables were created.

    After this change, `migrate` would have nothing to do, and every page would fail.
    `migrate` runs this check.
    """
    users = get_user_model()._meta.db_table
    for alias in databases or ():
        connection = connections[alias]
        with connection.cursor() as cursor:
            tables = connection.introspection.table_names(cursor)
        if "auth_user" in tables and users not in tables:
            return [
                Error(
                    f"The users are in the table auth_user, and {users} does not exist.",
                    hint='Set AUTH_USER_MODEL = "auth.User" in the settings.',
                    id="frames.E008",
                )
            ]
    return []


@register(Tags.security, deploy=True)
def check_private(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Warn about secrets that other accounts on this machine can read.

    Only `check --deploy` runs this check. It does not change the files, because other
    accounts may have a reason to read them, for example to make backups.
    """
    if os.name == "nt":  # Windows does not use these mode bits.
        return []
    database = settings.DATABASES["default"]
    paths = [Path(dtale_settings.DATA_DIR)]
    if hasattr(settings, "BASE_DIR"):
        paths.insert(0, Path(settings.BASE_DIR, ".env"))
    if database["ENGINE"] == "django.db.backends.sqlite3":
        paths.append(Path(database["NAME"]))
    return [
        Warning(
            f"Every account on this machine can read {path}.",
            hint=f"Only the site's user should be able to read it: chmod -R go= {path}",
            id="frames.W001",
        )
        for path in paths
        if path.exists() and _others_can(0o1, path.parent) and _others_can(0o4, path)
    ]


def _others_can(do: int, path: Path) -> int:
    return path.stat().st_mode & do


def check_collected() -> list[CheckMessage]:
    """Report static files that were not collected for the installed D-Tale."""
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return []
    if staticfiles_storage.hashed_files and staticfiles_storage.exists(folder()):
        return []
    return [
        Error(
            "Static files are missing, or belong to another release of D-Tale.",
            hint="Run manage.py collectstatic --no-input.",
            id="frames.E003",
        )
    ]


def installed_segments() -> set[str]:
    """Return the first path segments of the installed URL patterns.

    Patterns that begin with a converter (``<slug:page>/``) are not included, because
    they have no fixed first segment.
    """
    front = settings.FORCE_SCRIPT_NAME or ""
    urls = (settings.STATIC_URL, settings.MEDIA_URL)
    paths = {url.removeprefix(front).lstrip("/") for url in urls}
    segments = {path.partition("/")[0] for path in paths} - {""}
    return segments | set(_first_segments(get_resolver().url_patterns))


def _first_segments(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    for pattern in patterns:
        route = str(pattern.pattern).removeprefix("^")
        literal = re.match(r"[^<>()\[\]{}.*+?|\\^$/]+(?=/|\$|\\Z|$)", route)
        if literal:
            yield literal[0]
        elif not route:  # path("", include(...)) adds patterns at this level.
            yield from _first_segments(getattr(pattern, "url_patterns", ()))
