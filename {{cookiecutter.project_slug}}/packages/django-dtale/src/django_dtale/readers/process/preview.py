"""Read the first rows of a file, for a page on which people confirm its options."""

import contextlib
import csv
import dataclasses
import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from django.core.files.temp import NamedTemporaryFile

from ...compat.dtypes import make_displayable
from ...exceptions import SourceError
from ..doubts import ragged_named
from ..files import read_file
from ..inference import NULL_VALUES
from ..options import ImportOptions
from ..text.layout import BLOCK, csv_rows
from ..text.parts import fitted, source_of
from ..typed import KEY, Misfits
from .outline import Column, Preview, columns_key

PREVIEW_ROWS = 50
PREVIEW_COLUMNS = 100  # Each column has a menu, and pages with more menus are slow.
MAX_CELL_LENGTH = 100  # Characters of a value in the preview.
MAX_NAME_LENGTH = 1_000  # Characters of the name of a column.
# Larger files are read as a whole only if a type was chosen, to count the values that
# do not fit.
WHOLE_BYTES = 32 << 20
HEAD_ROWS = 1_000  # Rows to read of a larger file.
NULL_WORDS = NULL_VALUES.to_pylist()


def preview(path: str | Path, name: str, options: ImportOptions) -> Preview:
    """Return the first rows of a file as they will be read with the given options.

    Raises:
        SourceError: not even the first rows can be read with these options.
    """
    options = _with_known_types(path, options)
    if Path(path).stat().st_size > WHOLE_BYTES and options.sep and not options.types:
        return _preview_beginning(path, name, options)
    try:
        with ragged_named("page"):
            frame = read_file(path, options, name=name, misfits="kept")
    except SourceError as error:
        if options.sep is None:
            raise
        made = _preview_beginning(path, name, options)
        return dataclasses.replace(made, problem=str(error))
    return _preview(frame, path, name, options, is_whole=True)


def _with_known_types(path, options):
    """Drop the types of columns that a file does not have with these options."""
    if options.sep is None or not options.types:
        return options
    try:
        source = source_of(path, options)
        if options.ragged or not options.header:
            source = fitted(source)
        names = source.layout.names
    except (csv.Error, ValueError):
        return options  # `read_file` explains the error.
    known = {name: options.types[name] for name in names if name in options.types}
    return dataclasses.replace(options, types=known)


def _preview_beginning(path, name, options):
    with _beginning(path, options) as (path, options), ragged_named("page"):
        frame = read_file(path, options, name=name, misfits="kept")
        return _preview(frame, path, name, options, is_whole=False)


def _preview(frame, path, name, options, is_whole):
    """Return the preview of a frame that was read from a file."""
    found: dict[str, Misfits] = {each.column: each for each in frame.attrs.pop(KEY, ())}
    names = [str(column) for column in frame.columns[:PREVIEW_COLUMNS]]
    texts = _texts(path, name, options, names)
    columns = []
    for column, values, dtype in zip(names, texts, frame.dtypes, strict=False):
        about = Column(
            column[:MAX_NAME_LENGTH],
            kind_of(dtype),
            next((value[:MAX_CELL_LENGTH] for value in values if value), ""),
        )
        if column in found:
            misfits = found[column]
            about = dataclasses.replace(
                about,
                misfits=misfits.count,
                line=misfits.line or 0,
                misfit=misfits.value[:MAX_CELL_LENGTH],
            )
        columns.append(about)
    rows = []
    head = frame.iloc[:PREVIEW_ROWS, : len(names)].astype(object)
    words = {*NULL_WORDS, *(options.null_values or ())}
    for number, row in enumerate(head.itertuples(index=False)):
        cells: list[Any] = list(map(_cell_text, row))
        for at, column in enumerate(names):
            # A value that does not fit is shown as it is in the file.
            if column in found and cells[at] == "":
                text = _original(texts[at], number)
                cells[at] = "" if text.strip() in words else [text]
        rows.append(tuple(cells))
    return Preview(
        tuple(columns),
        tuple(rows),
        frame.shape[1],
        len(frame) if is_whole else None,
        tuple(make_displayable(frame).conversions),
        columns_key(frame.columns),
        originals=tuple(
            tuple(_original(column, number) for column in texts)
            for number in range(len(rows))
        ),
    )


def _original(texts, number):
    return texts[number][:MAX_CELL_LENGTH] if number < len(texts) else ""


def _texts(path, name, options, names):
    """Return the first values of each column as they are written in the file."""
    with contextlib.ExitStack() as stack:
        if options.sep is not None:
            path, options = stack.enter_context(_beginning(path, options))
            options = dataclasses.replace(options, types=dict.fromkeys(names, "text"))
            options = _with_known_types(path, options)
        else:
            options = dataclasses.replace(options, types={})
        head = read_file(path, options, name=name).iloc[:HEAD_ROWS, : len(names)]
    return [
        ["" if pd.isna(value) is True else str(value) for value in head.iloc[:, at]]
        for at in range(head.shape[1])
    ] + [[]] * (len(names) - head.shape[1])  # Only lines further down are so long.


@contextlib.contextmanager
def _beginning(
    path: str | Path, options: ImportOptions
) -> Iterator[tuple[str, ImportOptions]]:
    """Yield the path of a file with the first complete rows, and its options.

    Bytes that cannot be decoded are replaced with �.
    """
    with open(path, "rb") as file:
        text = file.read(BLOCK).decode(options.encoding or "utf-8", "replace")
        is_whole = not file.read(1)
    rows = csv_rows(io.StringIO(text, newline=""), options)
    lines, most = 0, HEAD_ROWS + max(options.header or (), default=0)
    with contextlib.suppress(csv.Error):
        for __ in itertools.islice(rows, most):
            lines = rows.line_num
    kept = list(itertools.islice(io.StringIO(text, newline=""), lines))
    is_whole = is_whole and len(text) == sum(map(len, kept))
    # The last line may be incomplete.
    if not is_whole and len(kept) > 1 and not kept[-1].endswith(("\r", "\n")):
        kept.pop()
    changed: dict[str, Any] = {"encoding": "utf-8"}
    if not is_whole:
        changed["skip_footer"] = 0
    with NamedTemporaryFile(suffix=".csv") as file:
        file.write("".join(kept).encode("utf-8", "replace"))
        file.flush()
        yield file.name, dataclasses.replace(options, **changed)


def kind_of(dtype: Any) -> str:
    """Return the type of a column: one of ``options.TYPES``, or "other"."""
    types = pd.api.types
    if isinstance(dtype, pd.CategoricalDtype):
        return "category"
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_integer_dtype(dtype):
        return "integer"
    if types.is_numeric_dtype(dtype):
        return "number"
    if types.is_datetime64_any_dtype(dtype):
        return "date"
    return "text" if types.is_string_dtype(dtype) else "other"


def _cell_text(cell):
    if cell is None or pd.isna(cell) is True:
        return ""
    # Dates without a time end with 00:00:00.
    return str(cell).removesuffix(" 00:00:00")[:MAX_CELL_LENGTH]
