"""A real server refuses forbidden HTTP requests.

Ann and Bob are users, and `nobody` has no session. D-Tale reports failures with status
200, so each test checks Ann's frame afterwards. Instead of a dangerous filter, the
tests send a harmless one that must also be refused.
"""

import gc
import json
import logging
import re
import socket
import threading
import tracemalloc
from contextlib import contextmanager
from urllib.parse import urlsplit

import pandas as pd
import pytest
import requests
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client
from django.utils.module_loading import import_string
from werkzeug import serving
from werkzeug.serving import make_server

import django_dtale
from django_dtale.conf import dtale_settings
from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.endpoints import OPEN, STATIC

EXPR = "x.cumsum() > 2"
FROM_HERE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
PAGE = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(settings, dtale_settings, stored):
    """Serve the site, which requires a login, with a real server. Yield the URL."""
    dtale_settings.LOGIN_REQUIRED = True
    application = import_string(settings.WSGI_APPLICATION)

    def one_request(environ, start_response):
        try:
            return application(environ, start_response)
        finally:
            connections.close_all()  # The server ends the thread after this request.

    server = make_server("127.0.0.1", 0, one_request, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Person(requests.Session):
    """A browser that sends same-origin requests by default."""

    def __init__(self, url, prefix, user=None):
        super().__init__()
        self.trust_env = False  # Ignore proxies from the environment.
        self.url, self.dtale = url, f"{url}/{prefix}/dtale"
        self.headers.update(FROM_HERE, Referer=f"{url}/")
        if user is not None:
            client = Client()
            client.force_login(user)
            self.cookies.set("sessionid", client.cookies["sessionid"].value)

    def ask(self, path, method="GET", headers=None, **params):
        """Send a request to D-Tale without following redirects."""
        return self.request(
            method,
            f"{self.dtale}/{path}",
            params=params,
            headers=headers,
            allow_redirects=False,
        )

    def csv(self, pk):
        return self.ask(f"data-export/{pk}", type="csv").text

    def total(self, pk):
        return self.ask(f"data/{pk}", ids='["0-9"]').json()["total"]

    def frames(self):
        return {int(each["data_id"]) for each in self.ask("processes").json()["data"]}


@pytest.fixture
def person(url, dtale_settings):
    return lambda user=None: Person(url, dtale_settings.PREFIX, user)


@pytest.fixture
def nobody(person):
    return person()


@pytest.fixture
def a(person, ann):
    return person(ann)


@pytest.fixture
def b(person, bob):
    return person(bob)


def a_frame(owner, name=""):
    data = pd.DataFrame({"x": [1, 2, 3], "y": [4.5, 5.5, 6.5], "s": ["a", "b", "a"]})
    return django_dtale.publish(data, owner=owner, name=name).pk


@pytest.fixture
def a1(ann):
    return a_frame(ann)


@pytest.fixture
def a2(ann):
    return a_frame(ann, "the secret")


@pytest.fixture
def unchanged(a, a1):
    """Return a function that checks that Ann's frames are unchanged."""
    before = a.csv(a1), a.frames(), a.total(a1)

    def check():
        assert (a.csv(a1), a.frames(), a.total(a1)) == before

    return check


def is_refused(answer):
    """Return whether a response is a client error or a redirect to the login page."""
    is_login = "/accounts/login/" in answer.headers.get("Location", "")
    return 400 <= answer.status_code < 500 or is_login


@pytest.fixture(scope="module")
def rules():

    return list(build_dtale().app(f"/{dtale_settings.PREFIX}").url_map.iter_rules())


def addresses(rules, method, pk):
    """Return the paths of all rules that allow a method, for the frame's id."""
    paths = []
    for rule in rules:
        if method in rule.methods and rule.endpoint not in STATIC:
            frame = dict.fromkeys(("data_id", "data_name", "path"), str(pk))
            values = dict.fromkeys(rule.arguments, "1") | frame
            paths.append(rule.build(values)[1])
    assert len(paths) >= 7
    return paths


# Open and closed endpoints ------------------------------------------------------------

CLOSED = """
dtale.dataset_upload dtale.get_arcticdb_libraries dtale.to_xarray
dtale.get_arcticdb_symbols dtale.get_async_arcticdb_libraries dtale.web_upload
dtale.get_async_arcticdb_symbols dtale.get_xarray_coords dtale.load_arcticdb_symbol
dtale.get_xarray_dimension_values dtale.load_arcticdb_description
dtale.update_xarray_selection dtale.upload health_check missing_js shutdown site_map version_info
/dtale/charts/_reload-hash
""".split()


def test_every_route_of_dtale_is_listed_as_open_or_closed(rules):
    """Add each endpoint of a new D-Tale release to OPEN or CLOSED."""
    endpoints = {rule.endpoint for rule in rules}
    assert endpoints == OPEN.keys() | set(CLOSED)
    assert not OPEN.keys() & set(CLOSED)


@pytest.mark.parametrize(
    "path",
    ["shutdown", "site-map", "version-info", "health", "missing-js", "dtale/datasets"]
    + [
        "dtale/web-upload?type=csv",
        "dtale/arcticdb/libraries",
        "dtale/calculation/main",
        "dtale/upload",
    ]
    + ["dtale/calculation/..%2Fmain", "dtale/nothing", "%2e%2e/dtale/datasets"],
)
def test_closed_routes_are_refused(a, nobody, path, unchanged):
    for person in (a, nobody):
        root = person.dtale.removesuffix("/dtale")
        for method in ("GET", "POST"):
            answer = person.request(method, f"{root}/{path}", allow_redirects=False)
            assert is_refused(answer), answer.text[:300]
    unchanged()


def test_web_upload_sends_no_request(a, unchanged):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.csv"
        assert is_refused(a.ask("web-upload", type="csv", url=address))
        with pytest.raises(TimeoutError):
            listener.accept()
    unchanged()


@pytest.mark.parametrize("calculation", ["skew", "kurtosis"])
def test_explanations_of_calculations_are_open(a, calculation):
    assert a.ask(f"calculation/{calculation}", headers=PAGE).status_code == 200


# Login --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", [{}, PAGE], ids=["page asks", "typed"])
def test_anonymous_request_is_refused_on_every_route(
    nobody, a1, unchanged, rules, method, headers
):
    for path in addresses(rules, method, a1):
        root = nobody.dtale.removesuffix("/dtale")
        answer = nobody.request(
            method, root + path, headers=headers, allow_redirects=False
        )
        assert is_refused(answer), (path, answer.status_code)
    unchanged()


def test_anonymous_page_redirects_to_login_and_data_is_401(nobody, a1, dtale_settings):
    answer = nobody.ask(f"main/{a1}", headers=PAGE, x=1)
    assert answer.status_code == 302
    path = f"/{dtale_settings.PREFIX}/dtale/main/{a1}%3Fx%3D1"
    assert answer.headers["Location"] == f"/accounts/login/?next={path}"
    answer = nobody.ask(f"dtypes/{a1}")
    assert answer.status_code == 401
    assert "not signed in" in answer.json()["error"]


def test_inactive_user_is_refused(a, ann, a1):
    get_user_model().objects.filter(pk=ann.pk).update(is_active=False)
    assert is_refused(a.ask(f"data/{a1}", ids='["0-9"]'))


def test_request_without_a_session_is_refused(a, a1):
    a.cookies.clear()
    assert is_refused(a.ask(f"data/{a1}", ids='["0-9"]'))


def test_unknown_host_is_refused(a, a1):
    answer = a.ask(f"data/{a1}", headers={"Host": "evil.example"}, ids='["0-9"]')
    assert answer.status_code == 400


def test_scripts_and_styles_do_not_require_sign_in(nobody):
    old = nobody.ask("static/css/main.css")
    assert old.headers["Location"].startswith("/static/")
    plotly = "charts/_dash-component-suites/plotly/package_data/plotly.min.js"
    assert nobody.ask(plotly).status_code == 200


# Isolation ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    ["data/{}?ids=%5B%220-9%22%5D", "data-export/{}?type=csv", "main/{}", "dtypes/{}"]
    + ["describe/{}?col=s", "code-export/{}", "charts/{}", "popup/describe/{}"]
    + ["main/name/the secret", "main/name/the_secret", "main/name/{}", "main/%2531"]
    + ["chart-data/{}?x=x&y=%5B%22y%22%5D", "popup/merge", "processes?dtypes=true"],
)
def test_frame_of_another_user_is_not_found(b, a2, path):
    answer = b.ask(path.format(a2))
    # The sign-in link contains the path of the request, so remove links.
    text = re.sub(r'href="[^"]*"', "", answer.text)
    assert "secret" not in text.replace(f"Table {path[10:]} does not exist", "")
    assert "5.5" not in answer.text and '"x"' not in answer.text
    if str(a2) in path.format(a2):
        assert is_refused(answer)


