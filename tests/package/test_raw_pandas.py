"""Summaries of all columns and quantiles are the same as those of pandas."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from django_dtale.dtale.loader import load_dtale
from django_dtale.dtale.patches.fast import quantiles, raw_pandas

SHARES = [0.25, 0.5, 0.75]
ROWS = 60_000
rng = np.random.default_rng(1)
normal = rng.normal(size=ROWS)
some = rng.random(ROWS)
day = pd.Timestamp("2026-01-01")
COLUMNS = {
    "normal": normal,
    "gaps": np.where(some < 0.5, np.nan, normal),
    "missing": np.full(ROWS, np.nan),
    "hardly any": np.where(some < 0.999, np.nan, normal),
    "constant": np.full(ROWS, 0.1),
    "constant with gaps": np.where(some < 0.5, np.nan, 0.1),
    "infinite": np.where(some < 0.3, np.inf, normal),
    "both infinite": np.where(some < 0.6, -np.inf, np.where(some < 0.8, np.inf, 0.0)),
    "zeros": np.where(some < 0.5, -0.0, 0.0),
    "heavy tails": rng.standard_cauchy(ROWS) ** 5,
    "two clusters": np.where(some < 0.5, normal, normal + 1_000),
    "two values": rng.integers(0, 2, ROWS),
    "ordered": np.arange(ROWS),
    "periodic": np.arange(ROWS) % 3,
    "uint8": rng.integers(0, 256, ROWS).astype("uint8"),
    "int64": rng.integers(-(2**62), 2**62, ROWS),
    "uint64": rng.integers(0, 2**64 - 1, ROWS, dtype="uint64"),
    "float32": normal.astype("float32"),
    "Int64": pd.Series(rng.integers(0, 9, ROWS)).where(some < 0.9).astype("Int64"),
    "bool": some < 0.5,
    "text": rng.choice([*"abc"], ROWS),
    "category": pd.Categorical(rng.choice([*"pq"], ROWS), [*"qpr"]),
    "day": day + pd.to_timedelta(rng.integers(0, 365, ROWS), "D"),
    "time": pd.Series(day + pd.to_timedelta(some * 1e15, "ns")).where(some < 0.8),
    "no time": pd.Series([pd.NaT] * ROWS, dtype="datetime64[s]"),
    "duration": pd.to_timedelta(some * 1e15, "ns"),
    "zone": pd.date_range("2026-01-01", periods=ROWS, freq="s", tz="Asia/Tokyo"),
}
NUMBERS = [n for n in COLUMNS if n not in ("bool", "text", "category")]


@pytest.mark.parametrize("name", NUMBERS)
def test_quantiles_are_those_of_pandas(name):
    column = pd.Series(COLUMNS[name])
    with np.errstate(invalid="ignore"):  # Between two infinities there is no number.
        ours = quantiles.quantiles(column, SHARES)
        theirs = column.quantile(SHARES).tolist()
    assert repr(ours) == repr(theirs)


@pytest.mark.parametrize("rows", [0, 1, 100, quantiles.SAMPLE + 1])
def test_quantiles_of_few_rows(rows):
    column = pd.Series(normal[:rows])
    assert repr(quantiles.quantiles(column, SHARES)) == repr(
        column.quantile(SHARES).tolist()
    )


def test_quantiles_that_the_sample_does_not_show_are_those_of_pandas(monkeypatch):
    """All values of the sample are smaller than most values of the column."""

    class Sampler:
        def integers(self, low, high, number):
            return np.zeros(number, dtype=int)

    column = pd.Series(np.where(np.arange(ROWS) == 0, -10.0, normal))
    monkeypatch.setattr(np.random, "default_rng", lambda seed: Sampler())
    assert quantiles.quantiles(column, SHARES) == column.quantile(SHARES).tolist()


@pytest.mark.parametrize("seed", range(10))
def test_descriptions_are_those_of_pandas(seed):
    names = np.random.default_rng(seed).choice([*COLUMNS], 4, replace=False)
    frame = pd.DataFrame({name: COLUMNS[name] for name in names})
    with np.errstate(invalid="ignore"):
        assert_frame_equal(raw_pandas.describe_all(frame), frame.describe())


def test_description_of_all_columns_has_the_same_text():
    frame = pd.DataFrame(COLUMNS)
    with np.errstate(invalid="ignore"):
        ours, theirs = raw_pandas.describe_all(frame), frame.describe()
    assert ours.T.to_string() == theirs.T.to_string()


@pytest.mark.django_db
@pytest.mark.parametrize("filtered", ["true", "false"])
def test_distinct_values_are_counted_again_after_a_change(
    owner, publish, ann, filtered
):
    load_dtale()
    columns = {
        "f": [1.5, 2.5, None, 1.5],
        "t": ["a", "b", "a", None],
        "i": [1, 2, 3, 3],
        "c": pd.Categorical(["x", "x", "y", None], [*"xyz"]),
        "l": pd.array([1, None, 2, 2], "Int64"),
        "d": pd.to_datetime(["2026-01-01"] * 3 + [None]),
    }
    pk = publish(ann, **columns).pk

    def counts():
        query = {"func_type": "nunique", "filtered": filtered}
        lines = owner.get(f"raw-pandas/{pk}", **query).json["output"].splitlines()
        return {name: int(count) for name, count in map(str.split, lines)}

    assert counts() == {"f": 2, "t": 2, "i": 3, "c": 2, "l": 2, "d": 1}
    for name, value in ("f", "7.5"), ("t", "b"), ("i", "4"):
        edit = {"col": name, "rowIndex": 0, "updated": value}
        assert owner.get(f"edit-cell/{pk}", **edit).json["success"]
    assert counts() == {"f": 3, "t": 2, "i": 3, "c": 2, "l": 2, "d": 1}
    owner.get(f"test-filter/{pk}", query="i > 3", save="true")
    expected = {"f": 1, "t": 1, "i": 1, "c": 1, "l": 1, "d": 1}
    whole = {"f": 3, "t": 2, "i": 3, "c": 2, "l": 2, "d": 1}
    assert counts() == (expected if filtered == "true" else whole)
