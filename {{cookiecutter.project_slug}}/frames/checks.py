"""System checks: does D-Tale fit this site, and is it the one that is known here?

`manage.py` runs them, `runserver` and `migrate` included; `wsgi.py` for other servers.
"""

import logging
import os
import re
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.storage import (
    ManifestFilesMixin,
    staticfiles_storage,
)
from django.core.checks import Error, Tags, Warning, register, run_checks
from django.core.checks.security.base import (
    check_secret_key,
    check_secret_key_fallbacks,
)
from django.core.management.base import SystemCheckError
from django.urls import get_resolver

from .dtale_scripts import mended_files
from .installed import release
from .names import SITE_SEGMENTS, InvalidName, check_dtale_prefix
from .static_files import folder
from .substitutions import SUPPORTED, DtaleChanged

logger = logging.getLogger(__name__)

TAG = "frames"
VERIFIED_DTALE = "3.22.0"  # The release in which dtale_scripts.py was counted.


def require_clean():
    """Run this app's checks and the site's: gunicorn and ASGI servers run none.

    And check what `manage.py` may not ask for before it has made it, static files, and
    what it asks only with `--deploy`: whether keys can be guessed. Warnings are logged.

    Raises:
        SystemCheckError: one of them found an error.
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
def check_prefix(app_configs, **kwargs):
    """Refuse a DTALE_PREFIX that D-Tale cannot work under or that hides a page."""
    try:
        check_dtale_prefix(
            settings.DTALE_PREFIX, taken=SITE_SEGMENTS | installed_segments()
        )
    except InvalidName as error:
        return [Error(str(error), hint="It is set in settings.py.", id="frames.E001")]
    return []


@register(TAG)
def check_dtale(app_configs, **kwargs):
    """Refuse a D-Tale that differs from the one whose pages are mended here."""
    installed = release("dtale")
    if installed == VERIFIED_DTALE:
        return []
    try:
        if not installed.startswith(SUPPORTED.rstrip("*")):
            raise DtaleChanged("another release", "the environment")
        mended_files("static")
        mended_files("templates")
    except DtaleChanged as error:
        return [Error(str(error), id="frames.E002")]
    return []


@register(Tags.security, deploy=True)
def check_private(app_configs, **kwargs):
    """Warn of secrets that other accounts of this machine can read: `check --deploy`.

    What the site makes is private. What was made otherwise, or by an earlier version, it
    leaves to whoever runs it: an account for backups may need to read it.
    """
    if os.name == "nt":  # Other permissions.
        return []
    database = settings.DATABASES["default"]
    paths = [Path(settings.BASE_DIR, ".env"), Path(settings.DATA_DIR)]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        paths.append(Path(database["NAME"]))
    return [
        Warning(
            f"Every account of this machine can read {path}.",
            hint=f"It is for the site's user alone: chmod -R go= {path}",
            id="frames.W001",
        )
        for path in paths
        if path.exists() and _others_can(0o1, path.parent) and _others_can(0o4, path)
    ]


def _others_can(do, path):
    return path.stat().st_mode & do


def check_collected():
    """Refuse to serve pages whose scripts and styles are not there."""
    if not isinstance(staticfiles_storage, ManifestFilesMixin):
        return []
    if staticfiles_storage.hashed_files and staticfiles_storage.exists(folder()):
        return []
    return [
        Error(
            "Static files are missing, or of another release of D-Tale.",
            hint="Collect them: manage.py collectstatic --no-input",
            id="frames.E003",
        )
    ]


def installed_segments():
    """Return the first path segments that the installed URL patterns answer: set[str].

    A pattern that begins with a converter (``<slug:page>/``) takes whatever D-Tale
    leaves to it and is not counted.
    """
    front = settings.FORCE_SCRIPT_NAME or ""
    urls = (settings.STATIC_URL, settings.MEDIA_URL)
    paths = {url.removeprefix(front).lstrip("/") for url in urls}
    segments = {path.partition("/")[0] for path in paths} - {""}
    return segments | set(_first_segments(get_resolver().url_patterns))


def _first_segments(patterns):
    for pattern in patterns:
        route = str(pattern.pattern).removeprefix("^")
        literal = re.match(r"[^<>()\[\]{}.*+?|\\^$/]+(?=/|\$|\\Z|$)", route)
        if literal:
            yield literal[0]
        elif not route:  # include("") adds its patterns at this level.
            yield from _first_segments(getattr(pattern, "url_patterns", ()))
