"""The commands, code and links in a generated project's documents are correct.

The tests run the documented commands in reading order in a new project. Commands that
cannot run in a test are listed with a reason. Python blocks are added to the files that
they name, as a reader would do.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PASSWORD, bake_project, environment, free_port, wait_for
from playwright.sync_api import expect

# If uv is not on the PATH, it is in this directory.
BIN = Path(sys.executable).parent
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)

# Docker and Kubernetes are not available in tests. test_container.py tests the image.
IN_CONTAINER = "test_container_commands_match_their_files"
# Each of these commands has a replacement, and the reason for it. None means that the
# command is skipped.
OTHERWISE = {
    "make run": (None, "test_make_run_serves_the_site"),
    "make test": (None, "test_project.py runs it"),
    ".venv/bin/python manage.py createsuperuser": (
        ".venv/bin/python manage.py createsuperuser --no-input",
        "it asks a person",
    ),
    "uv sync --no-dev --all-extras": (
        "uv sync --no-dev --all-extras --dry-run",
        "pytest stays",
    ),
    ".venv/bin/python manage.py collectstatic --no-input": (
        None,
        "it takes a minute; production is tested with what it collects",
    ),
    ".venv/bin/gunicorn": (None, "it does not end; most tests are served by it"),
    ".venv\\Scripts\\waitress-serve --threads=8 --listen=127.0.0.1:8000 "
    "django_d_tale.wsgi:application": (None, "for Windows"),
    "systemctl enable --now site": (None, "test_systemd_accepts_the_unit"),
    "docker compose up --build --detach": (None, IN_CONTAINER),
    "docker compose exec site python manage.py createsuperuser": (None, IN_CONTAINER),
    "kubectl apply --filename deploy/kubernetes.yaml": (None, IN_CONTAINER),
    "uvx cruft update": (None, "test_cruft.py runs it"),
}
# test_single_sign_on.py follows this document in another project.
ALONE = "single-sign-on.md"
# Other tests run these blocks. Each block is identified by one of its lines.
ELSEWHERE = {
    "py -m venv .venv": "test_commands_without_make_match_make_run",
    ".venv/bin/python manage.py backup backup": "test_restore.py",
    "cp -R backup/. data/": "test_restore.py",
    'aws s3 sync "$FRAMES_STORAGE_URL" backup/frames': "test_restore.py",
    'aws s3 sync backup/frames "$FRAMES_STORAGE_URL"': "test_restore.py",
}


def pages(root):
    """Return the paths of a project's documents in reading order."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def blocks(root, *languages):
    """Yield the language and the text of each code block, except for those in ALONE."""
    for page in pages(root):
        if page.name == ALONE:
            continue
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language in languages:
                yield language, text


class Reader:
    """A reader who runs the documents' code blocks in order.

    Attributes:
        met: The keys of OTHERWISE and ELSEWHERE that occur in the documents.
        waiting: The Python blocks for files whose folder does not exist yet.
        loose: The Python blocks that do not belong to a file, by the comment in their
            first line, such as "notebook".
    """

    def __init__(self, project):
        self.project = project
        self.met, self.waiting, self.loose = set(), [], {}

    def read(self):
        for language, text in blocks(self.project.path, "console", "python"):
            if language == "console":
                self.run(text.splitlines())
            else:
                where, _, code = text.removeprefix("# ").partition("\n")
                self.waiting.append((where, code))
            self.add()
        assert self.waiting == []

    def run(self, lines):
        self.met |= ELSEWHERE.keys() & set(lines)
        if ELSEWHERE.keys() & set(lines):
            return
        for line in lines:
            instead, _ = OTHERWISE.get(line, (line, ""))
            self.met |= OTHERWISE.keys() & {line}
            if instead:
                account = {"USERNAME": "ada", "EMAIL": "ada@example.com"}
                account |= {"PASSWORD": PASSWORD}
                variables = {f"DJANGO_SUPERUSER_{k}": v for k, v in account.items()}
                variables["PATH"] = f"{os.environ['PATH']}:{BIN}"
                self.project.run("bash", "-c", instead, **variables)

    def add(self):
        """Append each waiting block to its file if the file's folder already exists."""
        for where, code in [*self.waiting]:
            path = self.project.path / where
            if "/" not in where:
                self.loose[where] = code
            elif path.parent.exists():
                with path.open("a", encoding="utf-8") as file:
                    file.write(f"\n\n{code}")
            else:
                continue
            self.waiting.remove((where, code))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """The reader after following all documents in a new bake."""
    project = bake_project(tmp_path_factory.mktemp("docs"))
    # The README creates the user ada, who shares frames with bob.
    project.set_up("bob")
    (project.path / "sales.csv").write_text("city,people\nOslo,717710\n")
    reader = Reader(project)
    reader.read()
    return reader


def test_every_documented_command_was_run(reader):
    """Each command was run or is listed, and all listed commands are documented."""
    assert reader.met == OTHERWISE.keys() | ELSEWHERE.keys()


