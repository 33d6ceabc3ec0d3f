"""The rules for the three names that the template asks for.

The template applies the rules after each answer, its hook applies them once the project
is written, and `checks.py` each time the site starts. The template and the hook load
this file by its path, so it imports only the standard library.
"""

import itertools
import keyword
import re
import sys
import unicodedata
from collections.abc import Callable, Set
from typing import Any

# The first segments of the site's own URLs. A prefix that equals one of them would hide
# these URLs. The comparison is case-sensitive, as URL paths are.
SITE_SEGMENTS = frozenset(
    "accounts admin create-df frames healthz media metrics readyz static".split()
)

# Names that the project's package cannot have, besides names of Python's modules.
_TAKEN = frozenset(
    # Files and folders in the project's root. The site creates `data` when it runs.
    "accounts conftest data deploy docs frames manage packages test tests "
    # Names of distributions, but not of modules. uv would confuse the project with
    # them.
    "backports_zstd beautifulsoup4 brotlicffi cffi fonttools pillow pycparser "
    "python_dateutil python_dotenv python_slugify scikit_learn "
    # Modules and keywords that only some of the supported releases of Python have.
    "aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt "
    "distutils idlelib imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes "
    "profiling smtpd sndhdr spwd sunau telnetlib turtledemo type uu xdrlib "
    # Names of devices on Windows.
    "aux com1 com2 com3 com4 com5 com6 com7 com8 com9 con lpt1 lpt2 lpt3 lpt4 lpt5 "
    "lpt6 lpt7 lpt8 lpt9 nul prn "
    # Modules that are installed with the project, and optional ones (S3, PostgreSQL,
    # monitoring, DuckDB). The template's tests compare this list with a real environment.
    "adbc_driver_duckdb annotated_types anyio asgiref ast_serialize backports "
    "blinker boto3 botocore brotli bs4 cachetools certifi charset_normalizer "
    "choreographer click cloudpickle codespell codespell_lib colorama comm "
    "contourpy csp cycler dash dash_bootstrap_components dateutil debug_toolbar "
    "dj_database_url djade django django_cache_url django_csp django_debug_toolbar "
    "django_dtale django_storages django_stubs django_stubs_ext dotenv dtale duckdb "
    "environs et_xmlfile examples execnet flask flask_compress formulaic future "
    "greenlet gunicorn h11 httptools hypothesis ibis idna importlib_metadata "
    "iniconfig interface_meta itsdangerous janus jinja2 jmespath joblib kaleido "
    "kiwisolver lazy_importer libfuturize libpasteurize librt logistro lz4 "
    "markdown_it markupsafe marshmallow matplotlib mdurl missingno mpl_toolkits "
    "mypy mypy_django_plugin mypy_extensions mypyc narwhals nest_asyncio networkx "
    "numpy openpyxl orjson packaging pandas parsy past pathspec patsy pip "
    "pkg_resources pkginfo platformdirs playwright plotly pluggy polib "
    "prometheus_client psycopg psycopg_binary psycopg_c psycopg_pool public py "
    "pyarrow pyarrow_hotfix pydantic pydantic_core pyee pygments pylab pyparsing "
    "pytest pytest_django pytest_xdist python_calamine pytz redis requests retrying "
    "rich ruff s3transfer scipy seaborn sentry_sdk setuptools simplejson six "
    "sklearn slipcover sortedcontainers soupsieve sqlglot sqlparse squarify "
    "statsmodels storages strsimpy tabulate threadpoolctl tlz toolz types_pyyaml "
    "typing_extensions typing_inspection tzdata urllib3 uv uvicorn uvloop waitress "
    "watchfiles websockets werkzeug wheel whitenoise wrapt xarray xdist xlrd xxhash "
    "yaml zipp".split()
)

# These characters are invisible, but parts of words and emoji.
_JOINERS = "\u200c\u200d"


class InvalidName(ValueError):
    """A name cannot be used. The one-line message says why, and suggests another."""


def check_project_name(name: str) -> str:
    """Return ``name`` if it can be the site's title.

    Raises:
        InvalidName: the name is blank, too long, or not one line of visible text.
    """
    return _checked("project_name", name, _name_fault(name), suggest_name)


def check_project_slug(slug: str) -> str:
    """Return ``slug`` if it can be the name of the project's Python package.

    Raises:
        InvalidName: it is not a valid package name, or is taken.
    """
    return _checked("project_slug", slug, _slug_fault(slug), suggest_slug)


