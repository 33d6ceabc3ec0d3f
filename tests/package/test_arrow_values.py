"""Parquet and Feather files, and Arrow tables, are read without changing any value."""

import datetime
import math
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_dtale.compat.dtypes import make_displayable
from django_dtale.readers.dataframe import SourceError, read_file, to_dataframe

# The oldest supported versions show UUIDs as bytes, and cannot read lists of a fixed size
# with gaps from Parquet.
pytestmark = pytest.mark.skipif(
    int(pa.__version__.partition(".")[0]) < 26,
    reason="this version of pyarrow cannot write or read all of these types itself",
)
BIG = 9007199254740993  # 2**53 + 1: a float cannot represent it.

INTEGERS = {
    kind: (0 if kind.__str__().startswith("u") else -(2 ** (kind.bit_width - 1)), bits)
    for kind, bits in (
        *((pa.int8(), 7), (pa.int16(), 15), (pa.int32(), 31), (pa.int64(), 63)),
        *((pa.uint8(), 8), (pa.uint16(), 16), (pa.uint32(), 32), (pa.uint64(), 64)),
    )
}
SECONDS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# Python's datetimes include this range of seconds.
YEARS = -62_000_000_000, 250_000_000_000


def numbers(low, high):
    edges = [each for each in (BIG, -BIG, low, high, 0) if low <= each <= high]
    return st.sampled_from(edges) | st.integers(low, high)


def leaves():
    """Return pairs of a type and a strategy for its values."""
    pairs = [
        (kind, numbers(low, 2**bits - 1)) for kind, (low, bits) in INTEGERS.items()
    ]
    pairs += [(pa.int64(), numbers(-(2**63), 2**63 - 1))] * 3
    for unit, each in SECONDS.items():
        low, high = (number * each for number in YEARS)
        if unit == "ns":
            # Local times have to be in the range of a timestamp, too.
            low, high = -(2**63) + 10**14, 2**63 - 10**14
        for zone in (None, "UTC", "Europe/Berlin"):
            pairs.append((pa.timestamp(unit, zone), numbers(low, high)))
        pairs.append((pa.duration(unit), numbers(low, high)))
    texts = st.sampled_from(["", "x", "ü", "007", "a\0b"])
    return [
        *pairs,
        (pa.float64(), st.floats()),
        (pa.float32(), st.floats(width=32)),
        (pa.bool_(), st.booleans()),
        *((kind, texts) for kind in (pa.string(), pa.large_string())),
        (pa.binary(), st.binary(max_size=3)),
        (pa.decimal128(38, 2), st.decimals(-(10**30), 10**30, places=2)),
        (pa.decimal256(70, 2), st.decimals(-(10**30), 10**30, places=2)),
        (pa.date32(), numbers(-700_000, 2_900_000)),
        (pa.time32("ms"), st.integers(0, 86_399_999)),
        (pa.time64("us"), st.integers(0, 86_399_999_999)),
    ]


@st.composite
def kinds(draw, depth=2):
    """Return an Arrow type and a strategy for its values."""
    make = draw(st.integers(0, 6)) if depth else 0
    if make < 2:
        kind, values = draw(st.sampled_from(leaves()))
    elif make == 5:
        parts = [draw(kinds(depth - 1)) for _ in range(draw(st.integers(1, 2)))]
        kind = pa.struct([(f"f{at}", part) for at, (part, _) in enumerate(parts)])
        values = st.fixed_dictionaries(
            {f"f{at}": part for at, (_, part) in enumerate(parts)}
        )
    else:
        inner, value = draw(kinds(depth - 1))
        values = st.lists(value, max_size=3)
        match make:
            case 2 | 3:
                kind = draw(st.sampled_from([pa.list_, pa.large_list]))(inner)
            case 4:
                kind, values = (
                    pa.list_(inner, 2),
                    st.lists(value, min_size=2, max_size=2),
                )
            case 6:
                kind = pa.map_(pa.string(), inner)
                keys = st.sampled_from("kl")
                values = st.lists(st.tuples(keys, value), max_size=2)
    return kind, st.none() | values


@st.composite
def tables(draw):
    rows = draw(st.integers(1, 5))
    columns = {}
    for at in range(draw(st.integers(1, 3))):
        kind, values = draw(kinds())
        given = draw(st.lists(values, min_size=rows, max_size=rows))
        columns[f"c{at}"] = pa.array(given, kind)
    return pa.table(columns)


