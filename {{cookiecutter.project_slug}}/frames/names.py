"""The rule for the three names that the template asks for. It stands here once.

Three places ask it: the template right after each answer, its hook once the project
is written, and `checks.py` each time the site starts. The first two load this file by
its path, so it imports nothing but the standard library.
"""

import itertools
import keyword
import re
import sys
import unicodedata

# First segments of the site's own URLs. A prefix that equals one would hide it. Paths
# are case-sensitive, and so is the comparison.
SITE_SEGMENTS = frozenset(
    "accounts admin create-df frames healthz media metrics readyz static".split()
)

# Names that cannot be the project's package, besides the running Python's modules.
_TAKEN = frozenset(
    # The project's own root, where `data` is ignored by git.
    "accounts conftest data deploy docs frames manage test tests "
    # Distributions whose modules have other names: uv would take the project for them.
    "backports_zstd beautifulsoup4 brotlicffi cffi fonttools pillow pycparser "
    "python_dateutil python_dotenv python_slugify scikit_learn "
    # Modules and words of Python that only some of the supported releases have.
    "aifc annotationlib asynchat asyncore audioop cgi cgitb chunk compression crypt "
    "distutils idlelib imghdr imp lib2to3 mailcap msilib nis nntplib ossaudiodev pipes "
    "profiling smtpd sndhdr spwd sunau telnetlib turtledemo type uu xdrlib "
    # Windows gives these names to devices.
    "aux com1 com2 com3 com4 com5 com6 com7 com8 com9 con lpt1 lpt2 lpt3 lpt4 lpt5 "
    "lpt6 lpt7 lpt8 lpt9 nul prn "
    # What is installed with the project, and what it may want later (S3, PostgreSQL,
    # monitoring). The template's tests compare this with a real environment.
    "annotated_types anyio asgiref backports blinker boto3 botocore brotli bs4 "
    "cachetools certifi charset_normalizer choreographer click cloudpickle colorama "
    "comm contourpy csp cycler dash dash_bootstrap_components dateutil "
    "dj_database_url django django_cache_url django_csp django_storages "
    "dotenv dtale environs et_xmlfile execnet flask flask_compress formulaic future "
    "greenlet gunicorn h11 httptools hypothesis idna importlib_metadata iniconfig "
    "interface_meta itsdangerous janus jinja2 jmespath joblib kaleido kiwisolver "
    "lazy_importer libfuturize libpasteurize logistro lz4 markupsafe marshmallow "
    "matplotlib missingno mpl_toolkits narwhals nest_asyncio networkx numpy openpyxl "
    "orjson packaging pandas past patsy pip pkg_resources pkginfo platformdirs "
    "playwright plotly pluggy polib prometheus_client psycopg psycopg_binary psycopg_c "
    "psycopg_pool py pyarrow pydantic pydantic_core pyee pygments pylab pyparsing "
    "pytest pytest_django pytest_xdist python_calamine pytz redis requests retrying "
    "ruff s3transfer scipy seaborn sentry_sdk setuptools simplejson six sklearn "
    "sortedcontainers soupsieve sqlparse squarify statsmodels storages strsimpy "
    "threadpoolctl typing_extensions typing_inspection tzdata urllib3 uv uvicorn "
    "uvloop waitress watchfiles websockets werkzeug wheel whitenoise wrapt xarray xdist "
    "xlrd xxhash yaml zipp".split()
)

_JOINERS = "\u200c\u200d"  # Unseen themselves, but parts of words and of emoji.


class InvalidName(ValueError):
    """A name that cannot be used. Its text is one line: what, why, and what to use."""


def check_project_name(name):
    """Return ``name`` (str) if it can be the site's title.

    Raises:
        InvalidName: it is blank, too long, or not one line of visible text.
    """
    return _checked("project_name", name, _name_fault(name), suggest_name)


def check_project_slug(slug):
    """Return ``slug`` (str) if it can be the name of the project's Python package.

    Raises:
        InvalidName: it is no package name, or one that is taken.
    """
    return _checked("project_slug", slug, _slug_fault(slug), suggest_slug)


