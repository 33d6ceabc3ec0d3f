"""Read CSV, TSV, Excel, Parquet, Feather and JSON files, zipped or not."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..compat.notes import add_note, format_columns
from ..exceptions import FrameError, SourceError
from ..formats import format_number
from .archives import extract_single, is_zip
from .csv import read_csv, read_tsv
from .options import ImportOptions
from .parsers.arrow_files import read_feather, read_parquet
from .parsers.json_documents import read_json
from .parsers.json_lines import read_json_lines
from .parsers.workbooks import read_excel
from .text.encodings import first_undecodable
from .text.layout import BLOCK
from .typed import apply_types, settle

# A progress callback: its arguments are the bytes read so far, and the total.
Progress = Callable[[int, int], object]


def read_file(
    path: str | Path,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
    name: str | None = None,
    misfits: str = "refused",
) -> pd.DataFrame:
    """Read a file into a DataFrame. The extension of its name determines the format.

    Text in CSV and TSV files is converted to numbers and dates only if it is
    unambiguous: 007 and 03/04/2026 stay text (see ``readers.inference``).

    Args:
        options: those that are None are detected, and the most probable ones are used
            (see ``detection.read_certain``). Options of other formats are ignored.
        progress: called repeatedly with the number of bytes read so far, and the total.
        name: the name of the file, if it is not the last part of its path.
        misfits: values that do not fit the type that was chosen for their column are
            "refused", or become "missing" values. With "kept", they are missing, and
            ``typed.KEY`` in the frame's attributes describes them.

    Raises:
        SourceError: the file is missing, empty or damaged, or its format is not
            supported.
    """
    path, options = Path(path), options or ImportOptions()
    name = name or path.name
    if is_zip(name):
        with extract_single(path, name, member=options.member) as (path, name):
            return read_file(path, options, progress, name, misfits)
    read, kind = READERS.get(Path(name).suffix.lower(), (None, None))
    if read is None:
        raise SourceError(
            _(
                "%(file)s cannot be read. The supported file extensions are "
                "%(suffixes)s. Save it in one of these formats."
            )
            % {"file": name, "suffixes": " ".join([*READERS, ".zip"])}
        )
    try:
        with io.BufferedReader(ProgressFile(path, progress), BLOCK) as file:
            if not file.raw.size:
                text = _("%(file)s is empty. Choose a file that contains data.")
                raise SourceError(text % {"file": name})
            frame = read(file, options) if read in WITH_OPTIONS else read(file)
            file.raw.report(file.raw.size)
    except OSError as error:
        raise SourceError(
            _("%(file)s cannot be read: %(error)s. Check its path and its permissions.")
            % {"file": name, "error": error.strerror or error}
        ) from error
    except (FrameError, MemoryError):
        raise
    except UnicodeError as error:
        raise SourceError(
            _(
                "%(file)s is not a valid %(kind)s: %(error)s. Save it in UTF-8, or "
                "choose its encoding."
            )
            % {
                "file": name,
                "kind": kind,
                "error": _undecodable(path, error, options),
            }
        ) from error
    except Exception as error:  # Each library raises its own exceptions.
        raise SourceError(
            _(
                "%(file)s is not a valid %(kind)s: %(error)s. Check its extension, "
                "and whether the program that created it can open it."
            )
            % {"file": name, "kind": kind, "error": _first_line(error)}
        ) from error
    if not len(frame.columns):
        text = _("%(file)s has no columns. Choose a file that contains a table.")
        raise SourceError(text % {"file": name})
    if options.types:
        _check_types(frame, name, options)
        if read not in (read_csv, read_tsv):
            apply_types(frame, options.types)
    if misfits != "kept":
        settle(frame, name, misfits == "refused")
    if read in TEXT_FORMATS:
        _note_time_zones(frame)
    return frame


def _check_types(frame: pd.DataFrame, name: str, options: ImportOptions) -> None:
    unknown = options.types.keys() - set(map(str, frame.columns))
    if unknown:
        text = _("%(file)s has no column %(column)s, for which a type was chosen.")
        raise SourceError(text % {"file": name, "column": min(unknown)})


def _note_time_zones(frame: pd.DataFrame) -> None:
    zoned = frame.columns[
        [isinstance(each, pd.DatetimeTZDtype) for each in frame.dtypes]
    ]
    if len(zoned):
        text = _("times with a time zone are shown in UTC.")
        add_note(frame, f"{format_columns(zoned)}: {text}")


def _undecodable(path: Path, error: Exception, options: ImportOptions) -> str:
    encoding = options.encoding or "utf-8"
    line = first_undecodable(path, encoding)
    if line is None:
        return _first_line(error)
    text = _("line %(line)s is not encoded in %(encoding)s")
    return text % {"line": format_number(line), "encoding": encoding}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


class ProgressFile(io.FileIO):
    """A file that reports how much of it has been read."""

    def __init__(
        self, path: Path, progress: Progress | None, reported: list[int] | None = None
    ) -> None:
        super().__init__(path)
        self.size = path.stat().st_size
        self.done = 0
        self.progress = progress
        # The largest progress is shared by all files that are opened for one reading.
        self.reported = [0] if reported is None else reported

    def reopen(self) -> io.BufferedReader:
        """Open the file again, for another reader."""
        again = ProgressFile(Path(self.name), self.progress, self.reported)
        return io.BufferedReader(again, BLOCK)

    def readinto(self, buffer: Any) -> int | None:
        count = super().readinto(buffer)
        self.report(self.done + (count or 0))
        return count

    def readall(self) -> bytes:
        parts = iter(lambda: self.read(BLOCK), b"")
        return b"".join(parts)

    def report(self, done: int) -> None:
        # Some readers seek, and read parts of the file twice.
        self.done = min(done, self.size)
        self.reported[0] = max(self.done, self.reported[0])
        if self.progress is not None:
            self.progress(self.reported[0], self.size)


READERS: dict[str, tuple[Callable[..., pd.DataFrame], Any]] = {
    ".csv": (read_csv, gettext_lazy("CSV file")),
    ".tsv": (read_tsv, gettext_lazy("TSV file")),
    **dict.fromkeys(
        [".xlsx", ".xlsm", ".xls"], (read_excel, gettext_lazy("Excel workbook"))
    ),
    ".parquet": (read_parquet, gettext_lazy("Parquet file")),
    ".json": (read_json, gettext_lazy("JSON file")),
    **dict.fromkeys(
        [".jsonl", ".ndjson"], (read_json_lines, gettext_lazy("JSON Lines file"))
    ),
    ".feather": (read_feather, gettext_lazy("Feather file")),
}

TEXT_FORMATS = read_csv, read_tsv, read_json, read_json_lines
# Readers of other formats have no options.
WITH_OPTIONS = read_csv, read_tsv, read_excel
