"""Send DataFrames to a site that uses django-dtale, and read its tables.

This module needs only pandas and pyarrow, neither Django nor the rest of the library. You
can copy this file beside a notebook, and import it from there:

    from client import pull, push

    made = push(df, "https://data.example.com", token, name="sales", replace=True)
    df = pull(made["url"], token)
"""

import contextlib
import io
import json
import re
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    Request,
    build_opener,
)

import pandas as pd

TIMEOUT = 600  # Seconds without any data from the site.
PARQUET = "application/vnd.apache.parquet"
# The end of a table's address, or its number alone.
TABLE = re.compile(r"(?:^|/dtale/\w+/)(\d+)/?$")


class SiteError(Exception):
    """The site refused a request, with this message, or did not respond.

    Attributes:
        status: the HTTP status, or None if there was no response.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def push(
    data: pd.DataFrame | Path,
    url: str,
    token: str,
    name: str = "",
    *,
    replace: bool = False,
    append: bool = False,
    **options: Any,
) -> dict[str, Any]:
    """Create a table, or give new data to one, and return the site's answer.

    Args:
        data: a DataFrame, or the path of a file in any format that the site reads.
        url: the address of the site, or that of a table whose data are replaced.
        token: an access token that can create tables.
        name: the name of the table.
        replace: if you have a table with this name, replace its data.
        append: if you have a table with this name, add the rows at its end.
        options: options with which the site reads a file, such as ``decimal=","``.

    Returns:
        A dict with the table's ``url``, ``id``, ``name``, ``rows`` and ``columns``, the
        time and the number of its data (``as_of``, ``version``), and ``notes`` about
        conversions and dropped filters.

    Raises:
        SiteError: the site refused the data; the message gives the reason.
    """
    if isinstance(data, Path):
        body, suffix, kind = data.read_bytes(), data.suffix, "application/octet-stream"
        name = name or data.stem
    else:
        body, suffix, kind = data.to_parquet(), ".parquet", PARQUET
    # The site removes the extension from the name. It determines the format.
    query = {"name": f"{name}{suffix}" if name else "", **options}
    query |= {"replace": replace, "append": append}
    texts = {
        key: int(value) if isinstance(value, bool) else value
        for key, value in query.items()
    }
    address = f"{_address(url, 'push')}?{urlencode(texts, doseq=True)}"
    answer, _ = _send(token, address, body, kind)
    return json.loads(answer)


def pull(
    table: str | int, token: str, *, site: str = "", view: bool = False
) -> pd.DataFrame:
    """Return the data of a table.

    The time of the data is ``attrs["as_of"]`` of the result.

    Args:
        table: the address of the table, or its number.
        token: an access token that can read tables.
        site: the address of the site, if ``table`` is a number, or if the site is not
            at the root of its host.
        view: return only the rows and columns that you see in D-Tale: filtered, sorted
            and in the order of the grid.

    Raises:
        SiteError: the site refused the request; the message gives the reason.
    """
    address = _address(str(table), "parquet", site) + ("?view=1" if view else "")
    answer, headers = _send(token, address)
    data = pd.read_parquet(io.BytesIO(answer))
    data.attrs["as_of"] = headers["As-Of"]
    return data


def _address(url: str, action: str, site: str = "") -> str:
    """Return the address at which the site does something with a table.

    Args:
        url: the address of the site or of a table, the number of a table, or the
            address that is looked for.
    """
    path = urlsplit(url).path.rstrip("/")
    if path.endswith(f"/{action}"):
        return url
    table = TABLE.search(path)
    if table is None:
        return f"{url.rstrip('/')}/frames/{action}/"
    parts = urlsplit(url)
    root = site or (parts.scheme and f"{parts.scheme}://{parts.netloc}")
    if not root:
        raise ValueError("Give the address of the site, as in site='https://...'.")
    return f"{root.rstrip('/')}/frames/{table[1]}/{action}/"


class _PatientHandler(HTTPHandler, HTTPSHandler):
    """Read the response of a site that refuses data before it has received all."""

    def do_open(self, http_class: Any, req: Request, **args: Any) -> HTTPResponse:
        class Connection(http_class):
            def send(self, data: Any) -> None:
                if self.sock is None:
                    self.connect()
                # The site has closed the connection. Its response says why.
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                    super().send(data)

        return super().do_open(Connection, req, **args)


class _NoRedirects(HTTPRedirectHandler):
    """Treat redirects as errors, because urllib turns a redirected POST into a GET."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _send(
    token: str, url: str, body: bytes | None = None, kind: str = ""
) -> tuple[bytes, Any]:
    """Return the body and the headers of the response.

    Args:
        body: the body of a POST. Without it, send a GET.
        kind: the media type of the body.

    Raises:
        SiteError: the response is an error, or there is none.
    """
    headers = {"Authorization": f"Bearer {token.strip()}", "Content-Type": kind}
    request = Request(url, body, headers)  # noqa: S310
    try:
        opener = build_opener(_PatientHandler, _NoRedirects)
        with opener.open(request, timeout=TIMEOUT) as response:
            return response.read(), response.headers
    except HTTPError as error:
        with error:
            raise SiteError(_message(error), error.code) from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise SiteError(f"No response from {request.host}: {reason}") from error


def _message(error: HTTPError) -> str:
    """Return the site's message about an error."""
    if target := error.headers.get("Location"):
        return (
            f"The site redirects {error.url} to {target}. Use its new address if it has "
            "moved. If it redirects to the login page, check the token."
        )
    try:
        return json.load(error)["error"]
    except (ValueError, LookupError, TypeError):  # The response may be a proxy's.
        return f"{error.url}: HTTP {error.code} {error.reason}"
