"""Turns EMAIL_URL into Django's settings for e-mail.

https://docs.djangoproject.com/en/stable/topics/email/
"""

from urllib.parse import parse_qsl, unquote, urlsplit
from urllib.request import url2pathname

import django

from .environment import TRUE

# Seconds. A mail server that does not answer would hold a thread for good.
TIMEOUT = 30


def settings_for(url):
    """Return the settings (dict) for a URL (str); none for an empty one."""
    if not url:
        return {}
    backend, options = _mailer(urlsplit(url))
    backend = f"django.core.mail.backends.{backend}.EmailBackend"
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, "OPTIONS": options}}}
    # Older releases know only EMAIL_*; newer ones refuse it beside MAILERS.
    names = {"username": "HOST_USER", "password": "HOST_PASSWORD"}
    old = {names.get(key, key.upper()): value for key, value in options.items()}
    return {"EMAIL_BACKEND": backend, **{f"EMAIL_{name}": old[name] for name in old}}


def _mailer(url):
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
