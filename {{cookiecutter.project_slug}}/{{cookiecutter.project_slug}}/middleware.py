"""What every answer of the site passes."""

from csp.middleware import HEADER, CSPMiddleware


class PolicyMiddleware(CSPMiddleware):
    """django-csp's, which puts no policy together for an answer that has one."""

    def process_response(self, request, response):
        if HEADER in response:  # As each of D-Tale's many.
            return response
        return super().process_response(request, response)