# `manage.py shell` runs this code in the reader's project.
CHECK = """
from unittest import TestCase
import pandas as pd
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.storage import storages
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from django_dtale.models import Frame
from shop.jobs import publish_orders
from shop.models import Order

ada, bob = (get_user_model().objects.get(username=name) for name in ("ada", "bob"))
bob.is_superuser = False
bob.save()
for country, seller, price in [("DE", ada, 10), ("DE", bob, 5), ("FR", ada, 2)]:
    Order.objects.create(country=country, seller=seller, price=price, year=2026)
df = pd.DataFrame({"a": [1]})
{shell}
assert {frame.name for frame in bob.shared_frames.all()} == {"sales", "Q3 sales"}

def client(user):
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client

def opened(answer):
    assert answer.status_code == 302, answer.content
    return Frame.objects.get(pk=answer.url.rpartition("/")[2])

orders = opened(client(ada).post("/shop/orders/"))
assert (orders.name, orders.owner, orders.rows) == ("Orders", ada, 3)
sales = opened(client(ada).post("/shop/sales/"))
assert (sales.rows, sales.note) == (2, "Orders of all years.")
assert client(bob).post("/shop/sales/").status_code == 403
assert client(ada).get("/shop/sales/").status_code == 405

# The source in the menu, which Bob may not run. It is refreshed by the command.
from django.core.management import call_command
source = "/frames/sources/shop.orders/"
assert client(bob).get(source).status_code == 404
assert source in client(ada).get("/frames/sources/").content.decode()
of_2026 = opened(client(ada).post(source, {"year": 2026}))
assert (of_2026.name, of_2026.rows) == ("Orders of a year: 2026", 3)
Order.objects.create(country="IT", seller=ada, price=1, year=2026)
call_command("refresh_frames", source="shop.orders")
of_2026.refresh_from_db()
assert of_2026.rows == 4

# The admin's rule, also where people open models without the admin.
from django.contrib.auth.models import Permission
bob.user_permissions.add(Permission.objects.get(codename="view_order"))
own = opened(client(bob).post("/frames/models/shop/order/"))
assert (own.owner, own.rows) == (bob, 1)

group = Group.objects.create(name="sellers")
group.user_set.add(bob)
shared = publish_orders(ada, "sellers")
from django_dtale.workspace import Workspace
assert shared in Frame.objects.visible_in(Workspace(bob))
assert shared.shares.get().group.name == "sellers"

assert type(storages["frames"]).__name__ == "LoggedStorage"
path = settings.DATA_DIR / "frames" / shared.payload
assert path.exists()
with TestCase().assertLogs("shop.storage") as log:
    shared.delete()
assert not path.exists() and f"{shared.payload} is deleted" in log.output[0]

request = RequestFactory().get("/")
request.user, request.session = ada, {}
from django_dtale.workspace import Workspace, bind
with bind(Workspace(ada)):
    html = Template(PAGE).render(RequestContext(request, {"frame": sales}))
assert 'action="/shop/sales/"' in html and sales.get_iframe_url() in html

from django_dtale.filters.compiler import Filter
from django_dtale.filters.site import site_filters
texts = {name: each.text for name, each in site_filters().items()}
data = pd.DataFrame({"country": ["DE", "FR", "IT"], "year": 2026})
rows = Filter(texts["My countries"]).rows(data, Workspace(bob).filter_values)
assert rows.tolist() == [True, False, False]
assert Workspace(None).filter_values["this_year"] >= 2026
assert Filter(texts["This year"]).rows(data, {"this_year": 2026}).all()

eve = User.objects.create_user("eve")
assert client(eve).get("/frames/models/").status_code == 200
eve.groups.create(name="external")
assert client(eve).get("/frames/models/").status_code == 403
from django_dtale.dtale.endpoints import Kind, kind_of
assert kind_of("version_info") is Kind.DATA
print("all of it")
"""


def shell(project, code):
    return project.run(".venv/bin/python", "manage.py", "shell", "-c", code)


def test_documented_code_works(reader):
    [page] = [text for _, text in blocks(reader.project.path, "html")]
    code = CHECK.replace("{shell}", reader.loose["manage.py shell"])
    told = shell(reader.project, f"PAGE = {page!r}\n{code}")
    assert told.splitlines()[-1] == "all of it"


FILES = """
import numpy as np, pandas as pd
from django.conf import settings

folder = settings.DATA_DIR / "orders"
folder.mkdir()
for year in (2025, 2026):
    ids = np.arange(130_000)
    frame = pd.DataFrame({"id": ids, "year": year, "price": ids / 4})
    frame.to_parquet(folder / f"{year}.parquet")
"""

LARGE = """
from django.contrib.auth import get_user_model
from django.test import Client
from django_dtale.models import Frame
from shop.models import Order

client = Client(SERVER_NAME="localhost")
ada = get_user_model().objects.get(username="ada")
client.force_login(ada)
Order.objects.create(country="FR", seller=ada, price=2, year=2026)
for path in ("totals", "prices-of/2026", "prices-of/1999"):
    answer = client.post(f"/shop/{path}/")
    assert answer.status_code == 302, answer.content
    frame = Frame.objects.get(pk=answer.url.rpartition("/")[2])
    print(frame.name, frame.shape, frame.conversion_notes)
"""


