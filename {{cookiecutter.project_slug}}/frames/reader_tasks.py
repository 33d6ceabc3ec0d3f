"""What a reader does: it looks at a file, reads it, and hands its columns over.

A reader works on a file that a stranger has sent. Bounds that the system enforces end
it, whatever the file makes a library do.
"""

import contextlib
import errno
import io
import json
import os
import tempfile
import time
import traceback
from pathlib import Path

import django
import pandas as pd
import pandas.core.arrays.arrow.extension_types  # noqa: F401 - for Periods in Parquet.
import pandas.io.excel._calamine  # noqa: F401 - pandas imports it at the first use.
import pyarrow as pa
import python_calamine  # noqa: F401 - the same.
from django.conf import settings
from django.utils import translation

from . import handover
from .csv_format import separator_of
from .disk import is_full
from .exceptions import FrameError
from .file_checks import check_file
from .files import read_file
from .kinds import AS_TEXT, as_text, listed, prepare
from .object_values import can_be_written
from .questions import first_rows, preview, question_about
from .sizes import check_cells, check_names
from .tables import NULLABLE
from .texts import typed, typed_part
from .zipped import is_zip, unzipped

try:
    import resource
except ImportError:  # Windows has no such bounds.
    resource = None

EVERY = 0.1  # Seconds between two messages of progress.
UNPACKED = "unpacked"  # The file out of an archive, in the request's directory.


def set_up(django_settings):
    """Set up Django's translations, and what else each reader would do again."""
    settings.configure(**django_settings)
    django.setup(set_prefix=False)
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("")
    # What libraries do at the first use of a function is done once, and not in each
    # reader. Nothing here starts a thread: a process with threads is not forked.
    texts = [["1", "2"], ["1.5", "NA"], ["x", "y"], ["2026-01-01", "2026-01-02"]]
    made = {}
    for column in map(pa.chunked_array, ([each] for each in texts)):
        typed_part(column)
        table = pa.table([typed(column)], names=["column"])
        alone = {"use_threads": False, "types_mapper": NULLABLE.get}
        made[len(made)] = table.to_pandas(**alone)["column"]
    frame = pd.DataFrame(made, copy=False).set_axis(list("abcd"), axis=1)
    handover.write(prepare(frame).frame, io.BytesIO())
    separator_of("a,b\n1,x\n")


def run(request, answers):
    """Do what is asked for.

    Args:
        request: dict with the ``task`` and its ``arguments``; the file's ``path`` and
            ``name``; the ``directory`` for everything that is written; ``settings``,
            the ``language``, and the bounds ``megabytes`` and ``seconds``.
        answers: a binary file; the last line has a ``result`` or an ``error``.
    """

    def say(**message):
        answers.write(json.dumps(message).encode() + b"\n")

    say(started=True)
    limit(request["megabytes"], request["seconds"], request["file_megabytes"])
    for name, value in request["settings"].items():
        setattr(settings, name, value)
    tempfile.tempdir = request["directory"]
    with translation.override(request["language"]):
        try:
            say(result=TASKS[request["task"]](request, say, **request["arguments"]))
        except FrameError as error:
            say(error=type(error).__name__, text=str(error)[:2_000])
        except MemoryError:
            say(error="MemoryError")
        except OSError as error:
            kind = "DiskFull" if is_full(error) else ""
            if error.errno == errno.EFBIG:  # Larger than a file may be.
                kind = "MemoryError"
            say(error=kind, text=repr(error))
        except BaseException:  # Also a panic of a library in Rust.
            say(error="", text=traceback.format_exc()[-4_000:])


def limit(megabytes, seconds, file_megabytes):
    """Bound this process, as far as the platform can."""
    if resource is None:
        return
    threads = pa.cpu_count()
    bounds = {
        "RLIMIT_CORE": 0,
        # Memory that is allocated; with RLIMIT_AS, Arrow could not start its threads.
        "RLIMIT_DATA": (megabytes << 20) + _allocated(),
        "RLIMIT_FSIZE": file_megabytes << 20,
        # Against a wait in which no time passes the parent has a clock of its own.
        "RLIMIT_CPU": seconds * threads + 1,
    }
    for name, bound in bounds.items():
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (bound, bound))
    with contextlib.suppress(OSError):  # Where memory is short, readers go first.
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.nice(5)  # People who look at frames do not wait for people who open files.


def _allocated():
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    return 0


# Tasks: each returns a result that JSON can say ---------------------------------------


def look(request, say, options=None, with_preview=True):
    """Say how a file would be read, and show its first rows."""
    with _checked(request) as (path, result):
        question = question_about(path, result["name"])
        result["question"] = question
        if with_preview:
            options = options or (question["options"] if question else {})
            shown = preview(path, result["name"], options)
            result["columns"], result["rows"] = shown
    return result


def read(request, say, options=None, ask="", separator=None):
    """Read a file, and write its columns.

    Args:
        options: of ``read_file``; None: they are found out.
        ask: "doubts" or "always": say how the file would be read, and do not read it,
            if that is not sure, or in every case.
        separator: of a CSV file, taken if its first line has it.
    """
    with _checked(request) as (path, result):
        if options is None:
            question = question_about(path, result["name"])
            if question and (ask == "always" or (ask and question["doubts"])):
                return result | {"question": question}
            options = question["options"] if question else {}
        if separator and _separates(path, options["encoding"], separator):
            options = options | {"sep": separator}
        frame = read_file(path, _progress(say), result["name"], **options)
        check_cells(*frame.shape)
        prepared = _writable(prepare(frame))
        del frame
        check_names(prepared.frame.columns)
        with open(Path(request["directory"], "columns"), "r+b") as file:
            columns = handover.write(prepared.frame, file)
    columns |= {
        "index": prepared.index,
        "conversions": prepared.conversions,
        "options": options,
    }
    Path(request["directory"], "description").write_text(json.dumps(columns))
    return result


def _writable(prepared):
    """Make text of objects whose kind ``handover`` does not know."""
    for name, column in prepared.frame.items():
        if column.dtype == object and not can_be_written(column):
            prepared.frame[name] = as_text(column)
            prepared.conversions.append(f"{listed([name])}: {AS_TEXT}")
    return prepared


TASKS = {"look": look, "read": read}


@contextlib.contextmanager
def _checked(request):
    """Yield the path of a file to be read, and a result (dict) with its name.

    The file out of an archive stays in the request's directory for the next task.
    """
    path, name = request["path"], request["name"]
    with contextlib.ExitStack() as stack:
        if is_zip(name):
            limit = request["settings"]["FRAMES_MAX_UPLOAD_MB"] * 10 << 20
            path, name = stack.enter_context(unzipped(path, name, limit))
            os.link(path, Path(request["directory"], UNPACKED))
        if os.stat(path).st_size:  # `read_file` explains an empty one.
            with open(path, "rb") as file:
                check_file(name, file)
        yield path, {"name": name, "is_unpacked": path != request["path"]}


def _separates(path, encoding, separator):
    return any(len(row) > 1 for row in first_rows(path, encoding, separator)[:1])


def _progress(say):
    last = 0

    def progress(done, total):
        nonlocal last
        now = time.monotonic()
        if now - last > EVERY:
            last = now
            say(done=round(done / total, 3))

    return progress
