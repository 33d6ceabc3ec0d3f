"""Read settings from environment variables, and report missing or invalid values.

An empty variable counts as not set. The library environs offers the same, but importing
it takes a sixth of the run time of a `manage.py` command.
"""

import contextlib
import difflib
import os
import re
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dotenv
from django.conf import settings
from django.core.checks import CheckMessage, Warning, register
from django.core.exceptions import ImproperlyConfigured

from ..conf import FLAG, FLAG_OR_FUNCTION, NUMBER, SETTINGS

TRUE = "1", "on", "t", "true", "y", "yes"
FALSE = "0", "off", "f", "false", "n", "no"

HINT = "Set it, or see .env.example."
# A pattern that a value, or each of its parts, has to match, and a hint for the error.
Rule = tuple[str, str]
DATABASE: Rule = (
    r"sqlite:///.+|postgres(ql)?://([^/?]*@)?(\[.*\]|[^/?@:]*)(:\d+)?/[^/?]+(\?.*)?",
    "Use postgresql://user:password@host/name or sqlite:///path/to/file.",
)
EMAIL: Rule = (
    r"((smtp|submission)://([^/?#]*@)?(\[[\da-fA-F:.]+\]|[\w.-]+)(:[1-9]\d{0,4})?/?"
    r"(\?(&?(ssl=\w+|tls=\w+|timeout=[1-9]\d*))+)?|console:|file:/.+)?",
    "Use submission://user:password@host, or smtp://host, with / ? # in a password "
    "written as %2F %3F %23.",
)
HOST: Rule = (
    r"[\w.-]+|\[[\da-fA-F:.]+\]|\*",
    "Use names without http:// and without a port.",
)
KEY: Rule = r"(?s).{16,}", "Use 50 random characters, at least 16."
LEVEL: Rule = (
    "(?i:DEBUG|INFO|WARNING|ERROR|CRITICAL)",
    "Use DEBUG, INFO, WARNING, ERROR or CRITICAL.",
)
ORIGIN: Rule = (
    r"https?://[\w.*-]+(:\d+)?",
    "Use origins such as https://data.example.com.",
)
PERSON: Rule = r"[^<>]+@[\w.-]+|.*<[^<>]+@[\w.-]+>", "Use an e-mail address."
PATH: Rule = r"((/[\w.~-]+)+/?)?", "Use a path such as /tools."
S3: Rule = r"(s3://[\w.-]+(/.*)?)?", "Use s3://bucket/prefix."
TOKEN: Rule = r"([!-~]{16,})?", "Use 16 characters or more, without spaces."
WORKERS: Rule = r"[1-9]\d*", "Use a whole number, 1 or more."

PREFIX = "FRAMES_"  # No other program uses variables with this prefix.
# The names of all variables that have been read. Only compose.yaml reads these two.
known = {"SERVICES_PASSWORD", "STORAGE_PASSWORD"}


def text(
    name: str,
    default: str | None = None,
    pattern: str = "",
    hint: str = HINT,
    is_secret: bool = False,
) -> str:
    """Return the value of a variable.

    Args:
        default: the value if the variable is empty; None if it is required.
        pattern: a regular expression that the whole value has to match.
        hint: a sentence in the error message that says what to do.
        is_secret: leave the value out of the error message.

    Raises:
        ImproperlyConfigured: the variable is missing or invalid.
    """
    known.add(name)
    value = os.environ.get(name)
    if value:
        return _matched(pattern, name, value, hint, is_secret)
    if default is None:
        raise ImproperlyConfigured(f"The variable {name} is not set. {hint}")
    return default


def _matched(
    pattern: str, name: str, value: str, hint: str, is_secret: bool = False
) -> str:
    if pattern and not re.fullmatch(pattern, value):
        value = "not usable" if is_secret else repr(value)
        raise ImproperlyConfigured(f"The variable {name} is {value}. {hint}")
    return value


def texts(
    name: str, default: Iterable[str] = (), pattern: str = "", hint: str = HINT
) -> list[str]:
    """Return the values of a comma-separated variable. Each must match the pattern."""
    given = (part.strip() for part in text(name, "").split(","))
    parts = [_matched(pattern, name, part, hint) for part in given if part]
    return parts or list(default)


def number(name: str, default: int) -> int:
    """Return the value of a variable as a whole number, 0 or more."""
    return int(text(name, str(default), r"\d+", "Use a whole number, 0 or more."))


