"""The three sites that the benchmark compares, in one shared virtual environment."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parent.parent

# The generated site runs as in production, but without HTTPS. Its limits are raised
# because the benchmark opens frames many times.
SERVED = {
    "DEBUG": "False",
    "HTTPS": "False",
    "FRAMES_MAX_MB": "100000",
    "FRAMES_MAX_COUNT": "10000",
}

# The files of the site from the tutorial "How to Embed D-Tale Within a Django App". The
# dispatcher uses two functions that Werkzeug has removed, so they are replaced here.
# Everything else behaves like the original: modules import D-Tale at the top, and each
# request takes a lock and calls `create_app` unless an instance exists.
TUTORIAL = {
    "dispatcher.py": """
from threading import Lock


class PathDispatcher:
    def __init__(self, default_app, create_app):
        self.default_app = default_app
        self.create_app = create_app
        self.lock = Lock()
        self.instances = {}

    def get_application(self, prefix):
        with self.lock:
            app = self.instances.get(prefix)
            if app is None:
                app = self.create_app(prefix)
                if app is not None:
                    self.instances[prefix] = app
            return app

    def __call__(self, environ, start_response):
        segment, slash, rest = environ["PATH_INFO"].lstrip("/").partition("/")
        app = self.get_application(segment)
        if app is not None:
            environ["SCRIPT_NAME"] += "/" + segment
            environ["PATH_INFO"] = slash + rest
        else:
            app = self.default_app
        return app(environ, start_response)
""",
    "views.py": """
import pandas as pd
from django.http import HttpResponse
from django.shortcuts import redirect
from dtale.views import startup


def index(request):
    return HttpResponse('<h1>Django/Flask Hybrid</h1><a href="/create-df">link</a>')


def create_df(request):
    df = pd.DataFrame(dict(a=[1, 2, 3], b=[4, 5, 6]))
    instance = startup(data=df, ignore_duplicate=True)
    return redirect(f"/flask/dtale/main/{instance._data_id}")
""",
    "urls.py": """
from django.contrib import admin
from django.urls import path

from . import views

urlpatterns = [
    path("", views.index, name="index"),
    path("create-df/", views.create_df, name="create-df"),
    path("admin/", admin.site.urls),
]
""",
    "wsgi.py": """
import os

from django.core.wsgi import get_wsgi_application
from dtale.app import build_app

from .dispatcher import PathDispatcher

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dtale_test.settings")


def make_app(prefix):
    if prefix == "flask":
        return build_app(app_root="/flask", reaper_on=False)


application = PathDispatcher(get_wsgi_application(), make_app)
""",
}


@dataclass(frozen=True)
class Site:
    """A Django project and the Python interpreter that runs it."""

    path: Path
    python: str


def bake(directory):
    """Bake the template with its defaults. Return the path of the project."""
    command = [sys.executable, "-m", "cookiecutter", "--no-input", "--default-config"]
    subprocess.run(
        [*command, "--output-dir", str(directory), str(TEMPLATE)],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return directory / "django_d_tale"


@functools.cache
def make_sites(directory):
    """Return the three sites by name, ready to serve, for all measurements."""
    generated = bake(directory)
    # Do not pass on the options of the `make` command that runs the benchmark.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    subprocess.run(["make", "-s", ".venv/ready"], cwd=generated, env=env, check=True)
    sites = {"generated": Site(generated, str(generated / ".venv" / "bin" / "python"))}
    for name in ("bare Django", "tutorial"):
        path = directory / name.split()[0]
        path.mkdir()
        site = Site(path, sites["generated"].python)
        run(site, "-m", "django", "startproject", "dtale_test", ".")
        sites[name] = site
    for name, text in TUTORIAL.items():
        (sites["tutorial"].path / "dtale_test" / name).write_text(text.lstrip())
    for site in sites.values():
        run(site, "manage.py", "migrate", "--verbosity", "0")
    collect = "collectstatic", "--no-input", "--verbosity", "0"
    run(sites["generated"], "manage.py", *collect)
    return sites


def run(site, *arguments):
    command = [site.python, *arguments]
    environment = {**os.environ, **SERVED}
    subprocess.run(command, cwd=site.path, env=environment, check=True)
