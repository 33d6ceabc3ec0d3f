"""Files that people send, read by processes of their own.

Nothing of such a file is looked at in the process that answers requests. A reader does
that (``reader_tasks``), bounded in memory and time, and hands over plain columns
(``handover``). Whatever becomes of the reader, the person is told why, and the directory
that it has worked in is removed.
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
from pathlib import Path

from django.conf import settings
from django.utils.translation import get_language, gettext

from . import reader_start
from .exceptions import Busy, InputRefused, LimitExceeded, SourceError
from .formats import grouped
from .handover import HandoverDamaged, read
from .kinds import KindError, Prepared
from .sizes import check_cells, check_names

# Seconds for a small file, and for each megabyte more, up to FRAMES_READER_SECONDS.
SECONDS = 10
SECONDS_OF_A_MEGABYTE = 3
EXPANSION = 10  # How many times larger than an uploaded file the one in it may be.
MAX_DESCRIPTION = 64 << 20  # Bytes.
SETTINGS = "FRAMES_MAX_CELLS", "FRAMES_MAX_COLUMNS", "FRAMES_MAX_UPLOAD_MB"
ERRORS = {each.__name__: each for each in (InputRefused, LimitExceeded, SourceError)}
ERRORS["KindError"] = KindError
MAX_TEXT = 2_000  # Characters of what a reader says.
OUT_OF_MEMORY = -signal.SIGABRT, -9  # The latter by the system, if it has no more.
OUT_OF_TIME = -getattr(signal, "SIGXCPU", 24)

logger = logging.getLogger(__name__)


class Reader:
    """Reads a file (path, name: str) for the time of a with-block.

    Attributes:
        path, name: str; after the first task, of the file that is in an archive.
        options: dict of how the file was read, as ``files.read_file`` takes them.
    """

    def __init__(self, path, name):
        self.path, self.name = str(path), name
        self.options = {}
        megabytes = os.stat(path).st_size >> 20
        self.seconds = min(
            SECONDS + SECONDS_OF_A_MEGABYTE * megabytes, settings.FRAMES_READER_SECONDS
        )

    def __enter__(self):
        self.directory = Path(
            tempfile.mkdtemp(prefix="reader-", dir=settings.FILE_UPLOAD_TEMP_DIR)
        )
        return self

    def __exit__(self, *exception):
        shutil.rmtree(self.directory, ignore_errors=True)

    # The tasks of ``reader_tasks``: generators that yield how much is done (float) ----

    def look(self, **arguments):
        """Find out how the file would be read: returns what ``look`` does there (dict)."""
        return (yield from self._run("look", arguments))

    def read(self, **arguments):
        """Read the file: returns ``kinds.Prepared``, or a dict if something is asked.

        Raises:
            FrameError: it cannot be read; its text says why.
        """
        columns = self.directory / "columns"
        description = self.directory / "description"
        # Opened before the reader is there, which could put something else in its place.
        with columns.open("xb+") as file, description.open("xb+") as described:
            try:
                result = yield from self._run("read", arguments)
                if "question" in result:
                    return result["question"]
                return self._taken(file, described)
            finally:
                columns.unlink(missing_ok=True)
                description.unlink(missing_ok=True)

    def _run(self, task, arguments):
        last, code, done = {}, None, 0.0
        begin = time.monotonic()
        request = self._request(task, arguments)
        try:
            with contextlib.closing(
                reader_start.answers(request, self.seconds)
            ) as answers:
                for answer in answers:
                    answer = answer or {}
                    code = answer.get("ended", code)
                    last = answer if {"result", "error"} & answer.keys() else last
                    done = _share(answer.get("done", done))
                    yield done
        except reader_start.TookTooLong:
            raise self._took_too_long() from None
        except reader_start.ReaderBusy:
            raise Busy from None
        self.seconds = max(1, self.seconds - round(time.monotonic() - begin))
        result = last.get("result")
        if not isinstance(result, dict) or code not in (0, None):
            raise self._problem(last.get("error"), last.get("text"), code)
        self._follow(result)
        return result

    def _request(self, task, arguments):
        return {
            "task": task,
            "arguments": arguments,
            "path": self.path,
            "name": self.name,
            "directory": str(self.directory),
            "settings": {name: getattr(settings, name) for name in SETTINGS},
            "language": get_language(),
            "megabytes": settings.FRAMES_READER_MB,
            "file_megabytes": max(
                settings.FRAMES_READER_MB, settings.FRAMES_MAX_UPLOAD_MB * EXPANSION
            ),
            "seconds": self.seconds,
        }

    def _follow(self, result):
        """Go on with the file that was in an archive."""
        self.name = str(result.get("name"))
        if result.get("is_unpacked") is True:
            unpacked = self.directory / "unpacked"
            if unpacked.is_symlink() or not unpacked.is_file():
                raise self._problem("", "No file was unpacked.", None)
            self.path = str(unpacked)

    def _taken(self, file, described):
        """Return the columns of two files that a reader has written, as ``Prepared``."""
        text = described.read(MAX_DESCRIPTION)
        limit = settings.FRAMES_READER_MB << 20
        try:
            given = json.loads(text)
            rows, names, notes = given["rows"], given["names"], given["conversions"]
            if os.fstat(file.fileno()).st_size > limit or type(rows) is not int:
                raise HandoverDamaged("it is too large")
            check_cells(rows, len(names))
            check_names(names)
            frame = read(_mapped(file), given, limit)
            check_names(notes)
            index = [name for name in given["index"] if name in frame.columns]
            self.options = dict(given["options"])
        except (
            HandoverDamaged,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as e:
            raise self._problem("", repr(e), None) from e
        return Prepared(frame, index, notes)

    # What the person is told ----------------------------------------------------------

    def _problem(self, error, text, code):
        """Return the exception for a reader that has ended without a result.

        Args:
            error, text: what it has said itself.
            code: its exit code, negative the number of the signal that has ended it.
        """
        if str(error) in ERRORS and isinstance(text, str):
            return ERRORS[str(error)](text[:MAX_TEXT])
        if error == "MemoryError" or code in OUT_OF_MEMORY:
            message = gettext(
                "%(file)s was not opened: reading it needed more than the %(limit)s MB of "
                "memory that a file may need. Open a part of it, or save it as Parquet."
            )
            limit = grouped(settings.FRAMES_READER_MB)
            return LimitExceeded(message % {"file": self.name, "limit": limit})
        if code == OUT_OF_TIME:
            return self._took_too_long()
        if error == "DiskFull":  # `as_problem` has the text for it.
            return OSError(errno.ENOSPC, f"A reader of a file has no room: {text}")
        logger.error("A reader of a file failed, exit code %s: %s", code, text)
        message = gettext(
            "%(file)s was not opened: the program that reads such files failed at it. "
            "Save it again, or in another format."
        )
        return SourceError(message % {"file": self.name})

    def _took_too_long(self):
        message = gettext(
            "%(file)s was not opened: reading it took longer than the %(limit)s seconds "
            "that a file of its size may take. Open a part of it, or save it as Parquet."
        )
        return LimitExceeded(
            message % {"file": self.name, "limit": grouped(self.seconds)}
        )


def outcome(steps):
    """Go through a generator's steps, and return what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def _share(done):
    return min(1.0, max(0.0, done)) if isinstance(done, int | float) else 0.0


def _mapped(file):
    size = os.fstat(file.fileno()).st_size
    if size and os.name == "posix":
        # Private: what pandas writes into a column stays in this process.
        return memoryview(mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY))
    return memoryview(bytearray(file.read()))