def test_documented_large_files_and_pushes_work(reader, page):
    """The documents open large Parquet files with ibis, and push from a notebook."""
    project = reader.project
    shell(project, FILES)
    told = shell(project, LARGE).splitlines()
    assert {"Totals 2 × 2 ", "Prices of 1999 0 × 2 "} < {*told}, told
    # Other tests of the documents can have created more orders of this year.
    assert any(re.fullmatch(r"Prices of 2026 [1-9] × 2 ", line) for line in told), told
    with project.serve() as site:
        page.goto(f"{site.url}/accounts/login/?next=/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{site.url}/")
        # Simulate a button on one of the user's own pages.
        page.evaluate(
            """() => {
              const form = document.querySelector("form[method=post]").cloneNode(true);
              form.action = "/shop/orders-of/2026/";
              document.body.append(form);
              form.submit();
            }"""
        )
        page.wait_for_url(re.compile("/dtale/main/"))
        expect(page.locator(".main-grid .cell").first).to_be_visible()
        bar = page.locator("#frame-bar")
        expect(bar).to_contain_text("100,000 of 130,000 rows.")
        for width in (400, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            expect(bar.get_by_text("100,000 of 130,000").first).to_be_in_viewport(
                ratio=1
            )
            keep(page, f"note-{width}")
        page.goto(f"{site.url}/frames/")
        expect(page.get_by_role("table").first).to_contain_text("From the archive.")
        page.get_by_role("table").first.scroll_into_view_if_needed()
        keep(page, "note-list")

        code = (
            "from django.contrib.auth import get_user_model\n"
            "from django_dtale.models import Token\n"
            "ada = get_user_model().objects.get(username='ada')\n"
            "print(Token.objects.create_token(ada, 'lab', 'read write'))"
        )
        token = shell(project, code).split()[-1]

        def run(where, before="", after="", number=1):
            code = f"{before}\n{reader.loose[where]}\n{after}"
            code = code.replace("dtale_...", token).replace("main/1", f"main/{number}")
            code = code.replace("https://data.example.com", site.url)
            return project.run(".venv/bin/python", "-c", code, no_proxy="*")

        frame = "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})"
        told = run("notebook", before=frame)
        main = f"'url': '{site.url}/{site.prefix}/dtale/main/"
        number = re.search(rf"{re.escape(main)}(\d+)'", told)[1]
        told = run("another notebook", after="print([*df['a']])", number=number)
        assert told.splitlines()[-1] == "[1, 2]"
        # The program replaces the data of the notebook's table.
        told = run("program", before=frame.replace("[1, 2]", "[3]"))
        assert f"/main/{number}'" in told and "'rows': 1" in told


def keep(page, name):
    """Save screenshots of the page if SCREENSHOTS_OF_DOCS names a directory."""
    if directory := os.environ.get("SCREENSHOTS_OF_DOCS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{directory}/{name}-{scheme}.png")


def test_make_run_serves_the_site(reader):
    port = free_port()
    log = reader.project.path / "run.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["make", "run", f"PORT={port}"],
            cwd=reader.project.path,
            env=environment({}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 15)
        process.wait(20)


def test_commands_without_make_match_make_run(reader):
    [text] = [
        text
        for _, text in blocks(reader.project.path, "console")
        if text.startswith("py ")
    ]
    made = reader.project.run("make", "-nB", "run", "UV=.venv/bin/uv")
    steps = "-m venv .venv", "-m pip install", "uv sync", "migrate", "runserver"
    lines = text.splitlines()
    assert len(lines) == len(steps)
    for step, line in zip(steps, lines, strict=True):
        assert step in line and step in made.partition(step)[1], line
        made = made.partition(step)[2]


def test_systemd_accepts_the_unit(reader, tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd on this machine")
    [text] = [text for _, text in blocks(reader.project.path, "ini")]
    where, _, text = text.removeprefix("# ").partition("\n")
    unit = tmp_path / Path(where).name
    unit.write_text(text.replace("/srv/site", str(reader.project.path)))
    result = subprocess.run([program, "verify", unit], capture_output=True, text=True)
    assert result.returncode == 0 and unit.name not in result.stderr, result.stderr


def test_container_commands_match_their_files(project):
    """The header comments of compose.yaml and the manifest have the same commands."""
    files = project.path / "compose.yaml", project.path / "deploy" / "kubernetes.yaml"
    heads = [file.read_text("utf-8").partition("\n\n")[0] for file in files]
    for line, (_, why) in OTHERWISE.items():
        if why == IN_CONTAINER:
            assert line in heads[line.startswith("kubectl")], line


def slug(heading):
    """Return the anchor that GitHub generates for a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def test_internal_links_resolve(project):
    found = 0
    for page in pages(project.path):
        text = page.read_text("utf-8")
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            path = (page.parent / name) if name else page
            assert path.exists(), f"{page.name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.*)$", path.read_text("utf-8"), re.M)
                assert anchor in map(slug, headings), f"{page.name}: {target}"
            found += 1
    assert found > 20
