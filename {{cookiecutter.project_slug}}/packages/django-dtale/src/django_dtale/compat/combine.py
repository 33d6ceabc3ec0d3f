"""Join tables with the same columns into one table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from django.utils.translation import gettext, ngettext

from ..exceptions import SourceError
from .dtypes import DisplayableFrame, as_text
from .notes import format_columns


def combine(
    tables: Sequence[tuple[str, DisplayableFrame]], source: str = ""
) -> DisplayableFrame:
    """Return one table with the rows of all tables.

    Args:
        tables: the title and the data of each table.
        source: the name of an additional column, with the title of the table that each
            row comes from. If the tables have a column of this name, a number is added.
            If it is empty, there is no such column.

    Raises:
        SourceError: the tables have different columns.
    """
    _, first = tables[0]
    names = first.frame.columns.tolist()
    for title, each in tables[1:]:
        _check_columns(tables[0][0], names, title, each.frame.columns.tolist())
    while source in names:
        source = f"{source}_2"
    columns, as_texts = {}, []
    if source:
        counts = [len(each.frame) for _, each in tables]
        titles = pd.Categorical.from_codes(
            np.repeat(np.arange(len(tables)), counts),
            dtype=pd.CategoricalDtype(_unique([title for title, _ in tables])),
        )
        columns[source] = pd.Series(titles)
    for name in names:
        parts = [each.frame[name] for _, each in tables]
        columns[name], is_text = _concatenate(parts)
        if is_text:
            as_texts.append(name)
    notes = _notes(tables)
    if as_texts:
        text = gettext(
            "values were converted to text, because their types are not the same in "
            "all tables."
        )
        notes.append(f"{format_columns(as_texts)}: {text}")
    return DisplayableFrame(pd.DataFrame(columns, copy=False), first.index, notes)


def _check_columns(first, names, title, others):
    if sorted(names) == sorted(others):
        return
    missing = [name for name in names if name not in others]
    more = [name for name in others if name not in names]
    only, where, other = (missing, first, title) if missing else (more, title, first)
    text = ngettext(
        "The tables cannot be opened as one, because their columns are not the same: "
        "only %(where)s, but not %(other)s, has the column %(columns)s. Open them as "
        "tables of their own, or choose others.",
        "The tables cannot be opened as one, because their columns are not the same: "
        "only %(where)s, but not %(other)s, has the columns %(columns)s. Open them as "
        "tables of their own, or choose others.",
        len(only),
    )
    columns = ", ".join(only[:5]) + ("…" if len(only) > 5 else "")
    raise SourceError(text % {"where": where, "other": other, "columns": columns})


def _unique(titles):
    """Return the titles, with numbers added to duplicates."""
    made: list[str] = []
    for title in titles:
        number, each = 1, title
        while each in made:
            number += 1
            each = f"{title} ({number})"
        made.append(each)
    return made


def _notes(tables):
    """Return notes common to all tables once, and others with their table's title."""
    common = set.intersection(*(set(each.conversions) for _, each in tables))
    notes = [note for note in tables[0][1].conversions if note in common]
    return notes + [
        f"{title}: {note}" if title else note
        for title, each in tables
        for note in each.conversions
        if note not in common
    ]


def _concatenate(parts: list[pd.Series]) -> tuple[pd.Series, bool]:
    """Join the parts of a column.

    Returns:
        The column, and whether it was converted to text.
    """
    filled = [part for part in parts if part.notna().any()]
    kinds = {_kind(part) for part in filled}
    is_text = len(kinds) > 1
    if is_text:
        filled = [as_text(part) for part in parts]
    elif kinds == {"number"} and len({part.dtype for part in filled}) > 1:
        # Larger integers are stored as decimals, so floats represent these exactly.
        filled = [part.astype("Float64") for part in filled]
    # A part without values has an arbitrary type.
    column = pd.concat(filled or parts, ignore_index=True)
    if filled and len(column) < sum(map(len, parts)):
        column = _with_gaps(column, parts)
    return column, is_text


def _with_gaps(column, parts):
    """Insert missing values for the parts that contain no values."""
    has_values = np.repeat(
        [bool(part.notna().any()) for part in parts], [len(part) for part in parts]
    )
    places = np.where(has_values, np.cumsum(has_values) - 1, -1)
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "ib":
        column = column.astype("boolean" if column.dtype.kind == "b" else "Int64")
    taken = pd.api.extensions.take(column.array, places, allow_fill=True)
    return pd.Series(taken)


def _kind(column):
    types = pd.api.types
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return dtype
    if types.is_bool_dtype(dtype):
        return "boolean"
    if types.is_numeric_dtype(dtype):
        return "complex" if types.is_complex_dtype(dtype) else "number"
    if isinstance(dtype, np.dtype) and dtype.kind == "M":
        return "date"
    if types.is_string_dtype(dtype) and not types.is_object_dtype(dtype):
        return "text"
    return dtype
