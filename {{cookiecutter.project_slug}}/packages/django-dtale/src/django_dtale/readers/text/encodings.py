"""Detect the encoding of a text file."""

import codecs
import functools
import io
from pathlib import Path

import charset_normalizer
from django.utils.translation import gettext as _

from ...formats import format_number
from ..doubts import Doubt
from .layout import BLOCK, Section

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    # Excel writes this BOM in its format "Unicode text".
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
DEFAULT = "cp1252"  # The default of Windows in Western Europe and America.
# A guess chooses from these encodings. Similar ones are rarer.
COMMON = (
    "cp1252 cp1250 cp1251 cp1253 cp1254 cp1255 cp1256 cp1257 iso8859_2 koi8_r cp437 "
    "cp850 mac_roman cp932 euc_jp gb18030 big5 cp949"
).split()
FEW = 4  # A guess needs at least this number of bytes that are not ASCII.
MAX_GUESS = 1 << 15  # The number of bytes to examine for a guess.


def detect_encoding(
    path: str | Path, head: bytes, doubts: list[Doubt] | None = None
) -> str:
    """Return the encoding of a file: UTF-8, that of its BOM, or a guess.

    Args:
        head: the beginning of the file.
        doubts: a doubt is added if the encoding is a guess.
    """
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if head.startswith(mark):
            return encoding
    line = first_undecodable(path, "utf-8")
    if line is None:
        return "utf-8"
    guess = _guess(path)
    question = _(
        "The file is not encoded in UTF-8 (line %(line)s). Are letters such as é, ß or "
        "ł correct?"
    ) % {"line": format_number(line)}
    if doubts is not None:
        values = dict.fromkeys([guess, DEFAULT])
        doubts.append(Doubt("encoding", question, tuple(values)))
    return guess


def _guess(path: str | Path) -> str:
    """Return the most probable encoding, judging by the lines that are not ASCII."""
    found, size = [], 0
    with open(path, "rb") as file:
        for line in file:
            if not line.isascii():
                found.append(line[:1000])
                size += len(found[-1])
            if size > MAX_GUESS:
                break
    text = b"".join(found)
    matches = charset_normalizer.from_bytes(text, cp_isolation=COMMON)
    best = matches.best()
    if best is None or sum(byte > 127 for byte in text) < FEW:
        return DEFAULT
    as_good = (
        match
        for match in matches
        if match.chaos <= best.chaos and match.coherence >= best.coherence
    )
    names = {name for match in as_good for name in match.could_be_from_charset}
    return DEFAULT if DEFAULT in names else best.encoding


def first_undecodable(path: str | Path, encoding: str) -> int | None:
    """Return the number of the first line that cannot be decoded, or None."""
    decoder = codecs.getincrementaldecoder(encoding)()
    with open(path, "rb") as file:
        try:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
            return None
        except UnicodeDecodeError as error:
            end = file.tell() - len(error.object) + error.start
        # Most files have no such line, so lines are counted only now.
        before = io.BufferedReader(Section(file, 0, end), BLOCK)
        with io.TextIOWrapper(before, encoding, "ignore", newline="") as text:
            blocks = iter(functools.partial(text.read, BLOCK), "")
            return 1 + sum(block.count("\n") for block in blocks)
