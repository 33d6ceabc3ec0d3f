"""The file that is in a zip archive."""

import contextlib
import zipfile
from pathlib import Path, PurePosixPath

from django.core.files.temp import NamedTemporaryFile  # Can be opened twice on Windows.
from django.utils.translation import gettext as _

from .exceptions import LimitExceeded, SourceError
from .formats import megabytes

BLOCK = 1 << 20  # Bytes.


def is_zip(name):
    """Say (bool) whether a file of this name (str) is an archive."""
    return Path(name).suffix.lower() == ".zip"


@contextlib.contextmanager
def unzipped(path, name, limit=None):
    """Take the one file out of an archive, for the time of a with-block.

    Args:
        path: str or ``pathlib.Path``.
        name: str, what the archive is called.
        limit: int, the most bytes that the file may have; None for any number.

    Yields:
        tuple: path (str) and name (str) of the file that was in it.

    Raises:
        SourceError: it is no archive, is damaged, has a password, or has anything but one
            file, which is not an archive itself.
        LimitExceeded: the file is larger than the limit.
    """
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            part = _only_part(archive, name)
            _check_size(part.file_size, part.filename, limit)
            inner = PurePosixPath(part.filename).name
            target = NamedTemporaryFile(suffix=PurePosixPath(inner).suffix)
            stack.enter_context(target)
            with archive.open(part) as source:
                _copy(source, target, inner, limit)
        # RuntimeError is what it says of a password.
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
            raise SourceError(
                _(
                    "%(file)s is no zip archive that can be read: %(error)s. Does it open "
                    "elsewhere, without a password?"
                )
                % {"file": name, "error": error}
            ) from error
        target.flush()
        yield target.name, inner


def _only_part(archive, name):
    # macOS adds a folder of its own.
    parts = [
        part
        for part in archive.infolist()
        if not (part.is_dir() or part.filename.startswith("__MACOSX/"))
    ]
    if len(parts) != 1:
        text = _(
            "%(file)s has %(count)s files in it, and one is read. Zip one file alone."
        )
        raise SourceError(text % {"file": name, "count": len(parts)})
    if is_zip(parts[0].filename):
        text = _("%(file)s has another archive in it. Zip the table itself.")
        raise SourceError(text % {"file": name})
    return parts[0]


def _copy(source, target, name, limit):
    """Copy what is there, whatever the archive says how much it is."""
    size = 0
    while block := source.read(BLOCK):
        size += len(block)
        _check_size(size, name, limit)
        target.write(block)


def _check_size(size, name, limit):
    if limit is not None and size > limit:
        raise LimitExceeded(
            _(
                "%(file)s would be more than %(limit)s MB once it is unpacked. Make it "
                "smaller."
            )
            % {"file": name, "limit": megabytes(limit)}
        )
