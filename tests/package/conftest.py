"""Fixtures shared by the tests: users, their browsers, and the stored payloads."""

import gc
import importlib
import json
import re
import sys
import uuid
from collections import Counter
from io import BytesIO, StringIO
from pathlib import Path
from pkgutil import resolve_name
from urllib.parse import urlencode

import pandas as pd
import pytest
from django.conf import settings as site
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client as DjangoClient
from django.urls import reverse, set_script_prefix
from django.utils import translation
from django.utils.module_loading import import_string
from werkzeug.test import Client

import django_dtale
from django_dtale import conf
from django_dtale.dtale import loader
from django_dtale.storage import blobs
from django_dtale.unit_of_work import open_frame

from .test_dtale_loader import needs_dtale


def pytest_addoption(parser):
    parser.addoption(
        "--one-in",
        type=int,
        default=1,
        metavar="N",
        help="run only one in N cases of each parametrized test",
    )


def pytest_collection_modifyitems(config, items):
    """Leave out cases of parametrized tests if ``--one-in`` asks for it."""
    one_in = config.getoption("--one-in")
    cases = Counter()
    kept, left_out = [], []
    for item in items:
        name = item.nodeid.partition("[")[0]
        (left_out if cases[name] % one_in else kept).append(item)
        cases[name] += 1
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture(autouse=True)
def open_connections(monkeypatch):
    """Keep database connections open after each request, as Django's test client does.

    Closing a connection would end the test's transaction. Django's test client connects
    its receiver again after each request, so it gets one that does nothing.
    """
    monkeypatch.setattr("django.test.client.close_old_connections", lambda **_: None)
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_open():
    """Collect garbage at the end, to find unclosed files in reference cycles."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def no_script_name_and_no_language():
    """Reset the script prefix and the language, which Django stores for each thread."""
    set_script_prefix("/")
    translation.deactivate()


class Override:
    """The DTALE setting, whose keys a test can set individually."""

    def __init__(self, settings):
        vars(self)["settings"] = settings

    def __getattr__(self, name):
        return getattr(conf.dtale_settings, name)

    def __setattr__(self, name, value):
        assert name in conf.SETTINGS
        self.settings.DTALE = {**self.settings.DTALE, name: value}


@pytest.fixture
def dtale_settings(settings):
    """Override DTALE keys for one test, such as ``dtale_settings.MAX_COUNT = 2``."""
    return Override(settings)


@pytest.fixture
def stored(settings, dtale_settings, tmp_path):
    """Give the test its own storage, and return access to its payloads."""
    frames = settings.STORAGES["frames"]
    options = dict(frames["OPTIONS"])
    if "bucket_name" in options:
        options["location"] = f"{options['location']}/{uuid.uuid4().hex}".lstrip("/")
    else:
        options["location"] = tmp_path / "frames"
    settings.STORAGES = {**settings.STORAGES, "frames": {**frames, "OPTIONS": options}}
    dtale_settings.FETCHED_DIR = tmp_path / "fetched"
    # Forget all opened frames, because each test's database starts with the same ids.
    open_frame._recently_opened.clear()
    return Stored()


class Stored:
    """The stored payloads, for reading and for damaging them."""

    def names(self):
        return {name for name, _ in blobs.list_payloads()}

    def read(self, name):
        with storages["frames"].open(name) as file:
            return file.read()

    def replace(self, name, data=None):
        """Replace a payload with other bytes. Without bytes, delete the payload."""
        self.forget()
        storages["frames"].delete(name)
        if data is not None:
            storages["frames"].save(name, ContentFile(data))

    def forget(self):
        """Clear this process's cache and this machine's directory of fetched files."""
        blobs._cache.clear()
        for file in Path(conf.dtale_settings.FETCHED_DIR).glob("*"):
            file.unlink()


@pytest.fixture
def purge_trash(dtale_settings):
    """Return a function that deletes deleted frames for good, as time does.

    Files that nothing refers to stay, so that a test finds them.
    """

    def purge_trash():
        dtale_settings.TRASH_DAYS = 0
        call_command("purge_frames", stdout=StringIO(), stderr=StringIO())

    return purge_trash


@pytest.fixture
def user(django_user_model):
    """Return a function that creates a user, for example ``user("ann")``."""
    return django_user_model.objects.create_user


@pytest.fixture
def visitor(stored):
    """Return a function that makes a Visitor, signed in as the given user if any."""
    # The import configures logging, so it has to happen before a test captures the log.
    application = import_string(site.WSGI_APPLICATION)

    def visitor(user=None):
        visitor = Visitor(application)
        return visitor.sign_in(user) if user else visitor

    return visitor


@pytest.fixture
def ann(user):
    return user("ann")


@pytest.fixture
def bob(user):
    return user("bob")


@pytest.fixture
def at(client, ann):
    """Return Django's test client, signed in as Ann."""
    client.force_login(ann)
    return client


