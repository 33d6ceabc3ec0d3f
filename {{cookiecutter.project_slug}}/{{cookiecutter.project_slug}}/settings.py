"""Settings of the site. What differs between machines comes from the environment.

`.env` in the project's root is read if it is there; `.env.example` lists every
variable. Without any of them the site is as in production: DEBUG is off and SECRET_KEY
has to be set.

https://docs.djangoproject.com/en/stable/ref/settings/
"""

from pathlib import Path

import dj_database_url
import dotenv

from . import environment as env
from . import mail

# What was asked when this project was generated -------------------------------------

SITE_NAME = "{{ cookiecutter.project_name|in_string }}"

# The path under which D-Tale is mounted: /<prefix>/dtale/main/1. frames/names.py has
# the rule for it, and `manage.py check` asks it.
DTALE_PREFIX = "{{ cookiecutter.dtale_prefix }}"

# Environment ------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent

dotenv.load_dotenv(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", None, *env.KEY, is_secret=True)
# Keys of before: what they signed is read still, and signed anew when it changes. Take
# one away only when nothing of its time is left.
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.texts(
    "ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]"],
    *env.HOST,
)

# Gunicorn and uvicorn read it before they read this file, and end with a traceback if it
# is wrong. Here, `migrate` and every other command names it.
env.text("WEB_CONCURRENCY", "1", *env.WORKERS)

# Where the database, frames and static files are: the one place that is written to.
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / "data")

# Applications -----------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "frames",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "{{ cookiecutter.project_slug }}.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "{{ cookiecutter.project_slug }}.middleware.NoStoreMiddleware",
    "frames.logs.RequestMiddleware",
    "frames.stuck.StuckMiddleware",
    "{{ cookiecutter.project_slug }}.middleware.PolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "{{ cookiecutter.project_slug }}.middleware.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "frames.middleware.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.AuthenticationMiddleware",
    "frames.middleware.WorkspaceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "{{ cookiecutter.project_slug }}.urls"
WSGI_APPLICATION = "{{ cookiecutter.project_slug }}.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "{{ cookiecutter.project_slug }}.context_processors.site",
            ],
        },
    },
]

# Database ---------------------------------------------------------------------------

# SQLite, until DATABASE_URL names another: postgresql://user:password@host/name.
DATABASES = {
    "default": dj_database_url.parse(
        env.text(
            "DATABASE_URL",
            f"sqlite:///{(DATA_DIR / 'db.sqlite3').as_posix()}",
            *env.DATABASE,
            is_secret=True,
        ),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    env.make_private(DATABASES["default"]["NAME"])
    # Reading never waits (WAL); a writer waits for the others, from its beginning.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
else:
    # Seconds. Of a machine that is gone, not even a refusal comes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions and users -----------------------------------------------------------------

# Both are read in one query; for the rest these are Django's own. Other ways to sign in
# (REMOTE_USER, LDAP) go behind this backend.
SESSION_ENGINE = "accounts.sessions"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
# By default each request derives a key for a cookie that hardly any of them has.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"

# How often signing in may fail within so many seconds: for one name from one address,
# and for one address. accounts/throttle.py counts.
SIGN_IN_WINDOW = 15 * 60
SIGN_IN_TRIES = 5
SIGN_IN_TRIES_OF_ADDRESS = 50  # An office may have a single address.

# Passwords --------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# E-mail: people who have forgotten their password get one, where EMAIL_URL is set ----

# submission://user:password@host, with TLS; in development the console shows the
# messages. The URL itself is no setting: Django's debug page would show the password.
email_url = env.text(
    "EMAIL_URL", "console:" if DEBUG else "", *env.EMAIL, is_secret=True
)
SENDS_EMAIL = bool(email_url)
vars().update(mail.settings_for(email_url))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "webmaster@localhost", *env.PERSON)

# Language and time ------------------------------------------------------------------

LANGUAGE_CODE = "en"  # For browsers that ask for none of these.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]  # With the texts of `accounts`.
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Behind a proxy ---------------------------------------------------------------------

# The path below which a proxy, which takes it away, publishes the whole site: /tools.
FORCE_SCRIPT_NAME = env.text("FORCE_SCRIPT_NAME", "", *env.PATH).rstrip("/") or None
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS", (), *env.ORIGIN)
if env.flag("TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Frames -----------------------------------------------------------------------------

# Nobody has frames, or sees any, without signing in. Off, visitors have frames in their
# session, as the tutorial's have them.
FRAMES_LOGIN_REQUIRED = env.flag("FRAMES_LOGIN_REQUIRED", True)

# Their bytes: a private directory, or FRAMES_STORAGE_URL=s3://bucket/prefix. boto3 takes
# the endpoint, the region and the credentials from the usual AWS variables.
FRAMES_STORAGE = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": DATA_DIR / "frames"},
}
FRAMES_STORAGE_URL = env.text("FRAMES_STORAGE_URL", "", *env.S3)
if FRAMES_STORAGE_URL:
    bucket, _, location = FRAMES_STORAGE_URL.removeprefix("s3://").partition("/")
    FRAMES_STORAGE = {
        "BACKEND": "frames.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": bucket,
            "location": location.strip("/"),
            "max_memory_size": 1 << 20,  # Bytes. The rest of a frame goes to the disk.
            "use_threads": False,  # Ten threads would hold ten parts in memory.
        },
    }