def is_same(found, expected):
    """Return whether a cell has exactly the value of pyarrow's ``to_pylist``."""
    if expected is None or (isinstance(expected, float) and math.isnan(expected)):
        return not isinstance(found, list | dict) and bool(np.all(pd.isna(found)))
    match expected:
        case list():
            found = found.tolist() if isinstance(found, np.ndarray) else found
            return len(found) == len(expected) and all(map(is_same, found, expected))
        case tuple():
            return isinstance(found, tuple) and is_same([*found], [*expected])
        case dict():
            return list(found) == list(expected) and is_same(
                [*found.values()], [*expected.values()]
            )
        case bool():
            return isinstance(found, bool | np.bool_) and found == expected
        case int():
            return isinstance(found, int | np.integer) and int(found) == expected
        case float():
            return isinstance(found, float | np.floating) and found == expected
        case datetime.datetime():
            return pd.Timestamp(found) == pd.Timestamp(expected) and (
                str(found.tzinfo) == str(expected.tzinfo)
            )
        case datetime.date():
            return str(found).removesuffix(" 00:00:00") == str(expected)
        case datetime.timedelta():
            return pd.Timedelta(found) == pd.Timedelta(expected)
    return type(found) is type(expected) and found == expected


def cells(frame):
    return [frame.iloc[:, at].tolist() for at in range(frame.shape[1])]


WRITERS = {
    "parquet": pyarrow.parquet.write_table,
    "feather": pyarrow.feather.write_feather,
}


@pytest.fixture(scope="module", params=WRITERS)
def written(request, tmp_path_factory):
    """Return a function that writes a table and returns its path and its content."""
    path = tmp_path_factory.mktemp("arrow") / f"a.{request.param}"

    def written(table):
        WRITERS[request.param](table, path)
        read = {"parquet": pyarrow.parquet, "feather": pyarrow.feather}
        return path, read[request.param].read_table(path)

    return written


@given(tables())
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_cell_equals_that_of_pyarrow(written, table):
    path, stored = written(table)
    frame = read_file(path)
    assert list(frame.columns) == stored.column_names
    for found, column in zip(cells(frame), stored.columns, strict=True):
        expected = column.to_pylist()
        assert is_same(found, expected), (found, expected, column.type)


NESTED = {
    "list": ([[BIG, None], None], pa.list_(pa.int64())),
    "list of lists": ([[[BIG], None]], pa.list_(pa.list_(pa.int64()))),
    "struct": ([{"a": BIG}, {"a": None}], pa.struct([("a", pa.int64())])),
    "map": ([[("k", BIG), ("l", None)]], pa.map_(pa.string(), pa.int64())),
    "structs in a list": ([[{"a": BIG}, None]], pa.list_(pa.struct({"a": pa.int64()}))),
    "list of uint64": ([[2**64 - 1, None]], pa.list_(pa.uint64())),
    "decimals": ([[Decimal("9007199254740993.10")]], pa.list_(pa.decimal128(20, 2))),
}


@pytest.mark.parametrize("name", NESTED)
def test_nested_9007199254740993_is_exact(written, name):
    values, kind = NESTED[name]
    path, _ = written(pa.table({"a": pa.array(values, kind)}))
    frame = read_file(path)
    assert is_same(frame["a"].tolist(), values)
    [text, *_] = make_displayable(frame).frame["a"]
    assert str(2**64 - 1 if "uint64" in name else BIG) in text


@pytest.mark.parametrize("kind", [pa.int64(), pa.uint64(), pa.int32(), pa.bool_()])
def test_integers_with_missing_values_are_exact(written, kind):
    value = {pa.int32(): 1, pa.bool_(): True}.get(kind, BIG)
    values = [value, None]
    path, _ = written(pa.table({"a": pa.array(values, kind)}))
    assert is_same(read_file(path)["a"].tolist(), values)


ZONED = pa.timestamp("ns", "Europe/Berlin")
STORAGE = pa.array([BIG, None])


def dictionary(values, kind=None):
    return pa.DictionaryArray.from_arrays(
        pa.array([0, 1, None]), pa.array(values, kind)
    )