def check_dtale_prefix(prefix: object, taken: Set[str] = SITE_SEGMENTS) -> str:
    """Return ``prefix`` if D-Tale can be mounted under it.

    Args:
        prefix: the answer, or the setting. Only a string is accepted.
        taken: the first segments of the site's own URLs.

    Raises:
        InvalidName: it is not a plain path, is taken, or would break D-Tale's pages.
    """
    fault = _prefix_fault(prefix, taken)
    return _checked(
        "dtale_prefix", prefix, fault, lambda text: suggest_prefix(text, taken)
    )


def suggest_name(text: str) -> str:
    """Return a project name close to ``text``."""
    shown = (" " if c.isspace() else "" if _is_unseen(c) else c for c in text)
    name = " ".join("".join(shown).split())[:100].rstrip()
    return "Django D-Tale" if _name_fault(name) else name


def suggest_slug(text: str) -> str:
    """Return a project slug close to ``text``."""
    slug = re.sub(r"[^a-z0-9]+", "_", _ascii(text.casefold())).strip("_")
    if slug[:1].isdigit():
        slug = f"site_{slug}"
    candidates = slug[:50].rstrip("_"), slug[:45].rstrip("_") + "_site", "my_site"
    return next(name for name in candidates if not _slug_fault(name))


def suggest_prefix(text: str, taken: Set[str] = SITE_SEGMENTS) -> str:
    """Return a D-Tale prefix close to ``text`` and not in ``taken``."""
    segments = (
        re.sub(r"[^A-Za-z0-9_-]+", "-", segment).lstrip("0123456789-_").rstrip("-_")
        for segment in _ascii(text).split("/")
    )
    prefix = "/".join(filter(None, segments)) or "flask"
    joined = prefix.replace("/", "-")
    candidates = itertools.chain(
        [prefix[:50], joined[:50], f"{joined[:41]}-explorer"],
        (f"explorer-{number}" for number in itertools.count(2)),
    )
    return next(name for name in candidates if not _prefix_fault(name, taken))


def _checked(
    variable: str, value: Any, fault: str | None, suggest: Callable[[str], str]
) -> str:
    if not fault:
        return value
    if isinstance(value, str):
        variable += f' "{_one_line(value)}"'
    else:
        value = ""
    raise InvalidName(f'{variable} {fault}: use "{suggest(value)}".')


def _name_fault(name: object) -> str | None:
    if not isinstance(name, str):
        return "is not text"
    unseen = next(filter(_is_unseen, name), None)
    if unseen:
        return f"contains U+{ord(unseen):04X}, which is not visible in a line of text"
    if not name.strip(f"{_JOINERS} "):
        return "is empty, but pages need a title"
    if name != name.strip():
        return "begins or ends with a space"
    if len(name) > 100:
        return f"has {len(name)} characters, but the limit is 100"
    return None


def _slug_fault(slug: object) -> str | None:
    if not isinstance(slug, str):
        return "is not text"
    if len(slug) > 50:
        return f"has {len(slug)} characters, but the limit is 50"
    if not re.fullmatch(r"[a-z](_*[a-z0-9])*", slug):
        return (
            "is not a package name (lowercase ASCII letters, digits and _; it begins "
            "with a letter and does not end with _)"
        )
    if keyword.iskeyword(slug) or keyword.issoftkeyword(slug):
        return "is a keyword of Python, so it cannot be the name of a package"
    if slug in _TAKEN or slug in sys.stdlib_module_names:
        return "is taken by a module of Python or of a package that the project uses"
    return None


def _prefix_fault(prefix: object, taken: Set[str]) -> str | None:
    if not isinstance(prefix, str):
        return "is not text"
    if prefix != prefix.strip("/"):
        return "begins or ends with a slash"
    if len(prefix) > 50:
        return f"has {len(prefix)} characters, but the limit is 50"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z][A-Za-z0-9_-]*)*", prefix):
        return (
            "is not a plain path, such as tools/dtale (ASCII letters, digits, _ and -; each "
            "segment begins with a letter)"
        )
    first = prefix.partition("/")[0]
    # D-Tale's front end assumes that a path that begins like this already has the
    # prefix.
    if first == "dtale" or "dtale".startswith(prefix):
        return (
            "is the beginning of D-Tale's own paths (/dtale/...), so links would break"
        )
    if first in taken:
        return "begins like a path of the site, which D-Tale would hide"
    return None


def _is_unseen(character: str) -> bool:
    """Return whether a character breaks a line, reverses it, or is invisible."""
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in _JOINERS


def _one_line(text: str) -> str:
    """Return ``text`` for a message: shortened, with invisible characters escaped."""
    cut = text if len(text) <= 60 else f"{text[:57]}..."
    return "".join(
        c.encode("unicode_escape").decode() if _is_unseen(c) else c for c in cut
    )


def _ascii(text: str) -> str:
    """Return ``text`` without the accents of its letters."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))
