"""The site as an ASGI application, for uvicorn, hypercorn or daphne."""

from django_dtale.contrib.asgi import to_asgi

from .wsgi import application as wsgi_application

application = to_asgi(wsgi_application)
