"""Find where the table of a CSV file begins and ends, and the names of its columns."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...formats import format_number
from ..options import ImportOptions

BLOCK = 1 << 20  # Bytes to read at a time, and to examine.
SAMPLE = 100  # Rows that are compared with the header.
LINE_END, LINE_END_TEXT = re.compile(rb"\r\n|\r|\n"), re.compile(r"\r\n|\r|\n")
COMMENT = re.compile(r"#+(\s*)(?=[^\W\d])")
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    # Excel writes this BOM in its format "Unicode text".
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


@dataclass(frozen=True)
class Layout:
    """The table in a CSV file.

    Attributes:
        names: the names of the columns.
        encoding: an encoding whose decoder expects no BOM.
        start, end: the position of the data in bytes.
        line: the number of the first line of the data.
        notes: sentences about lines that are left out.
    """

    names: list[str]
    encoding: str
    start: int
    end: int
    line: int
    notes: list[str]


def find_layout(path: str | Path, options: ImportOptions) -> Layout:
    """Return the layout of a file whose options are known.

    Raises:
        ValueError: the file has no header.
    """
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        data = file.read(BLOCK)
        encoding, mark = plain_encoding(options.encoding or "utf-8", data)
        lines = Lines(data, encoding, mark)
        names: list[str] = []
        line = 1
        for number in options.header or ():
            row, line = lines.first_row(number, options)
            names = _joined(names, row) if names else _uncommented(row, number, lines)
        line += options.skip_rows or 0
        start = lines.start_of(line)
        rows = lines.rows(line, options)
        if not (names or rows):
            raise ValueError(_("it is empty"))
        names = _matched(names, rows) if names else numbered(0, len(rows[0]))
        footer = options.skip_footer or 0
        end = _end(file, size, encoding, footer)
    notes = _notes(lines, options, line, footer)
    return Layout(names, encoding, start, max(start, end), line, notes)


def _notes(
    lines: "Lines", options: ImportOptions, first: int, footer: int
) -> list[str]:
    notes = []
    above = min(options.header or (first,)) - 1
    if lines.text(1)[: lines.start_of(above + 1)].strip() and above:
        text = ngettext(
            "The first line, above the table, was left out.",
            "The first %(count)s lines, above the table, were left out.",
            above,
        )
        notes.append(text % {"count": format_number(above)})
    if footer:
        text = ngettext(
            "The last line, below the table, was left out.",
            "The last %(count)s lines, below the table, were left out.",
            footer,
        )
        notes.append(text % {"count": format_number(footer)})
    return notes


def plain_encoding(encoding: str, data: bytes) -> tuple[str, int]:
    """Return an encoding without BOM, and the length of the BOM in the data."""
    name = codecs.lookup(encoding).name.removesuffix("-sig")
    for mark, found in BYTE_ORDER_MARKS.items():
        if data.startswith(mark) and found.startswith(name):
            return found, len(mark)
    return ("utf-16-le" if name == "utf-16" else name), 0


def count_lines(data: bytes) -> int:
    """Return the number of line feeds. ``bytes.count`` is slower if lines are short."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == ord("\n")))


def csv_rows(lines: Any, options: ImportOptions, **others: Any) -> Any:
    """Return Python's reader of CSV lines."""
    quote: dict[str, Any] = {"quotechar": options.quote or '"'}
    if options.quote == "":
        quote = {"quoting": csv.QUOTE_NONE}
    return csv.reader(lines, delimiter=options.sep or ",", **quote, **others)


