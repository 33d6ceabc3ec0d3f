"""What machines ask this process: is it alive, is it ready, what does it count?

Ahead of all other middleware: a probe asks by an address, which is none of ALLOWED_HOSTS,
and by HTTP.
"""

import logging
import os
import shutil
import tempfile

from django.conf import settings
from django.core.files.storage import storages
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare

from frames.dtale_loader import load_dtale

logger = logging.getLogger(__name__)

# Megabytes, of DATA_DIR and of temporary files. With less, most of what people do fails.
MIN_FREE = 100


class ProbeMiddleware:
    def __init__(self, get_response):
        self.get_response = get_response
        self.probes = {"/healthz": healthz, "/readyz": readyz}
        if settings.METRICS_TOKEN:
            self.probes["/metrics"] = metrics

    def __call__(self, request):
        probe = self.probes.get(request.path_info)
        if probe is None:
            return self.get_response(request)
        response = probe(request)
        response.headers["Cache-Control"] = "no-store"
        return response


def healthz(request):
    """Say that this process answers; if it does not, start another one."""
    return JsonResponse({"process": "ok"})


def readyz(request):
    """Say whether this process can serve people, and if not (503), what is missing.

    The first probe of a process waits until D-Tale is built, about two seconds.
    """
    parts = {}
    for name, check in CHECKS.items():
        try:
            parts[name] = check() or "ok"
        except Exception as error:  # Whatever its client raises.
            logger.warning("Not ready: %s: %s", name, error)
            parts[name] = "unavailable"
    is_ready = set(parts.values()) == {"ok"}
    return JsonResponse(parts, status=200 if is_ready else 503)


def check_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def check_storage():
    storages["frames"].exists("readyz")  # A remote one has to answer.
    if not os.access(settings.DATA_DIR, os.W_OK):
        raise PermissionError(f"{settings.DATA_DIR} cannot be written to")


def check_disk():
    for directory in settings.DATA_DIR, tempfile.gettempdir():
        free = shutil.disk_usage(directory).free >> 20
        if free < MIN_FREE:
            logger.warning("Not ready: %s MB are free in %s.", free, directory)
            return "full"
    return None


def check_dtale():
    load_dtale()  # It returns D-Tale; these checks return what is wrong.


CHECKS = {
    "database": check_database,
    "storage": check_storage,
    "disk": check_disk,
    "dtale": check_dtale,
}


def metrics(request):
    """Tell Prometheus what is counted, if it knows METRICS_TOKEN."""
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        return HttpResponse("Send METRICS_TOKEN as a bearer token.\n", status=401)
    from frames.metrics import exposition

    return HttpResponse(exposition(), content_type="text/plain; version=0.0.4")
