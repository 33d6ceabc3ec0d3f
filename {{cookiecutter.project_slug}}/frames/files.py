"""From a file to a DataFrame: CSV, TSV, Excel, Parquet, Feather, JSON, and zipped."""

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.json
import pyarrow.parquet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .csv_format import BLOCK, first_undecodable
from .csv_reading import read_csv, read_tsv
from .exceptions import FrameError, SourceError
from .formats import grouped
from .sizes import check_columns
from .tables import columns_to_frame, table_to_frame
from .texts import typed
from .texts_together import JustText, typed_together
from .zipped import is_zip, unzipped

LINES = 8 << 20  # Bytes of JSON lines that are read at once.


def read_file(path, progress=None, name=None, **options):
    """Read a file into a DataFrame; its suffix says what is in it.

    Of Excel's workbooks the first sheet is read. Numbers and dates in CSV and TSV are
    made of text where that is sure (``frames.texts``): 007 and 03/04/2026 stay text.

    Args:
        path: str or ``pathlib.Path``.
        progress: None, or a callable that is given how many bytes have been read (int)
            and how many there are (int), again and again.
        name: str, what the file is called, if its path does not say so.
        options: of CSV and TSV ``sep`` and ``encoding`` (str; found out if they are not
            given), ``decimal`` ("." or ",") and ``header`` (bool: the first line has
            the columns' names); of Excel's workbooks ``sheet``, a name (str). Those of
            other kinds are passed over.

    Returns:
        pandas.DataFrame

    Raises:
        SourceError: the file is missing, empty, damaged, or of a kind not known here.
    """
    path = Path(path)
    name = name or path.name
    if is_zip(name):
        with unzipped(path, name) as (path, name):
            return read_file(path, progress, name, **options)
    read, kind = READERS.get(Path(name).suffix.lower(), (None, None))
    if read is None:
        raise SourceError(
            _(
                "%(file)s cannot be read: its name should end with one of %(suffixes)s. "
                "Save it as one of these."
            )
            % {"file": name, "suffixes": " ".join([*READERS, ".zip"])}
        )
    options = {key: options[key] for key in OPTIONS.get(read, ()) if key in options}
    try:
        with io.BufferedReader(Watched(path, progress), BLOCK) as file:
            if not file.raw.size:
                text = _("%(file)s is empty. Save it again, with data.")
                raise SourceError(text % {"file": name})
            frame = read(file, **options)
            file.raw.report(file.raw.size)
    except OSError as error:
        raise SourceError(
            _(
                "%(file)s cannot be read: %(error)s. Is its path right, and may you read "
                "it?"
            )
            % {"file": name, "error": error.strerror or error}
        ) from error
    except (FrameError, MemoryError):
        raise
    except UnicodeError as error:
        raise SourceError(
            _(
                "%(file)s is no %(kind)s: %(error)s. Save it in UTF-8, or give the "
                "encoding that it is in."
            )
            % {
                "file": name,
                "kind": kind,
                "error": _undecodable(path, error, options),
            }
        ) from error
    except Exception as error:  # Each library has errors of its own.
        raise SourceError(
            _(
                "%(file)s is no %(kind)s that can be read: %(error)s. Is its suffix "
                "right, and does the program that made it open it?"
            )
            % {"file": name, "kind": kind, "error": _line(error)}
        ) from error
    if not len(frame.columns):
        text = _("%(file)s has no columns. Save it again, with data.")
        raise SourceError(text % {"file": name})
    return frame


def _undecodable(path, error, options):
    encoding = options.get("encoding") or "utf-8"
    line = first_undecodable(path, encoding)
    if line is None:
        return _line(error)
    text = _("line %(line)s is not in the encoding %(encoding)s")
    return text % {"line": grouped(line), "encoding": encoding}


def _line(error):
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


class Watched(io.FileIO):
    """A file that says how much of it has been read."""

    def __init__(self, path, progress):
        super().__init__(path)
        self.size = path.stat().st_size
        self.done = 0
        self.progress = progress

    def reopened(self):
        """Return the file from its beginning, for another reader."""
        return io.BufferedReader(Watched(self.name, self.progress), BLOCK)

    def readinto(self, buffer):
        count = super().readinto(buffer)
        self.report(self.done + (count or 0))
        return count

    def readall(self):
        parts = iter(lambda: self.read(BLOCK), b"")
        return b"".join(parts)

    def report(self, done):
        # Some readers go back and forth.
        self.done = min(done, self.size)
        if self.progress is not None:
            self.progress(self.done, self.size)


# JSON ---------------------------------------------------------------------------------


def read_json(file):
    """Records, one record, or columns; or what pandas writes as "split" or "table"."""
    data = json.load(file)
    index = columns = None
    if isinstance(data, dict):
        if data.keys() == {"columns", "index", "data"}:
            index, columns, data = data["index"], data["columns"], data["data"]
        elif data.keys() == {"schema", "data"}:
            data = data["data"]
        elif not any(isinstance(each, (list, dict)) for each in data.values()):
            data = [data]
    elif not isinstance(data, list):
        raise ValueError(_("there is no list and no object in it"))
    check_columns(_width(data))
    frame = pd.DataFrame(data, index, columns, dtype=object)
    if list(frame.index) == [str(number) for number in range(len(frame))]:
        frame = frame.reset_index(drop=True)  # JSON has text as keys.
    return _from_objects(frame, _dated)


