"""Detect the import options of a CSV file."""

import dataclasses
import functools
import itertools
from pathlib import Path

from django.utils.translation import gettext as _

from ..exceptions import LineTooLong
from .doubts import Detection, Doubt
from .options import ImportOptions
from .text.encodings import detect_encoding
from .text.footer import detect_footer
from .text.layout import BLOCK, count_lines
from .text.marks import (
    date_columns,
    date_order,
    detect_marks,
    first_difference,
    has_decimal_point,
)
from .text.parts import fitted, source_of
from .text.quotes import check_quotes
from .text.separators import ROWS
from .text.structure import detect_structure

# Maps a mark between thousands to the decimal mark.
OTHER_MARK = {".": ",", ",": "."}


def sniff(path: str | Path, given: ImportOptions | None = None) -> Detection:
    """Detect the options of a file, except for those that are given."""
    given = given or ImportOptions()
    doubts: list[Doubt] = []
    with open(path, "rb") as file:
        head = file.read(BLOCK)
    encoding = given.encoding or detect_encoding(path, head, doubts)
    text = head.decode(encoding, "ignore")
    if len(head) == BLOCK:
        text = text.rpartition("\n")[0]  # Drop the last line, which may be incomplete.
    structure = detect_structure(text, given, functools.partial(_count_lines, path))
    doubts += structure.doubts
    found = ImportOptions(
        encoding=encoding,
        sep=structure.sep,
        quote='"',
        header=structure.header,
        skip_rows=structure.skip_rows,
        skip_footer=0,
    ).updated(given)
    if given.quote is None:
        quote = check_quotes(path, encoding, structure.sep, '"', doubts)
        found = dataclasses.replace(found, quote=quote)
    if given.skip_footer is None:
        footer = detect_footer(path, found, structure.rows, doubts)
        found = found.updated(ImportOptions(skip_footer=footer))
    columns = list(itertools.zip_longest(*structure.rows, fillvalue=""))
    if structure.rows and (doubt := _doubt_about_width(path, found, structure.rows)):
        doubts.append(doubt)
        found = dataclasses.replace(found, ragged=True)
    found = found.updated(_find_marks(path, found, columns, doubts))
    return Detection(found.updated(given), tuple(doubts))


def _count_lines(path: str | Path) -> int:
    with open(path, "rb") as file:
        return sum(map(count_lines, iter(lambda: file.read(BLOCK), b"")))


def _doubt_about_width(
    path: str | Path, options: ImportOptions, sample: list[list[str]]
) -> Doubt | None:
    """Return the question about a first row that has more values than there are names."""
    if options.ragged is not None or not options.header:
        return None
    try:
        # A wide file has fewer rows in the sample, because parsing them takes long.
        fitted(source_of(path, options), min(ROWS, len(sample)))
    except LineTooLong as error:
        question = _("Are the extra values columns without names?")
        return Doubt("ragged", f"{error.args[0]} {question}", (True,))
    return None


def _find_marks(
    path: str | Path,
    options: ImportOptions,
    columns: list[tuple[str, ...]],
    doubts: list[Doubt],
) -> ImportOptions:
    """Return how numbers and dates are written.

    If the first values do not show this, all values of their columns are read.
    """
    known = options.decimal or OTHER_MARK.get(options.thousands or "")
    marks = detect_marks(columns, options.sep or ",", known)
    decimal, thousands, doubt = marks.decimal, marks.thousands, marks.doubt
    dates, doubtful = date_columns(columns)
    if options.day_first is not None:
        doubtful = None
    order = options.day_first
    if marks.undecided or doubtful is not None:
        source = source_of(path, options)
        if marks.undecided and has_decimal_point(source, list(marks.undecided)):
            decimal, thousands, doubt = ".", "", None
        if doubtful is not None:
            order = date_order(source, dates)
            if order is None:
                question = _(
                    "Day or month first? %(date)s in the column %(column)s can be read in "
                    "both ways."
                ) % {
                    "date": first_difference(columns[doubtful]),
                    "column": _name(source.layout.names, doubtful),
                }
                doubts.append(Doubt("day_first", question, (True, False)))
    if doubt:
        doubts.append(doubt)
    return ImportOptions(decimal=decimal, thousands=thousands, day_first=order)


def _name(names: list[str], at: int) -> str:
    """Return the name of a column, which may be further right than all names."""
    return names[at] if at < len(names) else str(at + 1)
