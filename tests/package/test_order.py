"""The order of numbers is the order of pandas, for all kinds of numbers."""

import numpy as np
import pandas as pd
import pytest

from django_dtale.dtale.patches.fast.order import order_of_numbers
from django_dtale.dtale.patches.sorting import row_order

SIZE = 5_000
rng = np.random.default_rng(1)
normal = rng.normal(size=SIZE)
integers = rng.integers(-(2**63), 2**63 - 1, SIZE, endpoint=True)
pairs = normal.copy()
pairs[::500] = pairs[1::500] + 1e-13
NUMBERS = {
    "empty": normal[:0],
    "one": normal[:1],
    "floats": normal,
    "ties": normal.round(1),
    "pairs that are nearly equal": pairs,
    "values of clusters": normal.round(1) + normal * 1e-14,
    "zeros of both signs": np.where(normal < 0, -0.0, 0.0),
    "missing": np.where(normal < 0, np.nan, normal),
    "all missing": np.full(SIZE, np.nan),
    "infinities": np.where(normal < 0, -np.inf, np.where(normal < 1, np.inf, normal)),
    "very different": rng.standard_cauchy(SIZE) ** 9,
    "nearly equal": 1 + normal.round(1) * 1e-15,
    "subnormal": normal * 1e-310,
    "float32": normal.astype("float32"),
    "float16": normal.astype("float16"),
    "int64": integers,
    "small int64": rng.integers(-9, 9, SIZE),
    "int8": integers.astype("int8"),
    "uint64": integers.view("uint64"),
    "uint16": integers.astype("uint16"),
    "booleans": normal < 0,
    "dates": np.datetime64("2026-01-01", "us")
    + rng.integers(0, 9, SIZE).astype("m8[D]"),
    "dates and NaT": np.where(
        normal < 0, np.datetime64("NaT", "ns"), integers.view("M8[ns]")
    ),
    "durations": integers.view("m8[s]"),
}


@pytest.mark.parametrize("ascending", [True, False])
@pytest.mark.parametrize("kind", NUMBERS)
def test_order_is_the_stable_order_of_pandas(kind, ascending):
    values = NUMBERS[kind]
    column = pd.Series(values.astype("float32") if kind == "float16" else values)
    expected = column.sort_values(kind="stable", ascending=ascending).index
    assert order_of_numbers(values, ascending).tolist() == [*expected]


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "boolean", "float", "category"])
@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_rows_with_equal_values_stay_in_their_order(dtype, direction):
    frame = pd.DataFrame({"a": pd.Series(normal > 0).astype(dtype)})
    expected = frame.sort_values("a", kind="stable", ascending=direction == "ASC").index
    assert row_order(frame, [["a", direction]], None).tolist() == [*expected]
