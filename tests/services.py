"""The storage of a site: SQLite and files, or PostgreSQL and a server with the S3 API.

The servers are real. They run on this machine during the tests.
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
numbers = itertools.count(1)  # Each module of tests has its own database and bucket.


def postgresql_programs():
    """Return the directory with PostgreSQL's programs, or None.

    Debian does not add this directory to the PATH.
    """
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = sorted(debian, key=lambda path: float(path.parts[-3]), reverse=True)
    found = newest[0] if newest else shutil.which("initdb")
    return Path(found).resolve().parent if found else None


class Postgres:
    """A PostgreSQL server whose data is in a temporary directory."""

    def __init__(self, programs, directory):
        self.programs = programs
        self.data = directory / "data"
        self.port = free_port()
        # PostgreSQL refuses to run as root, so root starts and stops it as "nobody".
        self.user = "nobody" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(directory, self.user)
        options = "-U postgres -A trust -E UTF8 --locale=C --no-sync"
        self.run("initdb", "-D", self.data, *options.split())

    def run(self, program, *arguments):
        """Run one of PostgreSQL's programs and return the output."""
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
        # Autovacuum is off, because its writes would add to those that the tests count.
        options = f"-p {self.port} -k {self.data.parent} -h 127.0.0.1 -c autovacuum=off"
        command = [self.programs / "postgres", "-D", self.data, *options.split()]
        log = self.data.parent / "log"
        with log.open("a") as output:
            self.process = subprocess.Popen(
                # With setpriv, the server ends with the tests, even if the tests are
                # killed.
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
        """Stop the server and close all connections to it."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def database(self):
        """Create an empty database, and return its DATABASE_URL."""
        name = f"test_{next(numbers)}"
        self.query(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def query(self, statement, url=None):
        """Run a statement and return the first value of the result."""
        url = url or f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        return self.run("psql", "-XAtq", "-c", statement, url).strip()


class S3:
    """A server with the S3 API (moto). It keeps its objects while it is stopped."""

    def __init__(self):
        import boto3

        # Werkzeug would log each request.
        logging.getLogger("werkzeug").setLevel("WARNING")
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
        self.server._server.server_close()  # Otherwise the port stays open.

    def bucket(self):
        """Create an empty bucket. Return the variables for a project that uses it."""
        name = f"test-{next(numbers)}"
        self.client.create_bucket(Bucket=name)
        return {**self.variables, "FRAMES_STORAGE_URL": f"s3://{name}/some/prefix"}

    def keys(self, url):
        """Return the keys of all objects below an s3:// URL."""
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=f"{prefix}/"
        )
        return {each["Key"] for page in pages for each in page.get("Contents", [])}


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL server."""
    programs = postgresql_programs()
    if programs is None:
        reason = "no PostgreSQL on this machine (Debian: apt-get install postgresql)"
        # CI installs PostgreSQL, so a missing PostgreSQL is a failure there, not a
        # reason to skip.
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    # pytest's own temporary directory does not work: only pytest's user can enter it,
    # and its path is too long for sockets.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
        server = Postgres(programs, Path(directory))
        server.start()
        yield server
        server.stop()


@pytest.fixture(scope="session")
def s3():
    """A running server with the S3 API."""
    server = S3()
    server.start()
    yield server
    server.stop()


NEEDED = """
from django_dtale.models import Change, Frame
from django_dtale.storage.blobs import files_of
payloads = [*Frame.objects.values_list("payload"), *Change.objects.values_list("payload")]
print(*set().union(*(files_of(name) for name, in payloads)))
"""


class Files:
    """A project that uses SQLite and stores its frames in files."""

    def __init__(self, project, directory):
        self.project = project
        self.directory = directory
        self.frames = directory / "frames"
        self.database = directory / "db.sqlite3"
        # The access log shows which worker has handled each request.
        self.variables = {
            "DATA_DIR": str(directory),
            "GUNICORN_CMD_ARGS": "--access-logfile - --access-logformat pid=%(p)s",
        }

    def manage(self, *command, **variables):
        """Run a command of manage.py and return the output."""
        manage = ".venv/bin/python", "manage.py", *command
        return self.project.run(*manage, **self.variables, **variables)

    def serve(self, workers, machine=None, **variables):
        """Serve the project with this number of workers. See `Project.serve`.

        Args:
            machine: The name of a simulated machine. Machines do not share local files.
                SQLite supports only one machine, so the name is ignored.
        """
        variables = {**self.variables, **self.on(machine), **variables}
        return self.project.serve("gunicorn", workers=workers, **variables)

    def on(self, machine):
        """Return the environment variables of a simulated machine."""
        return {}

    def stored(self):
        """Return the names of the files or objects in which the frames are stored."""
        return set(os.listdir(self.frames))

    def needed(self):
        """Return the names of the files that frames and their earlier states need."""
        printed = self.manage("shell", "--verbosity", "0", "--command", NEEDED)
        return set(printed.split())

    @contextlib.contextmanager
    def log_size(self):
        """Yield a function that returns the size of the write-ahead log in bytes."""
        with contextlib.closing(sqlite3.connect(self.database)) as reader:
            # While this transaction reads the database, SQLite does not truncate the
            # log.
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM django_session").fetchone()
            yield lambda: Path(f"{self.database}-wal").stat().st_size

    def writes(self):
        """Return a number that changes with each write to the database."""
        paths = self.database, Path(f"{self.database}-wal")
        return sum(path.stat().st_mtime_ns for path in paths)


class Services(Files):
    """A project that uses PostgreSQL and stores its frames in S3."""

    def __init__(self, project, directory, postgres, s3):
        super().__init__(project, directory)
        self.postgres = postgres
        self.s3 = s3
        self.database = postgres.database()
        self.variables |= {"DATABASE_URL": self.database, **s3.bucket()}

    def on(self, machine):
        return {"DATA_DIR": str(self.directory / machine)} if machine else {}

    def stored(self):
        keys = self.s3.keys(self.variables["FRAMES_STORAGE_URL"])
        return {key.rpartition("/")[2] for key in keys}

    @contextlib.contextmanager
    def log_size(self):
        query = "SELECT pg_current_wal_insert_lsn() - '0/0'"
        yield lambda: int(self.postgres.query(query))

    def writes(self):
        # Only transactions that write have an id. The size of the log is not suitable,
        # because the server itself sometimes writes to the log.
        return int(
            self.postgres.query("SELECT pg_snapshot_xmax(pg_current_snapshot())")
        )


@pytest.fixture(scope="module", params=["SQLite and files", "PostgreSQL and S3"])
def backend(request, project, tmp_path_factory):
    """The storage of the project's frames. Each module runs once per storage."""
    directory = tmp_path_factory.mktemp("backend")
    if request.param == "SQLite and files":
        backend = Files(project, directory)
    else:
        services = map(request.getfixturevalue, ("postgres", "s3"))
        backend = Services(project, directory, *services)
    backend.manage("migrate", "--verbosity", "0")
    yield backend
    shutil.rmtree(directory)  # Delete the frames: pytest would keep these files.


@contextlib.contextmanager
def down(server, seconds=10):
    """Stop the server during the with-block and for at least this many seconds."""
    server.stop()
    try:
        start = time.monotonic()
        yield
        time.sleep(max(0, start + seconds - time.monotonic()))
    finally:
        server.start()


def who_answered(site):
    """Return the ids of the processes that have handled requests."""
    return set(map(int, re.findall(r"^pid=<(\d+)>", site.log.read_text(), re.M)))
