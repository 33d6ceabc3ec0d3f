"""Read the values of a CSV file with many columns, all columns at once.

Arrow reserves memory for each column as if it had all bytes of a part of the file, and
works on each column separately. Here, NumPy finds the ends of all values, and Arrow then
sorts the values by columns.
"""

import codecs
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..grid import Grid
from ..options import ImportOptions
from .parts import Source

WIDE = 50  # Columns.
SIZE = 32 << 20  # Bytes to read at a time.
LF, CR = b"\n\r"


def read_cells(source: Source) -> Iterator[Grid]:
    """Yield parts of a file with many columns.

    Raises:
        ArrowInvalid: the file has few columns, or something rare, such as a line with
            too few values, or a quotation mark within a value without quotes.
    """
    options, width = source.options, len(source.layout.names)
    marks = f"{options.sep}{options.quote or ''}"
    _require(width >= WIDE and marks.isascii())
    decoder = codecs.getincrementaldecoder(source.layout.encoding)()
    rest, is_first = b"", True
    with source.opened() as file:
        while block := file.read(SIZE):
            is_last = not file.peek(1)
            data = rest + _as_utf_8(decoder, block, is_last)
            if is_last and not data.endswith(b"\n"):
                data += b"\n"
            grid, end = _grid(data, width, options)
            rest = data[end:]
            _require(not (is_last and rest))
            if grid.rows:
                yield Grid(grid.cells, grid.rows, is_whole=is_first and is_last)
            is_first = False


def _require(is_so):
    if not is_so:
        raise pa.ArrowInvalid("the file is not plain")


def _as_utf_8(decoder, block, is_last):
    try:
        return decoder.decode(block, is_last).encode()
    except UnicodeError:
        raise pa.ArrowInvalid("the encoding is wrong") from None


def _grid(data: bytes, width: int, options: ImportOptions) -> tuple[Grid, int]:
    """Return the complete rows at the beginning of the data, and their length.

    Like Arrow, this leaves out empty lines, and an empty value in quotes is not missing.
    """
    codes = np.frombuffer(data, np.uint8)
    quote = b'"' if options.quote is None else options.quote.encode()
    is_end = (codes == ord(options.sep or ",")) | (codes == LF)
    is_outside = np.broadcast_to(np.True_, codes.shape)  # Not within quotes.
    has_quotes = bool(quote) and quote in data
    if has_quotes:
        is_outside = ~np.bitwise_xor.accumulate(codes == ord(quote))
        is_end &= is_outside
    ends = np.flatnonzero(is_end)
    _require((codes[ends] == LF).any())
    ends = ends[: len(ends) - np.argmax(codes[ends[::-1]] == LF)]
    size = int(ends[-1]) + 1
    codes, is_kept = codes[:size], ~is_end[:size]
    starts, stops = np.concatenate([[0], ends[:-1] + 1]), ends.copy()
    is_row_end = codes[ends] == LF
    if b"\r" in data:
        has_return = is_row_end & (codes[ends - 1] == CR)
        is_return = (codes == CR) & is_outside[:size]
        _require(np.count_nonzero(is_return) == np.count_nonzero(has_return))
        stops -= has_return
        is_kept &= ~is_return
    lengths = stops - starts
    is_quoted = np.zeros(len(starts), bool)
    if has_quotes:
        marks, quoted = _quotes(codes, ord(quote), is_kept)
        lengths -= np.searchsorted(marks, stops) - np.searchsorted(marks, starts)
        is_quoted[np.searchsorted(starts, quoted)] = True
        is_kept[marks] = False
    is_first = np.concatenate([[True], is_row_end[:-1]])
    is_empty_line = is_row_end & is_first & (stops == starts)
    if is_empty_line.any():
        lengths, is_quoted, is_row_end = (
            each[~is_empty_line] for each in (lengths, is_quoted, is_row_end)
        )
    rows = len(lengths) // width
    _require(rows * width == len(lengths) and rows == np.count_nonzero(is_row_end))
    _require(is_row_end[width - 1 :: width].all())
    texts = _texts(codes[is_kept], lengths, ~is_quoted, options.null_values or ())
    order = np.arange(len(lengths)).reshape(rows, width).T.ravel()
    return Grid(texts.take(pa.array(order)), rows), size


def _quotes(codes, quote, is_kept):
    """Return the positions of the quotation marks that are not a part of values.

    Within quotes, two marks stand for one.

    Args:
        is_kept: whether a byte does not end a value.

    Returns:
        The second array has the first mark of each value in quotes.
    """
    marks = np.flatnonzero(codes == quote)
    opening, closing = marks[0::2], marks[1::2]
    is_first = (opening == 0) | ~is_kept[opening - 1]
    is_last = ~is_kept[closing + 1]
    is_doubled = opening[1:] == closing[:-1] + 1
    _require((is_first[1:] | is_doubled).all() and is_first[:1].all())
    _require((is_last[:-1] | is_doubled).all() and is_last[-1:].all())
    return np.sort(np.concatenate([opening, closing[is_last]])), opening[is_first]


def _texts(codes, lengths, can_be_null, null_values):
    """Return texts, of which those that are missing values are null."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    parts = len(lengths), pa.py_buffer(offsets), pa.py_buffer(codes)
    is_null = can_be_null & (lengths == 0)
    if null_values:
        words = pa.StringArray.from_buffers(*parts)
        is_null |= can_be_null & np.asarray(pc.is_in(words, pa.array(null_values)))
    valid = pa.py_buffer(np.packbits(~is_null, bitorder="little"))
    return pa.StringArray.from_buffers(*parts, valid if is_null.any() else None)
