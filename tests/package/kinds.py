"""DataFrames with each kind of value that pandas can hold, and a column for edits."""

import datetime
import decimal
import uuid

import numpy as np
import pandas as pd
import pyarrow as pa

PLAIN = "plain"  # Tests edit this column.
BIG = 2**70


def column(values, dtype=None, **more):
    """Return a function that makes a frame with ``values`` in its column ``kind``."""

    def build():
        made = pd.Series(values() if callable(values) else values, dtype=dtype)
        return pd.DataFrame({PLAIN: range(len(made)), "kind": made, **more})

    return build


def shape(**parts):
    """Return a function that makes a frame with this index or these columns."""

    def build():
        frame = pd.DataFrame(np.arange(12).reshape(4, 3))
        for name, part in parts.items():
            setattr(frame, name, part() if callable(part) else part)
        if PLAIN not in frame.columns and frame.columns.nlevels == 1:
            frame[PLAIN] = range(len(frame))
        return frame

    return build


def arrow(values, kind):
    return column(values, pd.ArrowDtype(kind))


DAYS = ["2026-03-28", "2026-03-29 02:30:00.123456", None, "1950-01-01"]
DAY = datetime.date(2026, 3, 28)
FOUR = [1, 2, None, 4]
ABC = ["b", "a", None, "b"]


def indexed(**more):
    return lambda: pd.DataFrame(
        {PLAIN: range(4), "kind": range(10, 14)}, index=pd.Index(range(4, 8), **more)
    )


