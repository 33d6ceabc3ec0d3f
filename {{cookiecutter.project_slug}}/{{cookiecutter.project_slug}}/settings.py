"""Settings of the site. Machine-specific values come from environment variables.

The file `.env` in the project's root is read if it exists; `.env.example` lists all
variables. The defaults are for production: DEBUG is off, and SECRET_KEY is required.

https://docs.djangoproject.com/en/stable/ref/settings/
"""

from importlib.util import find_spec
from pathlib import Path

import dotenv
from django_dtale.contrib import environment as env
from django_dtale.contrib import mail
from django_dtale.contrib.log_settings import log_settings

# Answers to cookiecutter's questions ------------------------------------------------

SITE_NAME = "{{ cookiecutter.project_name|in_string }}"

# Environment ------------------------------------------------------------------------

BASE_DIR = Path(__file__).resolve().parent.parent

dotenv.load_dotenv(BASE_DIR / ".env")

DEBUG = env.flag("DEBUG", False)
SECRET_KEY = env.text("SECRET_KEY", None, *env.KEY, is_secret=True)
# Previous keys. Data signed with them can still be read, and is signed with SECRET_KEY
# when it is saved again. Remove a key only when no such data is left.
SECRET_KEY_FALLBACKS = env.texts("SECRET_KEY_FALLBACKS")
ALLOWED_HOSTS = env.texts(
    "ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"], *env.HOST
)

# Gunicorn and uvicorn read this variable before they load this file, and exit with a
# traceback if it is invalid. This line lets `manage.py` commands report it by name.
env.text("WEB_CONCURRENCY", "1", *env.WORKERS)

# The database, the frames and the static files. The site writes only to this directory.
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / "data")

# Applications -----------------------------------------------------------------------

INSTALLED_APPS = [
    "accounts",
    "django_dtale",
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
    "django_dtale.contrib.health.ProbeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_dtale.middleware.NoStoreMiddleware",
    "django_dtale.contrib.metrics.MetricsMiddleware",
    "django_dtale.contrib.logging.RequestMiddleware",
    "django_dtale.contrib.stuck.StuckMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django_dtale.middleware.BodyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.ThrottleMiddleware",
    "django_dtale.middleware.WorkspaceMiddleware",
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
                "django_dtale.context_processors.site",
            ],
        },
    },
]

# Debug toolbar: only with DEBUG, and if it is installed ------------------------------

if env.flag("DEBUG_TOOLBAR", False) and DEBUG and find_spec("debug_toolbar"):
    INSTALLED_APPS.append("debug_toolbar")
    # After CSPMiddleware, which creates the nonce of its scripts.
    MIDDLEWARE.insert(
        MIDDLEWARE.index("csp.middleware.CSPMiddleware") + 1,
        "debug_toolbar.middleware.DebugToolbarMiddleware",
    )
    INTERNAL_IPS = ["127.0.0.1", "::1"]  # Only browsers on this machine see it.
    DEBUG_TOOLBAR_CONFIG = {
        "DISABLE_PANELS": {
            "debug_toolbar.panels.profiling.ProfilingPanel",
            "debug_toolbar.panels.redirects.RedirectsPanel",
            # The first page would wait until D-Tale's static files are patched.
            "debug_toolbar.panels.staticfiles.StaticFilesPanel",
        },
        "SHOW_COLLAPSED": True,
        "SHOW_TOOLBAR_CALLBACK": "django_dtale.contrib.toolbar.show_toolbar",
    }

# Database ---------------------------------------------------------------------------

