"""The gateway, which decides which requests reach D-Tale.

Django's middleware runs first, as for any view of the site: it checks hosts, and
handles sessions, users and security headers. The gateway then decides by endpoint,
never by the text of the path, because the same path can be written in many ways. Each
request to D-Tale is one unit of work.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.db import transaction
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    UnreadablePostError,
)
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.routing import RequestRedirect
from werkzeug.test import run_wsgi_app

from ..decorators import check_access
from ..dtale.csp import WITHOUT_SCRIPTS
from ..dtale.endpoints import (
    CALLBACK,
    DATA_EXPORT,
    DJANGO_REQUEST,
    GATEWAY,
    ROUTE,
    Kind,
    kind_of,
)
from ..dtale.loader import load_dtale
from ..errors import error_response, json_error, user_message
from ..exceptions import Conflict, LimitExceeded
from ..formats import format_megabytes
from ..logs import add_log_context
from ..unit_of_work import unit_of_work
from .fair_shares import CALCULATION, share
from .headers import add_headers
from .same_origin import is_same_origin

if TYPE_CHECKING:
    from ..dtale.application import DtaleApplication

METHODS = "GET", "POST"
# The key of the server's original environment in the environment for Django.
MOUNTED = "frames.mounted"
MAX_REPLAY = 1 << 20  # Bytes. Requests with a longer body are not run again.
MAX_STALE_RETRIES = 3
# Bytes. A map of 20 MB has this size when the charts page sends it. Parsing it takes
# many times as much memory.
MAX_MAP = 28 << 20

# Django converts these exceptions to responses, each with its own status.
DJANGO_ERRORS = BadRequest, Http404, PermissionDenied, SuspiciousOperation


class GatewayRequest(WSGIRequest):
    """A request to D-Tale. Its `kind` is None until the endpoint is known."""

    kind: Kind | None


class Gateway:
    """D-Tale as a WSGI application, behind Django's own request handling.

    Django's application gets each request first, with the gateway in its environment.
    ``gateway.urls`` then calls `answer` for all paths.

    Args:
        django: Django's WSGI application, which `get_wsgi_application` returns.
        prefix: the path at which the gateway is mounted.
        dtale: the D-Tale application. By default, it is loaded on the first request.
    """

    def __init__(
        self,
        django: WSGIApplication,
        prefix: str,
        dtale: "DtaleApplication | None" = None,
    ) -> None:
        self.django = django
        self.mount = f"/{prefix}"
        self._dtale = dtale

    @property
    def dtale(self) -> "DtaleApplication":
        return self._dtale or load_dtale()

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        # Django creates links from SCRIPT_NAME, so it must not contain the mount path.
        site = {
            **environ,
            "SCRIPT_NAME": environ["SCRIPT_NAME"].removesuffix(self.mount),
            "PATH_INFO": self.mount + environ["PATH_INFO"],
            MOUNTED: environ,
            GATEWAY: self,
        }
        return self.django(site, add_headers(start_response))

    def answer(self, request: GatewayRequest) -> HttpResponse:
        """Return D-Tale's response, or one that explains an error."""
        request.kind = None  # The endpoint is not known yet.
        try:
            return self.handle(request)
        except DJANGO_ERRORS:
            raise
        except Exception as error:
            return error_response(error, request, request.kind is Kind.PAGE)

    def handle(self, request: GatewayRequest) -> HttpResponse:
        environ = {**request.environ[MOUNTED], DJANGO_REQUEST: request}
        # Flask would also run views for HEAD, and some of D-Tale's views change data.
        if request.method not in METHODS:
            return HttpResponseNotAllowed(METHODS)
        try:
            endpoint = self.dtale.match(environ)
            kind = request.kind = kind_of(endpoint)
            add_log_context(endpoint=endpoint)
        except RequestRedirect:
            endpoint, kind = None, Kind.PAGE
        except MethodNotAllowed as error:
            return HttpResponseNotAllowed(
                set(METHODS).intersection(error.valid_methods or ())
            )
        except NotFound:
            kind = None
        if kind is None:
            # Django's own view for missing pages passes the same variable to the
            # template.
            context = {"request_path": quote(request.path)}
            return render(request, "404.html", context, status=404)
        refusal = access_refusal(request, kind) or body_refusal(request, endpoint)
        if refusal is not None:
            return refusal
        if kind is Kind.STATIC:
            return run(self.dtale, environ)
        if endpoint == DATA_EXPORT and is_opened_in_tab(request):
            data_id = environ[ROUTE][1]["data_id"]
            if data_id.isdecimal():
                return redirect_to_download(request, data_id)
        # Reading the body counts towards the share, because a client may send it
        # slowly.
        with share(CALCULATION):
            return self.run_unit_of_work(request, environ, endpoint)

    def run_unit_of_work(
        self, request: GatewayRequest, environ: WSGIEnvironment, endpoint: str | None
    ) -> HttpResponse:
        """Run D-Tale, and run it again if another request has changed its data.

        The first run takes no lock, so that requests that only read never block others.
        If the run changes a frame that another request has changed in the meantime,
        D-Tale is run again with the row of that frame locked.
        """
        body = b""
        can_repeat = True
        if request.method == "POST":
            can_repeat = int(environ["CONTENT_LENGTH"]) <= MAX_REPLAY
            try:
                body = request.read()
            except UnreadablePostError:
                text = _("The request took too long to arrive. Please try again.")
                return json_error(408, text)
            if len(body) < int(environ["CONTENT_LENGTH"]):
                text = _("The connection ended before all data were sent.")
                return json_error(400, text)
        lock, stale_retries = False, 0
        while True:
            try:
                with (
                    transaction.atomic() if lock else nullcontext(),
                    unit_of_work(lock) as unit,
                ):
                    response = self.get_response(request, environ, body)
                    unit.failed |= response.status_code >= 400
            except LimitExceeded as error:
                return json_error(200, user_message(error))
            except Conflict as error:
                if lock or not can_repeat:
                    return json_error(200, user_message(error))
                lock = True
                continue
            if unit.unavailable:
                return json_error(unit.unavailable.status, unit.unavailable)
            if lock or not can_repeat or not unit.stale:
                return response
            # Another request replaced the data before this one could read them: use the
            # new data.
            stale_retries += 1
            lock = stale_retries > MAX_STALE_RETRIES

    def get_response(
        self, request: GatewayRequest, environ: WSGIEnvironment, body: bytes
    ) -> HttpResponse:
        """Return D-Tale's response, or one that explains why the input is invalid."""
        environ["wsgi.input"] = BytesIO(body)
        if ROUTE not in environ:
            return run(self.dtale, environ)  # Flask redirects to the canonical path.

        def validate_and_run() -> HttpResponse:
            try:
                self.dtale.validate_request(environ)
            except Exception as error:
                return refusal(error, request)
            environ["wsgi.input"] = BytesIO(body)
            return run(self.dtale, environ)

        try:
            self.dtale.check_target(environ)
        except Exception as error:
            return refusal(error, request)
        return self.dtale.answer(environ, validate_and_run)


