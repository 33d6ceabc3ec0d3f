"""Read a CSV file in parts, so that its whole text is never in memory."""

import contextlib
import dataclasses
import io
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ..compat.notes import add_note
from .arrow import columns_to_frame
from .batch_inference import Block, PlainText, infer_blocks, infer_columns
from .grid import Grid
from .inference import Rules, infer_column, infer_part
from .limits import check_columns
from .options import ImportOptions
from .sniffer import sniff
from .text.cells import read_cells
from .text.layout import csv_rows, find_layout
from .text.parts import TEXT, Source, fitted, read_with_arrow, read_with_pandas
from .typed import KEY, Misfits, convert, describe

UTF_16 = b"\xff\xfe", b"\xfe\xff"  # Excel writes this BOM in its format "Unicode text".


def read_csv(
    file: io.BufferedReader, options: ImportOptions | None = None
) -> pd.DataFrame:
    """Read an open file into a DataFrame. Options that are None are detected."""
    raw: Any = file.raw
    options = _complete(raw.name, options or ImportOptions())
    layout = find_layout(raw.name, options)
    check_columns(len(layout.names))
    source = Source(raw.reopen, options, layout)
    for read in (read_cells, read_with_arrow):
        with contextlib.suppress(pa.ArrowInvalid):
            frame = _frame(source, read)
            break
    else:
        source = fitted(source)
        frame = _frame(source, read_with_pandas)
    for note in source.layout.notes:
        add_note(frame, note)
    return frame


def read_tsv(
    file: io.BufferedReader, options: ImportOptions | None = None
) -> pd.DataFrame:
    return read_csv(file, ImportOptions(sep="\t").updated(options or ImportOptions()))


def _complete(path, options):
    """Detect the options that are None, and return all options.

    An encoding is not guessed: a wrong one would change text without an error.
    """
    if options.encoding is None:
        with open(path, "rb") as file:
            is_utf_16 = file.read(2) in UTF_16
        encoding = "utf-16" if is_utf_16 else "utf-8-sig"
        options = dataclasses.replace(options, encoding=encoding)
    if None in (options.sep, options.decimal, options.header):
        options = sniff(path, options).options
    return options


def _frame(source, read):
    """Convert tables of text to a DataFrame.

    If the parts of a column have different types, read the file again and convert that
    column as a whole.

    Args:
        read: returns a new iterator of all tables at each call.
    """
    options, names = source.options, source.layout.names
    rules = Rules(options.decimal or ".", options.thousands or "", options.day_first)
    types = options.types
    kinds = {at: types[name] for at, name in enumerate(names) if name in types}
    read_as_text = set(kinds)  # Positions of columns to convert as a whole.
    while True:
        columns = [
            Column(name, at in read_as_text, rules) for at, name in enumerate(names)
        ]
        for at, kind in kinds.items():
            columns[at].type = kind
        blocks: list[Block] = []
        for part in read(source):
            blocks = _add(columns, part, rules)
        mixed = {at for at, column in enumerate(columns) if column.is_mixed}
        if not mixed:
            break
        read_as_text |= mixed
    while len(columns) > 1 and columns[-1].is_unused:
        columns.pop()
    misfits: list[Misfits] = []
    frames = [block.frame() for block in blocks]
    left = {at: column for at, column in enumerate(columns) if not column.is_done}
    if left:
        made = _finish([*left.values()], rules, misfits)
        frames.append(columns_to_frame([*left], made))
    frame = frames[0]
    if len(frames) > 1:
        frame = pd.concat(frames, axis=1).sort_index(axis=1)
    frame = frame.set_axis(names[: len(columns)], axis=1)
    if misfits:
        frame.attrs[KEY] = _with_lines(source, misfits)
    return frame


def _add(columns: list["Column"], part: Grid | pa.Table, rules: Rules) -> list[Block]:
    """Add a part to all columns.

    Returns:
        The columns that are done, because the part is the whole file.
    """
    blocks: list[Block] = []
    made: dict[int, Any] = {}
    undecided = [at for at, column in enumerate(columns) if column.is_undecided]
    if isinstance(part, Grid):
        places = np.array(undecided, int)
        for block in infer_blocks(part.select(places), rules):
            block = Block(places[block.places], block.made)
            if part.is_whole and block.is_solid:
                blocks.append(block)
            else:
                made.update(block.columns())
    else:
        texts = part.columns
        found = infer_columns([texts[at] for at in undecided], rules)
        made.update(zip(undecided, found, strict=True))
    for at in itertools.chain(*(block.places.tolist() for block in blocks)):
        columns[at].is_done = True
    left = [at for at, column in enumerate(columns) if not column.is_done]
    for at, texts in zip(left, part.select(left).columns, strict=True):
        columns[at].add(texts, made.get(at))
    return blocks


