"""From a CSV file to a DataFrame: part by part, so that its text is never all in memory."""

import csv
import io
import itertools
import warnings

import pandas as pd
import pyarrow as pa
import pyarrow.csv
from django.utils.translation import gettext as _

from .csv_format import BLOCK, first_too_long, separator_of
from .exceptions import SourceError
from .formats import grouped
from .sizes import check_columns
from .tables import columns_to_frame
from .texts import typed, typed_part
from .texts_together import JustText, typed_together

TEXT = pa.string()
PART = 1 << 20  # Bytes. Arrow reads 32 of them ahead.
BATCHES = 8  # Parts that are looked at together.
ROWS = 50_000  # That pandas reads at once.
SPACES = r"\s+"  # As a separator: any number of them.
UTF_16 = b"\xff\xfe", b"\xfe\xff"  # Excel's "Unicode text".


def read_csv(file, sep=None, encoding=None, decimal=".", header=True):
    """Read an open file (``io.BufferedReader``) into a ``pandas.DataFrame``.

    The options are those of ``files.read_file``.
    """
    head = file.peek(BLOCK)
    encoding = encoding or ("utf-16" if head.startswith(UTF_16) else "utf-8-sig")
    text = head.decode(encoding, "ignore").lstrip("\r\n")
    sep = sep or separator_of(text)
    lines = io.StringIO(text, newline="")
    spaced = (line.split() for line in lines)
    rows = spaced if sep == SPACES else csv.reader(lines, delimiter=sep)
    names = next((row for row in rows if row), None)
    if names is None:
        raise ValueError(_("there is nothing in it"))
    check_columns(len(names))
    if not header:
        names = [f"column_{number}" for number in range(1, len(names) + 1)]
    arguments = file, encoding, sep, names, header
    if sep != SPACES:
        try:
            return _frame(lambda: _by_arrow(*arguments), names, decimal)
        except pa.ArrowInvalid:
            pass
    # pandas fills up lines that are too short, and says what is wrong with the others.
    return _frame(lambda: _by_pandas(*arguments), names, decimal)


def read_tsv(file, sep="\t", **options):
    return read_csv(file, sep, **options)


def _by_arrow(file, encoding, sep, names, header):
    """Yield parts of the file as tables of text (``pyarrow.Table``)."""
    file.seek(0)
    reader = pyarrow.csv.open_csv(
        file,
        pyarrow.csv.ReadOptions(
            encoding=encoding.removesuffix("-sig"),
            block_size=PART,
            column_names=None if header else names,
        ),
        pyarrow.csv.ParseOptions(
            delimiter=sep,
            newlines_in_values=True,
            # In a single column an empty line is a row without a value.
            ignore_empty_lines=len(names) > 1,
        ),
        pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(names, TEXT),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    while batches := list(itertools.islice(reader, BATCHES)):
        yield pa.Table.from_batches(batches)


def _by_pandas(file, encoding, sep, names, header):
    """The same by pandas.

    Raises:
        SourceError: a line has too many values.
    """
    try:
        # Arrow may still be reading ahead in the other one.
        with file.raw.reopened() as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            parts = pd.read_csv(
                file,
                sep=sep,
                encoding=encoding,
                header=0 if header else None,
                names=None if header else names,
                dtype="str",
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                skip_blank_lines=len(names) > 1,
                chunksize=ROWS,
            )
            for part in parts:
                table = pa.Table.from_pandas(part, preserve_index=False)
                fields = [(name, TEXT) for name in table.column_names]
                yield table.cast(pa.schema(fields))
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        one = sep != SPACES
        found = one and first_too_long(file.raw.name, encoding, sep, len(names))
        if not found:
            raise
        raise SourceError(
            _(
                "Line %(line)s has %(values)s values, and there are %(columns)s columns. "
                "Does a value have the separator in it, without quotes around it? Or is "
                "another separator meant?"
            )
            % {
                "line": grouped(found[0]),
                "values": grouped(found[1]),
                "columns": grouped(len(names)),
            }
        ) from None


def _frame(parts, names, decimal):
    """Make a ``pandas.DataFrame`` of tables of text.

    Args:
        parts: called for an iterator of tables; again if a part of a column says
            something else than the ones before, and all its text has to be seen.
        names: of the columns, list of str.
        decimal: as of ``read_csv``.
    """
    seen_whole = set()  # Columns, by their numbers.
    while True:
        columns = [Column(at in seen_whole) for at in range(len(names))]
        for part in parts():
            open_ones = [at for at, column in enumerate(columns) if column.is_open]
            texts = part.columns
            made = typed_together([texts[at] for at in open_ones], decimal)
            made = dict(zip(open_ones, made, strict=True))
            for at, column in enumerate(columns):
                column.add(texts[at], made.get(at), decimal)
        unsure = {at for at, column in enumerate(columns) if column.is_unsure}
        if not unsure:
            return columns_to_frame(names, _whole(columns, decimal))
        seen_whole |= unsure


def _whole(columns, decimal):
    """Yield the whole columns (``pyarrow.ChunkedArray``), which let go of them."""
    texts = [column for column in columns if column.is_text]
    made = typed_together([column.whole() for column in texts], decimal)
    for column, each in zip(texts, made, strict=True):
        column.replace(each)
    del made
    for column in columns:
        yield column.take(decimal)


class Column:
    """The parts of a column: what they stand for, where that is sure, or their text.

    Attributes:
        is_unsure: the parts differ; they are not kept.
    """

    def __init__(self, is_text):
        self.kind = TEXT if is_text else None  # None: there was no value yet.
        self.parts = []
        self.is_unsure = self.is_just_text = False

    @property
    def is_open(self):
        """Say (bool) whether the next part may say what the column is."""
        return self.kind is not TEXT and not self.is_unsure

    @property
    def is_text(self):
        """Say (bool) whether all of its text is here, to be looked at."""
        return (self.kind is None or self.kind is TEXT) and not self.is_just_text

    def add(self, texts, made, decimal):
        """Add a part.

        Args:
            texts: ``pyarrow.ChunkedArray`` of strings.
            made: what ``typed_together`` has made of it.
            decimal: as of ``read_csv``.
        """
        part = texts
        if self.is_open and texts.null_count < len(texts):
            if made is JustText:
                self.is_just_text = True
            else:
                part = typed_part(texts, decimal) if made is None else made
            kind = TEXT if part is texts else part.type
            self.kind = self.kind or kind
            if kind != self.kind:
                self.is_unsure, self.parts = True, []
        if not self.is_unsure:
            self.parts += part.chunks

    def whole(self):
        return pa.chunked_array(self.parts, TEXT)

    def replace(self, made):
        """Take what ``typed_together`` has made of the whole text."""
        if made is JustText:
            self.is_just_text = True
        elif made is not None:
            self.kind, self.parts = made.type, made.chunks

    def take(self, decimal):
        """Return the whole column (``pyarrow.ChunkedArray``), and let go of it."""
        parts, self.parts = self.parts, []
        if self.is_text:
            return typed(pa.chunked_array(parts, TEXT), decimal)
        return pa.chunked_array(
            [
                part if part.type == self.kind else pa.nulls(len(part), self.kind)
                for part in parts
            ],
            self.kind,
        )
