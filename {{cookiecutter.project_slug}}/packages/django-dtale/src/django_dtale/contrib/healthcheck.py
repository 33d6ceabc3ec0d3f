"""Check that the server on this machine responds.

HEALTHCHECK in a Dockerfile runs `python -m django_dtale.contrib.healthcheck 8000`.
This command does not need curl, which small images lack, and imports nothing from the
library.
"""

import sys
from http.client import HTTPConnection, HTTPException

SECONDS = 4  # Docker's timeout is five seconds.


def main(port: int) -> None:
    """Exit with a message and with status 1, unless `/healthz` returns 200."""
    # Unlike urllib, http.client ignores environment variables for proxies.
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
    except (OSError, HTTPException) as error:
        sys.exit(f"/healthz does not answer: {error}")
    if response.status != 200:
        sys.exit(f"/healthz answers with {response.status}.")


if __name__ == "__main__":
    main(int(sys.argv[1]))
