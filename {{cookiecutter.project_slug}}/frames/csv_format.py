"""How a CSV file is written: its encoding, separator, decimal comma and header."""

import codecs
import csv
import io
import re
from dataclasses import dataclass

from django.utils.translation import gettext

from .formats import grouped

BLOCK = 1 << 20  # Bytes that are read at once; as many are looked at.
ROWS = 200  # That are looked at.
SEPARATORS = "\t;|,"  # Where several would do: the rarer is meant.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",  # Excel's "Unicode text".
    codecs.BOM_UTF16_BE: "utf-16",
}
NOT_UTF_8 = "cp1252"  # The usual one of Windows in Europe and America.

NUMBER = re.compile(r"[+-]?(\d[\d., ]*)?\d([eE][+-]?\d+)? ?%?")
DATE = re.compile(r"\d{4}-\d\d-\d\d.*|\d{1,2}[./]\d{1,2}[./]\d{2,4}.*")
YEAR = re.compile(r"(19|20)\d\d")
WITH_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")
WITH_POINT = re.compile(r"[+-]?\d*\.(\d{1,2}|\d{4,})")


@dataclass(frozen=True)
class CsvFormat:
    """How a CSV file is read.

    Attributes:
        sep: str, between two values.
        encoding: str, one of Python's names.
        decimal: "." or ",".
        header: bool; its first line has the names of the columns.
        doubts: tuple of what is not sure, a sentence (str) each.
    """

    sep: str
    encoding: str = "utf-8"
    decimal: str = "."
    header: bool = True
    doubts: tuple = ()

    @property
    def options(self):
        """What ``read_file`` takes (dict)."""
        return {
            "sep": self.sep,
            "encoding": self.encoding,
            "decimal": self.decimal,
            "header": self.header,
        }


def detect(path, sep=None):
    """Find out how a file is written (CsvFormat).

    Args:
        path: str or ``pathlib.Path`` of a file.
        sep: str, if its suffix says what is between two values.
    """
    doubts = []
    with open(path, "rb") as file:
        head = file.read(BLOCK)
    encoding = _encoding(path, head, doubts)
    text = head.decode(encoding, "ignore")
    if len(head) == BLOCK:
        text = text.rpartition("\n")[0]  # The last line is a part of one.
    sep = sep or separator_of(text, doubts)
    rows = _rows(text, sep)
    return CsvFormat(
        sep, encoding, _decimal(rows, sep, doubts), _header(rows, doubts), tuple(doubts)
    )


def separator_of(text, doubts=None):
    """Return what is between two values (str) of a text (str), a file's beginning.

    It gives all lines as many values, more than one; or else the first line the most.

    Args:
        doubts: list to which a sentence (str) is added if several characters do.
    """
    counts = {sep: [len(row) for row in _rows(text, sep)] for sep in SEPARATORS}
    even = [sep for sep in SEPARATORS if len(set(counts[sep])) == 1]
    several = [sep for sep in even if counts[sep][0] > 1]
    if len(several) > 1 and doubts is not None:
        doubts.append(gettext("More than one character could be the separator."))
    if several:
        return several[0]
    # In a single column of text no comma is a separator.
    return max(SEPARATORS, key=lambda sep: (counts[sep][:1], sep in even))


def first_rows(path, encoding, sep):
    """Return the first rows of a file (list of list of str), what is wrong as �."""
    with open(path, "rb") as file:
        text = file.read(BLOCK).decode(encoding, "replace")
    return _rows(text, sep)


def first_undecodable(path, encoding):
    """Return the number (int) of the line that a file's encoding does not have.

    Returns:
        int, or None: the whole of it can be decoded.
    """
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with open(path, "rb") as file:
        while True:
            block = file.read(BLOCK)
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                return line + before.decode(encoding, "ignore").count("\n")
            if not block:
                return None


def first_too_long(path, encoding, sep, count):
    """Return the number (int) of the first line with more values than ``count``.

    Returns:
        tuple: the number of the line and of its values; None without such a line.
    """
    with open(path, encoding=encoding, errors="replace", newline="") as file:
        rows = csv.reader(file, delimiter=sep)
        try:
            for row in rows:
                if len(row) > count:
                    return rows.line_num, len(row)
        except csv.Error:
            pass
    return None


def _encoding(path, head, doubts):
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    line = first_undecodable(path, "utf-8")
    if line is None:
        return "utf-8"
    doubts.append(
        gettext(
            "It is not in UTF-8 (line %(line)s): are letters such as é, ß or ł right?"
        )
        % {"line": grouped(line)}
    )
    return NOT_UTF_8


def _rows(text, sep):
    rows = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=sep):
            if row:
                rows.append(row)
            if len(rows) == ROWS:
                break
    except csv.Error:  # A value that is longer than any is, after a lone quote.
        pass
    return rows


def _decimal(rows, sep, doubts):
    cells = [cell.strip() for row in rows[1:] or rows for cell in row]
    commas = [cell for cell in cells if WITH_COMMA.fullmatch(cell)]
    if not commas:
        return "."
    if any(WITH_POINT.fullmatch(cell) for cell in cells):
        doubts.append(gettext("Some numbers have a point, and others a comma."))
        return "."
    if all(THOUSANDS.fullmatch(cell) for cell in commas):
        if sep != ",":
            doubts.append(gettext("Is 1,234 more than a thousand, or less than two?"))
        return "."
    return ","


def _header(rows, doubts):
    """Say (bool) whether the first line has names; numbers and dates are values."""
    if len(rows) < 2:
        return True
    values = [at for at, cell in enumerate(rows[0]) if _is_value(cell)]
    if not values:
        return True
    below = [row[at] for row in rows[1:] for at in values if at < len(row)]
    if not all(_is_value(cell) for cell in below if cell.strip()):
        return True
    doubts.append(gettext("Does the first line have the names of the columns?"))
    return all(YEAR.fullmatch(rows[0][at].strip()) for at in values)


def _is_value(cell):
    cell = cell.strip()
    return bool(NUMBER.fullmatch(cell) or DATE.fullmatch(cell))
