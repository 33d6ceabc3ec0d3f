"""What every answer below D-Tale's prefix tells the browser to allow, and to keep.

D-Tale shows what is in people's data: text that becomes HTML somewhere must run nothing
and send nothing away.
"""

# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",  # Grid, charts and editors set styles.
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}


def content_policy(*scripts):
    """Return the Content-Security-Policy (str) of a page.

    Args:
        scripts: sources (str) of the scripts in the page: ``'nonce-...'`` or hashes.
    """
    policy = {**POLICY, "script-src": " ".join([POLICY["script-src"], *scripts])}
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


WITHOUT_SCRIPTS = content_policy()  # As most answers have it.
# D-Tale's pages name their scripts, and its static files may be kept.
UNLESS_SET = {"Content-Security-Policy": WITHOUT_SCRIPTS, "Cache-Control": "no-store"}


def protect(response):
    """Put the headers on an answer (HttpResponse), whatever it is, and return it."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    for name, value in UNLESS_SET.items():
        response.headers.setdefault(name, value)
    return response
