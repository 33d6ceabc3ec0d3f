"""PathDispatcher: which application it selects, and how it changes the environ."""

import threading
import time
from importlib import import_module

import pytest
from werkzeug.test import run_wsgi_app

# With the trailing comma, ruff formats this call the same for any length of the name.
dispatcher = import_module(
    "django_d_tale.dispatcher",
)


def says(name):
    """Return a WSGI application that responds with its name and its two paths."""

    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        seen = (name, environ["SCRIPT_NAME"], environ["PATH_INFO"])
        return ["|".join(seen).encode("latin-1")]

    return app


def ask(application, path, script_name=""):
    """Request a path in PEP 3333's encoding. Return the status and the body."""
    environ = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path,
        "wsgi.url_scheme": "http",
    }
    body, status, _ = run_wsgi_app(application, environ, buffered=True)
    return status, b"".join(body).decode("latin-1")


@pytest.fixture
def application():
    return dispatcher.PathDispatcher(
        says("django"), lambda prefix: says(prefix), prefix="flask"
    )


@pytest.mark.parametrize(
    "path, script_name, answer",
    [
        ("/flask", "", "flask|/flask|"),
        ("/flask/", "", "flask|/flask|/"),
        ("/flask/dtale/main/1", "", "flask|/flask|/dtale/main/1"),
        # A reverse proxy may set SCRIPT_NAME, with or without a trailing slash.
        ("/flask/dtale", "/tools", "flask|/tools/flask|/dtale"),
        ("/flask/dtale", "/tools/", "flask|/tools/flask|/dtale"),
        ("/", "/tools", "django|/tools|/"),
        # SCRIPT_NAME never contains repeated slashes. In PATH_INFO, they are kept.
        ("//flask/dtale", "", "flask|/flask|/dtale"),
        ("///flask//dtale//x", "", "flask|/flask|//dtale//x"),
        # Django handles paths that only resemble the prefix.
        ("/flasks/x", "", "django||/flasks/x"),
        ("/flas/x", "", "django||/flas/x"),
        ("/Flask/x", "", "django||/Flask/x"),
        ("/x/flask/dtale", "", "django||/x/flask/dtale"),
        ("/", "", "django||/"),
        ("", "", "django||"),
        # Servers decode paths as Latin-1 (PEP 3333), including invalid UTF-8.
        ("/\xe6\x97\xa5", "", "django||/\xe6\x97\xa5"),
        ("/\xff\xfe/x", "", "django||/\xff\xfe/x"),
        ("/flask/\xe6\x97\xa5", "", "flask|/flask|/\xe6\x97\xa5"),
    ],
)
def test_path_selects_the_application(application, path, script_name, answer):
    assert ask(application, path, script_name) == ("200 OK", answer)


@pytest.mark.parametrize(
    "path, answer",
    [
        ("/tools/data", "dtale|/tools/data|"),
        ("/tools/data/", "dtale|/tools/data|/"),
        ("//tools/data/dtale//x", "dtale|/tools/data|/dtale//x"),
        # Django handles paths that contain only a part of the prefix.
        ("/tools", "django||/tools"),
        ("/tools/", "django||/tools/"),
        ("/tools/datas/x", "django||/tools/datas/x"),
        ("/tools//data/x", "django||/tools//data/x"),
        ("/x/tools/data/x", "django||/x/tools/data/x"),
    ],
)
def test_prefix_can_have_several_segments(path, answer):
    application = dispatcher.PathDispatcher(
        says("django"), lambda prefix: says("dtale"), prefix="tools/data"
    )
    assert ask(application, path)[1] == answer


def test_prefix_comes_from_settings(dtale_settings):
    dtale_settings.PREFIX = "grids"
    application = dispatcher.PathDispatcher(says("django"), says)
    assert ask(application, "/grids/x")[1] == "grids|/grids|/x"


def test_django_handles_the_prefix_without_an_app():
    application = dispatcher.PathDispatcher(
        says("django"), lambda prefix: None, "flask"
    )
    assert ask(application, "/flask/x")[1] == "django||/flask/x"


def test_app_is_built_once_by_many_threads():
    built = []

    def create_app(prefix):
        built.append(prefix)
        time.sleep(0.05)  # All threads arrive during this time.
        return says("flask")

    application = dispatcher.PathDispatcher(says("django"), create_app, "flask")
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(ask(application, "/flask/x")[1]))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == ["flask"]
    assert answers == ["flask|/flask|/x"] * 16


def test_django_neither_builds_the_app_nor_waits_for_it():
    building, release = threading.Event(), threading.Event()

    def create_app(prefix):
        building.set()
        assert release.wait(10)
        return says("flask")

    application = dispatcher.PathDispatcher(says("django"), create_app, "flask")
    assert ask(application, "/") == ("200 OK", "django||/")
    assert not building.is_set()

    click = threading.Thread(target=ask, args=[application, "/flask/x"])
    click.start()
    assert building.wait(10)
    # The lock is held during the build, but Django's pages do not need it.
    assert application.lock.locked()
    assert ask(application, "/create-df/") == ("200 OK", "django||/create-df/")
    release.set()
    click.join()


def test_failed_build_is_logged_and_retried(caplog):
    attempts = []

    def create_app(prefix):
        attempts.append(prefix)
        if len(attempts) == 1:
            raise RuntimeError("no room on the disk")
        return says("flask")

    application = dispatcher.PathDispatcher(says("django"), create_app, "flask")
    status, body = ask(application, "/flask/x")
    assert status == "500 Internal Server Error"
    assert "tries again" in body and "no room" not in body
    assert "no room on the disk" in caplog.text
    assert ask(application, "/")[0] == "200 OK"
    assert ask(application, "/flask/x") == ("200 OK", "flask|/flask|/x")
