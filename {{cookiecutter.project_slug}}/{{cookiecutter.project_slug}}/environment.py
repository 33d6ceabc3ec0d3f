"""Reads variables of the environment, and says which one is wrong and why.

What is not set, or is empty, has its default. The library environs does the same, and
takes a sixth of each `manage.py` command to be imported.
"""

import contextlib
import difflib
import os
import re
from pathlib import Path

import dotenv
from django.conf import settings
from django.core.checks import Warning, register
from django.core.exceptions import ImproperlyConfigured

TRUE = "1", "on", "t", "true", "y", "yes"
FALSE = "0", "off", "f", "false", "n", "no"


HINT = "Set it, or see .env.example."
# What a variable's whole value, or each part of it, looks like, and what to do.
DATABASE = (
    r"sqlite:///.+|postgres(ql)?://([^/?]*@)?(\[.*\]|[^/?@:]*)(:\d+)?/[^/?]+(\?.*)?",
    "Use postgresql://user:password@host/name, or sqlite:///path/to/file.",
)
EMAIL = (
    r"((smtp|submission)://([^/?#]*@)?(\[[\da-fA-F:.]+\]|[\w.-]+)(:[1-9]\d{0,4})?/?"
    r"(\?(&?(ssl=\w+|tls=\w+|timeout=[1-9]\d*))+)?|console:|file:/.+)?",
    "Use submission://user:password@host, or smtp://host, with / ? # of a password "
    "written as %2F %3F %23.",
)
HOST = r"[\w.-]+|\[[\da-fA-F:.]+\]|\*", "Use names without http:// and without a port."
KEY = r"(?s).{16,}", "Use 50 random characters; fewer than 16 are refused."
LEVEL = (
    "(?i:DEBUG|INFO|WARNING|ERROR|CRITICAL)",
    "Use DEBUG, INFO, WARNING, ERROR or CRITICAL.",
)
ORIGIN = r"https?://[\w.*-]+(:\d+)?", "Use origins such as https://data.example.com."
PERSON = r"[^<>]+@[\w.-]+|.*<[^<>]+@[\w.-]+>", "Use an e-mail address."
PATH = r"((/[\w.~-]+)+/?)?", "Use a path such as /tools."
S3 = r"(s3://[\w.-]+(/.*)?)?", "Use s3://bucket/prefix."
TOKEN = r"([!-~]{16,})?", "Use 16 characters or more, without spaces."
WORKERS = r"[1-9]\d*", "Use a whole number from 1."

OURS = "FRAMES_"  # How names begin that nobody else's do.
known = {"SERVICES_PASSWORD"}  # Names that were asked for; this one, by compose.yaml.


def text(name, default=None, like="", hint=HINT, is_secret=False):
    """Return a variable (str).

    Args:
        default: None: it has to be set.
        like: a regular expression (str) which the whole value has to match, if given
            and if the variable is set.
        hint: a sentence (str) on what to do.
        is_secret: bool; nobody is shown the value.

    Raises:
        ImproperlyConfigured
    """
    known.add(name)
    value = os.environ.get(name)
    if value:
        return _like(like, name, value, hint, is_secret)
    if default is None:
        raise ImproperlyConfigured(f"The variable {name} is not set. {hint}")
    return default


def _like(like, name, value, hint, is_secret=False):
    if like and not re.fullmatch(like, value):
        value = "not usable" if is_secret else repr(value)
        raise ImproperlyConfigured(f"The variable {name} is {value}. {hint}")
    return value


def texts(name, default=(), like="", hint=HINT):
    """Return a variable's parts between commas (list of str), each of which is like it."""
    parts = (part.strip() for part in text(name, "").split(","))
    parts = [_like(like, name, part, hint) for part in parts if part]
    return parts or list(default)


def directory(name, default, is_written=True):
    """Return a directory (Path), made if it is missing.

    Args:
        is_written: bool; the site has to be able to write to it, too.

    Raises:
        ImproperlyConfigured
    """
    path = Path(text(name, str(default)))
    try:
        # What is written there is people's data, which is for the site's user alone.
        path.mkdir(0o700 if is_written else 0o777, parents=True, exist_ok=True)
        if is_written and not os.access(path, os.W_OK):
            raise PermissionError("it cannot be written to")
    except OSError as error:
        raise ImproperlyConfigured(
            f"The variable {name} is {str(path)!r}: {error.strerror or error}. Use a "
            f"directory that this site may {'write to' if is_written else 'read'}."
        ) from None
    return path


def make_private(path):
    """Make an empty file that nobody but the site's user can read, if there is none.

    SQLite makes its database readable for everybody, and its other files as that one is.
    A path that cannot be used is left to SQLite, which says so.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def number(name, default):
    """Return a variable (int, not negative); ImproperlyConfigured if it is no such."""
    return int(text(name, str(default), r"\d+", "Use a whole number, 0 or more."))


def flag(name, default):
    """Return a variable (bool); ImproperlyConfigured if it is neither yes nor no."""
    either = "|".join(TRUE + FALSE)
    value = text(name, str(default), f"(?i:{either})", "Use True or False.")
    return value.lower() in TRUE


@register("site")
def check_names(app_configs, **kwargs):
    """Warn of variables that look like ones of this site's: nothing reads them."""
    in_file = set(dotenv.dotenv_values(Path(settings.BASE_DIR, ".env")))
    # The environment also has variables of every other program.
    in_environment = os.environ.keys() - in_file
    return [
        *_misspelt(in_file, ".env", alike=0.8),
        *_misspelt(in_environment, "the environment", alike=0.9),
    ]


def _misspelt(names, where, alike):
    for name in sorted(names - known):
        is_ours = name.startswith(OURS)
        cutoff = 0.8 if is_ours else alike
        meant = difflib.get_close_matches(name.upper(), known, 1, cutoff)
        if meant or is_ours:
            question = f" Did you mean {meant[0]}?" if meant else ""
            yield Warning(
                f"The variable {name} in {where} is not one that this site reads."
                f"{question}",
                hint=".env.example has all of them.",
                id="site.W001",
            )