def refusal(error: Exception, request: GatewayRequest) -> HttpResponse:
    """Return the response to a request that D-Tale must not see."""
    response = error_response(error, request, request.kind is Kind.PAGE)
    # The site's Content-Security-Policy may allow scripts, and the message may contain
    # text from the request.
    response.headers["Content-Security-Policy"] = WITHOUT_SCRIPTS
    return response


def access_refusal(request: HttpRequest, kind: Kind) -> HttpResponse | None:
    """Return the response to a request that is not allowed, or None if it is allowed.

    Raises:
        AccessDenied: the user has signed in, and the site's access policy refuses them.
    """
    if kind is Kind.STATIC:
        return None
    if not check_access(request.user):
        if kind is Kind.DATA:
            text = _("You are not signed in. Sign in in another tab, then try again.")
            return json_error(401, text)
        return redirect_to_login(request.get_full_path())
    if is_same_origin(request, kind):
        return None
    if kind is Kind.PAGE:
        return render(request, "frames/elsewhere.html", status=403)
    return json_error(
        403, _("D-Tale answers this request only if a page of this site sends it.")
    )


def body_refusal(request: WSGIRequest, endpoint: str | None) -> HttpResponse | None:
    """Return an error response if the body must not be read, or None if it may be."""
    if request.method != "POST":
        return None
    length = request.environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal():
        return json_error(411, _("The request needs a Content-Length header."))
    is_map = endpoint == CALLBACK
    limit = MAX_MAP if is_map else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if int(length) <= limit:
        return None
    text = _("The request has %(size)s MB; the limit is %(limit)s MB.")
    sizes = {"size": format_megabytes(int(length)), "limit": format_megabytes(limit)}
    return json_error(413, text % sizes)


def is_opened_in_tab(request: HttpRequest) -> bool:
    """Return whether a person opens a URL, rather than a script or an iframe."""
    headers = request.headers
    return (
        headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == "document"
    )


def redirect_to_download(request: HttpRequest, data_id: str) -> HttpResponse:
    """Redirect from D-Tale's export to the site's page, which offers more choices."""
    page = reverse("frames:download", args=[data_id])
    return redirect(
        f"{page}?{urlencode({'preselect': request.GET.get('type', 'csv')})}"
    )


def run(application: WSGIApplication, environ: WSGIEnvironment) -> HttpResponse:
    """Run a WSGI application, and return its response as an ``HttpResponse``."""
    chunks, status, headers = run_wsgi_app(application, environ, buffered=True)
    response = HttpResponse(b"".join(chunks), status=int(status.split(maxsplit=1)[0]))
    del response.headers["Content-Type"]
    for name, value in headers:
        if name.lower() == "set-cookie":
            response.cookies.load(value)
        else:
            response.headers[name] = value
    return response
