"""A baked project, a server of it, and a browser: the real parts of these tests."""

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
from interpreters import interpreters

pytest_plugins = ["services"]

TEMPLATE = Path(__file__).resolve().parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))),
    None,
)


def pytest_report_header():
    """Say with which interpreters the generated project's own tests are run."""
    found = interpreters()
    return f"oldest and newest supported: {found[0]}, {found[-1]}"


def pytest_collection_modifyitems(items):
    """The soak first: its people wait most of the time, and leave the CPU to others."""
    items.sort(key=lambda item: item.path.name != "test_soak.py")


def free_port():
    """Return a port (int) of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment(variables):
    """This process's variables and those given, without what `make` hands down.

    Nor what keeps bytecode out of the tree that is baked: without bytecode of its own
    each process of a project that has D-Tale compiles for five seconds.
    """
    left_out = "MAKE", "MFLAGS", "ARGS"
    left_out += "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"
    ours = {k: v for k, v in os.environ.items() if not k.startswith(left_out)}
    return {**ours, **variables}


def wait_for(url, process, log):
    """Wait until the server process answers; a failure shows what it logged (Path)."""
    for _ in range(1200):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            urllib.request.urlopen(url, timeout=5).close()
            return
        time.sleep(0.1)
    raise AssertionError(f"no answer in 120 s:\n{log.read_text()}")


def wait_for_port(port, process, log):
    """Wait until the server process listens, without a request to it."""
    for _ in range(12_000):
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            return
        time.sleep(0.01)
    raise AssertionError(f"the port did not open in 120 s:\n{log.read_text()}")


PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Project:
    """A baked project with an environment of its own."""

    path: Path
    prefix: str

    @property
    def slug(self):
        return self.path.name

    def run(self, *command, timeout=900, **variables):
        """Run a command in the project's root; a failure shows all it printed."""
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

    def python_version(self):
        return self.run(".venv/bin/python", "--version").split()[1]

    def set_up(self, *names, **variables):
        """Make the database, and an administrator of each name, with PASSWORD."""
        manage = ".venv/bin/python", "manage.py"
        self.run(*manage, "migrate", "--verbosity", "0", **variables)
        for name in names:
            account = f"--noinput --username {name} --email {name}@example.com".split()
            password = {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
            self.run(*manage, "createsuperuser", *account, **password, **variables)

    @contextlib.contextmanager
    def serve(self, server="gunicorn", workers=1, is_cold=False, **variables):
        """Serve the project on a free port of this machine: a `Site`, until the end.

        Workers are gunicorn's; gunicorn.conf.py has the rest. A site that is cold has
        opened its port and has not been asked for anything.
        """
        host, port = "127.0.0.1", free_port()
        address = f"{host}:{port}"
        bin = self.path / ".venv" / "bin"
        commands = {
            "gunicorn": f"{bin}/gunicorn -b {address} --workers {workers}",
            # Without the project's file, nothing is imported before the workers fork.
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
        """The ids (list of int) of the server's processes that answer requests.

        Gunicorn's master also starts the process that forks readers of files.
        """
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [
            int(each)
            for each in children
            if b"reader_server" not in Path(f"/proc/{each}/cmdline").read_bytes()
        ]

    def kill_worker(self):
        """Kill one of the workers as if its machine had lost power."""
        os.kill(self.workers[0], signal.SIGKILL)


def bake_project(directory, python=None, **answers):
    """Bake into the directory, as `cookiecutter --no-input` does, and set it up.

    Args:
        python: Interpreter; None: the one that `make` takes by default.
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
    project = Project(path, re.search(r'^DTALE_PREFIX = "(.*)"$', settings, re.M)[1])
    chosen = [f"PYTHON={python.path}"] if python else []
    project.run("make", ".venv/ready", *chosen)
    project.run(".venv/bin/python", "manage.py", "migrate", "--verbosity", "0")
    return project


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """The default bake."""
    return bake_project(tmp_path_factory.mktemp("default"))


# The name asks most of whatever quotes it, and the prefix of whatever leads below it.
OTHER = {
    "project_name": """Data "R'Us" \\N{DASH} <b>日本</b> & {{ 7*7 }} 🎉""",
    "project_slug": "data_r_us",
    "dtale_prefix": "tools/data-explorer",
}


@pytest.fixture(scope="session")
def other_project(tmp_path_factory):
    """A bake with other answers."""
    return bake_project(tmp_path_factory.mktemp("other"), **OTHER)


@pytest.fixture(scope="session")
def collected(project, tmp_path_factory):
    """The default bake's variables (dict) with which it has its static files."""
    variables = {"STATIC_ROOT": str(tmp_path_factory.mktemp("static"))}
    collect = "manage.py collectstatic --no-input --verbosity 0".split()
    project.run(".venv/bin/python", *collect, DEBUG="False", **variables)
    return variables


@pytest.fixture(scope="session")
def site(project):
    """The default bake behind gunicorn, with one worker."""
    with project.serve("gunicorn") as site:
        yield site


@pytest.fixture(scope="session")
def browser():
    """Chromium as the system has it, driven by Playwright."""
    if CHROMIUM is None:
        reason = "no Chromium on this machine (Debian: apt-get install chromium)"
        # CI installs it: there, a browser test that is left out is a failure.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=40_000)  # Milliseconds: these machines are shared.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                "--no-sandbox",  # Chromium refuses its sandbox to root, as in CI.
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
            ],
        )
        yield browser
        browser.close()


# In each document, before its own scripts: it says aloud what no page may do.
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
    """What the page's scripts were not allowed to do, or failed in (list of str)."""
    return []


@pytest.fixture
def page(browser, problems):
    """An empty page in a browser profile of its own; its windows may have no problems.

    A test that makes some takes them out of ``problems``.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    # The first click in a server waits for D-Tale's import.
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