# Frames of an S3 storage are kept here after they were fetched, within a bound.
FRAMES_FETCHED_DIR = DATA_DIR / "fetched"
FRAMES_FETCHED_MB = env.number("FRAMES_FETCHED_MB", 10_000)

FRAMES_CACHE_MB = env.number("FRAMES_CACHE_MB", 500)  # Memory, of each process.
FRAMES_MAX_COUNT = env.number("FRAMES_MAX_COUNT", 200)  # Of one person.
FRAMES_MAX_MB = env.number("FRAMES_MAX_MB", 5_000)  # Of one person.
FRAMES_MAX_CELLS = env.number("FRAMES_MAX_CELLS", 100_000_000)  # Of one frame.
FRAMES_MAX_COLUMNS = env.number("FRAMES_MAX_COLUMNS", 5_000)  # Of one frame.
FRAMES_MAX_UPLOAD_MB = env.number("FRAMES_MAX_UPLOAD_MB", 200)  # Of one file.
# What reading one file may take: memory, of a process of its own; and time, of which a
# small file may take less (frames/reader.py).
FRAMES_READER_MB = env.number("FRAMES_READER_MB", max(1_000, 10 * FRAMES_MAX_UPLOAD_MB))
FRAMES_READER_SECONDS = env.number("FRAMES_READER_SECONDS", 120)
FRAMES_MAX_SECONDS = env.number("FRAMES_MAX_SECONDS", 120)  # Of one request; 0: any.
FRAMES_EXPIRE_DAYS = env.number("FRAMES_EXPIRE_DAYS", 90)  # Unopened; 0: never.

# Static files: WhiteNoise serves them, in development straight from the apps ---------

# Whole: under a WSGI server Django does not add the path to a relative one.
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
# Made here, or WhiteNoise warns. An image has them in it, and DATA_DIR outside.
STATIC_ROOT = env.directory("STATIC_ROOT", DATA_DIR / "static", is_written=False)
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "frames.static_files.DtaleFinder",
]
# What is compressed already. Of fonts in WOFF, not all are.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["gif", "jpg", "png", "webp", "woff2"]
# Scripts of D-Tale's that are mended: made when something first asks for them.
FRAMES_MENDED_DIR = DATA_DIR / "mended"
# A digest in the name, of the file or of its folder: browsers keep it for good.
WHITENOISE_IMMUTABLE_FILE_TEST = r"[./][0-9a-f]{12}[./]"
STORAGES = {
    "frames": FRAMES_STORAGE,
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "frames.static_files.StaticFilesStorage"
    },
}

# HTTPS: on unless this is a development machine -------------------------------------

HTTPS = env.flag("HTTPS", not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 3600) * HTTPS  # 0 without it.
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SILENCED_SYSTEM_CHECKS = [
    # HSTS for every subdomain, and for browsers' built-in lists, binds hosts that this
    # site knows nothing of: a decision for whoever owns the domain.
    "security.W005",
    "security.W021",
]

# What browsers and clients may do ---------------------------------------------------

# Django's defaults do the rest: no page in a frame, no guessing of content types, a
# window of its own (COOP), cookies for this site's own requests (SameSite=Lax).
SECURE_REFERRER_POLICY = "same-origin"
CSRF_COOKIE_HTTPONLY = True  # As the session's is: forms carry the token.

# Scripts and styles come from the site's own files, never from within a page. For all
# of Django's answers; one that has a policy of its own, as D-Tale's have, keeps it.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # The admin's styles have small images in them.
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# The site's own forms are short (Django allows 1,000 fields), and only the one of
# frames/uploads.py takes a file, by a handler of its own: without any other, what else
# is sent is thrown away, or anybody could fill the disk. A form of yours that takes a
# file sets `request.upload_handlers` as it does. What is sent to D-Tale does not come by
# here.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # Bytes, without files.
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = []

# Logs, figures and errors: what happens, and never what is in frames -----------------

# Lines of JSON in production; frames/logs.py says what is in them.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
        "json": {"()": "frames.logs.JsonLines"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line" if DEBUG else "json",
        }
    },
    "root": {
        "handlers": ["console"],
        "level": env.text("LOG_LEVEL", "INFO", *env.LEVEL).upper(),
    },
    "loggers": {
        "django": {},  # Its own handlers would say everything twice.
        # These write addresses, with the filters in them. frames/logs.py has a line for
        # each request, and whatever answers a failure has logged it.
        "django.server": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR" if DEBUG else "CRITICAL"},
        "dtale": {"level": "CRITICAL"},  # Its texts have values of frames.
        **{name: {"level": "INFO"} for name in ("boto3", "botocore", "urllib3")},
        "gunicorn.error": {"handlers": [], "propagate": True},
    },
}

# /metrics, for Prometheus: with this as its bearer token, and without it not at all.
METRICS_TOKEN = env.text("METRICS_TOKEN", "", *env.TOKEN, is_secret=True)

SENTRY_DSN = env.text("SENTRY_DSN", "", is_secret=True)
if SENTRY_DSN:
    from .sentry import start

    start(SENTRY_DSN)
