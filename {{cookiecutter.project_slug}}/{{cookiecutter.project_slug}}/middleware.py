"""What every answer of the site passes."""

from csp.middleware import HEADER, CSPMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils.cache import patch_vary_headers
from django.utils.translation import activate, get_language, get_language_from_request


class NoStoreMiddleware:
    """Let neither browsers nor proxies keep a page, unless its view says how long.

    Pages show people's data. Static files, which may be kept, do not come by here.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response


class LanguageMiddleware(LocaleMiddleware):
    """Django's own, which looks for no language in addresses: here, none has one.

    A site with ``i18n_patterns`` needs Django's.
    """

    def process_request(self, request):
        activate(get_language_from_request(request))
        request.LANGUAGE_CODE = get_language()

    def process_response(self, request, response):
        patch_vary_headers(response, ["Accept-Language"])
        response.headers.setdefault("Content-Language", get_language())
        return response


class PolicyMiddleware(CSPMiddleware):
    """django-csp's, which puts no policy together for an answer that has one."""

    def process_response(self, request, response):
        if HEADER in response:  # As each of D-Tale's many.
            return response
        return super().process_response(request, response)