CHANGES = [
    ("edit-cell", dict(col="x", rowIndex=0, updated=9)),
    ("delete-col", dict(cols='["x"]')),
    ("rename-col", dict(col="x", rename="z")),
    ("duplicate-col", dict(col="x")),
    ("update-settings", dict(settings='{"invertFilter": true}')),
    ("reshape", dict(type="transpose", cfg='{"index": ["s"]}', output="override")),
    ("drop-filtered-rows", {}),
    ("build-column", dict(type="cumsum", name="z", cfg='{"col": "x"}')),
]
ROUTES = [route for route, _ in CHANGES]


@pytest.mark.parametrize("route, params", CHANGES, ids=ROUTES)
def test_frame_of_another_user_cannot_be_changed(b, a1, unchanged, route, params):
    assert is_refused(b.ask(f"{route}/{a1}", **params))
    unchanged()


def test_frame_of_another_user_cannot_be_deleted(a, b, a1, bob, unchanged):
    b1 = a_frame(bob)
    b.ask("cleanup-datasets", dataIds=f"{a1}")
    unchanged()
    assert a.ask("cleanup-datasets", dataIds=f"{a1}").json()["success"]
    assert not a.frames() and b.frames() == {b1}


def test_lists_contain_only_the_users_own_frames(b, a1, a2, bob):
    b1 = a_frame(bob, "mine")
    assert b.frames() == {b1}
    for path in ("process-keys", "popup/merge", "charts/"):
        assert "secret" not in b.ask(path).text


