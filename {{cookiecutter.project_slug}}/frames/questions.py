"""How an uploaded file is to be read: what is known of it, what has to be asked."""

import csv
from pathlib import Path

import pandas as pd
from django.core.files.temp import NamedTemporaryFile
from django.utils.translation import gettext

from .csv_format import detect, first_rows
from .files import read_file, sheet_names

ROWS = 10  # Of a preview.
SHOWN = 100  # Characters of a value in it.


def question_about(path, name):
    """Return what is known of a file (path, name: str), None if nothing is to be asked.

    Files that cannot be read raise nothing here: ``read_file`` says why.

    Returns:
        dict: ``options`` of ``read_file``, as they are thought to be; ``doubts``, what
        is not sure, a sentence (str) each; and the names of a workbook's ``sheets``.
    """
    suffix = Path(name).suffix.lower()
    if suffix in (".csv", ".tsv"):
        found = detect(path, "\t" if suffix == ".tsv" else None)
        return {"options": found.options, "doubts": list(found.doubts)}
    if suffix in (".xlsx", ".xlsm", ".xls"):
        try:
            sheets = sheet_names(path)
        except Exception:  # Of calamine's own.
            return None
        if sheets:
            several = [gettext("It has several sheets: one of them can be opened.")]
            return {
                "options": {"sheet": sheets[0]},
                "doubts": several if len(sheets) > 1 else [],
                "sheets": sheets,
            }
    return None


def preview(path, name, options):
    """Read the beginning of a file as it would be read.

    Returns:
        tuple: the columns, each with its name and what it holds (list of tuple of
        str), and the first rows (list of list of str).

    Raises:
        SourceError: it cannot be read in this way.
    """
    if "sep" not in options:
        frame = read_file(path, name=name, **options)
    else:
        # Whole rows, decoded as well as can be.
        sep = options["sep"]
        with NamedTemporaryFile(suffix=".csv") as file:
            with open(file.name, "w", encoding="utf-8", newline="") as target:
                rows = first_rows(path, options["encoding"], sep)
                csv.writer(target, delimiter=sep).writerows(rows)
            options = {**options, "encoding": "utf-8"}
            frame = read_file(file.name, name=name, **options)
    columns = [
        (str(name)[:SHOWN], _kind(dtype)) for name, dtype in frame.dtypes.items()
    ]
    head = frame.head(ROWS).astype(object)
    return columns, [list(map(_shown, row)) for row in head.to_numpy()]


def _shown(cell):
    if cell is None or pd.isna(cell) is True:
        return ""
    return str(cell).removesuffix(" 00:00:00")[:SHOWN]  # Of a day.


def _kind(dtype):
    types = pd.api.types
    if types.is_bool_dtype(dtype):
        return gettext("true or false")
    if types.is_numeric_dtype(dtype):
        return gettext("numbers")
    if types.is_datetime64_any_dtype(dtype):
        return gettext("dates")
    return gettext("text")
