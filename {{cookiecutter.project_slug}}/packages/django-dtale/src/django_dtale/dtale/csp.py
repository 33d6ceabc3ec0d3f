"""The Content-Security-Policy of responses below D-Tale's prefix.

D-Tale shows users' data. Even if text from the data becomes HTML, it must not be able
to run a script or to send data to another host.
"""

# https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/Content-Security-Policy
POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    # The grid, the charts and the editors set inline styles.
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'self'",
}


def content_policy(*scripts: str) -> str:
    """Return the Content-Security-Policy of a page.

    Args:
        scripts: The sources of the page's scripts: ``'nonce-...'`` or hashes.
    """
    policy = {**POLICY, "script-src": " ".join([POLICY["script-src"], *scripts])}
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


WITHOUT_SCRIPTS = content_policy()