# Filters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["outlierFilters", "columnFilters", "predefinedFilters"]
)
def test_filter_cannot_be_set_through_settings(a, a1, unchanged, kind):
    settings = {kind: {"x": {"query": EXPR, "active": True, "value": EXPR}}}
    assert is_refused(a.ask(f"update-settings/{a1}", settings=json.dumps(settings)))
    unchanged()


def test_filters_can_be_removed(a, a1):
    cfg = '{"type": "int", "operand": "=", "value": [1]}'
    assert a.ask(f"save-column-filter/{a1}", col="x", cfg=cfg).json()["success"]
    assert a.total(a1) == 1
    answer = a.ask(f"update-settings/{a1}", settings='{"columnFilters": {}}')
    assert answer.json()["success"]
    assert a.total(a1) == 3


@pytest.mark.parametrize("name", ["enable_custom_filters", "hide_shutdown", "x"])
def test_user_cannot_change_settings_of_the_site(a, a1, unchanged, name):
    assert is_refused(a.ask(f"update-settings/{a1}", settings=json.dumps({name: True})))
    unchanged()


# Other sites --------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "anything"])
@pytest.mark.parametrize("mode", ["cors", "no-cors", "navigate"])
def test_cross_site_request_changes_nothing(a, a1, unchanged, site, mode):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    for route, params in CHANGES:
        answer = a.ask(f"{route}/{a1}", headers=headers, **params)
        assert answer.status_code == 403
    answer = a.ask("cleanup-datasets", headers=headers, dataIds=f"{a1}")
    assert answer.status_code == 403
    answer = a.post(f"{a.dtale}/merge", json={}, headers=headers)
    assert answer.status_code == 403
    unchanged()


