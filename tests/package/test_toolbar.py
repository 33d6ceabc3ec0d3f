"""The debug toolbar observes only requests that it does not affect."""

import pytest
from django.test import RequestFactory, override_settings

from django_dtale.contrib.toolbar import show_toolbar, toolbar_urls
from django_dtale.dtale.endpoints import GATEWAY

FORM = "application/x-www-form-urlencoded"
requests = RequestFactory()
OBSERVED = {
    "a page": requests.get("/"),
    "IPv6": requests.get("/", REMOTE_ADDR="::1"),
    "a form": requests.post("/", "a=1", FORM),
}
OTHERS = {
    "another machine": requests.get("/", REMOTE_ADDR="192.0.2.1"),
    "a proxy": requests.get("/", HTTP_X_FORWARDED_FOR="192.0.2.1"),
    "D-Tale": requests.get("/", **{GATEWAY: None}),
    "an upload": requests.post("/", {"a": "1"}),
    "a push": requests.post("/", "a\n1\n", "text/csv"),
}


@pytest.fixture(autouse=True)
def development():
    with override_settings(DEBUG=True, INTERNAL_IPS=["127.0.0.1", "::1"]):
        yield


@pytest.mark.parametrize("name", OBSERVED)
def test_pages_and_forms_are_observed(name):
    assert show_toolbar(OBSERVED[name])
    with override_settings(DEBUG=False):
        assert not show_toolbar(OBSERVED[name])


@pytest.mark.parametrize("name", OTHERS)
def test_other_requests_are_not_observed(name):
    assert not show_toolbar(OTHERS[name])


def test_toolbar_has_no_urls_unless_it_is_installed():
    assert toolbar_urls() == []