# Each case has a column, and its values as text.
UNUSUAL = {
    "bool8": (
        pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, None], pa.int8())),
        ["True", None],
    ),
    "extension of integers": (
        pa.ExtensionArray.from_storage(pa.opaque(pa.int64(), "a", "b"), STORAGE),
        [str(BIG), None],
    ),
    "tensors": (
        pa.ExtensionArray.from_storage(
            pa.fixed_shape_tensor(pa.int64(), [2]),
            pa.array([[BIG, 1], None], pa.list_(pa.int64(), 2)),
        ),
        [f"[{BIG}, 1]", None],
    ),
    "UUIDs": (
        pa.array([uuid.UUID(int=7).bytes, None], pa.binary(16)).cast(pa.uuid()),
        [str(uuid.UUID(int=7)), None],
    ),
    "views of text": (pa.array(["x", None], pa.string_view()), ["x", None]),
    "runs": (
        pa.RunEndEncodedArray.from_arrays(pa.array([1, 2]), STORAGE),
        [str(BIG), None],
    ),
    "categories": (dictionary([BIG, 5]), [str(BIG), "5", None]),
    "categories with a missing one": (dictionary([BIG, None]), [str(BIG), None, None]),
    "categories with a repeated one": (dictionary(["a", "a"]), ["a", "a", None]),
    "categories with NaN": (dictionary([0.5, math.nan]), ["0.5", None, None]),
    "categories with a time zone": (
        dictionary([0, 1], ZONED),
        ["1970-01-01 01:00:00+01:00", "1970-01-01 01:00:00.000000001+01:00", None],
    ),
    "lists as categories": (dictionary([[BIG], [None]]), [f"[{BIG}]", "[null]", None]),
    "nanoseconds of a day": (
        pa.array([1, None], pa.time64("ns")),
        ["00:00:00.000000001", None],
    ),
    "list of nanoseconds of a day": (
        pa.array([[1], None], pa.list_(pa.time64("ns"))),
        ['["00:00:00.000000001"]', None],
    ),
    "list of nanoseconds": (
        pa.array([[1], [None]], pa.list_(pa.timestamp("ns"))),
        ['["1970-01-01 00:00:00.000000001"]', "[null]"],
    ),
}


# Arrow cannot write these types as Parquet.
NOT_IN_PARQUET = {"runs", "categories with a missing one", "lists as categories"}


@pytest.mark.parametrize(
    "way, name",
    [
        (way, name)
        for way in ("parquet", "feather", "arrow")
        for name in UNUSUAL
        if not (way == "parquet" and name in NOT_IN_PARQUET)
        and not (way == "feather" and name == "runs")
    ],
)
def test_unusual_arrow_type_is_exact(tmp_path, way, name):
    column, expected = UNUSUAL[name]
    table, path = pa.table({"a": column}), tmp_path / f"a.{way}"
    if way == "arrow":
        frame = to_dataframe(table)
    else:
        WRITERS[way](table, path)
        frame = read_file(path)
    shown = make_displayable(frame).frame["a"]
    texts = [None if pd.isna(each) else str(each) for each in shown]
    if way == "parquet" and "zone" in name:  # The file has the zone UTC.
        texts = [
            each and str(pd.Timestamp(each).tz_convert("Europe/Berlin"))
            for each in texts
        ]
    assert texts == expected


def test_nested_date_that_python_cannot_represent_is_refused(written):
    far = pa.array([[10**12]], pa.list_(pa.timestamp("s")))
    path, _ = written(pa.table({"a": far}))
    with pytest.raises(SourceError, match="out of range"):
        read_file(path)


# Metadata of pandas -------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, values, shown",
    [
        (pa.list_(pa.int64()), [[1, 2], None], ["[1, 2]", None]),
        (pa.struct([("a", pa.int64())]), [{"a": BIG}, None], [f'{{"a": {BIG}}}', None]),
        (pa.map_(pa.string(), pa.int64()), [[("a", 1)], None], ['[["a", 1]]', None]),
        (pa.dictionary(pa.int32(), pa.string()), ["b", None], ["b", None]),
    ],
)
def test_arrow_dtypes_that_pandas_writes_but_cannot_read(tmp_path, kind, values, shown):
    path, dtype = tmp_path / "a.parquet", pd.ArrowDtype(kind)
    index = pd.Index(["x", "y"], name="row")
    frame = pd.DataFrame({"a": pd.Series(values, index, dtype), "b": [1.5, 2]}, index)
    frame.to_parquet(path)
    result = make_displayable(read_file(path))
    assert result.index == ["row"]
    texts = [None if pd.isna(each) else str(each) for each in result.frame["a"]]
    assert texts == shown
    assert result.frame[["row", "b"]].values.tolist() == [["x", 1.5], ["y", 2.0]]


@pytest.mark.parametrize(
    "frame, names, row",
    [
        (pd.DataFrame({0: [1]}, pd.Index(["x"], name=0)), ["0", "0_2"], [1, "x"]),
        (pd.DataFrame([[1, 2]], columns=[0, "0"]), ["0", "0_2"], [1, 2]),
    ],
)
@pytest.mark.filterwarnings("ignore:The DataFrame has:UserWarning")
def test_columns_with_the_same_name_are_read(tmp_path, frame, names, row):
    path = tmp_path / "a.parquet"
    frame.to_parquet(path)
    result = make_displayable(read_file(path)).frame
    assert list(result) == names
    assert result.values.tolist() == [row]
