"""Wide frames: what is done for each of their columns is little, and is bounded.

Times differ from machine to machine; the number of function calls does not.
"""

import cProfile
import pstats

import numpy as np
import pandas as pd
import pytest

from frames.exceptions import LimitExceeded
from frames.files import read_file
from frames.models import Frame

COLUMNS, ROWS = 1_000, 20
# pandas 3.0 calls more functions than later releases to do the same.
MORE = 1.5 if pd.__version__.startswith("3.0.") else 1
VALUES = {
    "integers": lambda n: np.arange(ROWS) + n,
    "floats": lambda n: np.arange(ROWS) / 8 + n,
    "words": lambda n: [f"word {n}", "blue"] * (ROWS // 2),
    "flags": lambda n: np.arange(ROWS) % 2 == 0,
    "days": lambda n: pd.date_range("2026-01-01", periods=ROWS),
    "gaps": lambda n: pd.array([n, None] * (ROWS // 2), "Int64"),
}
WRITERS = {
    "csv": lambda frame, path: frame.to_csv(path, index=False),
    "json": lambda frame, path: frame.to_json(
        path, orient="records", date_format="iso"
    ),
    "jsonl": lambda frame, path: frame.to_json(
        path, orient="records", date_format="iso", lines=True
    ),
    "xlsx": lambda frame, path: frame.to_excel(path, index=False),
    "parquet": pd.DataFrame.to_parquet,
    "feather": pd.DataFrame.to_feather,
}


def wide(kind, columns=COLUMNS):
    kinds = list(VALUES) if kind == "mixed" else [kind]
    return pd.DataFrame(
        {f"c{n}": VALUES[kinds[n % len(kinds)]](n) for n in range(columns)}
    )


def calls_per_column(function, *args, **options):
    """Return how many functions were called for each column (float), and the result."""
    profile = cProfile.Profile()
    result = profile.runcall(function, *args, **options)
    return pstats.Stats(profile).total_calls / COLUMNS, result


@pytest.mark.parametrize("kind", [*VALUES, "mixed"])
def test_reading(tmp_path, kind):
    path = tmp_path / "wide.csv"
    WRITERS["csv"](wide(kind), path)
    read_file(path)  # What is imported and compiled once.
    calls, frame = calls_per_column(read_file, path)
    assert frame.shape == (ROWS, COLUMNS)
    assert calls < 150 * MORE


@pytest.mark.parametrize("suffix", WRITERS)
def test_reading_other_files(tmp_path, suffix):
    path = tmp_path / f"wide.{suffix}"
    WRITERS[suffix](wide("mixed"), path)
    read_file(path)
    calls, frame = calls_per_column(read_file, path)
    assert frame.shape == (ROWS, COLUMNS)
    # pandas, which reads the cells of a workbook, takes 340 of them.
    assert calls < (700 if suffix == "xlsx" else 250 * MORE)


@pytest.mark.parametrize("kind", [*VALUES, "mixed"])
def test_opening_and_showing(owner, ann, kind):
    publish = Frame.objects.publish
    publish(wide(kind, 10), owner=ann)
    calls, frame = calls_per_column(publish, wide(kind), owner=ann)
    assert calls < 600
    owner.get(f"data/{frame.pk}", ids=["0-1"])
    calls, page = calls_per_column(owner.get, f"data/{frame.pk}", ids=["0-1"])
    assert len(page.json["results"]["0"]) == COLUMNS + 1
    assert calls < 200 * MORE


@pytest.mark.parametrize("suffix", WRITERS)
def test_too_many_columns_are_refused(tmp_path, settings, suffix):
    settings.FRAMES_MAX_COLUMNS = 9
    for columns in (9, 10):
        path = tmp_path / f"wide{columns}.{suffix}"
        WRITERS[suffix](wide("integers", columns), path)
    assert read_file(tmp_path / f"wide9.{suffix}").shape == (ROWS, 9)
    with pytest.raises(LimitExceeded, match="10 columns"):
        read_file(path)


def test_columns_are_counted_before_the_work(tmp_path):
    """A header with 100,000 names, and a record of JSON with as many."""
    names = [f"c{n}" for n in range(100_000)]
    csv, json = tmp_path / "a.csv", tmp_path / "a.json"
    csv.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    json.write_text("[{" + ", ".join(f'"{name}": 1' for name in names) + "}]")
    for path in (csv, json):
        profile = cProfile.Profile()
        with pytest.raises(LimitExceeded):
            profile.runcall(read_file, path)
        assert pstats.Stats(profile).total_calls < 1_000