def check_dtale_prefix(prefix, taken=SITE_SEGMENTS):
    """Return ``prefix`` (str) if D-Tale can be mounted under it.

    Args:
        prefix: what was answered; anything but text is refused.
        taken: the first segments (set[str]) of the URLs that the site itself answers.

    Raises:
        InvalidName: it is no plain path, is taken, or breaks D-Tale's pages.
    """
    fault = _prefix_fault(prefix, taken)
    return _checked(
        "dtale_prefix", prefix, fault, lambda text: suggest_prefix(text, taken)
    )


def suggest_name(text):
    """Return a project name (str) close to ``text``."""
    shown = (" " if c.isspace() else "" if _is_unseen(c) else c for c in text)
    name = " ".join("".join(shown).split())[:100].rstrip()
    return "Django D-Tale" if _name_fault(name) else name


def suggest_slug(text):
    """Return a project slug (str) close to ``text``."""
    slug = re.sub(r"[^a-z0-9]+", "_", _ascii(text.casefold())).strip("_")
    if slug[:1].isdigit():
        slug = f"site_{slug}"
    candidates = slug[:50].rstrip("_"), slug[:45].rstrip("_") + "_site", "my_site"
    return next(name for name in candidates if not _slug_fault(name))


def suggest_prefix(text, taken=SITE_SEGMENTS):
    """Return a D-Tale prefix (str) close to ``text`` and not in ``taken`` (set[str])."""
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


def _checked(variable, value, fault, suggest):
    if not fault:
        return value
    if isinstance(value, str):
        variable += f' "{_one_line(value)}"'
    else:
        value = ""
    raise InvalidName(f'{variable} {fault}: use "{suggest(value)}".')


def _name_fault(name):
    if not isinstance(name, str):
        return "is not text"
    unseen = next(filter(_is_unseen, name), None)
    if unseen:
        return f"has U+{ord(unseen):04X} in it, which one line of text cannot show"
    if not name.strip(f"{_JOINERS} "):
        return "is blank, and pages need a title"
    if name != name.strip():
        return "has space around it, which pages do not show"
    if len(name) > 100:
        return f"has {len(name)} characters, and a title has 100 at most"
    return None


def _slug_fault(slug):
    if not isinstance(slug, str):
        return "is not text"
    if len(slug) > 50:
        return f"has {len(slug)} characters, and a package name has 50 at most"
    if not re.fullmatch(r"[a-z](_*[a-z0-9])*", slug):
        return (
            "is no package name (lower-case ASCII letters, digits and _, "
            "with a letter first and no _ last)"
        )
    if keyword.iskeyword(slug) or keyword.issoftkeyword(slug):
        return "is a word of the Python language, so it cannot name a package"
    if slug in _TAKEN or slug in sys.stdlib_module_names:
        return "is taken, by a module that Python has or the project uses"
    return None


def _prefix_fault(prefix, taken):
    if not isinstance(prefix, str):
        return "is not text"
    if prefix != prefix.strip("/"):
        return "has slashes around it, which every address has anyway"
    if len(prefix) > 50:
        return f"has {len(prefix)} characters, and a prefix has 50 at most"
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*(/[A-Za-z][A-Za-z0-9_-]*)*", prefix):
        return (
            "is no plain path, such as tools/dtale (ASCII letters, digits, _ and -, "
            "with a letter first in each segment)"
        )
    first = prefix.partition("/")[0]
    # D-Tale's front end takes a path that begins like this for already prefixed.
    if first == "dtale" or "dtale".startswith(prefix):
        return "is how D-Tale's own paths (/dtale/...) begin, so its links would break"
    if first in taken:
        return "begins as a path of the site itself, which D-Tale would hide"
    return None


def _is_unseen(character):
    """Say whether a character breaks a line, turns it round, or has no shape at all."""
    category = unicodedata.category(character)
    return category in {"Cc", "Cf", "Cs", "Zl", "Zp"} and character not in _JOINERS


def _one_line(text):
    """Return ``text`` for a message: short, and escaped where it cannot be shown."""
    cut = text if len(text) <= 60 else f"{text[:57]}..."
    return "".join(
        c.encode("unicode_escape").decode() if _is_unseen(c) else c for c in cut
    )


def _ascii(text):
    """Return ``text`` with accents taken off its letters; the rest stays as it is."""
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))