def flag(name: str, default: bool) -> bool:
    """Return the value of a variable as a boolean."""
    either = "|".join(TRUE + FALSE)
    value = text(name, str(default), f"(?i:{either})", "Use True or False.")
    return value.lower() in TRUE


def dtale() -> dict[str, Any]:
    """Return the keys of DTALE that variables set, such as MAX_MB by FRAMES_MAX_MB."""
    given: dict[str, Any] = {}
    for key, setting in SETTINGS.items():
        name = f"FRAMES_{key}"
        if setting.kind is NUMBER and text(name, ""):
            given[key] = number(name, 0)
        elif setting.kind in (FLAG, FLAG_OR_FUNCTION) and text(name, ""):
            given[key] = flag(name, False)
    return given


def directory(name: str, default: Path, is_written: bool = True) -> Path:
    """Return the directory that a variable names, and create it if it is missing.

    Args:
        is_written: require write access, and create the directory without access for
            other users.
    """
    path = Path(text(name, str(default)))
    try:
        path.mkdir(0o700 if is_written else 0o777, parents=True, exist_ok=True)
        if is_written and not os.access(path, os.W_OK):
            raise PermissionError("it is not writable")
    except OSError as error:
        raise ImproperlyConfigured(
            f"The variable {name} is {str(path)!r}: {error.strerror or error}. Use a "
            f"directory that this site may {'write to' if is_written else 'read'}."
        ) from None
    return path


def database(name: str, default: Path) -> dict[str, Any]:
    """Return Django's settings for the database whose URL is in a variable.

    Args:
        default: the path of the SQLite database if the variable is not set.
    """
    import dj_database_url

    url = text(name, f"sqlite:///{default.as_posix()}", *DATABASE, is_secret=True)
    found: Any = dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)
    if found["ENGINE"] == "django.db.backends.sqlite3":
        _make_private(found["NAME"])
        # In WAL mode, readers never wait for writers. Transactions take the write lock
        # when they begin. A transaction that takes the lock after it has read may fail
        # without waiting, because SQLite ignores the timeout in this case.
        found["OPTIONS"] = {
            "init_command": "PRAGMA journal_mode=WAL",
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
        }
    else:
        if found["ENGINE"] == "django.db.backends.postgresql":
            _require(name, "psycopg", "postgres")
        # Seconds. If the machine is down, a connection is not refused, but hangs.
        found.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    return found


def frames_storage(name: str, default: Path) -> dict[str, Any]:
    """Return the value of ``STORAGES["frames"]``, which uses a bucket or a directory.

    boto3 reads the endpoint, the region and the credentials from AWS's usual variables.
    """
    url = text(name, "", *S3)
    if not url:
        return {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": default},
        }
    _require(name, "storages", "s3")
    bucket, _, location = url.removeprefix("s3://").partition("/")
    return {
        "BACKEND": "django_dtale.storage.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "location": location.strip("/"),
            "max_memory_size": 1 << 20,  # Bytes. Larger files are buffered on disk.
            "use_threads": False,  # Ten threads would keep ten parts in memory.
        },
    }


def _require(name: str, module: str, extra: str) -> None:
    """Raise ImproperlyConfigured if the module that a variable needs is missing."""
    if find_spec(module) is None:
        raise ImproperlyConfigured(
            f"The variable {name} needs the Python package {module}, which is not "
            f"installed. Install it: uv sync --inexact --extra {extra}"
        )


def _make_private(path: str) -> None:
    """Create the file of a SQLite database, readable only by the site, if necessary.

    SQLite itself would create a file that everyone can read. It gives its other files
    the mode of this file. If the path cannot be used, SQLite will report that.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


@register("site")
def check_names(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Warn about unknown variables whose names resemble variables of the site."""
    in_file = set(dotenv.dotenv_values(Path(settings.BASE_DIR, ".env")))
    # The environment also contains variables of other programs, so its cutoff is
    # higher.
    in_environment = os.environ.keys() - in_file
    return [
        *_misspelt(in_file, ".env", cutoff=0.8),
        *_misspelt(in_environment, "the environment", cutoff=0.9),
    ]


def _misspelt(names: set[str], where: str, cutoff: float) -> Iterator[CheckMessage]:
    for name in sorted(names - known):
        is_ours = name.startswith(PREFIX)
        alike = difflib.get_close_matches(
            name.upper(), known, 1, 0.8 if is_ours else cutoff
        )
        if alike or is_ours:
            question = f" Did you mean {alike[0]}?" if alike else ""
            yield Warning(
                f"The variable {name} in {where} is unknown.{question}",
                hint=".env.example lists all variables of this site.",
                id="site.W001",
            )