# SQLite, unless DATABASE_URL is set: postgresql://user:password@host/name.
DATABASES = {"default": env.database("DATABASE_URL", DATA_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Sessions and users -----------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
# Django's ModelBackend, rate-limited. Add other backends (REMOTE_USER, LDAP) after it.
AUTHENTICATION_BACKENDS = ["accounts.backends.AccountBackend"]
# Django's default derives a signing key in each request, although few have messages.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = LOGOUT_REDIRECT_URL = "index"

# How many sign-in attempts may fail within SIGN_IN_WINDOW seconds: for one name from
# one IP address, and from one IP address in total. accounts/throttle.py counts them.
SIGN_IN_WINDOW = 15 * 60
SIGN_IN_TRIES = 5
SIGN_IN_TRIES_OF_ADDRESS = 50  # Everyone in an office may share one address.

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

# The URL is submission://user:password@host, which uses TLS. In development, e-mails
# are printed to the console. The URL itself is not a setting, because Django's debug
# page would show the password.
email_url = env.text(
    "EMAIL_URL", "console:" if DEBUG else "", *env.EMAIL, is_secret=True
)
SENDS_EMAIL = bool(email_url)
vars().update(mail.settings_for(email_url))
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "webmaster@localhost", *env.PERSON)

# Language and time ------------------------------------------------------------------

LANGUAGE_CODE = "en"  # For browsers that accept none of the languages below.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [Path(__file__).parent / "locale"]  # Also for `accounts`.
TIME_ZONE = "UTC"

# Behind a proxy ---------------------------------------------------------------------

# The path under which a proxy serves the site, such as /tools. The proxy must strip it.
FORCE_SCRIPT_NAME = env.text("FORCE_SCRIPT_NAME", "", *env.PATH).rstrip("/") or None
CSRF_TRUSTED_ORIGINS = env.texts("CSRF_TRUSTED_ORIGINS", (), *env.ORIGIN)
if env.flag("TLS_PROXY", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Frames -----------------------------------------------------------------------------

# Settings of the library. packages/django-dtale/docs/settings.md describes all of them.
DTALE = {
    # The path under which D-Tale is mounted: /<prefix>/dtale/main/1. `manage.py check`
    # validates it with the rule in django_dtale/names.py.
    "PREFIX": "{{ cookiecutter.dtale_prefix }}",
    "DATA_DIR": DATA_DIR,
    # Bearer token for Prometheus to read /metrics. Without it, there are no metrics.
    "METRICS_TOKEN": env.text("METRICS_TOKEN", "", *env.TOKEN, is_secret=True),
    # FRAMES_LOGIN_REQUIRED and the limits that docs/variables.md lists.
    **env.dtale(),
}

# Static files: WhiteNoise serves them (in development, directly from the apps) -------

# An absolute path: under a WSGI server, Django does not prepend FORCE_SCRIPT_NAME.
STATIC_URL = f"{FORCE_SCRIPT_NAME or ''}/static/"
# This line creates the directory, because WhiteNoise warns if it is missing. In a
# container, the static files are part of the image, and DATA_DIR is a volume.
STATIC_ROOT = env.directory("STATIC_ROOT", DATA_DIR / "static", is_written=False)
STATICFILES_DIRS = [Path(__file__).parent / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "django_dtale.dtale.assets.finder.DtaleFinder",
]
# These formats are already compressed. Some "woff" fonts are not.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ["gif", "jpg", "png", "webp", "woff2"]
# Browsers can cache a file forever if its name, or its folder's name, contains a hash.
WHITENOISE_IMMUTABLE_FILE_TEST = r"[./][0-9a-f]{12}[./]"
STORAGES = {
    # A private directory, or a bucket: FRAMES_STORAGE_URL=s3://bucket/prefix.
    "frames": env.frames_storage("FRAMES_STORAGE_URL", DATA_DIR / "frames"),
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "django_dtale.dtale.assets.finder.StaticFilesStorage"
    },
}

# HTTPS: on except in development ----------------------------------------------------

HTTPS = env.flag("HTTPS", not DEBUG)
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 3600) * HTTPS  # 0 without HTTPS.
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
SILENCED_SYSTEM_CHECKS = [
    # HSTS for all subdomains and the preload lists of browsers also affect other hosts.
    # Only the owner of the domain can decide that.
    "security.W005",
    "security.W021",
]

# Restrictions for browsers and clients ----------------------------------------------

# Django's defaults add X-Frame-Options, nosniff, Referrer-Policy, Cross-Origin-Opener-Policy
# and SameSite=Lax for cookies.
CSRF_COOKIE_HTTPONLY = True  # Scripts do not need it: forms contain the token.

# Scripts and styles must be static files of the site; inline ones are blocked.
# Responses that set their own policy, such as D-Tale's, keep it.
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

# Without handlers, Django discards uploaded files, so that nobody can fill the disk. If
# one of your forms accepts files, set `request.upload_handlers` in its view, as the
# library does. These limits do not apply to requests to D-Tale.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 20  # Bytes, without files.
DATA_UPLOAD_MAX_NUMBER_FILES = 20
FILE_UPLOAD_HANDLERS: list[str] = []

# Logs, metrics and errors: they never contain frame data ------------------------------

LOGGING = log_settings(env.text("LOG_LEVEL", "INFO", *env.LEVEL), DEBUG)

SENTRY_DSN = env.text("SENTRY_DSN", "", is_secret=True)
if SENTRY_DSN:
    from django_dtale.contrib.sentry import start

    start(SENTRY_DSN)
