"""CSV, JSON and JSON Lines files are read exactly, and with the same types."""

import json

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_dtale.compat.dtypes import make_displayable
from django_dtale.exceptions import SourceError
from django_dtale.readers.files import read_file
from django_dtale.readers.parsers import json_lines

NOTHING = object()  # The record does not have this key.
NUMBERS = [0, 1, -1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64, 10**30]
NUMBERS += [0.5, -0.0, 1e15, 1e20, 1e300, float("nan"), float("inf")]
TEXTS = ["", "x", "ü", "007", "NA", "2026-01-01", "2026-01-01 01:02", "12:00"]
TEXTS += ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00-05:00", "2026-04-13T01:02:03.5"]
TEXTS += ["Jan 1 2000", "2026/04/13", "13-04-2026", "04-05-2026", "a\0b", "\ud800"]
OTHERS = [True, False, None, [1, None], {"k": 2**53 + 1}, {"k": None}, NOTHING]
# Most columns of real files have values of one type.
VALUES = [
    [1, 2, NOTHING],
    [2**53 + 1, 0, None],
    [1, 0.5],
    NUMBERS,
    ["2026-01-01", None],
    TEXTS[9:11],
    TEXTS,
    NUMBERS + TEXTS + OTHERS,
]


@st.composite
def records(draw):
    """Return objects with at most four keys, in any order."""
    columns = [draw(st.sampled_from(VALUES)) for _ in range(draw(st.integers(1, 4)))]
    made = []
    for _ in range(draw(st.integers(1, 30))):
        pairs = [
            (f"c{at}", draw(st.sampled_from(values)))
            for at, values in enumerate(columns)
        ]
        made.append({key: value for key, value in pairs if value is not NOTHING})
    return draw(st.permutations(made))


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Return a function that reads objects from JSON and from JSON Lines files."""
    folder = tmp_path_factory.mktemp("json")

    def both(given):
        folder.joinpath("a.json").write_text(json.dumps(given))
        folder.joinpath("a.jsonl").write_text("\n".join(map(json.dumps, given)))
        return read_file(folder / "a.json"), read_file(folder / "a.jsonl")

    return both


@given(records(), st.sampled_from([40, 200, 8 << 20]))
@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_json_lines_are_typed_as_json(both, rows, size):
    if not any(rows):
        return  # The table has no columns.
    before = json_lines.LINES
    json_lines.LINES = size
    try:
        expected, found = both(rows)
    finally:
        json_lines.LINES = before
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    assert repr(found.to_dict("list")) == repr(expected.to_dict("list"))


@pytest.mark.parametrize("values", [[0.5, True], [True, 1e20, None], [1, 0.5, False]])
def test_true_is_not_a_number(both, values):
    for frame in both([{"a": value} for value in values]):
        assert frame["a"].tolist() == values
        assert [type(each) for each in frame["a"]] == [type(each) for each in values]


@pytest.fixture
def three(tmp_path):
    """Return a function that reads values from CSV, JSON and JSON Lines files."""

    def three(*values):
        records = [{"a": value} for value in values]
        contents = {
            "a.csv": "\n".join(["a,b", *(f"{value},x" for value in values)]),
            "a.json": json.dumps(records),
            "a.jsonl": "\n".join(map(json.dumps, records)),
        }
        for name, content in contents.items():
            path = tmp_path / name
            path.write_text(content)
            yield make_displayable(read_file(path))

    return three


def test_ids_beyond_int64_are_exact_in_all_text_formats(three):
    ids = [18446744073709551615, 9223372036854775809, 9007199254740993]
    for read in three(*ids):
        assert list(map(str, read.frame["a"])) == list(map(str, ids))
    rows = [9007199254740993, 1]
    for read in three(*rows):
        assert list(map(int, read.frame["a"])) == rows


def test_offset_of_minus_five_hours_is_utc_in_all_text_formats(three):
    for read in three("2026-01-01T00:00:00-05:00", "2026-06-01T12:00:00+02:00"):
        assert read.frame["a"].tolist() == [
            pd.Timestamp("2026-01-01 05:00", tz="UTC"),
            pd.Timestamp("2026-06-01 10:00", tz="UTC"),
        ]
        assert read.conversions == [
            "Column a: times with a time zone are shown in UTC."
        ]


def test_time_without_an_offset_stays_as_it_is_in_all_text_formats(three):
    for read in three("2026-01-01T00:00:00", "2026-06-01T12:00:00"):
        assert str(read.frame["a"].dtype) == "datetime64[us]"
        assert read.conversions == []


@pytest.mark.parametrize(
    "lines, place",
    [
        (['{"a": 1}', "", '{"a": }'], "line 3, column 7"),
        (['{"a": 1}'] * 100 + ["{"], "line 101, column 2"),
    ],
)
def test_error_names_line_and_column(tmp_path, monkeypatch, lines, place):
    monkeypatch.setattr(json_lines, "LINES", 100)
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(lines))
    with pytest.raises(SourceError, match=f"not a valid JSON Lines file: {place}: "):
        read_file(path)


def test_undecodable_text_is_refused(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": "x"}\n{"a": "\xff"}\n')
    with pytest.raises(SourceError, match="line 2 is not encoded in utf-8"):
        read_file(path)


@pytest.mark.parametrize(
    "first, last",
    [
        ("Jan 1 2000", "December 31 2026"),
        ("2026/04/13", "2026/1/2"),
        ("13-04-2026", "01-02-2026"),
        ("04-13-2026", "01-02-2026"),
        ("Jan 1 2000 13:45", "Dec 31 2026 00:00"),
        ("2026/04/13 13:45:01", "2026/04/14 00:00:00"),
        ("13-04-2026 13:45", "01-02-2026 00:00"),
    ],
)
def test_jan_1_2000_and_similar_dates_are_dates_in_all_text_formats(three, first, last):
    day_first = first.startswith("13")
    expected = [pd.to_datetime(each, dayfirst=day_first) for each in (first, last)]
    for read in three(first, last):
        assert read.frame["a"].tolist() == expected
        assert read.conversions == []


@pytest.mark.parametrize("text", ["04-05-2026", "26/04/13", "May 2026", "13-04-26"])
def test_ambiguous_or_incomplete_date_stays_text_in_all_text_formats(three, text):
    for read in three(text, text):
        assert read.frame["a"].tolist() == [text, text]


# Layouts of JSON ----------------------------------------------------------------------


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a JSON file, and returns its path."""

    def write(content):
        path = tmp_path / "a.json"
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text)
        return path

    return write


