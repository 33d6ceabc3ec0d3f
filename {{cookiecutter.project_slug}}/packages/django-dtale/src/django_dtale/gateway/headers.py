"""The security and cache headers of every response below D-Tale's prefix."""

from wsgiref.headers import Headers
from wsgiref.types import StartResponse

from ..dtale.csp import WITHOUT_SCRIPTS

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
}
# D-Tale's pages set a policy that allows their scripts. Static files may be cached.
UNLESS_SET = {"Content-Security-Policy": WITHOUT_SCRIPTS, "Cache-Control": "no-store"}


def add_headers(start_response: StartResponse) -> StartResponse:
    """Return a ``start_response`` that adds the headers to any response."""

    def start(status, headers, exc_info=None):
        headers = Headers(headers)
        for name, value in HEADERS.items():
            headers[name] = value
        for name, value in UNLESS_SET.items():
            headers.setdefault(name, value)
        return start_response(status, headers.items(), exc_info)

    return start
