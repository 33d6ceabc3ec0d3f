"""What the tests of this project share: people with browsers, and their bytes."""

import gc
import importlib
import json
import re
import sys
import uuid
from io import BytesIO
from pathlib import Path
from pkgutil import resolve_name
from urllib.parse import urlencode

import pandas as pd
import pytest
from django.conf import settings as site
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client as DjangoClient
from django.urls import set_script_prefix
from django.utils import translation
from django.utils.module_loading import import_string
from werkzeug.test import Client

from frames import dtale_loader, frame_storage, open_frame
from frames.models import Frame

from .test_dtale_loader import needs_dtale


@pytest.fixture(autouse=True)
def open_connections():
    """A request ends no transaction of the test: as with Django's own test client."""
    signals = request_started, request_finished
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left_open():
    """Find files and connections in reference cycles while a warning is an error."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def no_script_name_and_no_language():
    """Django keeps the last request's for the thread."""
    set_script_prefix("/")
    translation.deactivate()


@pytest.fixture
def stored(settings, tmp_path):
    """The bytes of the test's own frames (Stored), and of no other's."""
    frames = settings.STORAGES["frames"]
    options = dict(frames["OPTIONS"])
    if "bucket_name" in options:
        options["location"] = f"{options['location']}/{uuid.uuid4().hex}".lstrip("/")
    else:
        options["location"] = tmp_path / "frames"
    settings.STORAGES = {**settings.STORAGES, "frames": {**frames, "OPTIONS": options}}
    settings.FRAMES_FETCHED_DIR = tmp_path / "fetched"
    open_frame._touched.clear()  # Databases of tests use the same numbers again.
    return Stored()


class Stored:
    """Payloads, as somebody sees and damages them who can reach the storage."""

    def names(self):
        return {name for name, _ in frame_storage.stored()}

    def read(self, name):
        with storages["frames"].open(name) as file:
            return file.read()

    def replace(self, name, data=None):
        """Put other bytes (bytes) in the place of a payload, None for none."""
        self.forget()
        storages["frames"].delete(name)
        if data is not None:
            storages["frames"].save(name, ContentFile(data))

    def forget(self):
        """Nothing that this process or this machine has read before is kept."""
        frame_storage._cache.clear()
        for file in Path(site.FRAMES_FETCHED_DIR).glob("*"):
            file.unlink()


@pytest.fixture
def user(django_user_model):
    """Make a user of this name: user("ann")."""
    return django_user_model.objects.create_user


@pytest.fixture
def visitor(stored):
    """Make a Visitor, signed in if a user is given: visitor(ann)."""
    # Here: it sets up logging, and a test that looks at the log begins after that.
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
def publish(stored):
    """Publish a frame with these columns: publish(ann, a=[1, 2, 3]).

    Without any, a is 1, 2, 3 and b is 4, 5, 6.
    """

    def publish(owner, name="", shared_with=(), **columns):
        data = pd.DataFrame(columns or {"a": [1, 2, 3], "b": [4, 5, 6]})
        return Frame.objects.publish(
            data, owner=owner, name=name, shared_with=shared_with
        )

    return publish


@pytest.fixture
def owner(visitor, ann):
    """Ann, signed in (Visitor)."""
    return visitor(ann)


@pytest.fixture
def frame(publish, ann):
    """A frame of Ann's."""
    return publish(ann)


@pytest.fixture
def on_a_base(publish, ann, owner):
    """The same, whose payload leans on another one: a was 0, and s is long text."""
    frame = publish(ann, a=[0, 2, 3], b=[4, 5, 6], s=["x" * 500_000] * 3)
    owner.edit(frame.pk, 1)
    frame.refresh_from_db()
    assert len(frame_storage.files_of(frame.payload)) == 2
    return frame


class Browser(Client):
    """A browser that says, as all do, that a page of the same site asks."""

    FROM_HERE = {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_SEC_FETCH_MODE": "cors"}

    def open(self, *args, **options):
        options.setdefault("environ_base", self.FROM_HERE)
        options.setdefault("buffered", True)  # It takes the whole answer, and ends it.
        answer = super().open(*args, **options)
        # Werkzeug leaves open the temporary file in which it keeps a large form.
        body = answer.request.environ["wsgi.input"]
        if hasattr(body, "close"):
            body.close()
        return answer


class Visitor:
    """Somebody with a browser, at the site as a server serves it."""

    def __init__(self, application):
        self.browser = Browser(application)

    def sign_in(self, user):
        """As a login page does it: in the session that they have, if they have one."""
        client, name = DjangoClient(), site.SESSION_COOKIE_NAME
        cookie = self.browser.get_cookie(name)
        if cookie:
            client.cookies[name] = cookie.value
        client.force_login(user)
        self.browser.set_cookie(name, client.cookies[name].value)
        return self

    def get(self, path, **query):
        """Ask D-Tale; what is no text or number in the query is sent as JSON."""
        for name, value in query.items():
            if not isinstance(value, str | int):
                query[name] = json.dumps(value)
        path = f"/{site.DTALE_PREFIX}/dtale/{path}"
        return self.browser.get(path, query_string=query or None)

    def post(self, path, **options):
        return self.browser.post(f"/{site.DTALE_PREFIX}/dtale/{path}", **options)

    def submit(self, path):
        """Open a page of the site's own and press its button."""
        page = self.browser.get(path)
        if page.status_code != 200:
            return page
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]
        return self.browser.post(path, data={"csrfmiddlewaretoken": token})

    def column(self, pk, name="a", **query):
        """What the grid shows of a column (list)."""
        rows = self.get(f"data/{pk}", ids=["0-99"], **query).json["results"]
        return [row[name] for row in rows.values()]

    def edit(self, pk, value, column="a", row=0):
        """Type a value into a cell."""
        return self.get(f"edit-cell/{pk}", col=column, rowIndex=row, updated=value)

    def frames(self):
        """The numbers of the frames in D-Tale's list (list of int)."""
        return [int(each["data_id"]) for each in self.get("processes").json["data"]]

    def upload(self, text="a,b\n1,4\n2,5\n3,6\n"):
        """Upload a CSV file and return the number (int) of its frame."""
        answer = self.post("upload", data={"s.csv": (BytesIO(text.encode()), "s.csv")})
        return int(answer.json["data_id"])

    def call_back(self, output, inputs, state):
        """Do what a part of the charts page does: {"component.property": value}."""

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
    """D-Tale with its own store in memory, and what is replaced for kinds of values
    and to describe them quicker.
    """

    def __init__(self):
        self.views = importlib.import_module("dtale.views")
        kinds = importlib.import_module("frames.dtale_kinds")
        describe = importlib.import_module("frames.dtale_describe")
        for target, wrap in [*describe.REPLACED, *kinds.REPLACED]:
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
        """Ask D-Tale, and return its answer; it answers errors as if all were well."""
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
    """A D-Tale of its own, whatever other tests have replaced in theirs.

    Until the end of the module, the site that `visitor` asks is on this D-Tale, too.
    """
    behind_the_loader = needs_dtale()

    def forget():
        dtale_loader._load.cache_clear()
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
