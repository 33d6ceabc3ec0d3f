"""Convert columns to the types that people have chosen for them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..compat.notes import add_note
from ..exceptions import SourceError
from ..formats import format_number
from . import inference
from .arrow import to_pandas
from .inference import USUAL, Rules

KEY = "django_dtale_misfits"  # The key in ``DataFrame.attrs``.

TRUE = pa.array("true yes y t 1 on ja j wahr".split())
FALSE = pa.array("false no n f 0 off nein falsch".split())
INTEGER = r"^-?[0-9]{1,18}$"
NUMBER = r"^-?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?$"
ISO = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?)?$"


@dataclass(frozen=True)
class Misfits:
    """The values of a column that do not fit its type. They became missing values.

    Attributes:
        column, kind: the name of the column, and its type.
        count: the number of values.
        row: the position of the first one, from 0.
        value: the first one.
        line: its line in the file, if that is known.
    """

    column: str
    kind: str
    count: int
    row: int
    value: str
    line: int | None = None

    def __str__(self) -> str:
        place = _("row %(row)s") % {"row": format_number(self.row + 1)}
        if self.line is not None:
            place = _("line %(line)s") % {"line": format_number(self.line)}
        return ngettext(
            "%(count)s value of the column %(column)s does not fit the type %(type)s: "
            "%(value)s in %(place)s.",
            "%(count)s values of the column %(column)s do not fit the type %(type)s. "
            "The first one is %(value)s in %(place)s.",
            self.count,
        ) % {
            "count": format_number(self.count),
            "column": self.column,
            "type": self.kind,
            "value": self.value[:60],
            "place": place,
        }


def convert(
    texts: pa.ChunkedArray, kind: str, rules: Rules = USUAL
) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None]:
    """Convert a column of text to a type.

    Args:
        kind: one of ``options.TYPES``, or "date:" and a format.

    Returns:
        The converted column, and a mask of the values that do not fit, or None if all
        values fit.
    """
    if kind == "text":
        return texts, None
    if kind == "category":
        return texts.dictionary_encode(), None
    words = inference._clean(texts)
    name, __, form = kind.partition(":")
    made = CONVERSIONS[name](words, form or rules)
    misfits = pc.and_(pc.is_valid(words), pc.is_null(made))
    return made, misfits if inference._any(misfits) else None


def describe(
    column: str, kind: str, texts: pa.ChunkedArray, misfits: pa.ChunkedArray
) -> Misfits:
    """Return the description of values that do not fit."""
    row = pc.index(misfits, True).as_py()
    count = pc.sum(misfits).as_py()
    return Misfits(column, kind, count, row, texts[row].as_py())


def apply_types(frame: pd.DataFrame, types: Any, rules: Rules = USUAL) -> pd.DataFrame:
    """Convert columns of a frame to the types that were chosen for them."""
    found = []
    for at, name in enumerate(frame.columns):
        kind = types.get(str(name))
        if kind is None:
            continue
        column = frame.iloc[:, at]
        texts = [None if pd.isna(value) is True else str(value) for value in column]
        array = pa.chunked_array([pa.array(texts, pa.string())])
        made, misfits = convert(array, kind, rules)
        if misfits is not None:
            found.append(describe(str(name), kind, array, misfits))
        series = to_pandas(pa.table([made], names=["column"]))["column"]
        frame.isetitem(at, series.set_axis(frame.index))
    frame.attrs[KEY] = found
    return frame


def settle(frame: pd.DataFrame, name: str, are_refused: bool) -> None:
    """Refuse values that do not fit their types, or note that they are missing now.

    Raises:
        SourceError: there are such values, and they are refused.
    """
    found: Iterable[Misfits] = frame.attrs.pop(KEY, ())
    if found and are_refused:
        text = _("%(file)s was not read: %(problems)s Choose another type.")
        problems = " ".join(map(str, found))
        raise SourceError(text % {"file": name, "problems": problems})
    for misfits in found:
        text = _("%(misfits)s They are missing values now.")
        add_note(frame, text % {"misfits": misfits})


# Conversions: values that do not fit become null --------------------------------------


def _plain(words, rules):
    if not rules.are_usual:
        plain = (
            pc.match_substring_regex(words, NUMBER) if rules.decimal == "." else None
        )
        points = inference._with_point(words, rules)
        words = points if plain is None else pc.if_else(plain, words, points)
    return pc.replace_substring_regex(words, r"^\+", "")


def _fitting(words, pattern, kind):
    fits = pc.match_substring_regex(words, pattern)
    return pc.if_else(fits, words, pa.scalar(None, words.type)).cast(kind)


def _integers(words, rules):
    whole = pc.replace_substring_regex(_plain(words, rules), r"\.0*$", "")
    return _fitting(whole, INTEGER, pa.int64())


def _floats(words, rules):
    return _fitting(_plain(words, rules), NUMBER, pa.float64())


def _booleans(words, rules):
    lower = pc.utf8_lower(words)
    is_true, is_false = (pc.is_in(lower, value_set=each) for each in (TRUE, FALSE))
    return pc.if_else(pc.or_(is_true, is_false), is_true, None)


def _dates(words, form):
    if isinstance(form, str):
        return pc.strptime(words, format=form, unit="us", error_is_null=True)
    rules, best = form, None
    for made in (
        _fitting(words, ISO, pa.timestamp("us")),
        *(
            pc.strptime(words, format=pattern + time, unit="us", error_is_null=True)
            for time in inference.TIMES
            for pattern in _patterns(rules.day_first)
        ),
    ):
        if best is None or made.null_count < best.null_count:
            best = made
    return best


def _patterns(day_first):
    yield from inference.DATES
    for pair in inference.AMBIGUOUS_DATES:
        yield from pair if day_first is not False else reversed(pair)


CONVERSIONS: dict[str, Callable[[Any, Any], Any]] = {
    "integer": _integers,
    "number": _floats,
    "boolean": _booleans,
    "date": _dates,
}
