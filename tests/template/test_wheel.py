"""The library's wheel works in another Django project as its README describes."""

import os
import re
import subprocess
import sys
import zipfile

import pytest
from conftest import PASSWORD, TEMPLATE, environment, free_port, wait_for
from helpers import LIBRARY, TREE
from interpreters import interpreters, uv
from playwright.sync_api import expect

PACKAGE = TEMPLATE / TREE / "packages" / "django-dtale"
README = (PACKAGE / "README.md").read_text("utf-8")
BLOCK = re.compile(r"^ *```(?:console|python)\n(.*?)^ *```", re.M | re.S)

VIEW = """
import pandas as pd
from django_dtale import explore

def sample(request):
    return explore(request, pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}), name="Sample")
"""


def command(*parts, cwd, **variables):
    """Run a command and return its output. On failure, show the output."""
    result = subprocess.run(
        [str(part) for part in parts],
        cwd=cwd,
        env=environment({"PYTHONUTF8": "1", **variables}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel as the release workflow builds it."""
    directory = tmp_path_factory.mktemp("dist")
    command(uv(), "build", "--quiet", "--out-dir", directory, PACKAGE, cwd=directory)
    assert len(list(directory.glob("*.tar.gz"))) == 1
    [wheel] = directory.glob("*.whl")
    return wheel


def test_wheel_contains_all_library_files(wheel):
    source = TEMPLATE / TREE / LIBRARY
    expected = {
        path.relative_to(source.parent).as_posix()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert {
        "django_dtale/py.typed",
        "django_dtale/locale/de/LC_MESSAGES/django.mo",
    } <= (expected)
    names = set(zipfile.ZipFile(wheel).namelist())
    found = {
        name
        for name in names
        if name.startswith("django_dtale/") and not name.endswith("/")
    }
    assert found == expected
    [license] = [name for name in names if name.endswith("/LICENSE")]
    assert license.startswith("django_dtale-")


def steps():
    """Return the code blocks in the README's steps, without indentation."""
    text = README.partition("## Install it")[2].partition("\n## ")[0]
    return [re.sub(r"^ {3}", "", block, flags=re.M) for block in BLOCK.findall(text)]


def test_readme_steps_work_in_a_bare_project(wheel, tmp_path, page):
    install, settings, urls, wsgi, run = steps()
    assert install == "pip install django-dtale\n"
    assert run == "python manage.py migrate\npython manage.py runserver\n"
    python = interpreters()[-1].path
    command(uv(), "venv", "--quiet", "--python", python, ".venv", cwd=tmp_path)
    command(uv(), "pip", "install", "--quiet", wheel, cwd=tmp_path)
    bin = tmp_path / ".venv" / ("Scripts" if sys.platform == "win32" else "bin")
    command(bin / "django-admin", "startproject", "bare", ".", cwd=tmp_path)

    def add(name, code):
        with (tmp_path / "bare" / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{code}")

    add("settings.py", f'{settings}LOGIN_URL = "admin:login"\n')
    add("urls.py", "from django.urls import include\nfrom .views import sample\n")
    add("urls.py", f'{urls}urlpatterns += [path("sample/", sample)]\n')
    add("wsgi.py", wsgi)
    add("views.py", VIEW)

    manage = bin / "python", "manage.py"
    told = command(*manage, "check", "--fail-level", "WARNING", cwd=tmp_path)
    assert "no issues" in told
    command(*manage, "migrate", "--verbosity", "0", cwd=tmp_path)
    account = {"USERNAME": "ada", "EMAIL": "ada@example.com", "PASSWORD": PASSWORD}
    account = {f"DJANGO_SUPERUSER_{name}": account[name] for name in account}
    command(*manage, "createsuperuser", "--no-input", cwd=tmp_path, **account)

    port = free_port()
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*manage, "runserver", "--noreload", f"127.0.0.1:{port}"],
            cwd=tmp_path,
            env=environment({}),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/admin/login/", server, log)
        # Visitors who are not signed in have no frames, so D-Tale redirects them to
        # LOGIN_URL.
        page.goto(f"{url}/sample/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{url}/flask/dtale/main/1")
        expect(page.locator(".main-grid .cell").first).to_be_visible()
        page.goto(f"{url}/frames/")
        expect(page).to_have_title("D-Tale")
        page.get_by_role("link", name="Sample").first.click()
        page.wait_for_url(f"{url}/flask/dtale/main/1")
        page.goto(f"{url}/frames/")
        page.get_by_label("Choose files").set_input_files(
            {"name": "s.csv", "mimeType": "text/csv", "buffer": b"a,b\n1,x\n2,y\n"}
        )
        page.wait_for_url(f"{url}/flask/dtale/main/2")
        expect(page.locator(".main-grid .cell").first).to_be_visible()
    finally:
        server.terminate()
        server.wait(20)
    assert "Traceback" not in log.read_text()
    assert os.stat(tmp_path / "data" / "frames").st_mode & 0o077 == 0
