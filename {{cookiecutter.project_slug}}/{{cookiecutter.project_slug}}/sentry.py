"""Errors go to Sentry, too, if SENTRY_DSN is set: what the log says of them, no more."""

from django.core.exceptions import ImproperlyConfigured

from frames.logs import noted

# Of an event; what a later release of the library adds stays here.
SENT = frozenset(
    "event_id timestamp level logger logentry exception platform sdk environment "
    "release server_name modules contexts".split()
)


def start(dsn, **options):
    """Send what is logged as an error to a project of Sentry's.

    Raises:
        ImproperlyConfigured
    """
    try:
        import sentry_sdk
        from sentry_sdk.integrations.logging import LoggingIntegration
    except ImportError:
        raise ImproperlyConfigured(
            "The variable SENTRY_DSN is set, and sentry-sdk is not installed. Install "
            "it (uv sync --inexact --extra sentry), or leave the variable empty."
        ) from None
    try:
        sentry_sdk.init(
            dsn,
            # Of the integrations with frameworks none: they send what is in requests.
            # Of persons it sends nothing, as long as nobody sets send_default_pii.
            auto_enabling_integrations=False,
            integrations=[LoggingIntegration()],
            include_local_variables=False,
            max_request_body_size="never",
            max_breadcrumbs=0,
            before_send=without_data,
            **options,
        )
    except sentry_sdk.utils.BadDsn:
        raise ImproperlyConfigured(
            "The variable SENTRY_DSN is no DSN. Use https://key@host/project."
        ) from None


def without_data(event, hint):
    """Return an event (dict) with no more than the log has of it."""
    event = {name: value for name, value in event.items() if name in SENT}
    known = {name: str(value) for name, value in noted().items()}
    if known:
        event["tags"] = known
        event["user"] = {"id": known.get("user")}
        # A text of pandas' has the value that did not fit. The log has the others.
        for each in event.get("exception", {}).get("values", ()):
            each["value"] = ""
    return event
