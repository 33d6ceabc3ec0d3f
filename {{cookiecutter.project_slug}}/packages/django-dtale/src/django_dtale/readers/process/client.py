"""Read uploaded files in separate processes.

The process that answers requests never parses an uploaded file. A separate process, the
reader (``tasks``), parses it with limited memory and time, and returns plain columns
(``serialization``). If the reader fails, the user gets a message with the reason. The
reader's directory is always removed.
"""

import contextlib
import errno
import json
import logging
import mmap
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.utils.translation import get_language, gettext

from ...compat.dtypes import DisplayableFrame, UnsupportedDtype
from ...conf import dtale_settings
from ...exceptions import Busy, FrameError, InputRefused, LimitExceeded, SourceError
from ...formats import format_number
from ..doubts import Detection
from ..limits import EXPANSION, check_cells, check_name_lengths
from ..options import ImportOptions
from . import launcher
from .outline import Preview, Table
from .serialization import CorruptColumns, read

# The time limit is SECONDS, plus SECONDS_PER_MEGABYTE for each megabyte of the file,
# but at most READER_SECONDS.
SECONDS = 10
SECONDS_PER_MEGABYTE = 3
MAX_DESCRIPTION = 64 << 20  # Bytes.
# Readers get these keys of the DTALE setting.
SETTINGS = "MAX_CELLS", "MAX_COLUMNS", "MAX_UPLOAD_MB"
ERRORS: dict[str, type[FrameError]] = {
    each.__name__: each for each in (InputRefused, LimitExceeded, SourceError)
}
ERRORS["UnsupportedDtype"] = UnsupportedDtype
MAX_TEXT = 2_000  # Characters of an error message from a reader.
OUT_OF_MEMORY = -signal.SIGABRT, -9  # A system without free memory sends signal 9.
OUT_OF_TIME = -getattr(signal, "SIGXCPU", 24)

# A task is a generator that yields the progress and returns the result.
ReaderTask = Generator[float, None, Any]

logger = logging.getLogger(__name__)