class Lines:
    """The lines at the beginning of a file."""

    def __init__(self, data: bytes, encoding: str, mark: int = 0) -> None:
        self.data, self.encoding = data, encoding
        self.starts = [mark, *_line_ends(data, encoding, mark)]

    def start_of(self, line: int) -> int:
        """Return the position of a line in bytes, or the end of the data."""
        return self.starts[min(line, len(self.starts)) - 1]

    def text(self, line: int) -> str:
        """Return the text from the beginning of a line."""
        return self.data[self.start_of(line) :].decode(self.encoding, "replace")

    def rows(self, line: int, options: ImportOptions) -> list[list[str]]:
        """Return the first rows from a line on, without empty ones."""
        found = []
        try:
            for row in csv_rows(io.StringIO(self.text(line), newline=""), options):
                if row:
                    found.append(row)
                if len(found) == SAMPLE:
                    break
        except csv.Error:  # After an unclosed quote, a value is over the limit.
            pass
        return found

    def first_row(self, line: int, options: ImportOptions) -> tuple[list[str], int]:
        """Return the first row from a line on, and the number of the line after it."""
        rows = csv_rows(io.StringIO(self.text(line), newline=""), options)
        for row in rows:
            if row:
                return row, line + rows.line_num
        raise ValueError(_("it is empty"))


def _line_ends(data: bytes, encoding: str, start: int) -> Iterator[int]:
    """Yield the position after each line. A line ends with LF, CR or CR LF."""
    if not encoding.startswith(("utf-16", "utf-32")):
        yield from (match.end() for match in LINE_END.finditer(data, start))
        return
    last = 0
    text = data[start:].decode(encoding, "ignore")
    for match in LINE_END_TEXT.finditer(text):
        start += len(text[last : match.end()].encode(encoding))
        last = match.end()
        yield start


def _uncommented(names: list[str], line: int, lines: "Lines") -> list[str]:
    """Remove the mark of a comment before the first name.

    Without other comments beside it, "# of items" is a name.
    """
    mark = COMMENT.match(names[0])
    others = [each for each in (line - 1, line + 1) if each]
    if not mark:
        return names
    if mark[1] and not any(lines.text(each).startswith("#") for each in others):
        return names
    return [names[0][mark.end() :], *names[1:]]


def _joined(above: list[str], below: list[str]) -> list[str]:
    """Join the names of two header rows. An empty upper name repeats the last one."""
    width = max(len(above), len(below))
    above, below = (row + [""] * (width - len(row)) for row in (above, below))
    names, last = [], ""
    for upper, lower in zip(above, below, strict=True):
        last = upper.strip() or last
        names.append(f"{last} {lower}".strip())
    return names


def numbered(start: int, end: int) -> list[str]:
    """Return the names of columns that have none, from one position up to another."""
    return [f"column_{number}" for number in range(start + 1, end + 1)]


def _matched(names: list[str], rows: list[list[str]]) -> list[str]:
    """Add a name if all rows have one more value than there are names."""
    if {len(row) for row in rows} != {len(names) + 1}:
        return names
    if not any(row[-1] for row in rows):
        return [*names, ""]
    # R writes no name for the column of row names.
    return ["row" if "row" not in names else "", *names] if len(rows) > 1 else names


def _end(file: IO[bytes], size: int, encoding: str, footer: int) -> int:
    """Return the position of the end of the data, before the lines to leave out."""
    if not footer:
        return size
    file.seek(max(0, size - BLOCK))
    first = file.tell()
    data = file.read()
    ends = [0, *_line_ends(data, encoding, 0)]
    if ends[-1] < len(data):
        ends.append(len(data))
    for start, end in zip(ends[-2::-1], ends[:0:-1], strict=True):
        footer -= bool(data[start:end].strip(b"\r\n\0 \t"))
        if not footer:
            return first + start
    return first


class Section(io.RawIOBase):
    """A part of a file.

    Args:
        file: an open file, which is closed with the section.
    """

    def __init__(self, file: IO[bytes], start: int, end: int) -> None:
        self.file, self.left = file, end - start
        file.seek(start)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.file.readinto(memoryview(buffer)[: self.left])  # type: ignore
        self.left -= count
        return count

    def close(self) -> None:
        self.file.close()
        super().close()
