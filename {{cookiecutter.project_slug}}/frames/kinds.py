"""Any DataFrame, as one that D-Tale can show, filter, sort and describe.

What works in D-Tale is left alone. The rest becomes the closest thing that does, and a
note says so: nothing is lost or changed in silence.
"""

import json
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from .column_names import unique_names
from .exceptions import FrameError

MAX_EXACT = 2**53  # The largest integer up to which a browser knows every other one.

NESTED = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)
NUMBERS = (int, float, np.number, np.bool_)

AS_JSON = _("lists and the like became text (JSON), since D-Tale cannot compare them.")
AS_TEXT = _(
    "values became their text, since they cannot be put in order; 1 and '1' look the "
    "same now."
)
BYTES = _("bytes became their text as Python writes it, since D-Tale shows text.")
SURROGATES = _("half characters that no file can hold became \\u escapes.")
LARGE = _("integers became decimals, since a browser would round those beyond 2**53.")
HUGE = _("integers became text, since they have more digits than a number may have.")
UTC = _(
    "times of several zones became the same moments in UTC, to be one kind of time."
)


class KindError(FrameError, ValueError):
    """D-Tale cannot show such a frame, or take such a value; the text says why."""

    title = _("D-Tale cannot show this")


@dataclass(frozen=True)
class Prepared:
    """A frame that D-Tale can show.

    Attributes:
        frame: ``pandas.DataFrame`` with a default index and unique strings as names.
        index: the names (list of str) of the columns that were the index.
        conversions: what was converted, a sentence (str) each.
    """

    frame: pd.DataFrame
    index: list = field(default_factory=list)
    conversions: list = field(default_factory=list)


def prepare(frame):
    """Make any frame into one that D-Tale can show.

    Args:
        frame: ``pandas.DataFrame``; it stays as it is, and shares its memory.

    Returns:
        Prepared

    Raises:
        KindError: a column holds values that cannot even become text.
    """
    names, index, conversions = unique_names(frame)
    # A plain DataFrame, whatever it was: a subclass may need what D-Tale does not give.
    frame = pd.DataFrame(frame).set_axis(names, axis="columns")
    if index:
        frame = frame.reset_index(names=index)
    else:
        frame.index = pd.RangeIndex(len(frame))
    converted, sure = {}, _sure(frame)
    for name in frame.columns:
        if name in sure:
            continue
        try:
            result = _convert(frame[name])
        except Exception as error:
            raise KindError(
                gettext(
                    "Column %(name)s holds %(kind)s that cannot be shown, not even as "
                    "text: %(error)s"
                )
                % {"name": name, "kind": frame[name].dtype, "error": error}
            ) from error
        if result is not None:
            frame[name], reason = result
            converted.setdefault(reason, []).append(name)
    for reason, columns in converted.items():
        conversions.append(f"{listed(columns)}: {reason}")
    return Prepared(frame, index, conversions)


def listed(columns):
    """Return the names of columns (list of str) as the beginning of a sentence."""
    names, more = ", ".join(columns[:5]), len(columns) - 5
    if more > 0:
        text = gettext("Columns %(names)s and %(more)s more")
        return text % {"names": names, "more": more}
    text = ngettext("Column %(names)s", "Columns %(names)s", len(columns))
    return text % {"names": names}


# Columns ------------------------------------------------------------------------------


def _sure(frame):
    """Return the names (set) of columns that stay as they are, without a look at each."""
    found, integers, nullable = set(), [], []
    for name, dtype in zip(frame.columns.to_numpy(object), frame.dtypes, strict=True):
        if isinstance(dtype, np.dtype):
            if dtype.kind in "bmM" or dtype == np.float64:
                found.add(name)
            elif dtype.kind == "i":
                integers.append(name)
        elif dtype in (pd.Int64Dtype(), pd.BooleanDtype()):
            nullable.append(name)
        elif isinstance(dtype, pd.StringDtype) and dtype.storage == "pyarrow":
            found.add(name)
    if len(frame):
        columns = frame[integers]
        exact = (columns.max() <= MAX_EXACT) & (columns.min() >= -MAX_EXACT)
        found.update(exact.index[exact])
        values = frame[nullable].to_numpy("float64", na_value=0)
        exact = np.abs(values).max(axis=0) < MAX_EXACT
        found.update(
            name for name, is_exact in zip(nullable, exact, strict=True) if is_exact
        )
    return found


