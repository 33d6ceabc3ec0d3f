"""What nobody may do, tried over HTTP at a real server.

Ann and Bob are users, and nobody has no session. D-Tale answers failures with a 200, so
each test looks at what Ann's frame is afterwards. In place of a filter that would be
dangerous stands one that is not, and must be refused all the same.
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

from frames.dtale_app import build_dtale
from frames.endpoints import OPEN, STATIC
from frames.models import Frame

EXPR = "x.cumsum() > 2"
FROM_HERE = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
PAGE = {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(settings, stored):
    """The address of a real server with the site, where people have to sign in."""
    settings.FRAMES_LOGIN_REQUIRED = True
    application = import_string(settings.WSGI_APPLICATION)

    def one_request(environ, start_response):
        try:
            return application(environ, start_response)
        finally:
            connections.close_all()  # Of this thread, which ends.

    server = make_server("127.0.0.1", 0, one_request, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Person(requests.Session):
    """Somebody with a browser; its pages ask, unless headers say something else."""

    def __init__(self, url, prefix, user=None):
        super().__init__()
        self.trust_env = False  # Whatever proxy the environment knows.
        self.url, self.dtale = url, f"{url}/{prefix}/dtale"
        self.headers.update(FROM_HERE, Referer=f"{url}/")
        if user is not None:
            client = Client()
            client.force_login(user)
            self.cookies.set("sessionid", client.cookies["sessionid"].value)

    def ask(self, path, method="GET", headers=None, **params):
        """Ask D-Tale, and go nowhere else if it says so."""
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
def person(url, settings):
    return lambda user=None: Person(url, settings.DTALE_PREFIX, user)


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
    return Frame.objects.publish(data, owner=owner, name=name).pk


@pytest.fixture
def a1(ann):
    return a_frame(ann)


@pytest.fixture
def a2(ann):
    return a_frame(ann, "the secret")


@pytest.fixture
def unchanged(a, a1):
    """Check that nothing of Ann's is another one than before: unchanged()."""
    before = a.csv(a1), a.frames(), a.total(a1)

    def check():
        assert (a.csv(a1), a.frames(), a.total(a1)) == before

    return check


def is_refused(answer):
    """Say (bool) whether an answer is a refusal by its status, or leads to the login."""
    is_login = "/accounts/login/" in answer.headers.get("Location", "")
    return 400 <= answer.status_code < 500 or is_login


@pytest.fixture(scope="module")
def rules():
    from django.conf import settings

    return list(build_dtale().app(f"/{settings.DTALE_PREFIX}").url_map.iter_rules())


def addresses(rules, method, pk):
    """The paths (list[str]) of the rules with a method, with the number of a frame."""
    paths = []
    for rule in rules:
        if method in rule.methods and rule.endpoint not in STATIC:
            frame = dict.fromkeys(("data_id", "data_name", "path"), str(pk))
            values = dict.fromkeys(rule.arguments, "1") | frame
            paths.append(rule.build(values)[1])
    assert len(paths) >= 7
    return paths


# What is open -------------------------------------------------------------------------

CLOSED = """
dtale.dataset_upload dtale.get_arcticdb_libraries dtale.to_xarray
dtale.get_arcticdb_symbols dtale.get_async_arcticdb_libraries dtale.web_upload
dtale.get_async_arcticdb_symbols dtale.get_xarray_coords dtale.load_arcticdb_symbol
dtale.get_xarray_dimension_values dtale.load_arcticdb_description
dtale.update_xarray_selection health_check missing_js shutdown site_map version_info
/dtale/charts/_reload-hash
""".split()


def test_every_route_of_dtale_is_open_or_closed_by_decision(rules):
    """A new one of another release is in neither list: decide, then add it."""
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
    ]
    + ["dtale/calculation/..%2Fmain", "dtale/nothing", "%2e%2e/dtale/datasets"],
)
def test_closed(a, nobody, path, unchanged):
    for person in (a, nobody):
        root = person.dtale.removesuffix("/dtale")
        for method in ("GET", "POST"):
            answer = person.request(method, f"{root}/{path}", allow_redirects=False)
            assert is_refused(answer), answer.text[:300]
    unchanged()


def test_web_upload_reaches_nothing(a, unchanged):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.5)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/x.csv"
        assert is_refused(a.ask("web-upload", type="csv", url=address))
        with pytest.raises(TimeoutError):
            listener.accept()
    unchanged()


@pytest.mark.parametrize("calculation", ["skew", "kurtosis"])
def test_explanations_are_open(a, calculation):
    assert a.ask(f"calculation/{calculation}", headers=PAGE).status_code == 200


