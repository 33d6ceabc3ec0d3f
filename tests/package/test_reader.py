"""Uploaded files of every kind are read in a separate process."""

import io
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from django.conf import settings as site

from django_dtale.compat.dtypes import make_displayable
from django_dtale.exceptions import FrameError, LimitExceeded, SourceError
from django_dtale.readers.files import read_file
from django_dtale.readers.options import ImportOptions
from django_dtale.readers.process import launcher
from django_dtale.readers.process.client import Reader, result_of

from .kinds import KINDS

linux = pytest.mark.skipif(
    sys.platform != "linux", reason="needs Linux's resource limits and /proc"
)


@pytest.fixture(autouse=True)
def own_temporary_files(settings, tmp_path):
    """Check that the test leaves no temporary files."""
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "temporary"
    settings.FILE_UPLOAD_TEMP_DIR.mkdir()
    yield
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == []


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a file with this name and content."""

    def read(name, content, **arguments):
        path = tmp_path / "sent"
        path.write_bytes(content)
        with Reader(path, name) as reader:
            return result_of(reader.read(**arguments))

    return read


def packed(**parts):
    """Return a zip archive with these members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def written(kind, frame):
    file = io.BytesIO()
    getattr(frame, f"to_{kind}")(file)
    return file.getvalue()


# Results equal those without a separate process ---------------------------------------

VALUES = "1 -2.5 007 NA true 2026-01-01 31.12.2026 x 1,5 9999999999999999999 é".split()
FILES = {
    "a.csv": "\n".join(
        ["a,b", *(f'"{each}",{number}' for number, each in enumerate(VALUES))]
    ),
    "semicolons.csv": "a;b\n1,5;2026-01-01\n2,5;2026-01-02T00:00+02:00\n",
    "latin.csv": "a,b\né,1\n".encode("latin-1"),
    "utf16.csv": "a\tb\n1\tü\n".encode("utf-16"),
    "twice.csv": "a,a,\n1,2,3\n",
    "short.csv": "a,b\n1\n2,3\n",
    "a.tsv": "a\tb\n1\tx\n",
    "a.json": '[{"a": 1, "b": [1, 2]}, {"a": 2.5, "b": {"c": null}}, {"a": true}]',
    "large.json": f"[{json.dumps({'a': 2**70, 'b': 1})}, {json.dumps({'a': 1})}]",
    "split.json": '{"columns": ["a"], "index": ["x", "y"], "data": [[1], [2]]}',
    "a.jsonl": '{"a": 1, "b": "2026-01-01"}\n{"a": null, "b": "2026-01-02"}\n',
    "nested.jsonl": '{"a": 1, "b": {"c": 1}}\n{"a": "x"}\n',
    "zipped.zip": packed(**{"folder/in.csv": "a,b\n1,2\n"}),
}