def _convert(column):
    """Return another Series and the reason (str), or None: it can stay as it is."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return _convert_objects(column)
        if dtype.kind in "iu":
            return _exact(column)
        if dtype.kind == "f" and dtype.itemsize > 8:
            return column.astype("float64"), _("long floats became floats of 64 bits.")
        return None
    if isinstance(dtype, pd.ArrowDtype):
        return _convert_arrow(column)
    if isinstance(dtype, pd.CategoricalDtype):
        return _convert_categories(column)
    if isinstance(dtype, pd.IntervalDtype):
        intervals = pd.Categorical(column, ordered=True)
        return (
            pd.Series(intervals, column.index),
            _("intervals became categories of them: D-Tale takes them for integers."),
        )
    if isinstance(dtype, pd.SparseDtype):
        dense = column.sparse.to_dense()
        return (_convert(dense) or (dense,))[0], (
            _("its sparse values became ordinary ones, which D-Tale knows.")
        )
    if isinstance(dtype, pd.StringDtype):
        return _clean(column) if dtype.storage == "python" else None
    if isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)):
        return None
    if pd.api.types.is_integer_dtype(dtype):
        return _exact(column)
    if dtype.name.lower().startswith(("float", "bool")):
        return None
    reason = gettext("values of kind %(kind)s became their text.") % {"kind": dtype}
    return as_text(column.astype(object)), reason


def _exact(column):
    """Integers: a browser rounds the large ones."""
    if not len(column) or column.isna().all():
        return None
    if max(int(column.max()), -int(column.min())) <= MAX_EXACT:
        return None
    decimals = pa.array(column).cast(pa.decimal128(20, 0))
    return pd.Series(decimals, column.index, pd.ArrowDtype(decimals.type)), LARGE


def _decimals(column):
    """Return Python's integers as decimals of Arrow's, or as text, and the reason."""
    values = [None if pd.isna(each) else int(each) for each in column]
    digits = max(len(str(abs(each))) for each in values if each is not None)
    if digits > 76:  # Of Arrow's largest decimal.
        return column.map(str, na_action="ignore").astype("str"), HUGE
    kind = pa.decimal128(digits, 0) if digits <= 38 else pa.decimal256(digits, 0)
    return pd.Series(values, column.index, pd.ArrowDtype(kind)), LARGE


def _convert_arrow(column):
    kind = column.dtype.pyarrow_dtype
    if pa.types.is_integer(kind):
        return _exact(column)
    if pa.types.is_float64(kind):
        return column.astype("Float64"), _(
            "its floats of Arrow's became those of pandas."
        )
    if pa.types.is_dictionary(kind):
        made = pa.chunked_array(column.array.__arrow_array__()).to_pandas()
        made.index = column.index
        return (_convert(made) or (made,))[0], _("its dictionary became categories.")
    if not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or isinstance(kind, pa.BaseExtensionType)
    ):
        return None
    objects = pd.Series(column.to_list(), column.index, object)
    return _convert_objects(objects) or (objects, _("values became Python's objects."))


def _convert_categories(column):
    categories = pd.Series(column.cat.categories, dtype=column.cat.categories.dtype)
    if not pd.api.types.is_object_dtype(categories.dtype):
        return None  # They are shown as their text.
    result = _convert(categories)
    if result is None:
        return None
    converted, reason = result
    if converted.is_unique:
        return column.cat.rename_categories(converted.array), reason
    return _convert(column.astype(categories.dtype)) or (column, reason)


def _convert_objects(column):
    kind = pd.api.types.infer_dtype(column, skipna=True)
    match kind:
        case "string":
            return _clean(column)
        case "bytes":
            return column.map(str, na_action="ignore").astype("str"), BYTES
        case "integer":
            if max(abs(each) for each in column if not pd.isna(each)) > MAX_EXACT:
                return _decimals(column)
            return column.astype("Int64"), _(
                "integers became pandas' own kind of them."
            )
        case "floating":
            return column.astype("float64"), _(
                "floats became pandas' own kind of them."
            )
        case "datetime" | "datetime64":
            return _convert_datetimes(column)
        case "timedelta":
            try:
                durations = column.astype("timedelta64[us]")
            except (OverflowError, pd.errors.OutOfBoundsTimedelta):
                return as_text(column), _("durations became text: they are too long.")
            return durations, _("durations became pandas' own kind of them.")
        case "interval":
            intervals = pd.Series(pd.arrays.IntervalArray(column), column.index)
            return _convert(intervals)
    if not kind.startswith(("mixed", "unknown")):
        return None  # Dates, times, Decimals, Periods ...: D-Tale takes them for text.
    kinds = set(map(type, column[column.notna()]))
    if any(issubclass(each, NESTED) or each.__hash__ is None for each in kinds):
        return as_text(column), AS_JSON
    if _can_be_ordered(column, kinds):
        return None
    return as_text(column), AS_TEXT


def _convert_datetimes(column):
    try:
        return pd.to_datetime(column), _("times became pandas' own kind of them.")
    except (ValueError, TypeError):
        pass  # Not all of one zone.
    if all(each.tzinfo for each in column if not pd.isna(each)):
        return pd.to_datetime(column, utc=True), UTC
    return as_text(column), AS_TEXT


def _can_be_ordered(column, kinds):
    if all(issubclass(each, NUMBERS) for each in kinds):
        return True
    if len(kinds) > 1:
        return False
    try:
        column.dropna().min()
    except (TypeError, ValueError):
        return False
    return True


# Text ---------------------------------------------------------------------------------


def _clean(column):
    """Text: nothing to do, unless there is a character that UTF-8 does not have."""
    try:
        pa.array(column, pa.large_string(), from_pandas=True)
    except UnicodeEncodeError:
        return column.map(_encodable, na_action="ignore").astype("str"), SURROGATES
    return None


def _encodable(text):
    return text.encode("utf-8", "backslashreplace").decode()


def as_text(column):
    """Return any values as text: nested ones as JSON."""
    values = [None if _is_missing(each) else _written(each) for each in column]
    return pd.Series(values, column.index, "str")


def _is_missing(value):
    return not isinstance(value, NESTED) and pd.isna(value) is True


def _written(value):
    if isinstance(value, (list, tuple, dict, np.ndarray)):
        try:
            value = json.dumps(value, ensure_ascii=False, default=_plain)
        except (TypeError, ValueError, RecursionError):
            pass  # Keys that are no text, or a list that holds itself.
    return _encodable(str(value))


def _plain(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return list(value) if isinstance(value, (set, frozenset)) else str(value)
