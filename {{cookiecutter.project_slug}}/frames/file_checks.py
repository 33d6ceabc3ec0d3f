"""The kind of a file that somebody has sent, by its content and not only by its name."""

import codecs
import zipfile
from pathlib import Path

import pyarrow as pa
from django.utils.translation import gettext as _
from pyarrow import parquet

from .exceptions import InputRefused
from .sizes import check_cells

UTF_16 = codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


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


def _check_parquet(stream):
    described = parquet.read_metadata(stream)
    check_cells(described.num_rows, described.num_columns)


def _check_feather(stream):
    if not stream.read(6).startswith((b"ARROW1", b"FEA1")):
        raise InputRefused


CHECKS = {
    **dict.fromkeys([".csv", ".tsv", ".json", ".jsonl", ".ndjson"], _check_text),
    ".xls": _check_xls,
    **dict.fromkeys([".xlsx", ".xlsm"], _check_xlsx),
    ".parquet": _check_parquet,
    ".feather": _check_feather,
}