# Login --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("headers", [{}, PAGE], ids=["page asks", "typed"])
def test_nobody_is_answered_nothing(nobody, a1, unchanged, rules, method, headers):
    for path in addresses(rules, method, a1):
        root = nobody.dtale.removesuffix("/dtale")
        answer = nobody.request(
            method, root + path, headers=headers, allow_redirects=False
        )
        assert is_refused(answer), (path, answer.status_code)
    unchanged()


def test_pages_lead_to_the_login_and_data_say_why(nobody, a1, settings):
    answer = nobody.ask(f"main/{a1}", headers=PAGE, x=1)
    assert answer.status_code == 302
    path = f"/{settings.DTALE_PREFIX}/dtale/main/{a1}%3Fx%3D1"
    assert answer.headers["Location"] == f"/accounts/login/?next={path}"
    answer = nobody.ask(f"dtypes/{a1}")
    assert answer.status_code == 401
    assert "not signed in" in answer.json()["error"]


def test_person_who_may_not_sign_in_any_more(a, ann, a1):
    get_user_model().objects.filter(pk=ann.pk).update(is_active=False)
    assert is_refused(a.ask(f"data/{a1}", ids='["0-9"]'))


def test_session_that_has_ended(a, a1):
    a.cookies.clear()
    assert is_refused(a.ask(f"data/{a1}", ids='["0-9"]'))


def test_host_of_somebody_else(a, a1):
    answer = a.ask(f"data/{a1}", headers={"Host": "evil.example"}, ids='["0-9"]')
    assert answer.status_code == 400


def test_scripts_and_styles_are_everybodys(nobody):
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
def test_frame_of_another_is_not_there(b, a2, path):
    answer = b.ask(path.format(a2))
    # Links to sign in lead back to the path that was asked for.
    text = re.sub(r'href="[^"]*"', "", answer.text)
    assert "secret" not in text.replace(f"There is no frame {path[10:]}", "")
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
def test_frame_of_another_is_not_changed(b, a1, unchanged, route, params):
    assert is_refused(b.ask(f"{route}/{a1}", **params))
    unchanged()


def test_frame_of_another_is_not_deleted(a, b, a1, bob, unchanged):
    b1 = a_frame(bob)
    b.ask("cleanup-datasets", dataIds=f"{a1}")
    unchanged()
    assert a.ask("cleanup-datasets", dataIds=f"{a1}").json()["success"]
    assert not a.frames() and b.frames() == {b1}


def test_lists_hold_only_what_is_ones_own(b, a1, a2, bob):
    b1 = a_frame(bob, "mine")
    assert b.frames() == {b1}
    for path in ("process-keys", "popup/upload", "popup/merge", "charts/"):
        assert "secret" not in b.ask(path).text


# Filters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["outlierFilters", "columnFilters", "predefinedFilters"]
)
def test_filter_does_not_come_in_as_a_setting(a, a1, unchanged, kind):
    settings = {kind: {"x": {"query": EXPR, "active": True, "value": EXPR}}}
    assert is_refused(a.ask(f"update-settings/{a1}", settings=json.dumps(settings)))
    unchanged()


def test_filters_can_be_taken_away(a, a1):
    cfg = '{"type": "int", "operand": "=", "value": [1]}'
    assert a.ask(f"save-column-filter/{a1}", col="x", cfg=cfg).json()["success"]
    assert a.total(a1) == 1
    answer = a.ask(f"update-settings/{a1}", settings='{"columnFilters": {}}')
    assert answer.json()["success"]
    assert a.total(a1) == 3


@pytest.mark.parametrize("name", ["enable_custom_filters", "hide_shutdown", "x"])
def test_settings_of_the_site_are_not_a_persons(a, a1, unchanged, name):
    assert is_refused(a.ask(f"update-settings/{a1}", settings=json.dumps({name: True})))
    unchanged()


# Other sites --------------------------------------------------------------------------


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", "anything"])
@pytest.mark.parametrize("mode", ["cors", "no-cors", "navigate"])
def test_another_site_changes_nothing(a, a1, unchanged, site, mode):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    for route, params in CHANGES:
        answer = a.ask(f"{route}/{a1}", headers=headers, **params)
        assert answer.status_code == 403
    answer = a.ask("cleanup-datasets", headers=headers, dataIds=f"{a1}")
    assert answer.status_code == 403
    answer = a.post(f"{a.dtale}/upload", files={"s.csv": b"a\n1\n"}, headers=headers)
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
def test_old_browser_at_another_site(a, a1, unchanged, headers):
    for name in FROM_HERE:
        del a.headers[name]
    answer = a.ask(f"edit-cell/{a1}", headers=headers, **CHANGES[0][1])
    assert answer.status_code == 403
    a.headers.update(FROM_HERE)
    unchanged()


