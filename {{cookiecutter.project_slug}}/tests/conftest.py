"""Fixtures: a user, and a client for the whole WSGI application."""

import re

import pytest
from django.conf import settings
from django.test import Client as DjangoClient
from django.utils.module_loading import import_string
from werkzeug.test import Client

PASSWORD = "correct horse battery"


@pytest.fixture
def ann(django_user_model):
    return django_user_model.objects.create_user("ann", password=PASSWORD)


class Browser(Client):
    """A client for the WSGI application. Django's test client does not reach D-Tale."""

    def __init__(self):
        super().__init__(import_string(settings.WSGI_APPLICATION))

    def open(self, *args, **options):
        # Browsers send this header with requests from pages of the same site.
        options.setdefault("headers", {"Sec-Fetch-Site": "same-origin"})
        return super().open(*args, **options)

    def sign_in(self, user):
        client = DjangoClient()
        client.force_login(user)
        name = settings.SESSION_COOKIE_NAME
        self.set_cookie(name, client.cookies[name].value)

    def submit(self, path):
        """Open a page and press its button."""
        page = self.get(path).text
        token, *_ = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        return self.post(path, data={"csrfmiddlewaretoken": token})


@pytest.fixture
def browser(transactional_db):
    """Return a browser. Its requests end transactions, so the test must not use one."""
    return Browser()
