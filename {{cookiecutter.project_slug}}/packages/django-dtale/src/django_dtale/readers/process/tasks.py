"""The tasks of a reader: it inspects a file, or reads it and writes its columns.

The file is untrusted, and may make a library use too much memory or time. The operating
system enforces limits, and ends the reader when it exceeds them.
"""

import contextlib
import errno
import io
import json
import os
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import django
import pandas as pd
import pandas.core.arrays.arrow.extension_types  # Parquet files with periods need it.
import pandas.io.excel._calamine  # pandas imports this module at its first use.
import pyarrow as pa
import python_calamine  # noqa: F401 - the same.
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from ...compat.dtypes import (
    AS_TEXT,
    DisplayableFrame,
    as_text,
    make_displayable,
)
from ...compat.notes import format_columns
from ...conf import dtale_settings
from ...exceptions import FrameError
from ...storage.disk import is_full
from ..archives import extract_single, is_zip, member_names
from ..arrow import NULLABLE
from ..detection import detect
from ..doubts import Detection, Doubt, ragged_named
from ..files import Progress, read_file
from ..inference import infer_column, infer_part
from ..limits import EXPANSION, check_cells, check_name_lengths
from ..options import ImportOptions
from ..text.separators import sniff_delimiter
from ..validation import check_file
from . import serialization
from .object_values import can_be_serialized
from .outline import Preview, Table
from .preview import preview
from .tables import COUNT_SECONDS, tables_in

try:
    import resource
except ImportError:  # Windows has no resource limits.
    resource = None  # type: ignore[assignment]

PROGRESS_SECONDS = 0.1  # Seconds between two progress messages.


def set_up(django_settings: dict[str, Any]) -> None:
    """Load Django's translations, and warm up the libraries that readers use."""
    settings.configure(**django_settings)
    django.setup(set_prefix=False)
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            translation.gettext("")
    # Libraries initialize themselves at the first call of a function. Do this once
    # here, not in each reader. Nothing here may start a thread, because it is not safe
    # to fork a process with threads.
    texts = [["1", "2"], ["1.5", "NA"], ["x", "y"], ["2026-01-01", "2026-01-02"]]
    made: dict[int, pd.Series] = {}
    for column in map(pa.chunked_array, ([each] for each in texts)):
        infer_part(column)
        table = pa.table([infer_column(column)], names=["column"])
        alone = {"use_threads": False, "types_mapper": NULLABLE.get}
        made[len(made)] = table.to_pandas(**alone)["column"]
    frame = pd.DataFrame(made, copy=False).set_axis(list("abcd"), axis=1)
    serialization.write(make_displayable(frame).frame, io.BytesIO())
    sniff_delimiter("a,b\n1,x\n")


def run(request: dict[str, Any], output: IO[bytes]) -> None:
    """Run the task of a request.

    Args:
        request: the ``task`` and its ``arguments``; the ``path`` and ``name`` of the
            file; the ``directory`` for all files that are written; the ``settings`` and
            the ``language``; and the limits ``megabytes``, ``file_megabytes`` and
            ``seconds``.
        output: a binary file for messages, one JSON object per line. The last message
            has a ``result`` or an ``error``.
    """

    def send(**message):
        output.write(json.dumps(message).encode() + b"\n")

    send(started=True)
    set_resource_limits(
        request["megabytes"], request["seconds"], request["file_megabytes"]
    )
    settings.DTALE = request["settings"]
    tempfile.tempdir = request["directory"]
    with translation.override(request["language"]):
        try:
            send(result=TASKS[request["task"]](request, send, **request["arguments"]))
        except FrameError as error:
            send(error=type(error).__name__, text=str(error)[:2_000])
        except MemoryError:
            send(error="MemoryError")
        except OSError as error:
            kind = "DiskFull" if is_full(error) else ""
            if error.errno == errno.EFBIG:  # A file is larger than RLIMIT_FSIZE.
                kind = "MemoryError"
            send(error=kind, text=repr(error))
        except BaseException:  # A panic in Rust raises no subclass of Exception.
            send(error="", text=traceback.format_exc()[-4_000:])


def set_resource_limits(megabytes: int, seconds: int, file_megabytes: int) -> None:
    """Limit the resources of this process as far as the platform supports it."""
    if resource is None:
        return
    threads = pa.cpu_count()
    bounds = {
        "RLIMIT_CORE": 0,
        # This limits allocated memory. With RLIMIT_AS, Arrow could not start threads.
        "RLIMIT_DATA": (megabytes << 20) + _allocated(),
        "RLIMIT_FSIZE": file_megabytes << 20,
        # This limits CPU time. The parent process limits the elapsed time.
        "RLIMIT_CPU": seconds * threads + 1,
    }
    for name, bound in bounds.items():
        with contextlib.suppress(AttributeError, OSError, ValueError):
            resource.setrlimit(getattr(resource, name), (bound, bound))
    # If memory is short, the kernel should kill readers first.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.nice(5)  # Requests for open frames have priority over reading files.