def test_old_browser_at_this_site(a, a1):
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
def test_link_of_another_site_is_shown_before_it_is_followed(a, a1, path, site):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    answer = a.ask(path.format(a1), headers=headers)
    assert answer.status_code == 403
    href = urlsplit(answer.request.url)
    assert f'href="{href.path}' in answer.text
    assert "data_id" not in answer.text


def test_typed_address(a, a1, unchanged):
    assert a.ask(f"main/{a1}", headers=PAGE).status_code == 200
    assert a.ask(f"edit-cell/{a1}", headers=PAGE, **CHANGES[0][1]).status_code == 403
    unchanged()


def test_data_are_not_gone_to_and_exports_are(a, a1):
    opened = {"Sec-Fetch-Mode": "navigate"}
    assert a.ask(f"dtypes/{a1}", headers=opened).status_code == 403
    answer = a.ask(f"data-export/{a1}", headers=opened, type="csv")
    assert answer.status_code == 200
    assert a.ask(f"data-export/{a1}", headers=PAGE, type="csv").status_code == 403


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "X"])
def test_other_methods(a, a1, unchanged, method):
    for path in (f"edit-cell/{a1}?col=x&rowIndex=0&updated=9", f"main/{a1}"):
        answer = a.ask(path, method)
        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "POST"}
    a.ask("cleanup-datasets", method, dataIds=f"{a1}")
    a.ask(f"drop-filtered-rows/{a1}", method)
    unchanged()


def test_post_where_dtale_reads(a, a1, unchanged):
    answer = a.ask(f"edit-cell/{a1}", "POST", col="x", rowIndex=0, updated=9)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET")
    unchanged()


# Everyone's state ---------------------------------------------------------------------


def test_preferences_are_ones_own(a, b, a1, bob):
    b1 = a_frame(bob)
    assert a.ask("update-theme", theme="dark").json()["success"]
    assert a.ask("update-language", language="cn").json()["success"]
    page = b.ask(f"main/{b1}").text
    assert 'id="theme" value="light"' in page and 'id="language" value="en"' in page


@pytest.mark.parametrize(
    "path, params",
    [
        ("update-theme", dict(theme='"><b>')),
        ("update-language", dict(language="klingon")),
        ("update-query-engine", dict(engine="another")),
        ("update-maximum-row-height", dict(height="1e9")),
    ],
)
def test_preferences_that_are_none(a, a1, path, params):
    def page():
        return re.sub(r'nonce="[^"]+"', "", a.ask(f"main/{a1}").text)

    before = page()
    assert not a.ask(path, **params).json()["success"]
    assert page() == before


# Size ---------------------------------------------------------------------------------


@contextmanager
def peak_below(size):
    """The block makes this process, in which the server is, ask for less (bytes)."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < size
    finally:
        tracemalloc.stop()


@contextmanager
def raw_request(a, path, *lines):
    """A POST with these headers, of which the body is left out."""
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
        ("upload", 2**33),
        ("merge", 2**21),
        # A map: what JSON makes of it takes many times as much memory.
        ("charts/_dash-update-component", 2**25),
    ],
)
def test_long_body_is_not_read(a, path, length, unchanged):
    with (
        peak_below(24 << 20),  # Werkzeug's server reads 10 MB of what is left.
        raw_request(a, path, f"Content-Length: {length}") as server,
    ):
        server.sendall(b"x" * 1_000_000)
        assert b" 413 " in server.recv(100)
    unchanged()


def test_body_of_unknown_length(a, unchanged):
    with raw_request(a, "upload", "Transfer-Encoding: chunked") as server:
        assert b" 411 " in server.recv(100)
    unchanged()


def test_unknown_numbers_leave_nothing(a, a1, unchanged):
    def ask(numbers):
        for number in numbers:
            for route in ("dtypes", "filter-info", "update-settings", "code-export"):
                answer = a.ask(f"{route}/{10**6 + number}", settings="{}")
                assert answer.status_code == 404
        gc.collect()
        # Without what Werkzeug's server reads of a body that another test has left.
        others = [tracemalloc.Filter(False, serving.__file__)]
        snapshot = tracemalloc.take_snapshot().filter_traces(others)
        return sum(trace.size for trace in snapshot.traces)

    logging.disable()  # Pytest keeps what is logged, and with it each request.
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
def test_redirects_stay_here(a, nobody, a1, path, settings):
    for person in (a, nobody):
        root = person.dtale.removesuffix("/dtale")
        answer = person.get(root + path, headers=PAGE, allow_redirects=False)
        target = urlsplit(answer.headers.get("Location", ""))
        assert target.netloc in ("", urlsplit(root).netloc)
        if target.path:
            prefix = f"/{settings.DTALE_PREFIX}/"
            assert target.path.startswith((prefix, "/accounts/login/"))
