import math
from functools import partial

from django.contrib.auth import SESSION_KEY, middleware
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject

from .backends import known
from .throttle import TooManyTries


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Django's own, without a query for the user: the session has brought them."""

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(partial(get_user, request))

    def process_exception(self, request, exception):
        """Whatever page it was that has asked for a password, say how long to wait."""
        if not isinstance(exception, TooManyTries):
            return None
        context = {"minutes": math.ceil(exception.seconds / 60)}
        template = "accounts/too_many_tries.html"
        response = render(request, template, context, status=429)
        response["Retry-After"] = exception.seconds
        return response


def get_user(request):
    """Return the request's user, whom Django verifies as ever."""
    signed_in = SESSION_KEY in request.session  # Reads the session.
    with known(request.session.user if signed_in else None):
        return middleware.get_user(request)