def test_json_lines_named_json_are_read(write):
    frame = read_file(write('{"a": 1}\n{"a": 18446744073709551615}\n'))
    assert frame["a"].tolist() == [1, 18446744073709551615]
    with pytest.raises(SourceError, match="line 2, column 2"):
        read_file(write('{"a": 1}\n{'))


@pytest.mark.parametrize(
    "data, rows",
    [
        # Each record has only a few of the keys.
        (
            {
                "H": {"melts": 14},
                "He": {},
                "Li": {"boils": 1615},
                "Be": {"melts": 1560},
            },
            [
                ["H", 14, None],
                ["He", None, None],
                ["Li", None, 1615],
                ["Be", 1560, None],
            ],
        ),
        # pandas writes an object for each column, whose keys are the row numbers.
        ({"a": {"0": 1, "1": 2}, "b": {"0": 3, "1": 4}, "c": {"0": 5}}, None),
    ],
)
def test_object_of_objects_has_a_row_for_each_record(write, data, rows):
    frame = make_displayable(read_file(write(data))).frame
    if rows is None:
        assert list(frame) == ["a", "b", "c"] and len(frame) == 2
    else:
        assert frame.astype(object).where(frame.notna(), None).values.tolist() == rows


def test_object_with_single_and_nested_values_is_one_record(write):
    record = {"name": "A", "others": ["b", "c"], "area": 5, "places": {"x": 1, "y": 2}}
    frame = read_file(write(record))
    assert frame.to_dict("records") == [record]


def test_records_by_key_are_rows(write):
    records = {f"k{at}": {"name": f"n{at}", "size": at} for at in range(3)}
    shown = make_displayable(read_file(write(records))).frame
    assert shown.to_dict("list") == {
        "index": ["k0", "k1", "k2"],
        "name": ["n0", "n1", "n2"],
        "size": [0, 1, 2],
    }


@pytest.mark.parametrize("index", [None, list("wxyz")])
def test_columns_of_pandas_stay_columns(write, index):
    frame = pd.DataFrame({"a": [1, 2, 3, 4], "b": list("efgh")}, index)
    found = read_file(write(frame.to_json()))
    pd.testing.assert_frame_equal(found, frame, check_column_type=False)


def test_lists_of_different_lengths_are_named(write):
    path = write({"nodes": [1, 2], "links": [3]})
    with pytest.raises(SourceError, match=r"different lengths.*nodes \(2\), links \(1"):
        read_file(path)
