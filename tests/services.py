"""Where a site's frames are: SQLite and files, or PostgreSQL and an S3 API.

Real servers on this machine, for as long as the tests run.
"""

import contextlib
import itertools
import logging
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from conftest import free_port

KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
numbers = itertools.count(1)  # Of databases and buckets: each test has its own.


def postgresql_programs():
    """Return where PostgreSQL's programs are (Path), or None. Debian hides them."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(debian, key=lambda path: float(path.parts[-3]), reverse=True)
    found = newest[0] if newest else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Postgres:
    """A PostgreSQL server with its data in a temporary directory."""

    def __init__(self, programs, directory):
        self.programs = programs
        self.data = directory / "data"
        self.port = free_port()
        # It refuses to run as root. As nobody, root can still start and stop it.
        self.user = "nobody" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(directory, self.user)
        options = "-U postgres -A trust -E UTF8 --locale=C --no-sync"
        self.run("initdb", "-D", self.data, *options.split())

    def run(self, program, *arguments):
        """Run one of PostgreSQL's programs and return what it printed (str)."""
        result = subprocess.run(
            [self.programs / program, *arguments],
            user=self.user,
            cwd=self.data.parent,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def start(self):
        # Without autovacuum nothing writes but the tests, so that they can count it.
        options = f"-p {self.port} -k {self.data.parent} -h 127.0.0.1 -c autovacuum=off"
        command = [self.programs / "postgres", "-D", self.data, *options.split()]
        log = self.data.parent / "log"
        with log.open("a") as output:
            self.process = subprocess.Popen(
                # It ends with the tests, also if they are killed.
                ["setpriv", "--pdeathsig", "INT", *command],
                user=self.user,
                cwd=self.data.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        for _ in range(300):
            assert self.process.poll() is None, log.read_text()
            with contextlib.suppress(AssertionError):
                self.run("pg_isready", "-q", "-h", "127.0.0.1", "-p", f"{self.port}")
                return
            time.sleep(0.1)
        raise AssertionError(f"PostgreSQL does not start:\n{log.read_text()}")

    def stop(self):
        """Stop the server: whoever is connected loses the connection."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def database(self):
        """Make an empty database and return its DATABASE_URL (str)."""
        name = f"test_{next(numbers)}"
        self.query(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def query(self, statement, url=None):
        """Return the first value (str) that a statement gives."""
        url = url or f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return self.run("psql", "-XAtq", "-c", statement, url).strip()


class S3:
    """A server with the S3 API, by moto: what it holds outlives a stop."""

    def __init__(self):
        import boto3

        logging.getLogger("werkzeug").setLevel("WARNING")  # Or it tells each request.
        self.port = free_port()
        endpoint = f"http://127.0.0.1:{self.port}"
        self.variables = {
            **KEYS,
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        self.client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            **{name.lower(): value for name, value in KEYS.items()},
        )

    def start(self):
        from moto.server import ThreadedMotoServer

        self.server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self.server.start()

    def stop(self):
        self.server.stop()
        self.server._server.server_close()  # Or the system goes on taking connections.

    def bucket(self):
        """Make an empty bucket; the variables (dict) of a project that uses it."""
        name = f"test-{next(numbers)}"
        self.client.create_bucket(Bucket=name)
        return {**self.variables, "FRAMES_STORAGE_URL": f"s3://{name}/some/prefix"}

    def keys(self, url):
        """Return the keys (set of str) below an s3:// URL."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{prefix}/"
        )
        return {each["Key"] for page in pages for each in page.get("Contents", [])}


@pytest.fixture(scope="session")
def postgres():
    """A PostgreSQL server (Postgres), running."""
    programs = postgresql_programs()
    if programs is None:
        reason = "no PostgreSQL on this machine (Debian: apt-get install postgresql)"
        # As with the browser: CI installs it, so there it may not be left out.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    # Not in pytest's own directory, which only its user can enter; and sockets have
    # to have short paths.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        server = Postgres(programs, Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def s3():
    """A server with the S3 API (S3), running."""
    server = S3()
    server.start()
    yield server
    server.stop()


class Files:
    """A project's database is SQLite, and its frames are files."""

    def __init__(self, project, directory):
        self.project = project
        self.directory = directory
        self.frames = directory / "frames"
        self.database = directory / "db.sqlite3"
        # The last one lets each line of gunicorn's log say which worker has answered.
        self.variables = {
            "DATA_DIR": str(directory),
            "GUNICORN_CMD_ARGS": "--access-logfile - --access-logformat pid=%(p)s",
        }

    def manage(self, *command, **variables):
        """Run one of manage.py's commands and return what it printed (str)."""
        manage = ".venv/bin/python", "manage.py", *command
        return self.project.run(*manage, **self.variables, **variables)

    def serve(self, workers, machine=None, **variables):
        """Serve the project by so many workers; see `Project.serve`.

        Args:
            machine: a name (str) for the machine that they are on, if there can be
                others: the files of one are not there on another.
        """
        variables = {**self.variables, **self.on(machine), **variables}
        return self.project.serve("gunicorn", workers=workers, **variables)

    def on(self, machine):
        """Return the variables (dict) of one machine alone."""
        return {}

    def stored(self):
        """Return the names (set of str) of the stored frames' bytes."""
        return set(os.listdir(self.frames))

    def count(self):
        """Return how many frames there are (int)."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return connection.execute("SELECT count(*) FROM frames_frame").fetchone()[0]

    @contextlib.contextmanager
    def log_size(self):
        """Yield a function: how many bytes the database's log has (int)."""
        with contextlib.closing(sqlite3.connect(self.database)) as reader:
            # As long as somebody reads, it does not begin anew.
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM django_session").fetchone()
            yield lambda: Path(f"{self.database}-wal").stat().st_size

    def writes(self):
        """Return a number (int) that any write to the database changes."""
        paths = self.database, Path(f"{self.database}-wal")
        return sum(path.stat().st_mtime_ns for path in paths)


class Services(Files):
    """A project's database is PostgreSQL, and its frames are in S3."""

    def __init__(self, project, directory, postgres, s3):
        super().__init__(project, directory)
        self.postgres = postgres
        self.s3 = s3
        self.database = postgres.database()
        self.variables |= {"DATABASE_URL": self.database, **s3.bucket()}

    def on(self, machine):
        return {"DATA_DIR": str(self.directory / machine)} if machine else {}

    def stored(self):
        return self.s3.keys(self.variables["FRAMES_STORAGE_URL"])

    def count(self):
        query = "SELECT count(*) FROM frames_frame"
        return int(self.postgres.query(query, self.database))

    @contextlib.contextmanager
    def log_size(self):
        query = "SELECT pg_current_wal_insert_lsn() - '0/0'"
        yield lambda: int(self.postgres.query(query))

    def writes(self):
        # How many transactions have written: reading alone takes no number. (The log
        # grows now and then by itself, by what the server notes in it.)
        return int(
            self.postgres.query("SELECT pg_snapshot_xmax(pg_current_snapshot())")
        )


@pytest.fixture(scope="module", params=["SQLite and files", "PostgreSQL and S3"])
def backend(request, project, tmp_path_factory):
    """Where the project's frames are (Files); a module's tests run for each."""
    directory = tmp_path_factory.mktemp("backend")
    if request.param == "SQLite and files":
        backend = Files(project, directory)
    else:
        services = map(request.getfixturevalue, ("postgres", "s3"))
        backend = Services(project, directory, *services)
    backend.manage("migrate", "--verbosity", "0")
    yield backend
    shutil.rmtree(directory)  # pytest would keep the frames.


@contextlib.contextmanager
def down(server, seconds=10):
    """For so many seconds it does not answer; longer if the with-block takes longer."""
    server.stop()
    try:
        start = time.monotonic()
        yield
        time.sleep(max(0, start + seconds - time.monotonic()))
    finally:
        server.start()


def who_answered(site):
    """Return which processes have answered requests (set of int)."""
    return set(map(int, re.findall(r"^pid=<(\d+)>", site.log.read_text(), re.M)))
