"""Pages that list frames: as many queries for 60 frames as for 6, and no frame's data."""

import pytest
from django.conf import settings as site
from django.db import connection
from django.test.utils import CaptureQueriesContext

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 30

# Below /<prefix>/dtale/, which is where D-Tale is.
IN_DTALE = [
    *("processes", "processes?dtypes=true", "process-keys"),
    *("main", "main/{pk}", "main/name/{name}", "iframe", "iframe/{pk}"),
    *("popup/merge", "popup/merge/{pk}", "popup/upload", "popup/instances/{pk}"),
    *("popup/describe", "popup/describe/{pk}", "iframe/popup/describe/{pk}"),
    *("network", "network/{pk}", "charts/", "charts/{pk}", "code-popup"),
    *("calculation/skew", "data/{name}?ids=%5B%220-9%22%5D", "dtypes/{name}"),
]
ON_THE_SITE = [
    *("/", "/frames/", "/frames/?q=a", "/frames/?sort=owner&page=2&shared=2"),
    *("/frames/{pk}/rename/", "/frames/{pk}/copy/", "/frames/{pk}/share/"),
    *("/frames/{pk}/delete/", "/frames/{pk}/csv/", "/frames/{pk}/parquet/"),
    *("/frames/models/", "/frames/models/auth/user/", "/frames/tokens/"),
    *("/admin/", "/admin/frames/frame/", "/admin/frames/frame/?q=a"),
    *("/admin/frames/frame/{pk}/change/", "/admin/frames/frame/{pk}/delete/"),
]


class Person:
    """Somebody with frames of their own, and the queries of what they ask for."""

    def __init__(self, visitor, frame):
        self.visitor = visitor
        self.frame = frame

    def queries(self, path):
        """The queries (list of str) of a page, or of a redirect to one."""
        path = path.format(pk=self.frame.pk, name=self.frame.name)
        self.visitor.browser.get(path)  # What is read once, or in ten minutes, is read.
        with CaptureQueriesContext(connection) as queries:
            answer = self.visitor.browser.get(path)
        assert answer.status_code in (200, 302, 308), path
        assert not answer.is_json or answer.json.get("success", True), answer.text
        return [each["sql"] for each in queries]

    def layout(self):
        """The queries (list of str) of what draws the charts page."""
        path = f"/{site.DTALE_PREFIX}/dtale/charts/{self.frame.pk}"
        output, inputs = "popup-content.children", {"url.pathname": path}
        with CaptureQueriesContext(connection) as queries:
            answer = self.visitor.call_back(output, {**inputs, "url.search": ""}, {})
        assert f"data-tab-{self.frame.pk}" in answer.text
        return [each["sql"] for each in queries]

    def all_queries(self):
        """The queries of every page: {path: list of str}."""
        paths = [f"/{site.DTALE_PREFIX}/dtale/{path}" for path in IN_DTALE]
        pages = {path: self.queries(path) for path in [*paths, *ON_THE_SITE]}
        return {**pages, "the charts page's layout": self.layout()}


@pytest.fixture
def give(publish, admin_user, bob):
    """Give the administrator frames, and as many of Bob's to read: give(3)."""

    def give(count):
        for _ in range(count):
            publish(admin_user, "sales", shared_with=[bob])
            publish(bob, "budget", shared_with=[admin_user])

    return give


@pytest.fixture
def person(visitor, publish, admin_user):
    """An administrator with a frame of their own, who sees all pages of the site."""
    return Person(visitor(admin_user), publish(admin_user, "first"))


def test_number_of_queries_does_not_depend_on_the_number_of_frames(person, give):
    give(FEW)
    few = {path: len(queries) for path, queries in person.all_queries().items()}
    give(MANY - FEW)
    many = {path: len(queries) for path, queries in person.all_queries().items()}
    assert many == few


def test_pages_do_not_read_the_data_of_other_frames(person, give, stored):
    give(FEW)
    for name in stored.names() - {person.frame.payload}:
        stored.replace(name)
    person.all_queries()


LISTS = ["processes", "processes?dtypes=true", "process-keys", "popup/merge"]
LISTS = [f"/{site.DTALE_PREFIX}/dtale/{path}" for path in LISTS]
LISTS += ["/frames/", "/admin/frames/frame/"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_do_not_read_how_people_look_at_frames(person, give, path):
    """Filters and highlights of a frame can have 4 MB."""
    give(FEW)
    assert not [sql for sql in person.queries(path) if '"settings"' in sql]
