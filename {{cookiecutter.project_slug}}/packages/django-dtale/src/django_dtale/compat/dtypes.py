"""Convert any DataFrame to one that D-Tale can show, filter, sort and describe.

Columns of types that D-Tale supports stay unchanged. Other columns are converted to the
closest supported type, and each conversion is recorded, so that no data are changed
silently.
"""

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ..exceptions import FrameError
from .columns import deduplicate_names
from .notes import KEY, format_columns, notes_of

MAX_EXACT = 2**53  # JavaScript represents integers up to this one exactly.

NESTED = (list, tuple, dict, set, frozenset, np.ndarray, pd.Series, pd.DataFrame)
NUMBERS = (int, float, np.number, np.bool_)

AS_JSON = _(
    "lists and similar values were converted to text (JSON), because "
    "D-Tale cannot compare them."
)
AS_TEXT = _(
    "values were converted to text, because they have no order. The number 1 and the "
    "text '1' look the same now."
)
BYTES = _(
    "bytes were converted to text in Python's notation, because D-Tale shows text."
)
SURROGATES = _(
    "incomplete characters (lone surrogates) were replaced with \\u escapes."
)
LARGE = _(
    "integers were converted to decimals, because browsers would round "
    "values beyond 2**53."
)
HUGE = _("integers were converted to text, because they have too many digits.")
UTC = _("times of several time zones were converted to UTC.")


class UnsupportedDtype(FrameError, ValueError):
    """D-Tale cannot show a frame or accept a value. The message gives the reason."""

    title = _("D-Tale cannot display this")


@dataclass(frozen=True)
class DisplayableFrame:
    """A frame that D-Tale can show.

    Attributes:
        frame: the data, with a default index and unique strings as column names.
        index: the names of the columns that replace the index of the original.
        conversions: sentences that describe the conversions.
    """

    frame: pd.DataFrame
    index: list[str] = field(default_factory=list)
    conversions: list[str] = field(default_factory=list)


def make_displayable(frame: pd.DataFrame) -> DisplayableFrame:
    """Convert any frame to one that D-Tale can show.

    Args:
        frame: the original, which stays unchanged. The result shares its memory.

    Raises:
        UnsupportedDtype: a column contains values that cannot be converted to text.
    """
    names, index, renamed = deduplicate_names(frame)
    conversions = notes_of(frame) + renamed
    # Make a plain DataFrame: subclasses may need attributes that D-Tale does not keep.
    frame = pd.DataFrame(frame).set_axis(names, axis="columns")
    frame.attrs.pop(KEY, None)
    if index:
        frame = frame.reset_index(names=index)
    else:
        frame.index = pd.RangeIndex(len(frame))
    converted: dict[object, list[str]] = {}
    displayable = _displayable_columns(frame)
    for name in frame.columns.tolist():
        if name in displayable:
            continue
        try:
            result = _convert(frame[name])
        except Exception as error:
            raise UnsupportedDtype(
                gettext(
                    "Column %(name)s contains values of type %(kind)s that cannot be "
                    "converted to text: %(error)s"
                )
                % {"name": name, "kind": frame[name].dtype, "error": error}
            ) from error
        if result is not None:
            frame[name], reason = result
            converted.setdefault(reason, []).append(name)
    for reason, columns in converted.items():
        conversions.append(f"{format_columns(columns)}: {reason}")
    return DisplayableFrame(frame, index, conversions)


# Columns ------------------------------------------------------------------------------


def _displayable_columns(frame: pd.DataFrame) -> set:
    """Return the names of columns that pass a quick check and need no conversion."""
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


