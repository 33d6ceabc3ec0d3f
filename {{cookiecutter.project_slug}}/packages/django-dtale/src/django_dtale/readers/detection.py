"""Detect the import options of a file of any format."""

import csv
import dataclasses
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import python_calamine
from django.utils.translation import gettext as _

from ..exceptions import FrameError
from .archives import extract_single, is_zip, member_names
from .doubts import Detection, Doubt, ragged_named, refusal
from .files import Progress, read_file
from .options import ImportOptions
from .parsers.header_rows import find_header
from .parsers.sheets import list_sheets, load_sheet
from .sniffer import sniff

# Errors of files that cannot be read. ``read_file`` explains them.
UNREADABLE = (
    *(FrameError, OSError, LookupError, ValueError, csv.Error, zipfile.BadZipFile),
    *(pa.ArrowException, python_calamine.CalamineError),
)


def detect(
    path: str | Path, name: str, given: ImportOptions | None = None
) -> Detection:
    """Return the import options of a file.

    Unreadable files raise no exception here, because ``read_file`` explains the error.

    Args:
        name: its extension determines the format.
        given: the options that are already known. They cause no doubts.
    """
    given = given or ImportOptions()
    detector = DETECTORS.get(Path(name).suffix.lower())
    try:
        if is_zip(name):
            return _detect_member(path, name, given)
        found = detector(path, given) if detector else Detection()
    except UNREADABLE:
        return Detection(given)
    return Detection(
        found.options.updated(given),
        tuple(doubt for doubt in found.doubts if not given.is_given(doubt.option)),
        found.sheets,
        found.members,
    )


def read_certain(
    path: str | Path,
    options: ImportOptions | None = None,
    progress: Progress | None = None,
    name: str | None = None,
    style: str = "code",
) -> pd.DataFrame:
    """Read a file whose options are given, or can be detected with certainty.

    Args:
        options, progress, name: see ``read_file``.
        style: see ``refusal``.

    Raises:
        SourceError: the file cannot be read, or can be read in several ways.
    """
    path = Path(path)
    name = name or path.name
    found = detect(path, name, options)
    if found.doubts:
        raise refusal(name, found.doubts, style)
    with ragged_named(style):
        return read_file(path, found.options, progress, name)


def _detect_member(path: str | Path, name: str, given: ImportOptions) -> Detection:
    members = tuple(member_names(path, name))
    if given.member is None and len(members) > 1:
        text = _("The archive contains several files. Choose the one to open.")
        options = dataclasses.replace(given, member=members[0])
        return Detection(options, (Doubt("member", text, members),), members=members)
    with extract_single(path, name, member=given.member) as (path, name):
        return dataclasses.replace(detect(path, name, given), members=members)


def _detect_text(path: str | Path, given: ImportOptions) -> Detection:
    return sniff(path, given)


def _detect_tabs(path: str | Path, given: ImportOptions) -> Detection:
    return sniff(path, ImportOptions(sep="\t").updated(given))


def _detect_sheet(path: str | Path, given: ImportOptions) -> Detection:
    sheets = list_sheets(path)
    names = sheets.shown or sheets.hidden
    if given.sheet is None and len(names) > 1:
        text = _("The workbook has several sheets. Choose the one to open.")
        doubt = Doubt("sheet", text, sheets.names)
        return Detection(ImportOptions(sheet=names[0]), (doubt,), sheets.names)
    name = names[0] if given.sheet is None else given.sheet
    header = find_header(load_sheet(path, name, keep=True))
    doubts: tuple[Doubt, ...] = ()
    if header.others:
        text = _("Which row contains the names of the columns?")
        doubts = (Doubt("header", text, (header.rows, *header.others)),)
    # If there are several sheets, the user may choose another one, whose header may be
    # in another row.
    rows = None if given.sheet is None and len(sheets.names) > 1 else header.rows
    return Detection(ImportOptions(sheet=name, header=rows), doubts, sheets.names)


DETECTORS: dict[str, Callable[[str | Path, ImportOptions], Detection]] = {
    ".csv": _detect_text,
    ".tsv": _detect_tabs,
    **dict.fromkeys([".xlsx", ".xlsm", ".xls"], _detect_sheet),
}
