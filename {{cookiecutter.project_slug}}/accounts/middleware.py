from functools import partial

from django.contrib.auth import SESSION_KEY, middleware
from django.utils.functional import SimpleLazyObject

from .backends import known


class AuthenticationMiddleware(middleware.AuthenticationMiddleware):
    """Django's own, without a query for the user: the session has brought them."""

    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(partial(get_user, request))


def get_user(request):
    """Return the request's user, whom Django verifies as ever."""
    signed_in = SESSION_KEY in request.session  # Reads the session.
    with known(request.session.user if signed_in else None):
        return middleware.get_user(request)