def _convert(column: pd.Series) -> tuple[pd.Series, Any] | None:
    """Return the converted column and the reason, or None if it can stay unchanged."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return _convert_objects(column)
        if dtype.kind in "iu":
            return _convert_large_integers(column)
        if dtype.kind == "f" and dtype.itemsize > 8:
            return column.astype("float64"), _(
                "extended-precision floats were converted to 64-bit floats."
            )
        return None
    if isinstance(dtype, pd.ArrowDtype):
        return _convert_arrow(column)
    if isinstance(dtype, pd.CategoricalDtype):
        return _convert_categories(column)
    if isinstance(dtype, pd.IntervalDtype):
        intervals = pd.Categorical(column, ordered=True)
        return (
            pd.Series(intervals, column.index),
            _(
                "intervals were converted to categories, because D-Tale would treat "
                "them as integers."
            ),
        )
    if isinstance(dtype, pd.SparseDtype):
        dense = column.sparse.to_dense()
        return (_convert(dense) or (dense,))[0], (
            _(
                "sparse values were converted to dense values, because D-Tale does "
                "not support sparse ones."
            )
        )
    if isinstance(dtype, pd.StringDtype):
        return _escape_surrogates(column) if dtype.storage == "python" else None
    if isinstance(dtype, (pd.DatetimeTZDtype, pd.PeriodDtype)):
        return None
    if pd.api.types.is_integer_dtype(dtype):
        return _convert_large_integers(column)
    if dtype.name.lower().startswith(("float", "bool")):
        return None
    reason = gettext("values of type %(kind)s were converted to text.") % {
        "kind": dtype
    }
    return as_text(column.astype(object)), reason


def _convert_large_integers(column):
    """Convert a column of integers to decimals if browsers would round some of them."""
    if not len(column) or column.isna().all():
        return None
    if max(int(column.max()), -int(column.min())) <= MAX_EXACT:
        return None
    decimals = pa.array(column).cast(pa.decimal128(20, 0))
    return pd.Series(decimals, column.index, pd.ArrowDtype(decimals.type)), LARGE


def _integers_to_decimals(column):
    """Convert Python integers to Arrow decimals or text, and return the reason, too."""
    values = [None if pd.isna(each) else int(each) for each in column]
    digits = max(len(str(abs(each))) for each in values if each is not None)
    if digits > 76:  # Arrow's decimals have at most 76 digits.
        return column.map(str, na_action="ignore").astype("str"), HUGE
    kind = pa.decimal128(digits, 0) if digits <= 38 else pa.decimal256(digits, 0)
    return pd.Series(values, column.index, pd.ArrowDtype(kind)), LARGE


def _convert_arrow(column):
    kind = column.dtype.pyarrow_dtype
    if pa.types.is_integer(kind):
        return _convert_large_integers(column)
    if pa.types.is_float64(kind):
        return column.astype("Float64"), _(
            "Arrow floats were converted to pandas floats."
        )
    if pa.types.is_dictionary(kind):
        made = pa.chunked_array(column.array.__arrow_array__()).to_pandas()
        made.index = column.index
        return (_convert(made) or (made,))[0], _(
            "an Arrow dictionary was converted to categories."
        )
    if not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or isinstance(kind, pa.BaseExtensionType)
    ):
        return None
    objects = pd.Series(column.to_list(), column.index, object)
    return _convert_objects(objects) or (
        objects,
        _("values were converted to Python objects."),
    )


def _convert_categories(column):
    categories = pd.Series(column.cat.categories, dtype=column.cat.categories.dtype)
    if not pd.api.types.is_object_dtype(categories.dtype):
        return None  # D-Tale shows the categories as text.
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
            return _escape_surrogates(column)
        case "bytes":
            return column.map(str, na_action="ignore").astype("str"), BYTES
        case "integer":
            if max(abs(each) for each in column if not pd.isna(each)) > MAX_EXACT:
                return _integers_to_decimals(column)
            return column.astype("Int64"), _(
                "integers were converted to pandas integers."
            )
        case "floating":
            return column.astype("float64"), _(
                "floats were converted to pandas floats."
            )
        case "datetime" | "datetime64":
            return _convert_datetimes(column)
        case "timedelta":
            try:
                durations = column.astype("timedelta64[us]")
            except (OverflowError, pd.errors.OutOfBoundsTimedelta):
                return as_text(column), _(
                    "durations were converted to text, because they are too long."
                )
            return durations, _("durations were converted to pandas durations.")
        case "interval":
            intervals = pd.Series(pd.arrays.IntervalArray(column), column.index)
            return _convert(intervals)
    if not kind.startswith(("mixed", "unknown")):
        return None  # D-Tale treats dates, times, Decimals, Periods and so on as text.
    kinds = set(map(type, column[column.notna()]))
    if any(issubclass(each, NESTED) or each.__hash__ is None for each in kinds):
        return as_text(column), AS_JSON
    if _can_be_ordered(column, kinds):
        return None
    return as_text(column), AS_TEXT


def _convert_datetimes(column):
    try:
        return pd.to_datetime(column), _("times were converted to pandas timestamps.")
    except (ValueError, TypeError):
        pass  # The times have several time zones.
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


def _escape_surrogates(column):
    """Escape lone surrogates, which UTF-8 cannot encode. Return None if none exist."""
    try:
        pa.array(column, pa.large_string(), from_pandas=True)
    except UnicodeEncodeError:
        return column.map(_escape, na_action="ignore").astype("str"), SURROGATES
    return None


def _escape(text):
    return text.encode("utf-8", "backslashreplace").decode()


def as_text(column: pd.Series) -> pd.Series:
    """Return values of any type as text. Nested values become JSON."""
    values = [None if _is_missing(each) else _stringify(each) for each in column]
    return pd.Series(values, column.index, "str")


def _is_missing(value):
    return not isinstance(value, NESTED) and pd.isna(value) is True


def _stringify(value):
    if isinstance(value, (list, tuple, dict, np.ndarray)):
        # JSON supports neither keys such as tuples nor lists that contain themselves.
        with contextlib.suppress(TypeError, ValueError, RecursionError):
            value = json.dumps(value, ensure_ascii=False, default=_to_json)
    return _escape(str(value))


def _to_json(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return list(value) if isinstance(value, (set, frozenset)) else str(value)
