"""The module `client` sends and reads tables, with neither Django nor the library."""

import re
import shutil
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings

from django_dtale import client
from django_dtale.client import SiteError, pull, push
from django_dtale.models import Frame, Origin
from django_dtale.models.tokens import Scope, Token

pytestmark = pytest.mark.django_db(transaction=True)
DATA = pd.DataFrame(
    {"day": pd.to_datetime(["2026-01-01", None]), "n": [1, 2]},
    index=pd.Index(["x", "y"], name="key"),
)
LIBRARY = Path(settings.BASE_DIR, "packages", "django-dtale")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def site(stored, live_server):
    return live_server.url


@pytest.fixture
def token(ann):
    return Token.objects.create_token(ann, "notebook", Scope.READ_WRITE)


def run(code, directory):
    """Run code in another process, as a notebook does, and return its output."""
    # Older versions of pyarrow sometimes abort when the interpreter ends, because one of
    # their threads still runs.
    code += "\nimport os, sys; sys.stdout.flush(); os._exit(0)"
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=directory, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


# Alone --------------------------------------------------------------------------------

NOTEBOOK = """
import sys
import pandas as pd
from {module} import pull, push

df = pd.DataFrame({{"a": [1, 2]}})
made = push(df, {site!r}, {token!r}, name="sales")
print(pull(made["url"], {token!r})["a"].sum())
print({{"django", "dtale", "flask", "requests"}} & sys.modules.keys())
"""


def test_copy_of_the_module_works_without_the_library(site, token, tmp_path):
    shutil.copy(client.__file__, tmp_path)
    code = NOTEBOOK.format(module="client", site=site, token=token)
    code += 'print("django_dtale" in sys.modules)'
    assert run(code, tmp_path).split() == ["3", "set()", "False"]
    assert Frame.objects.get().name == "sales"


def test_installed_module_needs_no_settings(site, token, tmp_path):
    code = NOTEBOOK.format(module="django_dtale.client", site=site, token=token)
    assert run(code, tmp_path).split() == ["3", "set()"]


def test_site_offers_the_module(visitor):
    answer = visitor().browser.get("/frames/client.py")
    assert answer.data == Path(client.__file__).read_bytes()
    assert "attachment" in answer.headers["Content-Disposition"]


def blocks(readme):
    """Return the Python code in a README that is for notebooks and programs."""
    text = Path(readme).read_text("utf-8")
    found = re.findall(r"^```python\n# ([^\n]*)\n(.*?)^```", text, re.M | re.S)
    return {
        where: code
        for where, code in found
        if where in ("notebook", "another notebook", "program")
    }


@pytest.mark.parametrize(
    "readme, count",
    [(f"{settings.BASE_DIR}/README.md", 3), (f"{LIBRARY}/README.md", 2)],
    ids=["project", "library"],
)
def test_code_of_the_readme_works(site, token, tmp_path, publish, ann, readme, count):
    frame = publish(ann, "sales")
    found = blocks(readme)
    assert len(found) == count
    for where, code in found.items():
        code = code.replace("https://data.example.com", site)
        code = code.replace("dtale_...", token).replace("main/1", f"main/{frame.pk}")
        before = f"import pandas as pd\ndf = pd.DataFrame({{'where': [{where!r}]}})\n"
        told = run(f"{before}{code}\nprint(df['where'].tolist())", tmp_path)
        frame.refresh_from_db()
        sent = "notebook" if where == "another notebook" else where
        assert told.splitlines()[-1] == str([sent])
        assert frame.to_dataframe()["where"].tolist() == [sent]
    assert Frame.objects.count() == 1


# Data ---------------------------------------------------------------------------------


def test_data_come_back_as_they_were_sent(site, token):
    made = push(DATA, site, token, name="sales.csv")
    frame = Frame.objects.get()
    assert made["name"] == frame.name == "sales.csv"
    assert (frame.origin, frame.origin_name) == (Origin.PUSH, "notebook")
    for table in (
        made["url"],
        f"{site}/frames/{frame.pk}/parquet/",
        f"{site}/tools/dtale/iframe/{frame.pk}",
    ):
        back = pull(table, token)
        pd.testing.assert_frame_equal(back, DATA)
        assert back.attrs["as_of"] == made["as_of"] == frame.data_at.isoformat()
    pd.testing.assert_frame_equal(pull(frame.pk, token, site=site), DATA)
    pd.testing.assert_frame_equal(pull(str(frame.pk), token, site=f"{site}/"), DATA)
    assert push(pull(made["url"], token), made["url"], token)["version"] == 1


def test_data_are_replaced_and_appended(site, token):
    first = push(DATA, site, token, name="sales", replace=True)
    again = push(DATA, f"{site}/", token, name="sales", append=True)
    assert (again["url"], again["rows"]) == (first["url"], 4)
    table = push(DATA, first["url"], token)
    assert (table["url"], table["rows"], table["version"]) == (first["url"], 2, 2)
    number = push(DATA, f"{site}/frames/{first['id']}/push/", token, append=True)
    assert (number["url"], number["rows"]) == (first["url"], 4)
    assert push(DATA, f"{site}/frames/push/", token)["url"] != first["url"]


