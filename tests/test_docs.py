"""What the generated project's documents say is done: commands, code, links.

Every command in them is run, in the order of reading, in a project of its own; what
cannot be run here is listed, with the reason. The pieces of Python are added to the
files that they begin with, as a reader would.
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

BIN = Path(sys.executable).parent  # It has uv, if nobody else has.
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)

# What an image would do, test_container.py does; there is no Docker and no Kubernetes.
IN_CONTAINER = "test_commands_for_containers_are_those_of_their_files"
# What runs in place of a line, and why. None: nothing can, here.
OTHERWISE = {
    "make run": (None, "test_make_run_serves"),
    "make test": (None, "test_project.py runs it"),
    ".venv/bin/python manage.py createsuperuser": (
        ".venv/bin/python manage.py createsuperuser --no-input",
        "it asks a person",
    ),
    "uv sync --no-dev": ("uv sync --no-dev --dry-run", "pytest stays"),
    ".venv/bin/python manage.py collectstatic --no-input": (
        None,
        "it takes a minute; production is tested with what it collects",
    ),
    ".venv/bin/gunicorn": (None, "it does not end; most tests are served by it"),
    ".venv\\Scripts\\waitress-serve --threads=8 --listen=127.0.0.1:8000 "
    "django_d_tale.wsgi:application": (None, "for Windows"),
    "systemctl enable --now site": (None, "test_systemd_takes_the_unit"),
    "docker compose up --build --detach": (None, IN_CONTAINER),
    "docker compose exec site python manage.py createsuperuser": (None, IN_CONTAINER),
    "kubectl apply --filename deploy/kubernetes.yaml": (None, IN_CONTAINER),
    "uvx cruft update": (None, "test_cruft.py runs it"),
}
# Blocks that are run elsewhere as a whole, by a line in them.
ELSEWHERE = {
    "py -m venv .venv": "test_plain_commands_are_those_of_make",
    ".venv/bin/python manage.py backup backup": "test_restore.py",
    "cp -R backup/. data/": "test_restore.py",
    'aws s3 sync "$FRAMES_STORAGE_URL" backup/frames': "test_restore.py",
    'aws s3 sync backup/frames "$FRAMES_STORAGE_URL"': "test_restore.py",
}


def pages(root):
    """The documents (list of Path) of a project, in the order of reading."""
    return [root / "README.md", *sorted((root / "docs").glob("*.md"))]


def blocks(root, *languages):
    """Yield the language (str) and the text (str) of each block in the documents."""
    for page in pages(root):
        for language, text in BLOCK.findall(page.read_text("utf-8")):
            if language in languages:
                yield language, text


class Reader:
    """Somebody who does what the documents say, one piece after the other.

    Attributes:
        met: set of what was met of OTHERWISE and ELSEWHERE.
        waiting: list of pieces of Python for an app that is not there yet.
        loose: {how a piece is run: its text}, of those that belong to no file.
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
        """Add what has a folder now to its files."""
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
    """Somebody (Reader) who has done what is in the documents of a fresh bake."""
    project = bake_project(tmp_path_factory.mktemp("docs"))
    project.set_up("bob")  # Whom ada, who is made by the README, shares frames with.
    (project.path / "sales.csv").write_text("city,people\nOslo,717710\n")
    reader = Reader(project)
    reader.read()
    return reader


def test_every_command_was_run(reader):
    """Or it is listed, and what is listed is there."""
    assert reader.met == OTHERWISE.keys() | ELSEWHERE.keys()


