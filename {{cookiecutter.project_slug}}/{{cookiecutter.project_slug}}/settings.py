"""Settings of the site. Values that differ between machines come from the environment.

The file `.env` in the project's root is read if it exists; `.env.example` lists every
variable. The defaults are for production: DEBUG is off and SECRET_KEY is required.

https://docs.djangoproject.com/en/stable/ref/settings/
"""

from pathlib import Path

import dj_database_url
import dotenv

from . import environment as env
from . import mail

# Answers to cookiecutter's questions ------------------------------------------------

SITE_NAME = "{{ cookiecutter.project_name|in_string }}"

# The path under which D-Tale is mounted: /<prefix>/dtale/main/1. `manage.py check`
# validates it with the rule in frames/names.py.
DTALE_PREFIX = "{{ cookiecutter.dtale_prefix }}"

# Environment ------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent

dotenv.load_dotenv(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", None, *env.KEY, is_secret=True)
# Previous keys. Data that they signed can still be read, and are signed with the new key
# when they change. Remove a key only when no such data are left.
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.texts(
    "ALLOWED_HOSTS",
    ["localhost", "127.0.0.1", "[::1]"],
    *env.HOST,
)

# Gunicorn and uvicorn read this variable before this file, and end with a traceback if it
# is invalid. Here, `migrate` and every other command reports it by name.
env.text("WEB_CONCURRENCY", "1", *env.WORKERS)

# The database, frames and static files are here. The site writes to no other place.
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

# SQLite, unless DATABASE_URL is set: postgresql://user:password@host/name.
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
    # With WAL, readers never wait. Transactions take the write lock when they begin:
    # SQLite does not wait for it in a transaction that has already read.
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }
else:
    # Seconds. A machine that is down does not even refuse a connection.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions and users -----------------------------------------------------------------

# These subclasses of Django's read the session and its user in one query. Add other
# backends (REMOTE_USER, LDAP) after this one.
SESSION_ENGINE = "accounts.sessions"
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
# Django's default derives a key for a cookie in each request, though few have the cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"

# Failed sign-in attempts allowed within SIGN_IN_WINDOW seconds: for one name from one IP
# address, and for one IP address. accounts/throttle.py counts them.
SIGN_IN_WINDOW = 15 * 60
SIGN_IN_TRIES = 5
SIGN_IN_TRIES_OF_ADDRESS = 50  # All people in an office may share an address.

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

# E-mail: users can reset a forgotten password if EMAIL_URL is set ---------------------

# submission://user:password@host, with TLS; in development the console shows the
# messages. The URL itself is not a setting, because Django's debug page would show the
# password.
email_url = env.text(
    "EMAIL_URL", "console:" if DEBUG else "", *env.EMAIL, is_secret=True
)
SENDS_EMAIL = bool(email_url)
vars().update(mail.settings_for(email_url))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "webmaster@localhost", *env.PERSON)

# Language and time ------------------------------------------------------------------

LANGUAGE_CODE = "en"  # For browsers that accept none of the languages below.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]  # With the texts of `accounts`.
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# Behind a proxy ---------------------------------------------------------------------

# The path below which a proxy publishes the site, such as /tools. The proxy strips it.
FORCE_SCRIPT_NAME = env.text("FORCE_SCRIPT_NAME", "", *env.PATH).rstrip("/") or None
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS", (), *env.ORIGIN)
if env.flag("TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Frames -----------------------------------------------------------------------------

# If true, only users who have signed in can have or see frames. If false, anonymous
# visitors have frames in their session, as in the tutorial.
FRAMES_LOGIN_REQUIRED = env.flag("FRAMES_LOGIN_REQUIRED", True)

# The files of frames: a private directory, or FRAMES_STORAGE_URL=s3://bucket/prefix. boto3
# reads the endpoint, the region and the credentials from the usual AWS variables.
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
            "max_memory_size": 1 << 20,  # Bytes; the rest is on disk.
            "use_threads": False,  # Ten threads would keep ten parts in memory.
        },
    }
# Cache on the disk for frames that were downloaded from S3, limited in size.
FRAMES_FETCHED_DIR = DATA_DIR / "fetched"
FRAMES_FETCHED_MB = env.number("FRAMES_FETCHED_MB", 10_000)