def test_file_is_sent_with_options(site, token, tmp_path):
    path = tmp_path / "Q3 sales.csv"
    path.write_text("1;2,5\n3;-\n")
    made = push(
        path, site, token, sep=";", decimal=",", no_header=True, null_value=["-", "x"]
    )
    assert made["name"] == "Q3 sales"
    back = pull(made["url"], token)
    assert back["column_1"].tolist() == [1, 3]
    assert back["column_2"].isna().tolist() == [False, True]
    path.write_text("day\n01/02/2026\n")
    made = push(path, site, token, name="days", day_first=False)
    assert pull(made["url"], token)["day"].tolist() == [pd.Timestamp("2026-01-02")]


def test_view_is_that_of_the_user(site, token, publish, ann):
    from django_dtale.unit_of_work import unit_of_work
    from django_dtale.workspace import Workspace, bind

    frame = publish(ann)
    with bind(Workspace(ann)), unit_of_work() as unit:
        settings = unit.get(frame.pk).view_state["settings"]
        settings["columnFilters"] = {"a": {"query": "`a` > 1"}}
    assert pull(frame.pk, token, site=site, view=True)["a"].tolist() == [2, 3]
    assert pull(frame.pk, token, site=site)["a"].tolist() == [1, 2, 3]


def test_pushes_at_the_same_time_make_one_table(site, token):
    """Each push is whole, or raises an error that says so."""

    def send(number):
        data = pd.DataFrame({"a": [number] * 100})
        try:
            push(data, site, token, name="sales", replace=True)
        except SiteError as error:
            assert error.status in (409, 429), error
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        done = sum(pool.map(send, range(8)))
    frame = Frame.objects.get()
    assert 0 < done == frame.data_version + 1
    assert frame.to_dataframe()["a"].nunique() == 1


# Errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, status, text",
    [
        ({"token": "dtale_x"}, 401, "Send one of your access tokens"),
        ({"token": "x\n"}, 401, "Send one of your access tokens"),
        ({"replace": True}, 422, "send the table's name"),
        ({"name": "a", "replace": True, "append": True}, 422, "only one of"),
        ({"replaces": True}, 422, "There is no parameter replaces"),
        ({"url": "SITE/flask/dtale/main/99"}, 404, "Table 99 does not exist"),
        ({"url": "SITE/no"}, 404, "/no/frames/push/?"),
    ],
)
def test_error_has_the_message_of_the_site(site, token, options, status, text):
    options = {"url": site, "token": token, **options}
    options["url"] = options["url"].replace("SITE", site)
    with pytest.raises(SiteError) as raised:
        push(DATA, **options)
    assert raised.value.status == status and text in str(raised.value)
    assert not Frame.objects.exists()


def test_token_that_the_site_does_not_know_is_explained(
    site, publish, ann, dtale_settings
):
    dtale_settings.LOGIN_REQUIRED = True
    with pytest.raises(SiteError, match="login.*check the token") as raised:
        pull(publish(ann).pk, "secret", site=site)
    assert raised.value.status == 302


def test_address_of_the_site_is_required(token):
    with pytest.raises(ValueError, match="address of the site"):
        pull(1, token)


class OtherSite(BaseHTTPRequestHandler):
    """Redirect each GET, and keep its token. Refuse each POST without reading it."""

    tokens: list = []

    def do_POST(self):
        self.send_response(413)
        self.end_headers()
        self.wfile.write(b'{"error": "This file is too large."}')

    def do_GET(self):
        self.tokens.append(self.headers["Authorization"])
        self.send_response(302)
        self.send_header("Location", self.server.target)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def other_site():
    """Return a function that starts a server, and returns its address."""
    servers = []

    def start(target, context=None):
        server = HTTPServer(("127.0.0.1", 0), OtherSite)
        server.target = target
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        servers.append(server)
        scheme = "https" if context else "http"
        return f"{scheme}://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_redirects_do_not_get_the_token(other_site):
    OtherSite.tokens.clear()
    second = other_site("https://example.com/")
    first = other_site(f"{second}/frames/1/parquet/")
    with pytest.raises(SiteError, match=f"to {second}"):
        pull(1, "dtale_x", site=first)
    assert OtherSite.tokens == ["Bearer dtale_x"]


def test_message_is_read_if_the_site_does_not_read_the_data(other_site):
    data = pd.DataFrame({"n": range(5_000_000)})
    with pytest.raises(SiteError, match=r"^This file is too large\.$"):
        push(data, other_site("/"), "dtale_x")


def test_site_that_is_down_is_named(other_site):
    with pytest.raises(SiteError, match=r"No response from 127\.0\.0\.1:9: ") as raised:
        pull(1, "dtale_x", site="http://127.0.0.1:9")
    assert raised.value.status is None


@pytest.mark.skipif(not shutil.which("openssl"), reason="this needs openssl")
def test_certificate_is_verified(other_site, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=127.0.0.1"
    files = ["-keyout", key, "-out", certificate]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    OtherSite.tokens.clear()
    with pytest.raises(SiteError, match="certificate verify failed"):
        pull(1, "dtale_x", site=other_site("/", context))
    assert OtherSite.tokens == []
