"""List the files of a zip archive, and extract one."""

import contextlib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

# On Windows, Django's temporary files can be opened twice, unlike those of tempfile.
from django.core.files.temp import NamedTemporaryFile
from django.utils.translation import gettext as _

from ..exceptions import LimitExceeded, SourceError
from ..formats import format_megabytes, format_number

BLOCK = 1 << 20  # Bytes.
MAX_MEMBERS = 1_000
# These are the types of tables, as in `files`. Archives often contain other files, such
# as a README.
TABLES = {".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".parquet", ".feather"}
TABLES |= {".json", ".jsonl", ".ndjson"}


def is_zip(name: str) -> bool:
    """Return whether a file of this name is an archive."""
    return Path(name).suffix.lower() == ".zip"


def member_names(path: str | Path, name: str, limit: int | None = None) -> list[str]:
    """Return the names of the tables in an archive.

    If there are none, return the names of the other files.

    Args:
        name: the name of the archive.
        limit: the limit of the total size of these files in bytes, or None for no
            limit. zipfile never extracts more of a file than the size that the archive
            states.

    Raises:
        SourceError: the archive is invalid.
        LimitExceeded: it contains too many files, or they are too large.
    """
    with _explained(name), zipfile.ZipFile(path) as archive:
        parts = _parts(archive, name)
        _check_size(sum(part.file_size for part in parts), name, limit)
        return [part.filename for part in parts]


@contextlib.contextmanager
def extract_single(
    path: str | Path, name: str, limit: int | None = None, member: str | None = None
) -> Iterator[tuple[str, str]]:
    """Extract a file of an archive to a temporary file.

    The temporary file is deleted at the end of the with-block.

    Args:
        name: the name of the archive.
        limit: the size limit of the extracted file in bytes, or None for no limit.
        member: the name of the file in the archive, or None for the only one.

    Yields:
        The path of the extracted file, and its name without its folder.

    Raises:
        SourceError: the archive is invalid, damaged or protected by a password, does
            not contain the member or exactly one file, or the file is another archive.
        LimitExceeded: the extracted file is larger than the limit.
    """
    with contextlib.ExitStack() as stack:
        with _explained(name):
            archive = stack.enter_context(zipfile.ZipFile(path))
            part = _part(archive, name, member)
            _check_size(part.file_size, part.filename, limit)
            inner = PurePosixPath(part.filename).name
            target = NamedTemporaryFile(suffix=PurePosixPath(inner).suffix)
            stack.enter_context(target)
            with archive.open(part) as source:
                _copy(source, target, inner, limit)
        target.flush()
        yield target.name, inner


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    # zipfile raises RuntimeError if the archive needs a password.
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise SourceError(
            _(
                "%(file)s is not a valid zip archive: %(error)s. Check whether "
                "another program can open it without a password."
            )
            % {"file": name, "error": error}
        ) from error


def _parts(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    # macOS adds a folder and files with metadata to each archive.
    parts = {
        # If several files have the same name, use the last one, as `unzip` does.
        part.filename: part
        for part in archive.infolist()
        if not part.is_dir()
        and "__MACOSX" not in part.filename.split("/")
        and not PurePosixPath(part.filename).name.startswith(".")
    }
    if len(parts) > MAX_MEMBERS:
        text = _(
            "%(file)s contains %(count)s files; the limit is %(limit)s. Make smaller "
            "archives."
        )
        values = {"file": name, "count": format_number(len(parts))}
        raise LimitExceeded(text % {**values, "limit": format_number(MAX_MEMBERS)})
    tables = [
        part
        for filename, part in parts.items()
        if PurePosixPath(filename).suffix.lower() in TABLES
    ]
    return tables or list(parts.values())


def _part(archive: zipfile.ZipFile, name: str, member: str | None) -> zipfile.ZipInfo:
    every = _parts(archive, name)
    parts = [part for part in every if member in (None, part.filename)]
    if len(parts) != 1:
        if not every:
            text = _("%(file)s contains no file. Choose an archive with a table.")
            raise SourceError(text % {"file": name})
        if member is None:
            text = _("%(file)s contains several files. Choose one of %(files)s.")
        else:
            text = _("%(file)s does not contain the chosen file, but %(files)s.")
        names = ", ".join(part.filename for part in every[:10])
        names += ", ..." if len(every) > 10 else ""
        raise SourceError(text % {"file": name, "files": names})
    if is_zip(parts[0].filename):
        text = _("%(file)s contains another archive. Zip the table itself.")
        raise SourceError(text % {"file": name})
    return parts[0]


def _copy(source: IO[bytes], target: IO[bytes], name: str, limit: int | None) -> None:
    """Copy a file and enforce the limit, since the size in the archive may be wrong."""
    size = 0
    while block := source.read(BLOCK):
        size += len(block)
        _check_size(size, name, limit)
        target.write(block)


def _check_size(size: int, name: str, limit: int | None) -> None:
    if limit is not None and size > limit:
        raise LimitExceeded(
            _(
                "%(file)s would take more than %(limit)s MB when unpacked. Make it "
                "smaller."
            )
            % {"file": name, "limit": format_megabytes(limit)}
        )
