"""Fixtures for a baked project, a server that runs it, and a browser."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest
from cookiecutter.main import cookiecutter
from interpreters import interpreters, uv

pytest_plugins = ["services"]

TEMPLATE = Path(__file__).resolve().parent.parent
PACKAGE_TESTS = TEMPLATE / "tests" / "package"
# With these options, slipcover measures the coverage of the pytest processes and writes
# it to coverage.json. The Makefile uses the same options.
MEASURE = (
    *("-m", "slipcover", "--branch", "--dont-wrap-pytest", "--json"),
    *("--out", "coverage.json", "--source", "packages/django-dtale/src/django_dtale"),
)
# This timeout in seconds for all tests of the library is enough for two busy cores.
WHOLE = 45 * 60
collect_ignore = ["package"]  # test_project.py runs these tests in a baked project.
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)


def pytest_report_header():
    """Report the interpreters that run the generated project's own tests."""
    found = interpreters()
    return f"oldest and newest supported: {found[0]}, {found[-1]}"


def pytest_terminal_summary(terminalreporter):
    """Print the coverage of the library if it was measured."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name == "coverage" and report.when == "call":
                terminalreporter.line(f"coverage of the library: {value} %")


def pytest_collection_modifyitems(items):
    """Run the soak test first: it is mostly idle, so other tests can run beside it."""
    items.sort(key=lambda item: item.path.name != "test_soak.py")


def free_port():
    """Return a free port of the loopback interface."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(variables):
    """Return this process's environment plus these variables, minus those of `make`.

    Variables that stop Python from writing bytecode are also removed. Without bytecode,
    each process of a project would spend five seconds compiling D-Tale.
    """
    left_out = "MAKE", "MFLAGS", "ARGS", "PYTEST_"
    left_out += "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"
    ours = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    # A baked project's .env turns the debug toolbar on. test_toolbar.py tests it.
    return {**ours, "DEBUG_TOOLBAR": "False", **variables}


def wait_for(url, process, log):
    """Wait until the server responds. On failure, show the server's log."""
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.1)
    raise AssertionError(f"no response within 120 s:\n{log.read_text()}")


def wait_for_port(port, process, log):
    """Wait until the server listens, without sending it a request."""
    for _ in range(12_000):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        time.sleep(0.01)
    raise AssertionError(f"the port did not open within 120 s:\n{log.read_text()}")


# The command line of the fork server contains this text. The fork server forks the
# processes that read files.
FORKS_READERS = b"from django_dtale.readers.process import server"
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Project:
    """A baked project with its own virtual environment."""

    path: Path
    prefix: str

    @property
    def slug(self):
        return self.path.name

    def run(self, *command, timeout=900, **variables):
        """Run a command in the project's root. On failure, show its output."""
        result = subprocess.run(
            command,
            cwd=self.path,
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    def run_package_tests(self, *arguments, measure=(), **variables):
        """Run the library's tests, which are not baked, and return the output.

        Args:
            measure: Options of Python that run pytest in another module. See MEASURE.
        """
        python = ".venv/bin/python", *measure
        pytest = *python, "-m", "pytest", "-c", PACKAGE_TESTS / "pytest.ini"
        # The tests are in the template's tree, so their bytecode is written to the
        # project instead.
        variables["PYTHONPYCACHEPREFIX"] = str(self.path / ".pycache")
        return self.run(*map(str, pytest), *arguments, timeout=WHOLE, **variables)

    def python_version(self):
        return self.run(".venv/bin/python", "--version").split()[1]

    def set_up(self, *names, **variables):
        """Migrate the database, and create superusers with these names and PASSWORD."""
        manage = ".venv/bin/python", "manage.py"
        self.run(*manage, "migrate", "--verbosity", "0", **variables)
        for name in names:
            account = f"--noinput --username {name} --email {name}@example.com".split()
            password = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
            self.run(*manage, "createsuperuser", *account, **password, **variables)

    @contextlib.contextmanager
    def serve(self, server="gunicorn", workers=1, is_cold=False, **variables):
        """Serve the project on a free port and yield the `Site`.

        Only gunicorn uses ``workers``. All other settings are in gunicorn.conf.py. If
        ``is_cold`` is set, the site has opened its port but has not received any
        requests.
        """
        host, port = "127.0.0.1", free_port()
        address = f"{host}:{port}"
        bin = self.path / ".venv" / "bin"
        commands = {
            "gunicorn": f"{bin}/gunicorn -b {address} --workers {workers}",
            # Without the project's gunicorn.conf.py, gunicorn does not preload the
            # application, so each worker imports everything.
            "gunicorn without preload": f"{bin}/gunicorn -c {os.devnull} -b {address}"
            f" --workers {workers} --threads 8 {self.slug}.wsgi",
            "uvicorn": f"{bin}/uvicorn {self.slug}.asgi:application"
            f" --host {host} --port {port}",
            "waitress": f"{bin}/waitress-serve --listen {address}"
            f" {self.slug}.wsgi:application",
            "runserver": f"{bin}/python manage.py runserver --noreload {address}",
            "runserver with reloader": f"{bin}/python manage.py runserver {address}",
        }
        log = self.path / f"{server.split()[0]}-{port}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                commands[server].split(),
                cwd=self.path,
                env=environment(variables),
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        site = Site(f"http://{address}", self.prefix, log, process)
        try:
            if is_cold:
                wait_for_port(port, process, log)
            else:
                wait_for(f"{site.url}/healthz", process, log)
            yield site
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@dataclass(frozen=True)
class Site:
    """A running server of a baked project."""

    url: str
    prefix: str
    log: Path
    process: subprocess.Popen

    @property
    def workers(self):
        """The ids of the server's processes that handle requests.

        The fork server is also a child of gunicorn's master, but is not a worker.
        """
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(each)
            for each in children
            if b"readers.process import server"
            not in Path(f"/proc/{each}/cmdline").read_bytes()
        ]

    def kill_worker(self):
        """Kill one of the workers with SIGKILL, as a crash would."""
        os.kill(self.workers[0], signal.SIGKILL)