KINDS = {
    # Numbers
    "integers": column([1, -2, 3, 2**62]),
    "small integers": column([1, -2, 3, 127], "int8"),
    "large Int64": column([2**62, None, -1], "Int64"),
    "unsigned integers": column([1, 2, 3, 2**64 - 1], "uint64"),
    "floats with NaN": column([1.5, np.nan, -0.0, np.inf]),
    "float32": column([1.5, np.nan, 0.1, 3], "float32"),
    "all NaN": column([np.nan] * 4),
    "complex": column([1 + 2j, 0j, complex("nan"), 3]),
    "booleans": column([True, False, True, True]),
    "Int64": column(FOUR, "Int64"),
    "Float64": column([1.5, None, 2.5, 4.0], "Float64"),
    "boolean": column([True, None, False, True], "boolean"),
    "integers beyond 64 bits": column([BIG, -BIG, 1, None], object),
    "integers beyond every kind": column([10**80, 1, None], object),
    "Decimal": column(
        [decimal.Decimal("1.10"), decimal.Decimal("2.3e-30"), None, decimal.Decimal(4)]
    ),
    "Decimal NaN": column([decimal.Decimal("NaN"), *map(decimal.Decimal, "123")]),
    "sparse": column(lambda: pd.arrays.SparseArray([0, 0, 7, 0])),
    "sparse floats": column(lambda: pd.arrays.SparseArray([np.nan, 1.5, np.nan, 2])),
    # Text
    "str": column(ABC, "str"),
    "string": column(ABC, "string"),
    "string[python]": column(ABC, "string[python]"),
    "string[pyarrow]": column(ABC, "string[pyarrow]"),
    "str as objects": column(ABC, object),
    "empty text": column(["", "  ", "a", None], "str"),
    "lone surrogates": column(["a\ud800", "b", None, "b"], object),
    "lone surrogates in categories": column(
        lambda: pd.Categorical.from_codes(
            [0, 1, -1, 0], pd.Index(["a\ud800", "b"], dtype=object)
        )
    ),
    "bytes": column([b"abc", b"\xff\x00", None, b""]),
    # Categories
    "categories": column(ABC, "category"),
    "ordered categories": column(
        ABC, pd.CategoricalDtype(["b", "a", "unused"], ordered=True)
    ),
    "integer categories": column([3, 1, None, 3], "category"),
    "float categories": column([0.5, 1.5, None, 0.5], "category"),
    "large categories": column([2**62, 1, None], "category"),
    "mixed categories": column(
        lambda: pd.Categorical.from_codes(
            [0, 1, -1, 2], pd.Index([1, "1", "a"], dtype=object)
        )
    ),
    "date categories": column(
        lambda: pd.Categorical(pd.to_datetime(DAYS, format="mixed"))
    ),
    "interval categories": column(lambda: pd.cut([1, 5, np.nan, 9], 3)),
    # Times
    "datetimes": column(DAYS, "datetime64[us]"),
    "datetimes in ns": column(DAYS[:3], "datetime64[ns]"),
    "days far away": column(["9999-12-31", "0001-01-01", None], "datetime64[s]"),
    "datetimes with zone": column(
        lambda: (
            pd.to_datetime(DAYS, format="mixed")
            .tz_localize("UTC")
            .tz_convert("Europe/Berlin")
        )
    ),
    "datetimes in UTC": column(lambda: pd.to_datetime(DAYS, format="mixed", utc=True)),
    "datetimes with offset": column(
        lambda: pd.to_datetime(DAYS, format="mixed").tz_localize("+05:30")
    ),
    "timestamps of two zones": column(
        [pd.Timestamp("2026", tz="UTC"), pd.Timestamp("2026", tz="Asia/Tokyo"), None]
    ),
    "no dates": column([pd.NaT] * 3, "datetime64[ns]"),
    "dates as objects": column([DAY, DAY.replace(year=1), None]),
    "times as objects": column([datetime.time(1, 2), datetime.time(3), None]),
    "datetimes as objects": column(
        [datetime.datetime(2026, 1, 1), datetime.datetime(1, 1, 1), None], object
    ),
    "timedeltas": column(["1 day", "-1us", None, "0s"], "timedelta64[us]"),
    "periods": column(["2026-01", "2026-02", None, "1950-01"], "period[M]"),
    "quarters": column(lambda: pd.period_range("2026", periods=4, freq="Q-NOV")),
    "periods as objects": column([pd.Period("2026-01"), pd.Period("2026"), None]),
    # Structures
    "intervals": column(lambda: pd.interval_range(0, 4)),
    "intervals of dates": column(
        lambda: pd.interval_range(pd.Timestamp("2026"), periods=3)
    ),
    "UUID": column([uuid.UUID(int=5), uuid.UUID(int=4), None]),
    "UUID and NaN": column([uuid.UUID(int=5), np.nan], object),
    "lists": column([[1, "a"], [], None, [[2]]]),
    "tuples": column([(1, 2), (), None, (1, 2)]),
    "dicts": column([{"a": 1}, {}, None, {"b": [1, DAY]}]),
    "sets": column([{1}, set(), None]),
    "arrays": column([np.arange(3), np.arange(2), None]),
    "frames in cells": column([pd.DataFrame({"a": [1]}), pd.Series([1]), None]),
    "mixed objects": column([1, "a", 2.5, None, DAY, True, [1], b"x"]),
    "mixed numbers": column([1, 2.5, True, None], object),
    "numbers and text": column([1, "1", 2.5, None], object),
    "mixed, with NA": column([1, pd.NA, pd.NaT, None, np.nan], object),
    "integers as objects": column([1, -2, None], object),
    "floats as objects": column([1.5, -2, None], object),
    "only floats as objects": column([1.5, -2.0, None], object),
    "booleans as objects": column([True, False, None], object),
    "complex as objects": column([1j, None], object),
    "timedeltas as objects": column([datetime.timedelta(1), None], object),
    "timedeltas beyond pandas": column([datetime.timedelta(999999999), None], object),
    "intervals as objects": column([pd.Interval(0, 1), None], object),
    "numpy scalars": column([np.int8(1), np.float32(0.1), None], object),
    "nothing": column([None] * 4, object),
    # Arrow
    "Arrow integers": arrow(FOUR, pa.int32()),
    "large Arrow integers": arrow([2**62, None, -1], pa.int64()),
    "Arrow floats": arrow([1.5, None, 3], pa.float32()),
    "Arrow doubles": arrow([1.5, None, 3], pa.float64()),
    "Arrow text": arrow(ABC, pa.string()),
    "Arrow large text": arrow(ABC, pa.large_string()),
    "Arrow booleans": arrow([True, None, False], pa.bool_()),
    "Arrow bytes": arrow([b"a", None, b"\xff"], pa.binary()),
    "Arrow decimals": arrow(
        [decimal.Decimal("1.10"), None, decimal.Decimal("-2.25")], pa.decimal128(9, 2)
    ),
    "Arrow dates": arrow([DAY, None, DAY.replace(year=1)], pa.date32()),
    "Arrow times": arrow([datetime.time(1, 2), None], pa.time64("us")),
    "Arrow timestamps": arrow([pd.Timestamp("2026"), None], pa.timestamp("us")),
    "Arrow timestamps with zone": arrow(
        [pd.Timestamp("2026", tz="UTC"), None], pa.timestamp("us", "Europe/Berlin")
    ),
    "Arrow durations": arrow([pd.Timedelta("1s"), None], pa.duration("us")),
    "Arrow lists": arrow([[1, 2], [], None], pa.list_(pa.int64())),
    "Arrow structs": arrow([{"a": 1}, None, {"a": 3}], pa.struct([("a", pa.int64())])),
    "Arrow maps": arrow([[("a", 1)], None, []], pa.map_(pa.string(), pa.int64())),
    "Arrow dictionaries": arrow(ABC, pa.dictionary(pa.int32(), pa.string())),
    "Arrow nulls": arrow([None, None], pa.null()),
    # Rows
    "named index": indexed(name="row"),
    "unnamed index": indexed(),
    "text index": shape(index=list("abcd")),
    "index of dates": shape(index=lambda: pd.date_range("2026", periods=4, name="day")),
    "index of periods": shape(
        index=lambda: pd.period_range("2026", periods=4, freq="Q")
    ),
    "index of intervals": shape(index=lambda: pd.interval_range(0, 4)),
    "index of categories": shape(index=lambda: pd.CategoricalIndex(list("abca"))),
    "index with duplicates": shape(index=[1, 1, 2, None]),
    "named range": shape(index=lambda: pd.RangeIndex(4, name="row")),
    "index named like a column": indexed(name="kind"),
    "index named like D-Tale's": indexed(name="dtale_index"),
    "index named by a number": shape(index=lambda: pd.Index(list("abcd"), name=0)),
    "rows of MultiIndex": shape(
        index=lambda: pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["a", "b"])
    ),
    "rows of unnamed MultiIndex": shape(
        index=lambda: pd.MultiIndex.from_product([["x", "y"], [1, 2]])
    ),
    "rows of half-named MultiIndex": shape(
        index=lambda: pd.MultiIndex.from_product(
            [["x", "y"], [1, 2]], names=["a", None]
        )
    ),
    "rows of MultiIndex with one name": shape(
        index=lambda: pd.MultiIndex.from_product([["x", "y"], [1, 2]], names=["a", "a"])
    ),
    # Columns
    "columns of MultiIndex": shape(
        columns=lambda: pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", "")])
    ),
    "named columns": shape(columns=lambda: pd.Index(list("abc"), name="letters")),
    "duplicate columns": shape(columns=["a", "a", PLAIN]),
    "columns that get the suffix": shape(columns=["a", "a", "a_2"]),
    "integer columns": shape(columns=[2, 0, 1]),
    "mixed columns": shape(columns=[0, "0", None]),
    "columns of dates": shape(columns=lambda: pd.date_range("2026", periods=3)),
    "columns with spaces": shape(columns=[" a", "a ", ""]),
    "column called index": shape(columns=["index", "a", "b"]),
    "column called index, with an index": shape(
        columns=["index", "a", "b"], index=list("wxyz")
    ),
    "column called level_0": shape(columns=["level_0", "a", "b"], index=list("wxyz")),
    "column called dtale_index": shape(columns=["dtale_index", "a", "b"]),
    "column with a lone surrogate": shape(
        columns=lambda: pd.Index(["a\ud800", "b", "c"], dtype=object)
    ),
    "column with a backtick": shape(columns=["a`b", "a'b", "c"]),
    "columns that D-Tale could mistake": shape(columns=["Index", "_1", "class"]),
    "1,000 columns": lambda: pd.DataFrame(np.arange(3000).reshape(3, 1000)).rename(
        columns={0: PLAIN}
    ),
    # Sizes
    "no rows": lambda: pd.DataFrame({PLAIN: [1], "kind": ["a"]}).iloc[:0],
    "no rows of any kind": lambda: pd.DataFrame(
        {
            PLAIN: pd.Series(dtype="int64"),
            "objects": pd.Series(dtype=object),
            "dates": pd.Series(dtype="datetime64[ns, UTC]"),
            "categories": pd.Series(dtype="category"),
            "periods": pd.Series(dtype="period[M]"),
        }
    ),
    "no columns": lambda: pd.DataFrame(index=range(4)),
    "no columns, with an index": lambda: pd.DataFrame(index=list("abcd")),
    "no columns, no rows": pd.DataFrame,
    "one cell": lambda: pd.DataFrame({PLAIN: [1]}),
}

