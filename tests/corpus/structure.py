"""Test whether the structure that was detected in a text file is plausible."""

from collections import Counter
from pathlib import Path
from typing import Any

from .independent import records

SEPARATORS = ",;\t|"
ROWS = 200
UTF_16 = b"\xff\xfe", b"\xfe\xff"


def objections(path: Path, options: dict[str, Any], questions: list[str]) -> list[str]:
    """Return the reasons why the options of an opened file are not plausible."""
    found = []
    with open(path, "rb") as file:
        content = file.read()
    encoding = options["encoding"].lower().replace("_", "-")
    if not encoding.startswith(("utf-8", "utf-16")):
        if _is_utf_8(content):
            found.append(f"read as {encoding}, but it is UTF-8")
        if not questions:
            found.append(f"read as {encoding}, without a question")
    even = [sep for sep in SEPARATORS if _is_even(path, {**options, "sep": sep})]
    if even and options["sep"] not in even and not questions:
        found.append(f"read with {options['sep']!r}, but each row is divided by {even}")
    return found


def _is_utf_8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return not content.startswith(UTF_16)


def _is_even(path, options):
    rows = [row for row in records(path, options, ROWS) if row]
    widths = Counter(map(len, rows))
    if not widths:
        return False
    width, count = widths.most_common(1)[0]
    return width > 1 and count >= 0.95 * len(rows)
