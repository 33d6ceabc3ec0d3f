"""Dispatch requests to Django, or to the application mounted under a prefix."""

import logging
from collections.abc import Callable, Iterable
from threading import Lock
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django_dtale.conf import dtale_settings

logger = logging.getLogger(__name__)


class PathDispatcher:
    """A WSGI application that mounts another application under a path.

    This is the class from D-Tale's tutorial, ported to current releases of Werkzeug,
    which lack two functions that it used. D-Tale 3.22 has a similar class
    (`dtale.django.dispatcher`). That class takes a lock for each request, and calls
    `create_app` for each of Django's paths, with a path segment as the prefix. It has
    no error page for when D-Tale cannot be loaded.

    Args:
        default_app: The WSGI application for all other paths (Django's).
        create_app: A function that is called with the prefix at the first request. It
            returns the WSGI application to mount, or None to use `default_app`.
        prefix: The path without leading and trailing slashes, by default
            `DTALE["PREFIX"]`.
    """

    def __init__(
        self,
        default_app: WSGIApplication,
        create_app: Callable[[str], WSGIApplication | None],
        prefix: str | None = None,
    ) -> None:
        self.default_app = default_app
        self.create_app = create_app
        self.prefix = dtale_settings.PREFIX if prefix is None else prefix
        self.lock = Lock()
        self.instances: dict[str, WSGIApplication] = {}

    def get_application(self, prefix: str) -> WSGIApplication | None:
        """Return the application mounted at `prefix`, and create it on the first call.

        Exceptions from `create_app` are logged and raised. The next call tries again.
        """
        app = self.instances.get(prefix)
        if app is None:
            with self.lock:  # One thread creates it, and the others wait.
                app = self.instances.get(prefix)
                if app is None:
                    try:
                        app = self.create_app(prefix)
                    except Exception:
                        logger.exception(
                            "The application at /%s could not be created.", prefix
                        )
                        raise
                    if app is not None:
                        self.instances[prefix] = app
        return app

    def __call__(
        self, environ: WSGIEnvironment, start_response: StartResponse
    ) -> Iterable[bytes]:
        # The server has decoded the path (PEP 3333). Leading slashes do not matter.
        path = environ.get("PATH_INFO", "").lstrip("/")
        rest = path.removeprefix(self.prefix)
        if rest == path or rest[:1] not in ("", "/"):
            return self.default_app(environ, start_response)
        try:
            app = self.get_application(self.prefix)
        except Exception:  # `get_application` has logged it.
            return self.unavailable(start_response)
        if app is None:
            return self.default_app(environ, start_response)
        # Add the prefix to SCRIPT_NAME without repeated slashes. All links of the
        # mounted application begin with it, and "//flask" would link to another host.
        script_name = environ.get("SCRIPT_NAME", "").rstrip("/")
        environ["SCRIPT_NAME"] = f"{script_name}/{self.prefix}"
        environ["PATH_INFO"] = rest
        return app(environ, start_response)

    @staticmethod
    def unavailable(start_response: StartResponse) -> Iterable[bytes]:
        body = (
            b"D-Tale could not be started. The server's log has the reason; "
            b"this page tries again whenever it is loaded.\n"
        )
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
        ]
        start_response("500 Internal Server Error", headers)
        return [body]