@pytest.fixture
def publish(stored):
    """Return a function that publishes a frame: ``publish(ann, a=[1, 2, 3])``.

    By default, column ``a`` contains 1, 2, 3 and column ``b`` contains 4, 5, 6.
    """

    def publish(owner, name="", shared_with=(), **columns):
        data = pd.DataFrame(columns or {"a": [1, 2, 3], "b": [4, 5, 6]})
        return django_dtale.publish(
            data, owner=owner, name=name, shared_with=shared_with
        )

    return publish


@pytest.fixture
def owner(visitor, ann):
    """Ann's browser, signed in."""
    return visitor(ann)


@pytest.fixture
def frame(publish, ann):
    """A frame owned by Ann."""
    return publish(ann)


@pytest.fixture
def on_a_base(publish, ann, owner):
    """A frame of Ann's that was edited, so that its payload refers to a base."""
    frame = publish(ann, a=[0, 2, 3], b=[4, 5, 6], s=["x" * 500_000] * 3)
    owner.edit(frame.pk, 1)
    frame.refresh_from_db()
    assert len(blobs.files_of(frame.payload)) == 2
    return frame


class Browser(Client):
    """A browser that sends the Fetch Metadata headers of same-origin requests."""

    FROM_HERE = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_SEC_FETCH_MODE": "cors"}

    def open(self, *args, **options):
        options.setdefault("environ_base", self.FROM_HERE)
        options.setdefault("buffered", True)  # Read the whole response, and close it.
        answer = super().open(*args, **options)
        # Werkzeug does not close the temporary file in which it stores a large form.
        body = answer.request.environ["wsgi.input"]
        if hasattr(body, "close"):
            body.close()
        return answer


def csrf_token(page):
    """Return the CSRF token of the page's form as form data."""
    name = "csrfmiddlewaretoken"
    return {name: re.search(rf'name="{name}" value="(\w+)"', page.text)[1]}


