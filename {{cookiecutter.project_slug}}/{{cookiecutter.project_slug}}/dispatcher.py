"""Who answers a request: Django, or the application mounted under a prefix."""

import logging
from threading import Lock

from django.conf import settings

logger = logging.getLogger(__name__)


class PathDispatcher:
    """A WSGI application that hands what is below a path to another application.

    The class of the tutorial, on today's Werkzeug, which no longer has the two
    functions that it was built on.

    Args:
        default_app: WSGI application for every other path (Django's).
        create_app: called with the prefix at its first request, returns the WSGI
            application mounted there; None leaves the prefix to ``default_app``.
        prefix: the path, without slashes around it; ``settings.DTALE_PREFIX`` if it
            is not given.
    """

    def __init__(self, default_app, create_app, prefix=None):
        self.default_app = default_app
        self.create_app = create_app
        self.prefix = settings.DTALE_PREFIX if prefix is None else prefix
        self.lock = Lock()
        self.instances = {}

    def get_application(self, prefix):
        """Return the application mounted at ``prefix``, built at the first call.

        Whatever ``create_app`` raises is logged and raised, and the next call tries
        again.
        """
        app = self.instances.get(prefix)
        if app is None:
            with self.lock:  # Built once: who comes meanwhile waits and finds it.
                app = self.instances.get(prefix)
                if app is None:
                    try:
                        app = self.create_app(prefix)
                    except Exception:
                        logger.exception("The application at /%s fails.", prefix)
                        raise
                    if app is not None:
                        self.instances[prefix] = app
        return app

    def __call__(self, environ, start_response):
        # The server has decoded the path (PEP 3333), so "/fl%61sk" and "//flask"
        # arrive here as the browser means them. A prefix is ASCII: bytes that are
        # not, which PATH_INFO carries as Latin-1, never have to be decoded.
        path = environ.get("PATH_INFO", "").lstrip("/")
        prefix = self.prefix
        rest = path.removeprefix(prefix)
        if rest == path or rest[:1] not in ("", "/"):
            return self.default_app(environ, start_response)
        try:
            app = self.get_application(prefix)
        except Exception:  # Logged above.
            return self.unavailable(start_response)
        if app is None:
            return self.default_app(environ, start_response)
        # Only the prefix moves, never a repeated slash: SCRIPT_NAME begins every
        # link of the mounted application, and "//flask" would name another host.
        script_name = environ.get("SCRIPT_NAME", "").rstrip("/")
        environ["SCRIPT_NAME"] = f"{script_name}/{prefix}"
        environ["PATH_INFO"] = rest
        return app(environ, start_response)

    @staticmethod
    def unavailable(start_response):
        body = (
            b"D-Tale could not be started. The server's log has the reason; "
            b"this page tries again whenever it is loaded.\n"
        )
        start_response(
            "500 Internal Server Error",
            [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
            ],
        )
        return [body]
