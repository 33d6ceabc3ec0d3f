"""Find quotation marks that are never closed."""

import codecs
from pathlib import Path

import numpy as np
from django.utils.translation import gettext as _

from ...formats import format_number
from ..doubts import Doubt
from .layout import BLOCK, count_lines


def check_quotes(
    path: str | Path, encoding: str, sep: str, quote: str, doubts: list[Doubt]
) -> str:
    """Return the quotation mark, or an empty text if one is never closed.

    With an unclosed mark, everything up to the next one would be a single value.

    Args:
        doubts: a doubt is added in that case.
    """
    line = first_unclosed(path, encoding, sep, quote)
    if line is not None:
        question = _(
            "The quotation mark in line %(line)s is never closed, so the lines below it "
            "would become one value. Correct the file, or read quotation marks as "
            "ordinary characters."
        ) % {"line": format_number(line)}
        doubts.append(Doubt("quote", question, ("",)))
        return ""
    return quote


def first_unclosed(path: str | Path, encoding: str, sep: str, quote: str) -> int | None:
    """Return the number of the line whose quotation mark is never closed, or None.

    A mark with a separator before it, and none after it, can only open a value. If the
    next mark can only open a value, too, the first one is never closed.
    """
    opened = None  # The line of the last mark if it can only open a value.
    line = 1
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    is_wide = codecs.lookup(encoding).name.startswith(("utf-16", "utf-32"))
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            # Do not split lines: a mark is examined together with the bytes around it.
            block += file.readline()
            if is_wide:
                block = decoder.decode(block).encode()
            if quote.encode() in block:
                places, opens = _marks(block, sep, quote)
                if opened is not None and len(places) and opens[0]:
                    return opened
                twice = np.flatnonzero(opens[:-1] & opens[1:])
                if len(twice):
                    return line + count_lines(block[: places[twice[0]]])
                if len(places):
                    opened = None
                    if opens[-1]:
                        opened = line + count_lines(block[: places[-1]])
            line += count_lines(block)
    return opened


def _marks(block, sep, quote):
    """Return the positions of quotation marks, and whether each can only open a value.

    Two marks in a row stand for one within a value, or for an empty value.
    """
    data = np.frombuffer(b"\n" + block + b"\n", np.uint8)
    places = np.flatnonzero(data == ord(quote))
    firsts = np.flatnonzero(np.diff(places, prepend=-2) > 1)
    lengths = np.diff(firsts, append=len(places))
    is_odd = lengths % 2 == 1
    firsts, lengths = places[firsts[is_odd]], lengths[is_odd]
    is_end = np.zeros(256, bool)
    is_end[list(f"{sep}\r\n".encode())] = True
    return firsts - 1, is_end[data[firsts - 1]] & ~is_end[data[firsts + lengths]]