@pytest.mark.parametrize(
    "headers",
    [
        {"Referer": None},
        {"Referer": "http://evil.example/"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[evil"},
        {"Referer": "http://evil.example/?http://127.0.0.1/"},
    ],
)
def test_cross_site_request_of_an_old_browser_is_refused(a, a1, unchanged, headers):
    for name in FROM_HERE:
        del a.headers[name]
    answer = a.ask(f"edit-cell/{a1}", headers=headers, **CHANGES[0][1])
    assert answer.status_code == 403
    a.headers.update(FROM_HERE)
    unchanged()


def test_old_browser_can_use_the_site(a, a1):
    for name in FROM_HERE:
        del a.headers[name]
    assert a.total(a1) == 3
    assert a.ask(f"main/{a1}", headers={"Referer": None}).status_code == 200
    answer = a.ask(f"main/{a1}", headers={"Referer": "http://evil.example/"})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["main/{}", "charts/{}?query=" + EXPR, "popup/filter/{}"]
)
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_cross_site_link_requires_confirmation(a, a1, path, site):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    answer = a.ask(path.format(a1), headers=headers)
    assert answer.status_code == 403
    href = urlsplit(answer.request.url)
    assert f'href="{href.path}' in answer.text
    assert "data_id" not in answer.text


def test_typed_url_opens_pages_but_changes_nothing(a, a1, unchanged):
    assert a.ask(f"main/{a1}", headers=PAGE).status_code == 200
    assert a.ask(f"edit-cell/{a1}", headers=PAGE, **CHANGES[0][1]).status_code == 403
    unchanged()


def test_navigation_to_exports_is_allowed_but_not_to_data(a, a1):
    opened = {"Sec-Fetch-Mode": "navigate"}
    assert a.ask(f"dtypes/{a1}", headers=opened).status_code == 403
    answer = a.ask(f"data-export/{a1}", headers=opened, type="csv")
    assert answer.status_code == 200
    assert a.ask(f"data-export/{a1}", headers=PAGE, type="csv").status_code == 403


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "X"])
def test_other_methods_are_not_allowed(a, a1, unchanged, method):
    for path in (f"edit-cell/{a1}?col=x&rowIndex=0&updated=9", f"main/{a1}"):
        answer = a.ask(path, method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    a.ask("cleanup-datasets", method, dataIds=f"{a1}")
    a.ask(f"drop-filtered-rows/{a1}", method)
    unchanged()


def test_post_to_a_get_route_is_not_allowed(a, a1, unchanged):
    answer = a.ask(f"edit-cell/{a1}", "POST", col="x", rowIndex=0, updated=9)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    unchanged()


# Shared state -------------------------------------------------------------------------


def test_preferences_are_kept_per_user(a, b, a1, bob):
    b1 = a_frame(bob)
    assert a.ask("update-theme", theme="dark").json()["success"]
    assert a.ask("update-language", language="cn").json()["success"]
    page = b.ask(f"main/{b1}").text
    assert 'id="theme" value="system"' in page and 'id="language" value="en"' in page


@pytest.mark.parametrize(
    "path, params",
    [
        ("update-theme", dict(theme='"><b>')),
        ("update-language", dict(language="klingon")),
        ("update-query-engine", dict(engine="another")),
        ("update-maximum-row-height", dict(height="1e9")),
    ],
)
def test_invalid_preferences_are_refused(a, a1, path, params):
    def page():
        secret = r'nonce="[^"]+"|value="\w{64}"'  # The second is a CSRF token.
        return re.sub(secret, "", a.ask(f"main/{a1}").text)

    before = page()
    assert not a.ask(path, **params).json()["success"]
    assert page() == before


# Size ---------------------------------------------------------------------------------


@contextmanager
def peak_below(size):
    """Check that this process, including the server, allocates less than ``size``."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


@contextmanager
def raw_request(a, path, *lines):
    """Send only the head of a POST request with these headers. Yield the connection."""
    parts = urlsplit(f"{a.dtale}/{path}")
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as server:
        headers = [f"{name}: {value}" for name, value in a.headers.items()]
        cookie = f"Cookie: sessionid={a.cookies['sessionid']}"
        first = f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", cookie
        server.sendall("\r\n".join([*first, *headers, *lines, "", ""]).encode())
        yield server


@pytest.mark.parametrize(
    "path, length",
    [
        ("merge", 2**33),
        # Parsing an uploaded map takes many times the map's size in memory.
        ("charts/_dash-update-component", 2**25),
    ],
)
def test_long_body_is_not_read(a, path, length, unchanged):
    with (
        # Werkzeug's server itself reads up to 10 MB of the remaining body.
        peak_below(24 << 20),
        raw_request(a, path, f"Content-Length: {length}") as server,
    ):
        server.sendall(b"x" * 1_000_000)
        assert b" 413 " in server.recv(100)
    unchanged()


def test_body_of_unknown_length_is_refused(a, unchanged):
    with raw_request(a, "merge", "Transfer-Encoding: chunked") as server:
        assert b" 411 " in server.recv(100)
    unchanged()


def test_requests_for_unknown_frames_do_not_leak_memory(a, a1, unchanged):
    def ask(numbers):
        for number in numbers:
            for route in ("dtypes", "filter-info", "update-settings", "code-export"):
                answer = a.ask(f"{route}/{10**6 + number}", settings="{}")
                assert answer.status_code == 404
        gc.collect()
        # Exclude Werkzeug's server: it may still be reading the body of an earlier
        # test.
        others = [tracemalloc.Filter(False, serving.__file__)]
        snapshot = tracemalloc.take_snapshot().filter_traces(others)
        return sum(trace.size for trace in snapshot.traces)

    logging.disable()  # pytest keeps log records, which refer to the requests.
    tracemalloc.start()
    try:
        before = ask(range(20))
        assert ask(range(20, 270)) - before < 1 << 20
    finally:
        tracemalloc.stop()
        logging.disable(logging.NOTSET)
    unchanged()


# Redirects ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/dtale",
        "/dtale/main",
        "/dtale/popup/describe",
        "/dtale/charts",
        "//evil.example",
    ]
    + [
        "/dtale//evil.example",
        "/dtale/main/?next=//evil.example",
        "/dtale/main/name/x",
    ],
)
def test_redirects_stay_on_this_site(a, nobody, a1, path, dtale_settings):
    for person in (a, nobody):
        root = person.dtale.removesuffix("/dtale")
        answer = person.get(root + path, headers=PAGE, allow_redirects=False)
        target = urlsplit(answer.headers.get("Location", ""))
        assert target.netloc in ("", urlsplit(root).netloc)
        if target.path:
            prefix = f"/{dtale_settings.PREFIX}/"
            assert target.path.startswith((prefix, "/accounts/login/"))
