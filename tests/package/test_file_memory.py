"""Reading files in parts: the memory it takes, and the dtypes it infers."""

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from django.conf import settings

from django_dtale.readers.arrow import to_pandas
from django_dtale.readers.files import read_file
from django_dtale.readers.inference import Rules, infer_column
from django_dtale.readers.options import ImportOptions
from django_dtale.readers.parsers import json_lines
from django_dtale.readers.text import cells, parts

PEAK = """
import sys
from pathlib import Path

import django

django.setup()
from django_dtale.readers.files import read_file

def kilobytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

small, large = sys.argv[1:]
read_file(small)  # What is imported and allocated once.
before = kilobytes("VmRSS")
frame = read_file(large)
size = frame.memory_usage(deep=True).sum() / 1024
print((kilobytes("VmHWM") - before) / size, size)
"""


def lines(frame, path):
    frame.to_json(path, orient="records", lines=True, date_format="iso")


def comma_separated(frame, path):
    pyarrow.csv.write_csv(pa.Table.from_pandas(frame, preserve_index=False), path)


def with_a_short_line(frame, path):
    """Write a CSV file that Arrow cannot read, so that pandas reads it."""
    comma_separated(frame, path)
    with path.open("a") as file:
        file.write("1\n")


WRITERS = {
    "a.csv": comma_separated,
    "short.csv": with_a_short_line,
    "a.parquet": pd.DataFrame.to_parquet,
    "a.feather": pd.DataFrame.to_feather,
    "a.jsonl": lines,
}


@pytest.fixture(scope="module")
def frames():
    """A small frame and one of 100 MB, with columns of the common kinds."""
    rows, rng = 1_100_000, np.random.default_rng(1)
    words = pd.Series([f"word {number}" for number in range(1_000)], dtype="str")
    large = pd.DataFrame(
        {
            "int": rng.integers(0, 1_000, rows),
            "id": np.arange(rows),
            **{f"float {n}": rng.normal(size=rows) for n in range(4)},
            "gap": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "text": words.take(rng.integers(0, 1_000, rows)).array,
            "city": words.take(rng.integers(0, 4, rows)).array,
            "flag": rng.random(rows) < 0.5,
            "day": pd.Timestamp("2026-01-01")
            + pd.to_timedelta(rng.integers(0, 365, rows), unit="D"),
        }
    )
    return large.head(100), large


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak")
@pytest.mark.parametrize("name", WRITERS)
def test_memory_is_at_most_three_times_the_frame(frames, tmp_path, name):
    """The size of the frame is that of ``DataFrame.memory_usage(deep=True)``."""
    paths = tmp_path / f"small {name}", tmp_path / name
    for frame, path in zip(frames, paths, strict=True):
        WRITERS[name](frame, path)
    command = [sys.executable, "-c", PEAK, *map(str, paths)]
    printed = subprocess.check_output(command, cwd=settings.BASE_DIR, text=True)
    factor, size = map(float, printed.split())
    assert size > 90_000
    assert 1 < factor <= 3


# Parts --------------------------------------------------------------------------------

VALUES = [
    *["", "NA", " ", "nan", "-inf", "x", "1", "-0", " 2 ", "007", "+1", "+.5", "00.5"],
    *[
        "0.5",
        "-0.5",
        "1.5",
        "1e3",
        "0x1F",
        "12345678901234567",
        "9" * 30,
        "1,5",
        "1.234",
    ],
    *["true", "FALSE", "0", "2026", "2026-01-01", "2026-01-01 01:02:03.000004"],
    *["2026-01-01 01:02:03.000000004", "2026-01-01T01:00:00+02:00", "31.12.2026"],
    *["28/03/2026", "03/28/2026", "01/02/2026", "28 Mar 2026", "March 3, 2026"],
]


@pytest.fixture
def in_small_parts(monkeypatch):
    monkeypatch.setattr(parts, "PART", 1 << 16)
    monkeypatch.setattr(parts, "BATCHES", 1)
    monkeypatch.setattr(parts, "ROWS", 10)
    monkeypatch.setattr(cells, "SIZE", 1 << 16)


@pytest.mark.parametrize(
    "read_by, decimal",
    [("cells", "."), ("cells", ","), ("arrow", "."), ("arrow", ","), ("pandas", ".")],
)
def test_reading_in_parts_infers_the_same_dtypes(
    tmp_path, in_small_parts, monkeypatch, read_by, decimal
):
    """Each column has one value in its first half, and another one in its second."""
    pairs = list(itertools.product(VALUES, VALUES))
    if read_by == "arrow":
        monkeypatch.setattr(cells, "WIDE", len(pairs) + 1)
    rows = 15 if read_by == "pandas" else 30
    columns = {f"c{n}": [a] * rows + [b] * rows for n, (a, b) in enumerate(pairs)}
    path = tmp_path / "a.csv"
    pd.DataFrame(columns).to_csv(path, index=False, sep=";")
    if read_by == "pandas":
        with path.open("a") as file:
            file.write("1\n")
    else:
        assert path.stat().st_size > 4 << 16
    frame = read_file(path, ImportOptions(sep=";", decimal=decimal))
    rules = Rules(decimal, "." if decimal == "," else "")
    for name, values in columns.items():
        texts = [value or None for value in values]
        if read_by == "pandas":
            texts.append("1" if name == "c0" else None)
        expected = infer_column(pa.chunked_array([texts], pa.string()), rules)
        expected = to_pandas(pa.table([expected], names=[name]))[name]
        pd.testing.assert_series_equal(frame[name], expected, check_exact=True)


def test_arrow_and_pandas_open_separate_files(tmp_path, monkeypatch):
    """Arrow may still read ahead of the line where it failed when pandas starts."""
    seen = []

    def remember(module, name):
        original = getattr(module, name)

        def read(file, *args, **options):
            seen.append(file)
            return original(file, *args, **options)

        monkeypatch.setattr(module, name, read)

    remember(pyarrow.csv, "open_csv")
    remember(pd, "read_csv")
    path = tmp_path / "a.csv"
    path.write_text("a,b\n5\n1,2\n")
    assert read_file(path).fillna(0).values.tolist() == [[5, 0], [1, 2]]
    by_arrow, by_pandas = seen
    assert by_arrow.raw is not by_pandas.raw


@pytest.mark.parametrize("later", ['{"a": 2}', '{"a": 0.5}', '{"a": "x"}', '{"b": 1}'])
def test_reading_json_lines_in_parts_gives_the_same_frame(tmp_path, monkeypatch, later):
    records = ['{"a": 1}'] * 100 + ['{"a": null}'] * 100 + [later] * 100
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(records))
    whole = read_file(path)
    monkeypatch.setattr(json_lines, "LINES", 100)
    pd.testing.assert_frame_equal(read_file(path), whole)
    assert Path(path).stat().st_size > 2_000