def _allocated() -> int:
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) << 10
    return 0


# Tasks: each returns a result that can be converted to JSON ---------------------------


def inspect(
    request: dict[str, Any],
    send: Callable[..., None],
    options: dict[str, Any] | None = None,
    with_answers: bool = False,
) -> dict[str, Any]:
    """Return what ``detect`` finds in a file, and a preview of its first rows.

    Args:
        options: ``ImportOptions`` as a dict, for the preview. Those that are missing
            are detected.
        with_answers: use the most probable answers to questions for the preview.
    """
    given = ImportOptions.from_dict(options or {})
    with _open_validated(request, given.member) as (path, result):
        place = ImportOptions(sheet=given.sheet, member=given.member)
        found = detect(path, result["name"], place)
        used = detect(path, result["name"], given)
        chosen = used.probable() if with_answers else used.options
        try:
            shown = preview(path, result["name"], chosen)
        except FrameError as error:
            shown = Preview(problem=str(error))
        return result | {"detection": found.to_dict(), "preview": shown.to_dict()}


def read(
    request: dict[str, Any],
    send: Callable[..., None],
    options: dict[str, Any] | None = None,
    confirm: str = "",
    misfits: str = "refused",
    style: str = "page",
) -> dict[str, Any]:
    """Read a file, and write its columns.

    Args:
        options: ``ImportOptions`` as a dict. Those that are missing are detected.
        confirm: with "always", return the detection instead of reading the file; with
            "if_uncertain", do so only if it has doubts.
        misfits: see ``read_file``.
        style: see ``ragged_named``.
    """
    given = ImportOptions.from_dict(options or {})
    if confirm and not given.member and len(members := _members(request)) > 1:
        text = gettext("The archive contains several files. Choose the one to open.")
        several = Detection(given, (Doubt("member", text, members),), members=members)
        return {"name": request["name"], "detection": several.to_dict()}
    with _open_validated(request, given.member) as (path, result):
        found = detect(path, result["name"], given)
        if confirm == "always" and found.options != given:
            return result | {"detection": found.to_dict()}
        if confirm and found.doubts:
            return result | {"detection": found.to_dict()}
        progress = _progress(send)
        with ragged_named(style):
            frame = read_file(path, found.options, progress, result["name"], misfits)
        check_cells(*frame.shape)
        displayable = _stringify_objects(make_displayable(frame))
        del frame
        check_name_lengths(displayable.frame.columns)
        with open(Path(request["directory"], "columns"), "r+b") as file:
            columns = serialization.write(displayable.frame, file)
    columns |= {
        "index": displayable.index,
        "conversions": displayable.conversions,
    }
    Path(request["directory"], "description").write_text(json.dumps(columns))
    return result


def _stringify_objects(displayable: DisplayableFrame) -> DisplayableFrame:
    """Convert objects that ``serialization`` does not support to text."""
    for name, column in displayable.frame.items():
        if column.dtype == object and not can_be_serialized(column):
            displayable.frame[name] = as_text(column)
            displayable.conversions.append(f"{format_columns([name])}: {AS_TEXT}")
    return displayable


def tables(request: dict[str, Any], send: Callable[..., None]) -> dict[str, Any]:
    """Return descriptions of all tables in a file or an archive."""
    deadline = time.monotonic() + COUNT_SECONDS
    found: list[Table] = []
    members = _members(request)
    for number, member in enumerate(members or [None]):
        try:
            with _open_validated(request, member) as (path, result):
                found += tables_in(path, result["name"], member, deadline)
        except FrameError as error:
            if member is None:
                raise
            found.append(Table(member, member, problem=str(error)))
        send(done=round(number / len(members or [None]), 3))
    return {"name": request["name"], "tables": [table.to_dict() for table in found]}


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "inspect": inspect,
    "read": read,
    "tables": tables,
}


def _members(request: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of the members of an archive."""
    if not is_zip(request["name"]):
        return ()
    return tuple(member_names(request["path"], request["name"], _unpacked_limit()))


def _unpacked_limit() -> int:
    """Return the maximum size of what an archive contains, in bytes."""
    return dtale_settings.MAX_UPLOAD_MB * EXPANSION << 20


@contextlib.contextmanager
def _open_validated(
    request: dict[str, Any], member: str | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the path of the file to read, and a result that contains its name."""
    path, name = request["path"], request["name"]
    with contextlib.ExitStack() as stack:
        if is_zip(name):
            archive = extract_single(path, name, _unpacked_limit(), member)
            path, name = stack.enter_context(archive)
        if Path(path).stat().st_size:  # `read_file` has a message for empty files.
            with open(path, "rb") as file:
                check_file(name, file)
        yield path, {"name": name}


def _progress(send: Callable[..., None]) -> Progress:
    last = 0.0

    def progress(done, total):
        nonlocal last
        now = time.monotonic()
        if now - last > PROGRESS_SECONDS:
            last = now
            send(done=round(done / total, 3))

    return progress