# These columns are converted because D-Tale cannot show them. Each entry has the dtype
# and the values after the conversion.
CONVERTED = {
    "integers": ("decimal128(20, 0)[pyarrow]", [1, -2, 3, 2**62]),
    "large Int64": ("decimal128(20, 0)[pyarrow]", [2**62, None, -1]),
    "large Arrow integers": ("decimal128(20, 0)[pyarrow]", [2**62, None, -1]),
    "unsigned integers": ("decimal128(20, 0)[pyarrow]", [1, 2, 3, 2**64 - 1]),
    "integers beyond 64 bits": ("decimal128(22, 0)[pyarrow]", [BIG, -BIG, 1, None]),
    "integers beyond every kind": ("str", [f"1{'0' * 80}", "1", None]),
    "integers as objects": ("Int64", [1, -2, None]),
    "only floats as objects": ("float64", [1.5, -2.0, None]),
    "sparse": ("int64", [0, 0, 7, 0]),
    "sparse floats": ("float64", [None, 1.5, None, 2.0]),
    "lone surrogates": ("str", ["a\\ud800", "b", None, "b"]),
    "lone surrogates in categories": (
        "category",
        ["a\\ud800", "b", None, "a\\ud800"],
    ),
    "mixed categories": ("str", ["1", "1", None, "a"]),
    "bytes": ("str", ["b'abc'", "b'\\xff\\x00'", None, "b''"]),
    "timestamps of two zones": (
        "datetime64[us, UTC]",
        [pd.Timestamp("2026", tz="UTC"), pd.Timestamp("2026", tz="Asia/Tokyo"), None],
    ),
    "datetimes as objects": (
        "datetime64[us]",
        [datetime.datetime(2026, 1, 1), datetime.datetime(1, 1, 1), None],
    ),
    "timedeltas as objects": ("timedelta64[us]", [datetime.timedelta(1), None]),
    "timedeltas beyond pandas": ("str", ["999999999 days, 0:00:00", None]),
    "periods as objects": ("str", ["2026-01", "2026", None]),
    "intervals": ("category", list(pd.interval_range(0, 4))),
    "intervals of dates": (
        "category",
        list(pd.interval_range(pd.Timestamp("2026"), periods=3)),
    ),
    "intervals as objects": ("category", [pd.Interval(0, 1), None]),
    "lists": ("str", ['[1, "a"]', "[]", None, "[[2]]"]),
    "tuples": ("str", ["[1, 2]", "[]", None, "[1, 2]"]),
    "dicts": ("str", ['{"a": 1}', "{}", None, '{"b": [1, "2026-03-28"]}']),
    "sets": ("str", ["{1}", "set()", None]),
    "arrays": ("str", ["[0, 1, 2]", "[0, 1]", None]),
    "frames in cells": ("str", ["   a\n0  1", "0    1\ndtype: int64", None]),
    "mixed objects": (
        "str",
        ["1", "a", "2.5", None, "2026-03-28", "True", "[1]", "b'x'"],
    ),
    "numbers and text": ("str", ["1", "1", "2.5", None]),
    "Arrow doubles": ("Float64", [1.5, None, 3.0]),
    "Arrow bytes": ("str", ["b'a'", None, "b'\\xff'"]),
    "Arrow lists": ("str", ["[1, 2]", "[]", None]),
    "Arrow structs": ("str", ['{"a": 1}', None, '{"a": 3}']),
    "Arrow maps": ("str", ['[["a", 1]]', None, "[]"]),
    "Arrow dictionaries": ("category", ["b", "a", None, "b"]),
}

