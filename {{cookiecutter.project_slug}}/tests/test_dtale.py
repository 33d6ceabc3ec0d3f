"""Tests of D-Tale in the site: the tutorial's button, and the dispatcher."""

from importlib import import_module

import pytest
from django.conf import settings
from werkzeug.test import Client
from werkzeug.wrappers import Response

PREFIX = settings.DTALE["PREFIX"]
dispatcher = import_module(
    "{{ cookiecutter.project_slug }}.dispatcher",
)


def test_button_opens_a_table_in_dtale(browser, ann):
    browser.sign_in(ann)
    answer = browser.submit("/create-df/")
    assert answer.location.startswith(f"/{PREFIX}/dtale/main/")
    assert browser.get(answer.location).status_code == 200
    number = answer.location.rpartition("/")[2]
    data = browser.get(f"/{PREFIX}/dtale/data/{number}?ids=%5B%220-9%22%5D").json
    rows = [(row["a"], row["b"]) for row in data["results"].values()]
    assert rows == [(1, 4), (2, 5), (3, 6)]


def test_frames_are_private_to_their_owner(browser, ann, django_user_model):
    browser.sign_in(ann)
    path = browser.submit("/create-df/").location
    browser.sign_in(django_user_model.objects.create_user("bob"))
    assert browser.get(path).status_code == 404


def test_visitors_are_redirected_to_sign_in(browser):
    path = f"/{PREFIX}/dtale/main/1"
    assert browser.get(path).location == f"/accounts/login/?next={path}"


def test_cross_site_request_is_rejected(browser, ann):
    browser.sign_in(ann)
    path = f"/{PREFIX}/dtale/processes"
    assert browser.get(path).status_code == 200
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert browser.get(path, headers=elsewhere).status_code == 403


@pytest.mark.parametrize(
    "path, answer",
    [
        ("/tools/dtale/main/1", "/tools /dtale/main/1"),
        ("/tools", "/tools "),
        ("//tools/x", "/tools /x"),
        ("/", "Django"),
        ("/toolsmith/x", "Django"),
        ("/x/tools/", "Django"),
    ],
)
def test_dispatcher_selects_the_application_by_path(path, answer):
    def mounted(environ, start_response):
        said = f"{environ['SCRIPT_NAME']} {environ['PATH_INFO']}"
        return Response(said)(environ, start_response)

    application = dispatcher.PathDispatcher(
        Response("Django"), lambda prefix: mounted, prefix="tools"
    )
    environ = {"PATH_INFO": path}
    assert Client(application).get("/", environ_overrides=environ).text == answer


def test_dispatcher_retries_after_dtale_fails_to_load():
    applications = [Response("D-Tale")]

    def create_app(prefix):
        if applications:
            raise RuntimeError(applications.pop())
        return Response("D-Tale")

    application = dispatcher.PathDispatcher(Response("Django"), create_app, "tools")
    client = Client(application)
    assert client.get("/tools/").status_code == 500
    assert client.get("/tools/").text == "D-Tale"
