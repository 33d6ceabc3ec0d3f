"""A project of the last released version can be upgraded with its user's changes."""

import re
import shutil
import tarfile
import tomllib

import pytest
from conftest import TEMPLATE, Project
from helpers import NEEDED, TREE, commit_all, copy_template, edit, git, run
from test_cruft import END

CHANGELOG = (TEMPLATE / "CHANGELOG.md").read_text("utf-8")

# The user adds these lines at the ends of files or of lists. The template rarely
# changes these places, so updates do not conflict.
VIEW = """

def products(request):
    from shop.models import Product

    return explore(request, Product.objects.all(), name="Products")
"""
ROUTE = '    path("products/", views.products, name="products"),\n'
SETTING = '\nSHOP_CURRENCY = "EUR"\n'
VARIABLE = "\n# What our shop sells in.\nSHOP_CURRENCY=EUR\n"
LINE = "  <footer>Ask Ada.</footer>\n"
DEPENDENCY = "\n]\n", '\n    "humanize>=4",\n]\n'
RELEASED = "0.4.0"  # The changelog links to the commit or tag of this version.
# In the released version, these files end with code that is now in the library.
CONFLICTS = ["lab/views.py", "pyproject.toml"]
# `migrate` prints this instruction.
USERS = 'Set AUTH_USER_MODEL = "auth.User" in the settings.'
MODEL = '''"""What is sold."""

from django.db import models


class Product(models.Model):
    name = models.CharField(max_length=50)

    def __str__(self):
        return self.name
'''

# These scripts run in the project before and after the update.
MADE = 'from shop.models import Product; Product.objects.create(name="tea")'
STILL_THERE = """
from django.contrib.auth import authenticate
from django.test import Client
from django_dtale.storage import blobs
from django_dtale.models import Frame
from shop.models import Product
ada = authenticate(username="ada", password="correct horse battery")
frame = Frame.objects.get(owner=ada, name="sales")
assert list(blobs.load(frame.payload)["price"]) == [3, 5]
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


def test_version_is_consistent():
    version = tomllib.loads((TEMPLATE / "pyproject.toml").read_text("utf-8"))
    version = version["project"]["version"]
    assert stamp((TEMPLATE / TREE / "pyproject.toml").read_text("utf-8")) == version
    heading = r"^## \[(\d.*?)\] - \d{4}-\d\d-\d\d$"
    assert re.search(heading, CHANGELOG, re.M)[1] == version


@pytest.fixture
def template(tmp_path, monkeypatch):
    """A repository whose only commit contains the last released template."""
    (tmp_path / "configuration.yaml").write_text("default_context: {}\n")
    monkeypatch.setenv("COOKIECUTTER_CONFIG", str(tmp_path / "configuration.yaml"))
    released = re.search(rf"^\[{re.escape(RELEASED)}\]: .*/(\S+)$", CHANGELOG, re.M)[1]
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
    """A project of the last released template, with a user's files and data."""
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
    edit(project.path / "pyproject.toml", *DEPENDENCY)
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


def test_update_from_the_last_version_keeps_user_changes(template, project):
    for each in NEEDED:
        path = template / each
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    copy_template(template)
    commit_all(template, "this version")

    result = run("cruft", "update", "--skip-apply-ask", cwd=project.path)
    assert result.returncode == 0, result.stderr
    assert list(project.path.rglob("*.rej")) == []
    conflicts = git("diff", "--name-only", "--diff-filter=U", cwd=project.path).split()
    assert conflicts == CONFLICTS
    # The changelog instructs users to take the template's version and to add their
    # lines again.
    git("checkout", "--theirs", *conflicts, cwd=project.path)
    with (project.path / "lab" / "views.py").open("a", encoding="utf-8") as file:
        file.write(VIEW)
    edit(project.path / "pyproject.toml", *DEPENDENCY)
    project.run("make", ".venv/ready")
    manage = ".venv/bin/python", "manage.py"
    with pytest.raises(AssertionError, match=re.escape(USERS)):
        project.run(*manage, "migrate", "--verbosity", "0")
    edit(project.path / "lab" / "settings.py", '"accounts.User"', '"auth.User"')

    def text(path):
        return (project.path / path).read_text("utf-8")

    pyproject = text("pyproject.toml")
    assert stamp(pyproject) == stamp((template / TREE / "pyproject.toml").read_text())
    assert '    "humanize>=4",\n' in pyproject
    assert text("README.md").startswith("# Our lab\n")
    assert text(".env.example").endswith((END, f"{END}{VARIABLE}"))
    assert text("lab/views.py").endswith(VIEW)
    assert text("lab/settings.py").endswith(SETTING)

    project.run(*manage, "migrate", "--verbosity", "0")
    project.run(*manage, "check", "--fail-level", "WARNING")
    project.run(*manage, "makemigrations", "--check", "--dry-run")
    assert "still there" in project.run(*manage, "shell", "-c", STILL_THERE)
    assert " passed" in project.run("make", "test")
