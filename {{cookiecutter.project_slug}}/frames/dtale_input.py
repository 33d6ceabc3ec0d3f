"""What people send to D-Tale, looked at before it is read: `CHECKS`, by endpoint.

D-Tale takes any setting, believes a file's name, and finds out how large a result is
when it is in memory.
"""

import json
import math
import os
import zipfile

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from dtale import combine_data, global_state, predefined_filters
from flask import request
from pyarrow import parquet

from .dtale_sizes import check_column, check_reshape
from .exceptions import FrameError, LimitExceeded
from .limits import check_cells

MAX_EXPANSION = 100  # How many times larger than its file a spreadsheet may be.


class InputRefused(FrameError, ValueError):
    """Something that was sent cannot be what it says, or is not a person's to send."""


# Settings -----------------------------------------------------------------------------


def check_settings(data_id):
    """Let people set what D-Tale's pages let them set.

    Raises:
        InputRefused
    """
    sent = json.loads(request.args.get("settings") or "{}")
    current = global_state.get_settings(data_id) or {}
    for name, value in sent.items():
        if name not in SETTINGS or not SETTINGS[name](value, current.get(name)):
            raise InputRefused(
                f"The setting {name[:50]} cannot be changed in this way. It may be one "
                "of the site's, or a filter: those are made by the pages for them."
            )


def _is_bool(value, current):
    return type(value) is bool


def _is_taken_away(value, current):
    """Filters are made, and looked at, elsewhere: here some are left out."""
    return isinstance(value, dict) and value.items() <= (current or {}).items()


def _is_predefined(value, current):
    known = predefined_filters.get_filters()
    return isinstance(value, dict) and all(
        name in {each["name"] for each in known} and isinstance(each, dict)
        for name, each in value.items()
    )


SETTINGS = {
    "query": lambda value, current: isinstance(value, str),
    "columnFilters": _is_taken_away,
    "outlierFilters": _is_taken_away,
    "predefinedFilters": _is_predefined,
    "invertFilter": _is_bool,
    "highlightFilter": _is_bool,
    "hide_header_editor": _is_bool,
    "hide_row_expanders": _is_bool,
    "verticalHeaders": _is_bool,
}

# Files --------------------------------------------------------------------------------


def check_upload():
    """Look at the uploaded files: see `check_file`."""
    for name, file in request.files.items():
        check_file(name, file.stream)


def check_file(name, stream):
    """Look at a file, whether it is what its name says, and how large.

    Args:
        name: str, with the suffix by which it will be read.
        stream: a binary file, at its beginning; there it is again in the end.

    Raises:
        InputRefused: it is of no kind that is read, or of another than its name says.
        LimitExceeded: it would be too large once it is read.
    """
    _, suffix = os.path.splitext(name)  # As D-Tale, or it would read another kind.
    if suffix not in FILES:
        kinds = ", ".join(FILES)
        raise InputRefused(f"{name} cannot be read here; these can: {kinds}.")
    try:
        FILES[suffix](stream)
    except (InputRefused, zipfile.BadZipFile, pa.ArrowException):
        raise InputRefused(
            f"{name} is called {suffix}, and its content is something else."
        ) from None
    finally:
        stream.seek(0)


def _check_text(stream):
    if b"\0" in stream.read(1 << 16):
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
            f"This file would be {size / 2**20:,.1f} MB once it is unpacked, and may be "
            f"{limit / 2**20:,.1f} MB. Make it smaller, or save it as CSV."
        )


FILES = {
    ".csv": _check_text,
    ".tsv": _check_text,
    ".xls": _check_xls,
    ".xlsx": _check_xlsx,
    ".parquet": _check_parquet,
}

# Frames of frames ---------------------------------------------------------------------


def check_merge():
    """Tell how many cells a merge or a stack has before it is made.

    Raises:
        LimitExceeded
    """
    is_merge = request.json.get("action") == "merge"
    datasets = json.loads(request.json.get("datasets") or "[]")
    frames = [combine_data.build_df(each, is_merge) for each in datasets]
    if not is_merge:
        columns = set().union(*(frame.columns for frame in frames))
        check_cells(sum(map(len, frames)), len(columns))
        return
    # A key makes a row of each combination of the rows that have it; one that a frame
    # has not makes as many as if it had it once.
    counts = pd.concat(
        [frame.index.value_counts(dropna=False) for frame in frames], axis=1
    )
    rows = counts.fillna(1).prod(axis=1).sum()
    columns = counts.index.nlevels + sum(frame.shape[1] for frame in frames)
    check_cells(int(rows), columns)


# Pages --------------------------------------------------------------------------------


def check_calculation(calc_type):
    """Its pages are files, and these two explain what D-Tale calculates.

    Raises:
        InputRefused
    """
    if calc_type not in ("skew", "kurtosis"):
        raise InputRefused("There are pages on skew and kurtosis.")


def check(endpoint, **args):
    """Look at what was sent to an endpoint; ``args`` are those of its URL.

    Raises:
        InputRefused, LimitExceeded: the text says why.
        FrameMissing: it names a frame that is not there.
    """
    try:
        CHECKS.get(endpoint, lambda **args: None)(**args)
    except FrameError:
        raise
    except Exception as error:
        text = "This is not what D-Tale's pages send here, so it was not done."
        raise InputRefused(text) from error


CHECKS = {
    "dtale.build_column": check_column,
    "dtale.reshape_data": check_reshape,
    "dtale.update_settings": check_settings,
    "dtale.upload": check_upload,
    "dtale.build_merge": check_merge,
    "dtale.view_calculation": check_calculation,
}