class Visitor:
    """A person with a browser who visits the site's WSGI application."""

    def __init__(self, application):
        self.browser = Browser(application)

    def sign_in(self, user):
        """Sign in as the login page does, within the current session if any."""
        client, name = DjangoClient(), site.SESSION_COOKIE_NAME
        cookie = self.browser.get_cookie(name)
        if cookie:
            client.cookies[name] = cookie.value
        client.force_login(user)
        self.browser.set_cookie(name, client.cookies[name].value)
        return self

    def get(self, path, **query):
        """Send a GET to D-Tale. Values other than text and integers become JSON."""
        for name, value in query.items():
            if not isinstance(value, str | int):
                query[name] = json.dumps(value)
        path = f"/{conf.dtale_settings.PREFIX}/dtale/{path}"
        return self.browser.get(path, query_string=query or None)

    def post(self, path, **options):
        return self.browser.post(
            f"/{conf.dtale_settings.PREFIX}/dtale/{path}", **options
        )

    def submit(self, path):
        """Open a page of the site and submit its form."""
        page = self.browser.get(path)
        if page.status_code != 200:
            return page
        return self.browser.post(path, data=csrf_token(page))

    def column(self, pk, name="a", **query):
        """Return the values of a column as the grid shows them."""
        rows = self.get(f"data/{pk}", ids=["0-99"], **query).json["results"]
        return [row[name] for row in rows.values()]

    def edit(self, pk, value, column="a", row=0):
        """Type a value into a cell."""
        return self.get(f"edit-cell/{pk}", col=column, rowIndex=row, updated=value)

    def frames(self):
        """Return the ids of the frames that D-Tale lists."""
        return [int(each["data_id"]) for each in self.get("processes").json["data"]]

    def upload(self, text="a,b\n1,4\n2,5\n3,6\n"):
        """Upload a CSV file, and return the id of its frame."""
        answer = self.send_file("s.csv", text.encode())
        return int(answer.headers["Location"].rpartition("/")[2])

    def send_file(self, name, content, **options):
        """Submit a file with the upload form of the home page."""
        data = csrf_token(self.browser.get(reverse("frames:home")))
        data["file"] = BytesIO(content), name
        return self.browser.post(reverse("frames:upload"), data=data, **options)

    def call_back(self, output, inputs, state):
        """Call a Dash callback of the charts page.

        The keys of the inputs and of the state have the form "component.property".
        """

        def part(name, **value):
            component, _, property = name.rpartition(".")
            return {"id": component, "property": property, **value}

        outputs = [part(name) for name in output.strip(".").split("...")]
        body = {
            "output": output,
            "outputs": outputs if output.startswith("..") else outputs[0],
            "inputs": [part(name, value=value) for name, value in inputs.items()],
            "state": [part(name, value=value) for name, value in state.items()],
            "changedPropIds": list(inputs)[:1],
        }
        return self.post("charts/_dash-update-component", json=body)


class PlainDtale:
    """Plain D-Tale with its own in-memory store.

    Only the patches for dtypes and for column descriptions are applied.
    """

    def __init__(self):
        self.views = importlib.import_module("dtale.views")
        kinds = importlib.import_module("django_dtale.dtale.patches.dtypes")
        describe = importlib.import_module("django_dtale.dtale.patches.describe")
        for target, wrap in [*describe.PATCHES, *kinds.PATCHES]:
            owner, name = re.split(r"[.:](?=\w+$)", target)
            setattr(resolve_name(owner), name, wrap(resolve_name(target)))
        app = importlib.import_module("dtale.app").build_app(reaper_on=False)
        for endpoint, wrap in describe.VIEWS:
            app.view_functions[endpoint] = wrap(app.view_functions[endpoint])
        self.app = app
        self.client = Client(app)

    def open(self, frame):
        return self.views.startup(data=frame, ignore_duplicate=True)._data_id

    def get(self, path, **query):
        """Send a GET request to D-Tale, and return its response.

        D-Tale reports errors with status 200, so check the JSON for errors.
        """
        answer = self.client.get(f"/dtale/{path}?{urlencode(query)}")
        assert answer.status_code == 200
        if answer.is_json:
            assert "traceback" not in answer.json and "error" not in answer.json, (
                answer.json
            )
            return answer.json
        return answer.text

    def rows(self, data_id, **query):
        data = self.get(f"data/{data_id}", ids='["0-9"]', **query)
        return [data["results"][row] for row in sorted(data["results"], key=int)]

    def dtypes(self, data_id):
        return self.get(f"dtypes/{data_id}")["dtypes"]


@pytest.fixture(scope="module")
def dtale():
    """Import D-Tale again, without the patches that other tests have applied.

    Until the end of the module, `visitor` also uses this copy of D-Tale.
    """
    behind_the_loader = needs_dtale()

    def forget():
        loader._load.cache_clear()
        return {
            name: sys.modules.pop(name)
            for name in [*sys.modules]
            if name.partition(".")[0] == "dtale" or name in behind_the_loader
        }

    application = import_string(site.WSGI_APPLICATION)
    others, mounted = forget(), application.instances
    application.instances = {}
    yield PlainDtale()
    forget()
    sys.modules.update(others)
    application.instances = mounted
