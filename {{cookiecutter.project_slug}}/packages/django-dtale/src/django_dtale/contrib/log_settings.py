from typing import Any


def log_settings(level: str, debug: bool) -> dict[str, Any]:
    """Return LOGGING for a site: lines of JSON, or plain text for development.

    The log never contains data of frames. `JsonFormatter` defines the JSON fields.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"},
            "json": {"()": "django_dtale.contrib.logging.JsonFormatter"},
        },
        "handlers": {
            "console": {
                "class": "logging.StreamHandler",
                "formatter": "line" if debug else "json",
            }
        },
        "root": {"handlers": ["console"], "level": level.upper()},
        "loggers": {
            "django": {},  # Drop Django's handlers: they would log every record twice.
            # These loggers would log URLs, which contain filters. `RequestMiddleware`
            # logs each request instead, and the code that handles an error logs the
            # error.
            "django.server": {"level": "CRITICAL"},
            "django.request": {"level": "ERROR" if debug else "CRITICAL"},
            "dtale": {"level": "CRITICAL"},  # D-Tale logs data of frames.
            **{name: {"level": "INFO"} for name in ("boto3", "botocore", "urllib3")},
            "gunicorn.error": {"handlers": [], "propagate": True},
        },
    }
