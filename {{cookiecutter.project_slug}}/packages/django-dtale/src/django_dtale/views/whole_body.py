"""Refuse a request whose body ends too early.

If a client closes the connection while it sends a file, a WSGI server ends the body as if
the client had sent all of it, and Django accepts a form without its end. A table would
then lose the rest of its rows.
"""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..exceptions import InputRefused


def require_whole_body(request: HttpRequest) -> None:
    """Make reading the request fail if its body is shorter than its Content-Length.

    Call this before anything reads the body. Reading then raises ``InputRefused``.
    """
    header = request.META.get("CONTENT_LENGTH", "")
    left = int(header) if header.isdecimal() else 0
    read = request.read

    def checked(size: int | None = -1) -> bytes:
        nonlocal left
        data = read(size)
        left -= len(data)
        if left > 0 and size != 0 and (size is None or size < 0 or not data):
            raise InputRefused(
                _(
                    "The connection ended before all data were sent. Nothing was changed."
                )
            )
        return data

    request.read = checked  # type: ignore[method-assign]
