"""Send errors to Sentry, with only the data that the log contains."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from ..logs import log_context

# The parts of an event that are sent. This is an allow-list, because later releases of
# sentry-sdk may add other parts.
SENT = frozenset(
    "event_id timestamp level logger logentry exception platform sdk environment "
    "release server_name modules contexts".split()
)


def start(dsn: str, **options: Any) -> None:
    """Send all logged errors to a project in Sentry, unless the DSN is empty.

    Raises:
        ImproperlyConfigured: sentry-sdk is not installed, or the DSN is invalid.
    """
    if not dsn:
        return
    try:
        import sentry_sdk
        from sentry_sdk.integrations.logging import LoggingIntegration
    except ImportError:
        raise ImproperlyConfigured(
            "The variable SENTRY_DSN is set, but sentry-sdk is not installed. Install "
            "it (uv sync --inexact --extra sentry), or leave the variable empty."
        ) from None
    try:
        sentry_sdk.init(
            dsn,
            # Integrations with frameworks would send data of requests. No other
            # personal data are sent, because send_default_pii is off by default.
            auto_enabling_integrations=False,
            integrations=[LoggingIntegration()],
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            before_send=strip_data,
            **options,
        )
    except sentry_sdk.utils.BadDsn:
        raise ImproperlyConfigured(
            "The variable SENTRY_DSN is not a valid DSN. Use https://key@host/project."
        ) from None


def strip_data(event: Any, hint: object) -> Any:
    """Return an event with only the data that the log contains."""
    event = {name: value for name, value in event.items() if name in SENT}
    known = {name: str(value) for name, value in log_context().items()}
    if known:
        event["tags"] = known
        event["user"] = {"id": known.get("user")}
        # Error messages of pandas can contain values of a frame.
        for each in event.get("exception", {}).get("values", ()):
            each["value"] = ""
    return event