def _finish(columns, rules, misfits):
    """Yield the whole columns, and release their parts."""
    texts = [column for column in columns if column.is_text and not column.type]
    made = infer_columns([column.texts() for column in texts], rules)
    for column, each in zip(texts, made, strict=True):
        column.replace(each)
    del made
    for column in columns:
        yield column.finish(misfits)


def _with_lines(source, misfits):
    """Add the line number of the first value that does not fit for each column."""
    wanted = {each.row: 0 for each in misfits}
    is_blank_row = len(source.layout.names) == 1
    with source.opened() as file:
        text = io.TextIOWrapper(file, source.layout.encoding, "replace", newline="")
        rows = csv_rows(text, source.options)
        at, last = 0, 0
        for row in rows:
            if row or is_blank_row:
                if at in wanted:
                    wanted[at] = source.layout.line + last
                at += 1
            last = rows.line_num
    return [
        dataclasses.replace(each, line=wanted[each.row] or None) for each in misfits
    ]


class Column:
    """The parts of a column, converted if their type is unambiguous, else as text.

    Args:
        is_text: keep the parts as text, to convert the column as a whole.
        rules: how numbers and dates are written.

    Attributes:
        type: the type that was chosen for it, see ``ImportOptions.types``.
        is_mixed: the parts have different types, and were dropped.
        is_done: the column is in a ``Block``, and has no parts.
    """

    def __init__(self, name: str, is_text: bool, rules: Rules) -> None:
        self.name, self.rules = name, rules
        self.type: str | None = None
        self.kind = TEXT if is_text else None  # None until the first value is known.
        self.parts: list[pa.Array] = []
        self.is_mixed = self.is_plain_text = self.is_done = False

    @property
    def is_undecided(self) -> bool:
        """Return whether the next part can still decide the column's type."""
        return self.kind is not TEXT and not self.is_mixed

    @property
    def is_text(self) -> bool:
        """Return whether all parts are text that is still to be converted."""
        return (self.kind is None or self.kind is TEXT) and not self.is_plain_text

    @property
    def is_unused(self) -> bool:
        """Return whether the column has neither a name nor values."""
        is_empty = all(part.null_count == len(part) for part in self.parts)
        return not (self.name or self.is_done) and is_empty

    def add(self, texts: pa.ChunkedArray, made: Any) -> None:
        """Add a part.

        Args:
            texts: the strings of the part.
            made: the result of ``infer_columns`` for this part.
        """
        part = texts
        if self.is_undecided and texts.null_count < len(texts):
            if made is PlainText:
                self.is_plain_text = True
            else:
                part = infer_part(texts, self.rules) if made is None else made
            kind = TEXT if part is texts else part.type
            self.kind = self.kind or kind
            if kind != self.kind:
                self.is_mixed, self.parts = True, []
        if not self.is_mixed:
            self.parts += part.chunks

    def texts(self) -> pa.ChunkedArray:
        return pa.chunked_array(self.parts, TEXT)

    def replace(self, made: Any) -> None:
        """Replace all parts with the result of ``infer_columns`` for the column."""
        if made is PlainText:
            self.is_plain_text = True
        elif made is not None:
            self.kind, self.parts = made.type, made.chunks

    def finish(self, misfits: list[Misfits]) -> pa.ChunkedArray:
        """Return the whole column, and release its parts.

        Args:
            misfits: gets the values that do not fit the column's type.
        """
        parts, self.parts = self.parts, []
        if self.type:
            texts = pa.chunked_array(parts, TEXT)
            made, wrong = convert(texts, self.type, self.rules)
            if wrong is not None:
                misfits.append(describe(self.name, self.type, texts, wrong))
            return made
        if self.is_text:
            return infer_column(pa.chunked_array(parts, TEXT), self.rules)
        return pa.chunked_array(
            [
                part if part.type == self.kind else pa.nulls(len(part), self.kind)
                for part in parts
            ],
            self.kind,
        )
