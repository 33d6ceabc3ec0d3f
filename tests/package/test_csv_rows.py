"""CSV that is written column by column equals that of pandas."""

import io

import numpy as np
import pandas as pd
import pytest

from django_dtale.compat import csv_rows, export
from django_dtale.compat.dtypes import make_displayable

from .kinds import KINDS

SEEDS = range(40)
ROWS = 3_000


def random_columns(seed):
    """Return a frame with columns of all kinds that the library writes itself."""
    rng = np.random.default_rng(seed)

    def missing(values):
        return pd.Series(values).where(rng.random(ROWS) < rng.choice([0.5, 0.95, 1]))

    def times(unit, digits):
        stamps = rng.integers(-(10**9), 10**9, ROWS) * 10 ** (3 - digits)
        start = pd.Timestamp("2026-01-01").as_unit(unit)
        return missing(start + pd.to_timedelta(stamps.astype(float).astype(int), "ms"))

    bits = rng.integers(0, 2**64, ROWS, dtype=np.uint64).view(float)
    choices = {
        "any float": lambda: bits,
        "exponents": lambda: missing(10.0 ** rng.uniform(-8, 20, ROWS)),
        "rounded": lambda: (10.0 ** rng.uniform(-6, 12, ROWS)).round(3),
        "whole": lambda: missing(np.round(10.0 ** rng.uniform(0, 12, ROWS))),
        "zeros": lambda: rng.choice([0.0, -0.0, np.inf, -np.inf, np.nan], ROWS),
        "integers": lambda: rng.integers(-(2**63), 2**63 - 1, ROWS),
        "unsigned": lambda: rng.integers(0, 2**64, ROWS, dtype=np.uint64),
        "bytes": lambda: rng.integers(-128, 127, ROWS, dtype=np.int8),
        "Int64": lambda: missing(rng.integers(0, 9, ROWS)).astype("Int64"),
        "Float64": lambda: missing(rng.normal(size=ROWS)).astype("Float64"),
        "float32": lambda: rng.normal(size=ROWS).astype("float32"),
        "bool": lambda: rng.random(ROWS) < 0.5,
        "boolean": lambda: missing(rng.random(ROWS) < 0.5).astype("boolean"),
        "text": lambda: missing(rng.choice(["a", "é ", "", " b", "1"], ROWS)),
        "quotes": lambda: missing(
            rng.choice(['a"b', "x,y", "x\ty", "x\ny", "x\ry", '"', "'", ""], ROWS)
        ),
        "categories": lambda: pd.Categorical(
            rng.choice(["a", "b,c", None], ROWS), ["b,c", "a", "unused"]
        ),
        "numbers in categories": lambda: pd.Categorical(rng.integers(0, 3, ROWS)),
        "days": lambda: missing(
            pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 9, ROWS), "D")
        ),
        "seconds": lambda: times("s", 0),
        "milliseconds": lambda: times("ms", 3),
        "nanoseconds": lambda: times("ns", 3),
        "early": lambda: pd.Series(
            ["0001-01-01", "9999-12-31", None] * (ROWS // 3)
        ).astype("datetime64[us]"),
        "zone": lambda: pd.date_range("2026-01-01", periods=ROWS, tz="Europe/Berlin"),
        "periods": lambda: pd.period_range("2026-01", periods=ROWS, freq="D"),
        "objects": lambda: pd.Series([1, "a", None] * (ROWS // 3), dtype=object),
    }
    names = rng.choice([*choices], rng.integers(2, 9), replace=False)
    # Each list has one of the columns that only pandas writes; most frames have none.
    rare = {"zone", "periods", "objects", "float32", "numbers in categories"}
    if seed % 4:
        names = [name for name in names if name not in rare] or ["text", "bool"]
    frame = pd.DataFrame({name: choices[name]() for name in names})
    return frame.rename(columns={names[0]: 'a "name", quoted'})


def written(frame, kind="csv"):
    with export.WRITERS[kind](frame) as file:
        return file.read()


@pytest.mark.parametrize("seed", SEEDS)
def test_random_frame_equals_that_of_pandas(seed, monkeypatch):
    monkeypatch.setattr(csv_rows, "MIN_ROWS", 1)
    frame = random_columns(seed)
    for kind, separator in (("csv", ","), ("tsv", "\t")):
        expected = io.BytesIO()
        frame.to_csv(expected, index=False, sep=separator)
        assert written(frame, kind) == expected.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_frame_equals_that_of_pandas(kind, monkeypatch):
    monkeypatch.setattr(csv_rows, "MIN_ROWS", 1)
    frame = make_displayable(KINDS[kind]()).frame
    assert written(frame) == frame.to_csv(index=False).encode()


def test_long_frame_is_written_in_parts_without_pandas(monkeypatch):
    rows = csv_rows.CELLS // 2 + 7
    # pandas writes the first part without times, and the second part with them.
    days = pd.Series(pd.Timestamp("2026-01-01"), range(rows))
    days.iloc[-1] += pd.Timedelta("1h")
    frame = pd.DataFrame({"day": days, "float": np.arange(rows) / 7})
    expected = frame.to_csv(index=False).encode()
    to_csv = pd.DataFrame.to_csv

    def headers_only(self, *args, **options):
        assert not len(self)
        return to_csv(self, *args, **options)

    monkeypatch.setattr(pd.DataFrame, "to_csv", headers_only)
    assert written(frame) == expected