@pytest.mark.parametrize("name", FILES)
def test_reader_returns_the_same_frame_as_read_file(read, tmp_path, name):
    content = FILES[name]
    content = content.encode() if isinstance(content, str) else content
    path = tmp_path / name
    path.write_bytes(content)
    options = ImportOptions(encoding="latin-1" if name == "latin.csv" else None)
    expected = make_displayable(read_file(path, options))
    same(read(name, content, options=options), expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", ["parquet", "feather"])
def test_reader_returns_the_same_frame_for_every_kind(read, tmp_path, file, kind):
    path = tmp_path / f"a.{file}"
    try:
        content = written(file, KINDS[kind]())
    except Exception:  # pandas cannot write every kind.
        pytest.skip(f"pandas cannot write this kind as {file}.")
    path.write_bytes(content)
    try:
        expected = make_displayable(read_file(path))
    except FrameError:
        with pytest.raises(FrameError):
            read(path.name, content)
        return
    same(read(path.name, content), expected)


def same(read, expected):
    pd.testing.assert_frame_equal(
        read.frame, expected.frame, check_exact=True, check_freq=False
    )
    assert list(read.frame.dtypes) == list(expected.frame.dtypes)
    for name in expected.frame:
        if expected.frame[name].dtype == object:
            assert repr(read.frame[name].tolist()) == repr(
                expected.frame[name].tolist()
            )
    assert (read.index, read.conversions) == (expected.index, expected.conversions)


def test_reader_returns_the_same_frame_for_excel_cells(read, tmp_path):
    frame = pd.DataFrame(
        {
            "mixed": [1, "x", None],
            "day": pd.to_datetime(["2026-01-01", "2026-01-02", None]),
            "zero": ["007", "1", "2"],
        }
    )
    path = tmp_path / "a.xlsx"
    frame.to_excel(path, index=False)
    same(read("a.xlsx", path.read_bytes()), make_displayable(read_file(path)))


def test_doubts_are_returned(read):
    found = read("a.csv", "é;1,5\n".encode("cp1252") * 3, confirm="if_uncertain")
    assert found.options.encoding == "cp1252" and found.doubts
    assert read("a.csv", b"a,b\n1,2\n", confirm="always").doubts == ()
    assert read("a.csv", b"a,b\n1,2\n", confirm="if_uncertain").frame.shape == (1, 2)


def test_file_in_an_archive_is_previewed_and_read(tmp_path):
    path = tmp_path / "sent"
    path.write_bytes(packed(**{"in.csv": "a;b\n1;2\n"}))
    with Reader(path, "a.zip") as reader:
        detected, preview = result_of(reader.inspect())
        assert [(each.name, each.kind) for each in preview.columns] == [
            ("a", "integer"),
            ("b", "integer"),
        ]
        assert (reader.table_name, preview.rows) == ("in.csv", (("1", "2"),))
        data = result_of(reader.read(options=detected.options))
        assert data.frame.values.tolist() == [[1, 2]]


def test_errors_are_in_the_users_language(read):
    from django.utils import translation

    with translation.override("de"), pytest.raises(SourceError, match="ist leer"):
        read("a.csv", b"")


# The reader process -------------------------------------------------------------------


def children():
    """Return the process IDs of the running readers."""
    process = launcher.fork_server.process
    path = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return list(map(int, path.read_text().split()))


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def slow(tmp_path):
    """Yield a running reader of a slow file, and the iterator over its steps."""
    path = tmp_path / "slow"
    path.write_bytes(packed(**{"a.csv": b"a,b\n" + b"1,x\n" * 20_000_000}))
    with Reader(path, "a.zip") as reader:
        steps = reader.read()
        while not children():
            next(steps)
        yield reader, steps
    wait_for(lambda: not children())


@linux
def test_cancelling_ends_the_reader_immediately(slow):
    _, steps = slow
    begin = time.monotonic()
    steps.close()
    wait_for(lambda: not children())
    assert time.monotonic() - begin < 5


@linux
@pytest.mark.parametrize(
    "number, text",
    [
        (signal.SIGKILL, "needed more than the .* MB of memory"),
        (signal.SIGABRT, "needed more than the .* MB of memory"),
        (signal.SIGXCPU, "took longer than .* seconds"),
        (signal.SIGSEGV, "crashed. Save it again"),
    ],
)
def test_death_of_a_reader_is_explained(slow, number, text):
    _, steps = slow
    for pid in children():
        os.kill(pid, number)
    with pytest.raises(FrameError, match=text):
        result_of(steps)


@linux
def test_wall_time_is_bounded(slow):
    reader, _ = slow
    with Reader(reader.path, "a.zip") as another:
        another.seconds = 1
        with pytest.raises(LimitExceeded, match="took longer than 1 seconds"):
            result_of(another.read())


@linux
def test_reader_starts_after_the_fork_server_was_killed(read):
    assert read("a.csv", b"a\n1\n").frame.shape == (1, 1)
    launcher.fork_server.process.kill()
    launcher.fork_server.process.wait()
    assert read("a.csv", b"a\n1\n").frame.shape == (1, 1)


@linux
def test_reader_ends_when_its_worker_is_killed(tmp_path):
    """A killed worker cannot stop its readers."""
    path = tmp_path / "a.zip"
    path.write_bytes(packed(**{"a.csv": b"a,b\n" + b"1,x\n" * 20_000_000}))
    code = (
        "import django, os, sys; django.setup();"
        "from django_dtale.readers.process import launcher; from django_dtale.readers.process.client import Reader;"
        "reader = Reader(sys.argv[1], 'a.zip').__enter__();"
        "steps = reader.read(); next(steps);"
        "print(launcher.fork_server.process.pid, flush=True);"
        "list(steps)"
    )
    directory = tmp_path / "of the worker"
    directory.mkdir()
    worker = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        cwd=site.BASE_DIR,
        env=os.environ
        | {
            "DJANGO_SETTINGS_MODULE": site.ROOT_URLCONF.replace(".urls", ".settings"),
            "TMPDIR": str(directory),
        },
        stdout=subprocess.PIPE,
    )
    server = int(worker.stdout.readline())
    wait_for(lambda: list(directory.glob("reader-*/*")))
    worker.kill()
    worker.communicate()
    wait_for(lambda: not Path(f"/proc/{server}").exists())
    assert not list(directory.glob("reader-*"))


@linux
def test_request_can_be_cancelled_while_its_reader_ends(tmp_path):
    """The server learns of both at once."""
    directory = tmp_path / "reader-1"
    directory.mkdir()
    code = (
        "import socket, sys, time; from django_dtale.readers.process.server import Server;"
        "worker, connection = socket.socketpair();"
        "server = Server(None, lambda request, answers: None);"
        "server.start(connection, {'directory': sys.argv[1]});"
        "worker.close(); time.sleep(0.5); server.serve()"
    )
    subprocess.run([sys.executable, "-c", code, str(directory)], check=True)
    assert not directory.exists()


@linux
def test_environment_of_readers_has_no_secrets(read):
    read("a.csv", b"a\n1\n")
    process = launcher.fork_server.process
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"SECRET_KEY" not in environment and b"DATABASE_URL" not in environment


def test_without_a_fork_each_reader_is_a_new_process(read, monkeypatch):
    """Windows does not support fork."""
    monkeypatch.setattr(launcher, "CAN_FORK", False)
    assert read("a.csv", b"a\n1\n").frame.shape == (1, 1)
    with pytest.raises(SourceError, match="is empty"):
        read("a.csv", b"")


# Output of a compromised reader -------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        [],
        [{"result": "x"}],
        [{"result": {}}],
        [{"result": {"name": "a.csv", "is_unpacked": True}}],
        [{"result": {"name": "a.csv"}}],
        [{"error": "SystemExit", "text": "x"}],
        [{"error": ["x"], "text": {}}],
        [{"done": "x", "ended": "y"}],
        [{"done": float("nan")}, {"ended": 0}],
    ],
)
def test_invalid_output_of_a_reader_is_refused(read, monkeypatch, said):
    monkeypatch.setattr(launcher, "run_reader", lambda *args: (each for each in said))
    with pytest.raises(SourceError, match="crashed"):
        read("a.csv", b"a\n1\n")