def bake_project(directory, python=None, extras=True, **answers):
    """Bake into the directory, as `cookiecutter --no-input` does, and install the bake.

    Args:
        python: The interpreter. None means the one that `make` uses by default.
        extras: Whether to also install the extras and the dependencies of the library's
            tests.
    """
    path = Path(
        cookiecutter(
            str(TEMPLATE),
            no_input=True,
            extra_context=answers,
            output_dir=str(directory),
            default_config=True,
        )
    )
    settings = (path / path.name / "settings.py").read_text("utf-8")
    project = Project(path, re.search(r'^    "PREFIX": "(.*)",$', settings, re.M)[1])
    chosen = [f"PYTHON={python.path}"] if python else []
    project.run("make", ".venv/ready", *chosen)
    if extras:
        project.run(uv(), "sync", "--inexact", "--all-extras", "--python", ".venv")
        # This dependency group has uvicorn, waitress and the dependencies of the
        # library's tests.
        group = f"{TEMPLATE / 'pyproject.toml'}:package"
        project.run(uv(), "pip", "install", "--quiet", "--group", group)
    project.run(".venv/bin/python", "manage.py", "migrate", "--verbosity", "0")
    return project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The default bake."""
    return bake_project(tmp_path_factory.mktemp("default"))


# These answers are hard to handle: the name is difficult to quote, and the prefix
# contains a slash.
OTHER = {
    "project_name": """Data "R'Us" \\N{DASH} <b>日本</b> & {{ 7*7 }} 🎉""",
    "project_slug": "data_r_us",
    "dtale_prefix": "tools/data-explorer",
}


@pytest.fixture(scope="session")
def other_project(tmp_path_factory):
    """A bake with non-default answers."""
    return bake_project(tmp_path_factory.mktemp("other"), **OTHER)


@pytest.fixture(scope="session")
def collected(project, tmp_path_factory):
    """The environment variables for a bake whose static files are collected."""
    variables = {"STATIC_ROOT": str(tmp_path_factory.mktemp("static"))}
    collect = "manage.py collectstatic --no-input --verbosity 0".split()
    project.run(".venv/bin/python", *collect, DEBUG="False", **variables)
    return variables


@pytest.fixture(scope="session")
def site(project):
    """The default bake behind gunicorn, with one worker."""
    with project.serve("gunicorn") as site:
        yield site


# Chromium's sandbox does not work for root, which CI uses.
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium():
    """A function that starts the system's Chromium, driven by Playwright."""
    if CHROMIUM is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        # CI installs Chromium, so a missing Chromium is a failure there, not a reason
        # to skip.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=40_000)  # Test machines are shared and can be slow.

    with sync_playwright() as playwright:

        def start(*options, **variables):
            return playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[*OPTIONS, *options],
                env={**os.environ, **variables},
            )

        yield start


@pytest.fixture(scope="session")
def browser(chromium):
    """The browser of most tests."""
    browser = chromium()
    yield browser
    browser.close()


# This script runs in each document before the document's own scripts. It logs forbidden
# actions.
WATCH = """
document.addEventListener("securitypolicyviolation", (event) => console.error(
  "not allowed:", event.effectiveDirective, event.blockedURI, event.sourceFile));
const post = window.postMessage;
window.postMessage = function (message, target) {
  if (target === "*") console.error("not allowed: a message to any site");
  return post.apply(this, arguments);
};
"""


@pytest.fixture
def problems():
    """The CSP violations, forbidden actions and script errors of the page."""
    return []


@pytest.fixture
def page(browser, problems):
    """An empty page in a new browser context. The test fails if a window has problems.

    A test that causes problems on purpose removes them from ``problems``.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    # The first request to a server takes long, because D-Tale has to be imported.
    context.set_default_timeout(90_000)
    context.add_init_script(WATCH)

    def on_console(message):
        if message.text.startswith("not allowed:"):
            problems.append(f"{message.text} on {message.page.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: problems.append(str(error.error)))
    yield context.new_page()
    context.close()
    assert problems == []
