"""Find the cells of a workbook that contain errors, such as #DIV/0!.

calamine reads them as empty cells, so they are looked up in the XML of the sheet.
"""

import contextlib
import html
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

BLOCK = 1 << 20  # Bytes.
MAX_PART = 4 << 20  # Bytes of the list of sheets.

ATTRIBUTE = re.compile(r'([\w:]+)="([^"]*)"')
ERROR = re.compile(rb'<c\b[^<>]*\bt="e"[^<>]*>')
PLACE = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')


def error_cells(path: str | Path, sheet: str) -> Iterator[tuple[int, int]]:
    """Yield the row and the column of each error in a sheet, counted from 0.

    Only XML workbooks are searched, not those in the old binary format.
    """
    # calamine has already read the workbook, so ignore errors in the archive here.
    with (
        contextlib.suppress(zipfile.BadZipFile, KeyError, NotImplementedError),
        zipfile.ZipFile(path) as archive,
        archive.open(_part_of(archive, sheet)) as file,
    ):
        for tag in _error_tags(file):
            if place := PLACE.search(tag):
                yield int(place[2]) - 1, _column(place[1])


def _part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Return the name of the file that contains a sheet.

    Raises:
        KeyError: there is no such sheet.
    """
    sheets = {
        html.unescape(each["name"]): each["r:id"]
        for each in _tags(archive, "xl/workbook.xml", "sheet")
        if each.keys() >= {"name", "r:id"}
    }
    targets = {
        each["Id"]: each["Target"]
        for each in _tags(archive, "xl/_rels/workbook.xml.rels", "Relationship")
        if each.keys() >= {"Id", "Target"}
    }
    target = targets[sheets[sheet]]
    return target[1:] if target.startswith("/") else f"xl/{target}"


def _tags(archive: zipfile.ZipFile, part: str, name: str) -> Iterator[dict[str, str]]:
    with archive.open(part) as file:
        text = file.read(MAX_PART).decode("utf-8", "replace")
    for tag in re.findall(rf"<(?:\w+:)?{name}\b([^<>]*)>", text):
        yield dict(ATTRIBUTE.findall(tag))


def _error_tags(file: IO[bytes]) -> Iterator[bytes]:
    rest = b""
    while block := file.read(BLOCK):
        block = rest + block
        # The last tag may be incomplete.
        end = block.rfind(b"<", -BLOCK)
        rest = block[end:] if end >= 0 else b""
        if b't="e"' in block:
            yield from ERROR.findall(block, 0, max(end, 0))
    yield from ERROR.findall(rest)


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number - 1
