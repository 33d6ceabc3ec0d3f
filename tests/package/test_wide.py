"""Wide frames need little work per column, and the number of columns is limited.

The tests count function calls, because durations depend on the machine.
"""

import cProfile
import pstats

import numpy as np
import pandas as pd
import pytest
from dtale import global_state

import django_dtale
from django_dtale.exceptions import LimitExceeded
from django_dtale.readers.detection import detect
from django_dtale.readers.files import read_file

COLUMNS, ROWS = 1_000, 20
# pandas 3.0 makes more function calls than later releases for the same work.
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
    """Return the number of function calls per column, and the function's result."""
    profile = cProfile.Profile()
    result = profile.runcall(function, *args, **options)
    return pstats.Stats(profile).total_calls / COLUMNS, result


@pytest.mark.parametrize("kind", [*VALUES, "mixed"])
def test_reading_csv_makes_few_calls_per_column(tmp_path, kind):
    path = tmp_path / "wide.csv"
    WRITERS["csv"](wide(kind), path)
    read_file(path)  # The first call also imports and compiles modules.
    calls, frame = calls_per_column(read_file, path)
    assert frame.shape == (ROWS, COLUMNS)
    # pandas itself makes most calls for text, and for integers with missing values.
    bounds = {"integers": 20, "floats": 20, "flags": 40, "days": 50}
    assert calls < bounds.get(kind, 160) * MORE


@pytest.mark.parametrize("kind", ["integers", "floats"])
def test_detecting_options_makes_few_calls_per_column(tmp_path, kind):
    path = tmp_path / "wide.csv"
    WRITERS["csv"](wide(kind), path)
    detect(path, path.name)
    calls, found = calls_per_column(detect, path, path.name)
    assert not found.doubts
    assert calls < 15 * MORE


@pytest.mark.parametrize("suffix", WRITERS)
def test_reading_other_formats_makes_few_calls_per_column(tmp_path, suffix):
    path = tmp_path / f"wide.{suffix}"
    WRITERS[suffix](wide("mixed"), path)
    read_file(path)
    calls, frame = calls_per_column(read_file, path)
    assert frame.shape == (ROWS, COLUMNS)
    # For a workbook, pandas itself makes 340 of these calls. JSON has a value of any type
    # in each cell, so each column is inspected for those that need an exact conversion.
    assert calls < {"xlsx": 700, "json": 400}.get(suffix, 250) * MORE


@pytest.mark.parametrize("kind", [*VALUES, "mixed"])
def test_opening_and_showing_make_few_calls_per_column(owner, ann, kind):
    publish = django_dtale.publish
    publish(wide(kind, 10), owner=ann)
    calls, frame = calls_per_column(publish, wide(kind), owner=ann)
    assert calls < 450 * MORE
    owner.get(f"data/{frame.pk}", ids=["0-1"])
    calls, page = calls_per_column(owner.get, f"data/{frame.pk}", ids=["0-1"])
    # A row also has its position and its label.
    assert len(page.json["results"]["0"]) == COLUMNS + 2
    assert calls < 200 * MORE


class Counted(str):
    """A column name that counts the comparisons of all such names."""

    __slots__ = ()
    __hash__ = str.__hash__
    compared = 0

    def __eq__(self, other):
        Counted.compared += 1
        return str.__eq__(self, other)


def test_names_are_looked_up_in_a_set(owner, ann, monkeypatch):
    """In a list, each lookup would compare half of the names."""
    frame = django_dtale.publish(wide("integers"), owner=ann)
    get_dtypes = global_state.get_dtypes
    monkeypatch.setattr(
        "dtale.global_state.get_dtypes",
        lambda data_id: [
            {**column, "name": Counted(column["name"])}
            for column in get_dtypes(data_id)
        ],
    )
    page = owner.get(f"data/{frame.pk}", ids=["0-1"])
    # A row also has its position and its label.
    assert len(page.json["results"]["0"]) == COLUMNS + 2
    assert 0 < Counted.compared < 10 * COLUMNS


@pytest.mark.parametrize("suffix", WRITERS)
def test_too_many_columns_are_refused(tmp_path, dtale_settings, suffix):
    dtale_settings.MAX_COLUMNS = 9
    for columns in (9, 10):
        path = tmp_path / f"wide{columns}.{suffix}"
        WRITERS[suffix](wide("integers", columns), path)
    assert read_file(tmp_path / f"wide9.{suffix}").shape == (ROWS, 9)
    with pytest.raises(LimitExceeded, match="10 columns"):
        read_file(path)


def test_columns_are_counted_before_parsing(tmp_path):
    """The files are a CSV with 100,000 column names, and JSON with as many keys."""
    names = [f"c{n}" for n in range(100_000)]
    csv, json = tmp_path / "a.csv", tmp_path / "a.json"
    csv.write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
    json.write_text("[{" + ", ".join(f'"{name}": 1' for name in names) + "}]")
    for path in (csv, json):
        profile = cProfile.Profile()
        with pytest.raises(LimitExceeded):
            profile.runcall(read_file, path)
        assert pstats.Stats(profile).total_calls < 1_000
