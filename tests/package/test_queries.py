"""The number of queries of a page does not grow with the number of frames."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from django_dtale.conf import dtale_settings

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 30

# These paths are below /<prefix>/dtale/, where D-Tale is mounted.
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
    *("/frames/{pk}/views/", "/frames/{pk}/views/save/"),
    *("/frames/{pk}/rename/", "/frames/{pk}/copy/", "/frames/{pk}/share/"),
    *("/frames/{pk}/delete/", "/frames/{pk}/csv/", "/frames/{pk}/parquet/"),
    *("/frames/{pk}/download/", "/frames/{pk}/download/?format=csv"),
    *("/frames/models/", "/frames/models/accounts/user/", "/frames/tokens/"),
    *("/frames/sources/", "/frames/{pk}/refresh/"),
    *("/admin/", "/admin/frames/frame/", "/admin/frames/frame/?q=a"),
    *("/admin/frames/frame/{pk}/change/", "/admin/frames/frame/{pk}/delete/"),
]


class Person:
    """A visitor with a frame, and the database queries of their requests."""

    def __init__(self, visitor, frame):
        self.visitor = visitor
        self.frame = frame

    def queries(self, path):
        """Return the queries of a page or of a redirect."""
        path = path.format(pk=self.frame.pk, name=self.frame.name)
        # This request makes the queries that run only once or every ten minutes.
        self.visitor.browser.get(path)
        with CaptureQueriesContext(connection) as queries:
            answer = self.visitor.browser.get(path)
        assert answer.status_code in (200, 302, 308), path
        assert not answer.is_json or answer.json.get("success", True), answer.text
        return [each["sql"] for each in queries]

    def layout(self):
        """Return the queries of the callback that draws the charts page."""
        path = f"/{dtale_settings.PREFIX}/dtale/charts/{self.frame.pk}"
        output, inputs = "popup-content.children", {"url.pathname": path}
        with CaptureQueriesContext(connection) as queries:
            answer = self.visitor.call_back(output, {**inputs, "url.search": ""}, {})
        assert f"data-tab-{self.frame.pk}" in answer.text
        return [each["sql"] for each in queries]

    def all_queries(self):
        """Return the queries of all pages, by path."""
        paths = [f"/{dtale_settings.PREFIX}/dtale/{path}" for path in IN_DTALE]
        pages = {path: self.queries(path) for path in [*paths, *ON_THE_SITE]}
        return {**pages, "the charts page's layout": self.layout()}


@pytest.fixture
def give(publish, admin_user, bob):
    """Return a function that creates owned and shared frames for the administrator."""

    def give(count):
        for _ in range(count):
            publish(admin_user, "sales", shared_with=[bob])
            publish(bob, "budget", shared_with=[admin_user])

    return give


@pytest.fixture
def person(visitor, publish, admin_user):
    """Return an administrator with a frame, who has access to all pages."""
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
LISTS = [f"/{dtale_settings.PREFIX}/dtale/{path}" for path in LISTS]
LISTS += ["/frames/", "/admin/frames/frame/"]


@pytest.mark.parametrize("path", LISTS)
def test_lists_do_not_read_view_settings(person, give, path):
    """The filters and highlights of a frame can take up to 4 MB."""
    give(FEW)
    assert not [sql for sql in person.queries(path) if '"settings"' in sql]