FRAMES_CACHE_MB = env.number("FRAMES_CACHE_MB", 500)  # Memory, of each process.
FRAMES_MAX_COUNT = env.number("FRAMES_MAX_COUNT", 200)  # Of one person.
FRAMES_MAX_MB = env.number("FRAMES_MAX_MB", 5_000)  # Of one person.
FRAMES_MAX_CELLS = env.number("FRAMES_MAX_CELLS", 100_000_000)  # Of one frame.
FRAMES_MAX_COLUMNS = env.number("FRAMES_MAX_COLUMNS", 5_000)  # Of one frame.
FRAMES_MAX_UPLOAD_MB = env.number("FRAMES_MAX_UPLOAD_MB", 200)  # Of one file.
# Limits of the process that reads an uploaded file. Small files have less time
# (frames/reader.py).
FRAMES_READER_MB = env.number("FRAMES_READER_MB", max(1_000, 10 * FRAMES_MAX_UPLOAD_MB))
FRAMES_READER_SECONDS = env.number("FRAMES_READER_SECONDS", 120)
FRAMES_MAX_SECONDS = env.number("FRAMES_MAX_SECONDS", 120)  # Of one request; 0: any.
FRAMES_EXPIRE_DAYS = env.number("FRAMES_EXPIRE_DAYS", 90)  # Unopened; 0: never.

# Static files: WhiteNoise serves them, in development straight from the apps ---------

# An absolute path: under a WSGI server, Django does not prepend FORCE_SCRIPT_NAME.
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
# The directory is created here, or WhiteNoise warns. In a container, the static files are
# part of the image, and DATA_DIR is a volume.
STATIC_ROOT = env.directory("STATIC_ROOT", DATA_DIR / "static", is_written=False)
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "frames.static_files.DtaleFinder",
]
# Formats that are compressed already. Not all WOFF fonts are.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["gif", "jpg", "png", "webp", "woff2"]
# Patched copies of D-Tale's scripts, written when they are first needed.
FRAMES_MENDED_DIR = DATA_DIR / "mended"
# Browsers may cache files for ever if the name of the file or of its folder has a digest.
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

# HTTPS: on, except in development ---------------------------------------------------

HTTPS = env.flag("HTTPS", not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 3600) * HTTPS  # 0 without it.
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SILENCED_SYSTEM_CHECKS = [
    # HSTS for all subdomains, and for the preload lists of browsers, affects other hosts
    # as well. The owner of the domain has to decide that.
    "security.W005",
    "security.W021",
]

# What browsers and clients may do ---------------------------------------------------

# Django's defaults add X-Frame-Options, nosniff, Cross-Origin-Opener-Policy and
# SameSite=Lax for cookies.
SECURE_REFERRER_POLICY = "same-origin"
CSRF_COOKIE_HTTPONLY = True  # Forms contain the token, so no script has to read it.

# Scripts and styles come from the site's static files; inline ones are blocked. Responses
# that set a policy of their own, as D-Tale's do, keep it.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # The admin's stylesheets contain small images.
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# Only the form of frames/uploads.py accepts a file, with an upload handler of its own.
# Without other handlers, Django discards uploaded files, so that nobody can fill the disk.
# If a form of yours accepts a file, set `request.upload_handlers` in its view. These limits
# do not apply to requests to D-Tale.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # Bytes, without files.
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = []

# Logs, metrics and errors: they never contain data of frames ---------------------------

# Lines of JSON in production; frames/logs.py defines their fields.
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
        "django": {},  # Drop Django's handlers: they would log every record twice.
        # These log URLs, which contain filters. frames/logs.py logs each request, and the
        # code that answers a failure logs the failure.
        "django.server": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR" if DEBUG else "CRITICAL"},
        "dtale": {"level": "CRITICAL"},  # Its messages contain data of frames.
        **{name: {"level": "INFO"} for name in ("boto3", "botocore", "urllib3")},
        "gunicorn.error": {"handlers": [], "propagate": True},
    },
}

# Bearer token of /metrics, for Prometheus. Without it, there is no /metrics.
METRICS_TOKEN = env.text("METRICS_TOKEN", "", *env.TOKEN, is_secret=True)

SENTRY_DSN = env.text("SENTRY_DSN", "", is_secret=True)
if SENTRY_DSN:
    from .sentry import start

    start(SENTRY_DSN)
