"""Turn EMAIL_URL into Django's settings for e-mail.

https://docs.djangoproject.com/en/stable/topics/email/
"""

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit
from urllib.request import url2pathname

import django

from .environment import TRUE

# Seconds. Without a timeout, a mail server that does not respond would block a thread.
TIMEOUT = 30


def settings_for(url: str) -> dict[str, Any]:
    """Return Django's settings for a URL, or no settings if the URL is empty."""
    if not url:
        return {}
    backend, options = _mailer(urlsplit(url))
    backend = f"django.core.mail.backends.{backend}.EmailBackend"
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": options}}}
    # Older releases of Django have only EMAIL_*. Newer releases refuse EMAIL_* together
    # with MAILERS.
    names = {"username": "HOST_USER", "password": "HOST_PASSWORD"}
    old = {names.get(key, key.upper()): value for key, value in options.items()}
    return {"EMAIL_BACKEND": backend, **{f"EMAIL_{name}": old[name] for name in old}}


def _mailer(url: SplitResult) -> tuple[str, dict[str, Any]]:
    if url.scheme == "console":
        return "console", {}
    if url.scheme == "file":
        return "filebased", {"file_path": url2pathname(url.path)}
    query = dict(parse_qsl(url.query))
    use_ssl = query.get("ssl", "").lower() in TRUE
    use_tls = url.scheme == "submission" or query.get("tls", "").lower() in TRUE
    use_tls = use_tls and not use_ssl
    return "smtp", {
        "host": url.hostname,
        "port": url.port or (465 if use_ssl else 587 if use_tls else 25),
        "username": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "use_ssl": use_ssl,
        "use_tls": use_tls,
        "timeout": int(query.get("timeout", TIMEOUT)),
    }
