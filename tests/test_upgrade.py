"""From the last version of the template to this one, with a user's work in between."""

import re
import shutil
import tarfile
import tomllib

import pytest
from conftest import TEMPLATE, Project
from helpers import NEEDED, TREE, commit_all, copy_template, edit, git, run
from test_cruft import END

CHANGELOG = (TEMPLATE / "CHANGELOG.md").read_text("utf-8")

# What a user adds, each at the end of something. The template changes nothing there, or
# who updates would have conflicts.
VIEW = """

def products(request):
    from shop.models import Product

    return explore(request, Product.objects.all(), name="Products")
"""
ROUTE = '    path("products/", views.products, name="products"),\n'
SETTING = '\nSHOP_CURRENCY = "EUR"\n'
VARIABLE = "\n# What our shop sells in.\nSHOP_CURRENCY=EUR\n"
LINE = "  <footer>Ask Ada.</footer>\n"
MODEL = '''"""What is sold."""

from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self):
        return self.name
'''

# Run in the project before the update, and after it.
MADE = 'from shop.models import Product; Product.objects.create(name="tea")'
STILL_THERE = """
from django.contrib.auth import authenticate
from django.test import Client
from frames import frame_storage
from frames.models import Frame
from shop.models import Product
ada = authenticate(username="ada", password="correct horse battery")
frame = Frame.objects.get(owner=ada, name="sales")
assert list(frame_storage.load(frame.payload)["price"]) == [3, 5]
assert Product.objects.get().name == "tea"
client = Client(headers={"host": "localhost"})
client.force_login(ada)
assert "Ask Ada." in client.get("/").content.decode()
opened = client.get("/products/")
assert opened.url == Frame.objects.get(name="Products").get_absolute_url()
print("still there")
"""


def stamp(text):
    return tomllib.loads(text)["tool"]["cookiecutter-django-dtale"]["version"]


def test_the_version_is_the_same_everywhere():
    version = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
    version = version["project"]["version"]
    assert stamp((TEMPLATE / TREE / "pyproject.toml").read_text("utf-8")) == version
    heading = r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$"
    assert re.search(heading, CHANGELOG, re.M)[1] == version


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A repository with the template as it was last released: its one commit."""
    (tmp_path / "configuration.yaml").write_text("default_context: {}\n")
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "configuration.yaml"))
    # The newest version whose commit the changelog can name: a commit has no name yet
    # while it is made.
    released = re.search(r"^\[\d.*?\]: .*/commit/([0-9a-f]{40})$", CHANGELOG, re.M)[1]
    archive = tmp_path / "released.tar"
    result = run("git", "archive", "-o", archive, released, *NEEDED, cwd=TEMPLATE)
    if result.returncode:
        pytest.skip(f"no {released} in this clone (git fetch --unshallow)")
    path = tmp_path / "template"
    with tarfile.open(archive) as tar:
        tar.extractall(path, filter="data")
    commit_all(path, "released")
    return path


@pytest.fixture
def project(template, tmp_path):
    """A project made from it, with a user's work in its files and its database."""
    answers = '{"project_name": "Lab", "dtale_prefix": "data"}'
    create = "create", "--no-input", "--extra-context", answers
    result = run("cruft", *create, template, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    project = Project(tmp_path / "lab", "data")
    commit_all(project.path, "baked")

    site = project.path / "lab"
    for path, end in ("views.py", VIEW), ("settings.py", SETTING):
        with (site / path).open("a", encoding="utf-8") as file:
            file.write(end)
    edit(site / "urls.py", "\n]\n", f"\n{ROUTE}]\n")
    last = '    "django.contrib.staticfiles",\n'
    edit(site / "settings.py", last, f'{last}    "shop",\n')
    edit(site / "templates" / "base.html", "</body>\n", f"{LINE}</body>\n")
    edit(project.path / "pyproject.toml", "\n]\n", '\n    "humanize>=4",\n]\n')
    edit(project.path / "README.md", "# Lab\n", "# Our lab\n")
    if (project.path / ".env.example").read_text("utf-8").endswith(END):
        with (project.path / ".env.example").open("a", encoding="utf-8") as file:
            file.write(VARIABLE)
    (project.path / "shop").mkdir()
    (project.path / "shop" / "__init__.py").touch()
    (project.path / "shop" / "models.py").write_text(MODEL, encoding="utf-8")

    project.run("make", ".venv/ready")
    manage = ".venv/bin/python", "manage.py"
    project.run(*manage, "makemigrations", "shop")
    project.set_up("ada")
    (project.path / "sales.csv").write_text("price\n3\n5\n")
    project.run(*manage, "explore", "sales.csv", "--owner", "ada")
    project.run(*manage, "shell", "-c", MADE)
    commit_all(project.path, "our work")
    return project


def test_update_from_the_last_version(template, project):
    for each in NEEDED:
        path = template / each
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    copy_template(template)
    commit_all(template, "this version")

    result = run("cruft", "update", "--skip-apply-ask", cwd=project.path)
    assert result.returncode == 0, result.stderr
    assert list(project.path.rglob("*.rej")) == []
    assert git("diff", "--name-only", "--diff-filter=U", cwd=project.path) == ""

    def text(path):
        return (project.path / path).read_text("utf-8")

    pyproject = text("pyproject.toml")
    assert stamp(pyproject) == stamp((template / TREE / "pyproject.toml").read_text())
    assert '    "humanize>=4",\n' in pyproject
    assert text("README.md").startswith("# Our lab\n")
    assert text(".env.example").endswith((END, f"{END}{VARIABLE}"))
    assert text("lab/views.py").endswith(VIEW)
    assert text("lab/settings.py").endswith(SETTING)

    project.run("make", ".venv/ready")
    manage = ".venv/bin/python", "manage.py"
    project.run(*manage, "migrate", "--verbosity", "0")
    project.run(*manage, "check", "--fail-level", "WARNING")
    project.run(*manage, "makemigrations", "--check", "--dry-run")
    assert "still there" in project.run(*manage, "shell", "-c", STILL_THERE)
    own_tests = "ARGS=-n 0 tests/test_site.py tests/test_gate.py"
    assert " passed" in project.run("make", "test", own_tests)
