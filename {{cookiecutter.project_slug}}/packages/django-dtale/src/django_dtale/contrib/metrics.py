"""Count requests for Prometheus, if METRICS_TOKEN is set."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from ..conf import dtale_settings
from ..logs import LoggedRequest, call_at_end, log_context


class MetricsMiddleware:
    """Count requests. This middleware comes directly before `RequestMiddleware`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: LoggedRequest) -> HttpResponse:
        response = self.get_response(request)
        if dtale_settings.METRICS_TOKEN:
            # Imported here, because sites without metrics need no client library.
            from .prometheus import observe

            call_at_end(response, lambda: observe(log_context(request)))
        return response
