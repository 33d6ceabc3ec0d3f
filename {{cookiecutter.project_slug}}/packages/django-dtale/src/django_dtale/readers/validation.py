"""Check that the content of an uploaded file matches the extension of its name."""

import codecs
import zipfile
from pathlib import Path
from typing import IO

import pyarrow as pa
from django.utils.translation import gettext as _
from pyarrow import parquet

from ..exceptions import InputRefused
from .limits import check_cells

UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


def check_file(name: str, stream: IO[bytes]) -> None:
    """Check the format of a file, and the size of the table if its metadata has it.

    Args:
        name: its extension is the expected format. Unknown ones are not checked.
        stream: a binary file. Its position is at the beginning afterwards.

    Raises:
        InputRefused: the content has another format.
        LimitExceeded: the table is too large.
    """
    suffix = Path(name).suffix.lower()
    try:
        CHECKS.get(suffix, lambda stream: None)(stream)
    except (InputRefused, zipfile.BadZipFile, pa.ArrowException):
        raise InputRefused(
            _(
                "%(file)s has the extension %(suffix)s, but its content has another "
                "format."
            )
            % {"file": name, "suffix": suffix}
        ) from None
    finally:
        stream.seek(0)


def _check_text(stream: IO[bytes]) -> None:
    head = stream.read(1 << 16)
    if b"\0" in head and not head.startswith(UTF_16):
        raise InputRefused


def _check_xls(stream: IO[bytes]) -> None:
    if stream.read(8) != b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":  # [MS-CFB] 2.2
        raise InputRefused


def _check_xlsx(stream: IO[bytes]) -> None:
    with zipfile.ZipFile(stream) as parts:
        if "[Content_Types].xml" not in parts.namelist():
            raise InputRefused


def _check_parquet(stream: IO[bytes]) -> None:
    metadata = parquet.read_metadata(stream)
    check_cells(metadata.num_rows, metadata.num_columns)


def _check_feather(stream: IO[bytes]) -> None:
    if not stream.read(6).startswith((b"ARROW1", b"FEA1")):
        raise InputRefused


CHECKS = {
    **dict.fromkeys([".csv", ".tsv", ".json", ".jsonl", ".ndjson"], _check_text),
    ".xls": _check_xls,
    **dict.fromkeys([".xlsx", ".xlsm"], _check_xlsx),
    ".parquet": _check_parquet,
    ".feather": _check_feather,
}
