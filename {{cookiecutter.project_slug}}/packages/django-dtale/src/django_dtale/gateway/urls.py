"""The URLs of requests below D-Tale's prefix: the gateway answers all of them.

`middleware.WorkspaceMiddleware` sets this module as the request's `urlconf`. The site's
own URLs follow, so that D-Tale's pages can link to them.
"""

from importlib import import_module

from django.conf import settings, urls
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from ..dtale.endpoints import GATEWAY


# D-Tale's scripts send no CSRF token. Instead, `same_origin` checks the origin of
# requests.
@csrf_exempt
def answer(request: WSGIRequest) -> HttpResponse:
    return request.environ[GATEWAY].answer(request)


site = import_module(settings.ROOT_URLCONF)
handler400 = getattr(site, "handler400", urls.handler400)
handler403 = getattr(site, "handler403", urls.handler403)
handler404 = getattr(site, "handler404", urls.handler404)
handler500 = getattr(site, "handler500", urls.handler500)
urlpatterns = [re_path("", answer, name="dtale"), path("", include(site))]
