"""Files from other people, looked at before they are read: kind and size."""

import codecs
import contextlib
import math
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from django.utils.translation import gettext as _
from pyarrow import dataset, parquet

from .exceptions import InputRefused, LimitExceeded
from .formats import megabytes
from .limits import check_cells
from .zipped import is_zip, unzipped

UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE
MAX_EXPANSION = 100  # How many times larger than its file a spreadsheet may be.


@contextlib.contextmanager
def checked(path, name):
    """Look at somebody's file; if it is an archive, at the one that is in it.

    Args:
        path: str.
        name: str, what its owner calls it.

    Yields:
        tuple: path (str) and name (str) of a file to be read.

    Raises:
        SourceError: it is an archive that cannot be opened.
        InputRefused, LimitExceeded: as of ``check_file``.
    """
    with contextlib.ExitStack() as stack:
        if is_zip(name):
            limit = settings.FRAMES_MAX_UPLOAD_MB * 10 << 20
            path, name = stack.enter_context(unzipped(path, name, limit))
        if Path(path).stat().st_size:  # Of an empty one `read_file` says it.
            with open(path, "rb") as file:
                check_file(name, file)
        yield path, name


def check_file(name, stream):
    """Look at a file, whether it is what its name says, and how large it would be.

    Args:
        name: str; what its suffix does not tell is not looked at.
        stream: a binary file, which is at its beginning again afterwards.

    Raises:
        InputRefused: its content is of another kind.
        LimitExceeded: it would be too large once it is read.
    """
    suffix = Path(name).suffix.lower()
    try:
        CHECKS.get(suffix, lambda stream: None)(stream)
    except (InputRefused, zipfile.BadZipFile, pa.ArrowException):
        raise InputRefused(
            _("%(file)s is called %(suffix)s, and its content is something else.")
            % {"file": name, "suffix": suffix}
        ) from None
    finally:
        stream.seek(0)


def _check_text(stream):
    head = stream.read(1 << 16)
    if b"\0" in head and not head.startswith(UTF_16):
        raise InputRefused


def _check_xls(stream):
    if stream.read(8) != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":  # [MS-CFB] 2.2
        raise InputRefused


def _check_xlsx(stream):
    with zipfile.ZipFile(stream) as parts:
        if "[Content_Types].xml" not in parts.namelist():
            raise InputRefused
        size = sum(part.file_size for part in parts.infolist())
        packed = sum(part.compress_size for part in parts.infolist())
    _check_size(size, packed * MAX_EXPANSION)


def _check_parquet(stream):
    """A text that is in many rows is in the file once, and each has its own when read."""
    described = parquet.read_metadata(stream)
    check_cells(described.num_rows, described.num_columns)
    size, texts = 0, []
    for number in range(described.num_columns):
        column = described.schema.column(number)
        groups = map(described.row_group, range(described.num_row_groups))
        values = sum(group.column(number).num_values for group in groups)
        size += values * max(column.length or 0, 8)
        if column.physical_type == "BYTE_ARRAY":
            texts.append(column.path)
    _check_size(size)
    if texts:
        file = parquet.ParquetFile(stream, read_dictionary=texts)
        for batch in file.iter_batches(columns=texts):
            size += sum(map(_text_size, batch.columns))
            _check_size(size)


def _text_size(array):
    """Return how many bytes the texts in an array of Arrow's take, if each is written."""
    if pa.types.is_dictionary(array.type):
        lengths = pc.binary_length(array.dictionary)
        return pc.sum(lengths.take(array.indices)).as_py() or 0
    if pa.types.is_nested(array.type):
        parts = array.flatten()
        return sum(map(_text_size, parts if isinstance(parts, list) else [parts]))
    return array.nbytes


def _check_size(size, limit=math.inf):
    limit = min(limit, settings.FRAMES_MAX_UPLOAD_MB * 10 << 20)
    if size > limit:
        raise LimitExceeded(
            _(
                "This file would be %(size)s MB once it is unpacked, and may be %(limit)s "
                "MB. Make it smaller, or save it as CSV."
            )
            % {"size": megabytes(size), "limit": megabytes(limit)}
        )


def _check_feather(stream):
    described = dataset.IpcFileFormat().make_fragment(stream)
    rows, columns = described.count_rows(), len(described.physical_schema)
    check_cells(rows, columns)
    _check_size(rows * columns * 8)


CHECKS = {
    **dict.fromkeys([".csv", ".tsv", ".json", ".jsonl", ".ndjson"], _check_text),
    ".xls": _check_xls,
    **dict.fromkeys([".xlsx", ".xlsm"], _check_xlsx),
    ".parquet": _check_parquet,
    ".feather": _check_feather,
}
