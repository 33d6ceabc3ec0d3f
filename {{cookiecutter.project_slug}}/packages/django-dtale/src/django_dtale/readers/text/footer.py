"""Detect the lines below the table of a CSV file."""

import contextlib
import csv
import os
import re
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..doubts import Doubt
from ..options import ImportOptions
from .layout import csv_rows, plain_encoding

TAIL = 1 << 16  # Bytes to examine.
MANY = 50  # Lines to examine.
FEW = 10  # Only rows with fewer values can be notes.
NUMBER = re.compile(r"[+-]?\d[\d., ']*([eE][+-]?\d+)? ?%?")
TOTAL = re.compile(
    r"(grand |sub)?totale?|sum|summe|gesamt(summe|ergebnis)?|insgesamt|subtotal",
    re.IGNORECASE,
)


def detect_footer(
    path: str | Path,
    options: ImportOptions,
    rows: list[list[str]],
    doubts: list[Doubt],
) -> int:
    """Return the number of lines below the table. Empty lines do not count.

    Args:
        rows: the first rows of the table.
        doubts: a doubt is added if these lines may be a part of the table.
    """
    width = max(map(len, rows), default=0)
    found = _last_rows(path, options)
    if width < 2 or len(rows) < 2 or not found:
        return 0
    notes, is_apart = _count_notes(found, width)
    found = [row for row in found if row]
    rest = found[: len(found) - notes]
    if rows[-1] == found[-1]:  # The first rows include the last one.
        rows = rows[: len(rows) - notes]
    if notes and not is_apart:
        texts = ngettext(
            "The last line contains one value: %(text)s. Is it a note below the table?",
            "The last %(count)s lines contain one value each, such as %(text)s. Are they "
            "notes below the table?",
            notes,
        ) % {"count": notes, "text": _shown(found[-notes])}
        doubts.append(Doubt("skip_footer", texts, (notes, 0)))
    elif rest and rows and _is_total(rest[-1], rows, rest[:-1]):
        question = _(
            "The last row begins with %(word)s. Is it a sum of the rows above it?"
        ) % {"word": _shown(rest[-1])}
        doubts.append(Doubt("skip_footer", question, (notes + 1, notes)))
        return notes + 1
    return notes


def _last_rows(path: str | Path, options: ImportOptions) -> list[list[str]]:
    """Return the rows at the end of the file. Empty lines are empty lists."""
    with open(path, "rb") as file:
        encoding, __ = plain_encoding(options.encoding or "utf-8", file.read(4))
        size = file.seek(0, os.SEEK_END)
        start = max(0, size - TAIL)
        file.seek(start - start % 4)
        text = file.read().decode(encoding, "ignore")
    lines = re.split(r"\r\n|\r|\n", text.rstrip())
    lines = lines[1 if start else 0 :][-MANY:]
    quote = options.quote or '"'
    if any(line.count(quote) % 2 for line in lines):
        return []  # A value contains a line end, so a line may be a part of a row.
    with contextlib.suppress(csv.Error):
        return [next(csv_rows([line], options), []) for line in lines]
    return []


def _count_notes(rows: list[list[str]], width: int) -> tuple[int, bool]:
    """Return the number of notes at the end, and whether an empty line precedes them."""
    notes = 0
    for row in reversed(rows):
        filled = [cell for cell in row if cell]
        if len(filled) < FEW:
            filled = [cell for cell in filled if cell.strip()]
        if not filled:
            if notes and len(row) < width:
                return notes, True
            continue
        is_note = len(filled) == 1 and row[0] and not NUMBER.fullmatch(row[0].strip())
        if not is_note:
            break
        notes += 1
    texts = [row[0] for row in rows if row][-notes or len(rows) :]
    is_prose = width > 2 and all(" " in text.strip() for text in texts)
    return (notes if is_prose and notes < len(rows) else 0), False


def _is_total(row: list[str], first: list[list[str]], last: list[list[str]]) -> bool:
    """Return whether a row, but none above it, begins with "Total"."""
    word = next((cell for cell in row if cell), "")
    if not TOTAL.fullmatch(word.strip(" :\t")):
        return False
    numbers = [cell for cell in row if NUMBER.fullmatch(cell.strip())]
    others = [*(first[:-1] if first[-1] == row else first), *last]
    return bool(numbers) and not any(
        TOTAL.fullmatch(cell.strip(" :\t")) for each in others for cell in each[:2]
    )


def _shown(row: list[str]) -> str:
    return next(cell for cell in row if cell.strip())[:60]
