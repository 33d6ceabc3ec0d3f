"""Probes for load balancers and orchestrators, and metrics for Prometheus.

`ProbeMiddleware` comes before all other middleware, because probes use plain HTTP, and
IP addresses that are not in ALLOWED_HOSTS.
"""

import logging
import os
import shutil
import tempfile
from collections.abc import Callable

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import constant_time_compare

from ..conf import dtale_settings
from ..dtale.loader import load_dtale
from ..storage.backend import frames_storage

logger = logging.getLogger(__name__)

# Megabytes of free space that DATA_DIR and temporary files need. With less space, most
# requests would fail.
MIN_FREE = 100


class ProbeMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.probes: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "/healthz": healthz,
            "/readyz": readyz,
        }

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        probe = self.probes.get(request.path_info)
        if request.path_info == "/metrics" and dtale_settings.METRICS_TOKEN:
            probe = metrics
        if probe is None:
            return self.get_response(request)
        response = probe(request)
        response.headers["Cache-Control"] = "no-store"
        return response


def healthz(request: HttpRequest) -> JsonResponse:
    """Return a fixed response. A process that does not respond has to be restarted."""
    return JsonResponse({"process": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Return the state of each dependency, with status 503 if one is unavailable.

    The first probe of a process waits for about two seconds, until D-Tale is loaded.
    """
    parts = {}
    for name, check in CHECKS.items():
        try:
            parts[name] = check() or "ok"
        # Each client library of a storage has its own exceptions.
        except Exception as error:
            logger.warning("Not ready: %s: %s", name, error)
            parts[name] = "unavailable"
    is_ready = set(parts.values()) == {"ok"}
    return JsonResponse(parts, status=200 if is_ready else 503)


def check_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_storage() -> None:
    frames_storage().exists("readyz")  # This fails if a remote storage is down.
    if not os.access(dtale_settings.DATA_DIR, os.W_OK):
        raise PermissionError(f"{dtale_settings.DATA_DIR} cannot be written to")


def check_disk() -> str | None:
    for directory in dtale_settings.DATA_DIR, tempfile.gettempdir():
        free = shutil.disk_usage(directory).free >> 20
        if free < MIN_FREE:
            logger.warning("Not ready: only %s MB are free in %s.", free, directory)
            return "full"
    return None


def check_dtale() -> None:
    load_dtale()


CHECKS = {
    "database": check_database,
    "storage": check_storage,
    "disk": check_disk,
    "dtale": check_dtale,
}


def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics to a client that sends METRICS_TOKEN."""
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {dtale_settings.METRICS_TOKEN}"):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401)
    from .prometheus import exposition

    return HttpResponse(exposition(), content_type="text/plain; version=0.0.4")
