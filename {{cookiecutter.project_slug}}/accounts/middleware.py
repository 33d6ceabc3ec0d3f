import math
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from .throttle import TooManyTries


class ThrottleMiddleware:
    """Turn `TooManyTries` from any page into a 429 response with the time to wait."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, exception: Exception
    ) -> HttpResponse | None:
        if not isinstance(exception, TooManyTries):
            return None
        context = {"minutes": math.ceil(exception.seconds / 60)}
        template = "registration/too_many_tries.html"
        response = render(request, template, context, status=429)
        response["Retry-After"] = exception.seconds
        return response