def _width(data):
    """Return how many columns (int) records or columns of JSON will have."""
    if isinstance(data, dict):
        return len(data)
    names = {key for record in data if isinstance(record, dict) for key in record}
    lengths = (len(record) for record in data if isinstance(record, list))
    return max(len(names), *lengths, 1)


def read_json_lines(file):
    for read in (_lines_by_part, _all_lines):
        try:
            table = read(file)
        except pa.ArrowException:
            file.seek(0)
            continue
        check_columns(table.num_columns)
        if not any(pa.types.is_nested(kind) for kind in table.schema.types):
            names, columns = table.column_names, table.columns
            del table
            return columns_to_frame(names, _dated(columns))
        break
    # A column of several kinds; or objects in it, which Arrow would make all alike.
    file.seek(0)
    records = [json.loads(line) for line in file if line.strip()]
    check_columns(_width(records))
    return _from_objects(pd.DataFrame(records, dtype=object), _dated)


def _lines_by_part(file):
    """Arrow would keep all of the file in memory.

    Raises:
        ArrowException: the parts differ in more than that one has nothing in a column.
    """
    parts = iter(lambda: b"".join(file.readlines(LINES)), b"")
    tables = [pyarrow.json.read_json(pa.BufferReader(part)) for part in parts]
    return pa.concat_tables(tables, promote_options="default")


def _all_lines(file):
    return pyarrow.json.read_json(pa.BufferReader(file.read()))


def _dated(columns):
    """Yield columns, those of text as dates if they are, and let go of each."""
    texts = [at for at, each in enumerate(columns) if pa.types.is_string(each.type)]
    made = typed_together([columns[at] for at in texts], only_dates=True)
    made = dict(zip(texts, made, strict=True))
    for at in range(len(columns)):
        column, columns[at] = columns[at], None
        found = made.pop(at, JustText)
        if found is None:
            yield typed(column, only_dates=True)
        else:
            yield column if found is JustText else found


def _from_objects(frame, convert=iter):
    """Give each column of Python's objects its kind, if they are all of one."""
    check_columns(frame.shape[1])
    made = {}
    for at, (_name, column) in enumerate(frame.items()):
        try:
            array = pa.array(column, from_pandas=True)
        except (pa.ArrowException, OverflowError):
            continue
        if not pa.types.is_nested(array.type):  # Arrow would make all objects alike.
            made[at] = pa.chunked_array([array])
    if not made:
        return frame
    places = list(made)
    others = sorted(set(range(frame.shape[1])) - set(places))
    columns = list(made.values())
    del made
    converted = columns_to_frame(places, convert(columns))
    parts = [converted.set_axis(frame.index), frame.iloc[:, others]]
    both = pd.concat(
        [part.set_axis(range(part.shape[1]), axis=1) for part in parts], axis=1
    )
    return both.iloc[:, np.argsort([*places, *others])].set_axis(frame.columns, axis=1)


# The others ---------------------------------------------------------------------------


def read_excel(file, sheet=0):
    # As objects: pandas would make a number of the text 007, and nothing of NA.
    frame = pd.read_excel(
        file,
        sheet,
        engine="calamine",
        dtype=object,
        keep_default_na=False,
        na_values=[""],
    )
    return _from_objects(frame)


def sheet_names(path):
    """Return the names (list of str) of an Excel workbook's sheets."""
    with pd.ExcelFile(path, engine="calamine") as workbook:
        return workbook.sheet_names


def read_parquet(file):
    check_columns(len(pyarrow.parquet.read_schema(file)))
    file.seek(0)
    return table_to_frame(pyarrow.parquet.read_table(file))


def read_feather(file):
    table = pyarrow.feather.read_table(file)
    check_columns(table.num_columns)
    return table_to_frame(table)


READERS = {
    ".csv": (read_csv, gettext_lazy("CSV file")),
    ".tsv": (read_tsv, gettext_lazy("TSV file")),
    **dict.fromkeys(
        [".xlsx", ".xlsm", ".xls"], (read_excel, gettext_lazy("Excel workbook"))
    ),
    ".parquet": (read_parquet, gettext_lazy("Parquet file")),
    ".json": (read_json, gettext_lazy("JSON file")),
    **dict.fromkeys(
        [".jsonl", ".ndjson"], (read_json_lines, gettext_lazy("file of JSON lines"))
    ),
    ".feather": (read_feather, gettext_lazy("Feather file")),
}

# What can be said of a kind of file, if it is not to be found out.
OPTIONS = {
    **dict.fromkeys([read_csv, read_tsv], ["sep", "encoding", "decimal", "header"]),
    read_excel: ["sheet"],
}