# Asked of the project that the reader has made, by `manage.py shell`.
CHECK = """
from unittest import TestCase
import pandas as pd
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.files.storage import storages
from django.template import RequestContext, Template
from django.test import Client, RequestFactory
from frames.models import Frame
from shop.jobs import publish_orders
from shop.models import Order

ada, bob = (User.objects.get(username=name) for name in ("ada", "bob"))
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

# The admin's rule, also where people open models without the admin.
from django.contrib.auth.models import Permission
bob.user_permissions.add(Permission.objects.get(codename="view_order"))
own = opened(client(bob).post("/frames/models/shop/order/"))
assert (own.owner, own.rows) == (bob, 1)

group = Group.objects.create(name="sellers")
group.user_set.add(bob)
shared = publish_orders(ada, "sellers")
assert [*shared.shared_with.all()] == [bob]

assert type(storages["frames"]).__name__ == "LoggedStorage"
path = settings.DATA_DIR / "frames" / shared.payload
assert path.exists()
with TestCase().assertLogs("shop.storage") as log:
    shared.delete()
assert not path.exists() and f"{shared.payload} is deleted" in log.output[0]

request = RequestFactory().get("/")
request.user, request.session = ada, {}
from frames.workspace import Workspace, bind
with bind(Workspace(ada)):
    html = Template(PAGE).render(RequestContext(request, {"frame": sales}))
assert 'action="/shop/sales/"' in html and sales.get_iframe_url() in html
print("all of it")
"""


def shell(project, code):
    return project.run(".venv/bin/python", "manage.py", "shell", "-c", code)


def test_code_does_what_is_said_of_it(reader):
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


def test_large_files_and_pushes(reader, page):
    """Parquet files by DuckDB, capped and told so; and a table from a notebook."""
    project = reader.project
    shell(project, FILES)
    with project.serve() as site:
        page.goto(f"{site.url}/accounts/login/?next=/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{site.url}/")
        # What the button of a page of one's own does.
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
        expect(bar).to_contain_text("The first 100,000 of 130,000 rows.")
        for width in (400, 1280):
            page.set_viewport_size({"width": width, "height": 700})
            expect(bar.get_by_text("The first 100,000")).to_be_in_viewport(ratio=1)
            keep(page, f"note-{width}")
        page.goto(f"{site.url}/frames/")
        expect(page.get_by_role("table").first).to_contain_text("The first 100,000")
        page.get_by_role("table").first.scroll_into_view_if_needed()
        keep(page, "note-list")

        code = (
            "from django.contrib.auth.models import User\n"
            "from frames.models import Token\n"
            "print(Token.objects.issue(User.objects.get(username='ada'), 'lab'))"
        )
        token = shell(project, code).split()[-1]
        notebook = reader.loose["notebook"].replace("dtale_...", token)
        notebook = notebook.replace("https://data.example.com", site.url)
        frame = "import pandas as pd\ndf = pd.DataFrame({'a': [1, 2]})\n"
        told = project.run(".venv/bin/python", "-c", frame + notebook, no_proxy="*")
        assert f"'url': '{site.url}/{site.prefix}/dtale/main/" in told


def keep(page, name):
    """Keep a picture of the page where SCREENSHOTS says, if it does."""
    if directory := os.environ.get("SCREENSHOTS_OF_DOCS"):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=f"{directory}/{name}-{scheme}.png")


def test_make_run_serves(reader):
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


def test_plain_commands_are_those_of_make(reader):
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


def test_systemd_takes_the_unit(reader, tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("no systemd on this machine")
    [text] = [text for _, text in blocks(reader.project.path, "ini")]
    where, _, text = text.removeprefix("# ").partition("\n")
    unit = tmp_path / Path(where).name
    unit.write_text(text.replace("/srv/site", str(reader.project.path)))
    result = subprocess.run([program, "verify", unit], capture_output=True, text=True)
    assert result.returncode == 0 and unit.name not in result.stderr, result.stderr


def test_commands_for_containers_are_those_of_their_files(project):
    """The heads of compose.yaml and the manifest name the same ones."""
    files = project.path / "compose.yaml", project.path / "deploy" / "kubernetes.yaml"
    heads = [file.read_text("utf-8").partition("\n\n")[0] for file in files]
    for line, (_, why) in OTHERWISE.items():
        if why == IN_CONTAINER:
            assert line in heads[line.startswith("kubectl")], line


def slug(heading):
    """The anchor (str) of a heading, as GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")


def test_links_lead_somewhere(project):
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