class Reader:
    """Reads a file within a with-block.

    Attributes:
        table_name: the name of the file that a task has read. In an archive, this is
            the name of the member.
    """

    def __init__(self, path: str | Path, name: str) -> None:
        self.path, self.name, self.table_name = str(path), name, name
        megabytes = Path(path).stat().st_size >> 20
        self.seconds = min(
            SECONDS + SECONDS_PER_MEGABYTE * megabytes, dtale_settings.READER_SECONDS
        )

    def __enter__(self) -> Self:
        self.directory = Path(
            tempfile.mkdtemp(prefix="reader-", dir=settings.FILE_UPLOAD_TEMP_DIR)
        )
        return self

    def __exit__(self, *exception: object) -> None:
        shutil.rmtree(self.directory, ignore_errors=True)

    # Tasks: generators that yield the progress from 0 to 1 ----------------------------

    def inspect(self, **arguments: Any) -> ReaderTask:
        """Return the ``Detection`` and the ``Preview`` of the file."""
        result = yield from self._run("inspect", _serializable(arguments))
        with self._checked():
            preview = Preview.from_dict(result["preview"])
            return Detection.from_dict(result["detection"]), preview

    def tables(self) -> ReaderTask:
        """Return a list with a description of each ``Table`` in the file."""
        result = yield from self._run("tables", {})
        with self._checked():
            return [Table.from_dict(each) for each in result["tables"]]

    def read(self, **arguments: Any) -> ReaderTask:
        """Return a ``DisplayableFrame``, or the ``Detection`` to be confirmed.

        Raises:
            FrameError: the file cannot be read. The message has the reason.
        """
        columns = self.directory / "columns"
        description = self.directory / "description"
        # Create the files before the reader starts: it could create links in their
        # place.
        with columns.open("xb+") as file, description.open("xb+") as description_file:
            try:
                result = yield from self._run("read", _serializable(arguments))
                if "detection" in result:
                    with self._checked():
                        return Detection.from_dict(result["detection"])
                return self._load_columns(file, description_file)
            finally:
                columns.unlink(missing_ok=True)
                description.unlink(missing_ok=True)

    def _run(self, task: str, arguments: dict[str, Any]) -> ReaderTask:
        last: dict[str, Any] = {}
        code, done = None, 0.0
        begin = time.monotonic()
        request = self._request(task, arguments)
        try:
            with contextlib.closing(
                launcher.run_reader(request, self.seconds)
            ) as messages:
                for message in messages:
                    message = message or {}
                    code = message.get("ended", code)
                    last = message if {"result", "error"} & message.keys() else last
                    done = _clamp(message.get("done", done))
                    yield done
        except launcher.ReaderTimeout:
            raise self._timeout_error() from None
        except launcher.ReaderBusy:
            raise Busy from None
        self.seconds = max(1, self.seconds - round(time.monotonic() - begin))
        result = last.get("result")
        if not isinstance(result, dict) or code not in (0, None):
            raise self._error(last.get("error"), last.get("text"), code)
        self.table_name = str(result.get("name"))
        return result

    def _request(self, task: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "task": task,
            "arguments": arguments,
            "path": self.path,
            "name": self.name,
            "directory": str(self.directory),
            "settings": {name: getattr(dtale_settings, name) for name in SETTINGS},
            "language": get_language(),
            "megabytes": dtale_settings.READER_MB,
            "file_megabytes": max(
                dtale_settings.READER_MB, dtale_settings.MAX_UPLOAD_MB * EXPANSION
            ),
            "seconds": self.seconds,
        }

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        """Report values that a reader should not have sent as an error."""
        try:
            yield
        except (FrameError, LookupError, TypeError, ValueError) as e:
            raise self._error("", repr(e), None) from e

    def _load_columns(self, file, description_file):
        """Return the columns that a reader has written, as a ``DisplayableFrame``."""
        text = description_file.read(MAX_DESCRIPTION)
        limit = dtale_settings.READER_MB << 20
        try:
            given = json.loads(text)
            rows, names, notes = given["rows"], given["names"], given["conversions"]
            if os.fstat(file.fileno()).st_size > limit or type(rows) is not int:
                raise CorruptColumns("it is too large")
            check_cells(rows, len(names))
            check_name_lengths(names)
            frame = read(_map_file(file), given, limit)
            check_name_lengths(notes)
            index = [name for name in given["index"] if name in frame.columns]
        except (
            CorruptColumns,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as e:
            raise self._error("", repr(e), None) from e
        return DisplayableFrame(frame, index, notes)

    # Errors, with messages for people -------------------------------------------------

    def _error(self, error: object, text: object, code: int | None) -> Exception:
        """Return the exception for a reader that has ended without a result.

        Args:
            error, text: the error that the reader has reported, if any.
            code: the exit code, or the negative number of the signal that ended it.
        """
        if str(error) in ERRORS and isinstance(text, str):
            return ERRORS[str(error)](text[:MAX_TEXT])
        if error == "MemoryError" or code in OUT_OF_MEMORY:
            message = gettext(
                "%(file)s was not opened, because reading it needed more than the "
                "limit of %(limit)s MB of memory. Open a part of it, or save it as "
                "Parquet."
            )
            limit = format_number(dtale_settings.READER_MB)
            return LimitExceeded(message % {"file": self.name, "limit": limit})
        if code == OUT_OF_TIME:
            return self._timeout_error()
        if error == "DiskFull":  # `to_frame_error` has the text for this error.
            return OSError(errno.ENOSPC, f"A reader of a file has no room: {text}")
        logger.error("A reader of a file failed, exit code %s: %s", code, text)
        message = gettext(
            "%(file)s was not opened, because the program that reads such files "
            "crashed. Save it again, or in another format."
        )
        return SourceError(message % {"file": self.name})

    def _timeout_error(self) -> LimitExceeded:
        message = gettext(
            "%(file)s was not opened, because reading it took longer than %(limit)s "
            "seconds, the limit for a file of its size. Open a part of it, or save it "
            "as Parquet."
        )
        return LimitExceeded(
            message % {"file": self.name, "limit": format_number(self.seconds)}
        )


def result_of(task: ReaderTask) -> Any:
    """Run a task to its end, and return its result."""
    while True:
        try:
            next(task)
        except StopIteration as end:
            return end.value


def _serializable(arguments):
    return {
        name: value.to_dict() if isinstance(value, ImportOptions) else value
        for name, value in arguments.items()
    }


def _clamp(done):
    return min(1.0, max(0.0, done)) if isinstance(done, int | float) else 0.0


def _map_file(file):
    size = os.fstat(file.fileno()).st_size
    if size and os.name == "posix":
        # The mapping is private: changes by pandas do not reach the file.
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY))
    return memoryview(bytearray(file.read()))