# These frames have an index or names that D-Tale does not support. Each entry has the
# names of all columns, and the names of those that come from the index.
NAMES = {
    "named index": (["row", PLAIN, "kind"], ["row"]),
    "unnamed index": (["index", PLAIN, "kind"], ["index"]),
    "text index": (["index", "0", "1", "2", PLAIN], ["index"]),
    "index of dates": (["day", "0", "1", "2", PLAIN], ["day"]),
    "index of periods": (["index", "0", "1", "2", PLAIN], ["index"]),
    "index of intervals": (["index", "0", "1", "2", PLAIN], ["index"]),
    "index of categories": (["index", "0", "1", "2", PLAIN], ["index"]),
    "index with duplicates": (["index", "0", "1", "2", PLAIN], ["index"]),
    "named range": (["row", "0", "1", "2", PLAIN], ["row"]),
    "index named like a column": (["kind_2", PLAIN, "kind"], ["kind_2"]),
    "index named like D-Tale's": (["dtale_index_2", PLAIN, "kind"], ["dtale_index_2"]),
    "index named by a number": (["0_2", "0", "1", "2", PLAIN], ["0_2"]),
    "rows of MultiIndex": (["a", "b", "0", "1", "2", PLAIN], ["a", "b"]),
    "rows of unnamed MultiIndex": (
        ["level_0", "level_1", "0", "1", "2", PLAIN],
        ["level_0", "level_1"],
    ),
    "rows of half-named MultiIndex": (
        ["a", "level_1", "0", "1", "2", PLAIN],
        ["a", "level_1"],
    ),
    "rows of MultiIndex with one name": (
        ["a", "a_2", "0", "1", "2", PLAIN],
        ["a", "a_2"],
    ),
    "columns of MultiIndex": (["a_1", "a_2", "b"], []),
    "duplicate columns": (["a", "a_2", PLAIN], []),
    "columns that get the suffix": (["a", "a_3", "a_2", PLAIN], []),
    "integer columns": (["2", "0", "1", PLAIN], []),
    "mixed columns": (["0", "0_2", "None", PLAIN], []),
    "columns of dates": (
        [f"2026-01-0{day} 00:00:00" for day in (1, 2, 3)] + [PLAIN],
        [],
    ),
    "columns with spaces": (["a", "a_2", "column_3", PLAIN], []),
    "column called index, with an index": (
        ["index_2", "index", "a", "b", PLAIN],
        ["index_2"],
    ),
    "column called level_0": (["index", "level_0", "a", "b", PLAIN], ["index"]),
    "column called dtale_index": (["dtale_index_2", "a", "b", PLAIN], []),
    "column with a backtick": (["a'b", "a'b_2", "c", PLAIN], []),
    "column with a lone surrogate": (["a?", "b", "c", PLAIN], []),
    "1,000 columns": ([PLAIN, *map(str, range(1, 1000))], []),
    "no columns": (["index"], ["index"]),
    "no columns, with an index": (["index"], ["index"]),
    "no columns, no rows": (["index"], ["index"]),
}
