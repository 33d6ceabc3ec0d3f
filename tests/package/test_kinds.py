"""Frames of every kind open in D-Tale, which shows all of their values."""

import json
import re
from urllib.parse import urlencode

import pandas as pd
import pytest

from django_dtale.compat.dtypes import UnsupportedDtype, make_displayable

from .kinds import CONVERTED, KINDS, NAMES, PLAIN

# Conversions -------------------------------------------------------------------------


def values(frame):
    """Return a frame's values as lists of Python objects, with None if missing."""
    return [
        [None if is_missing(value) else value for value in frame.iloc[:, at].tolist()]
        for at in range(frame.shape[1])
    ]


def is_missing(value):
    return pd.api.types.is_scalar(value) and pd.isna(value)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - CONVERTED.keys() - NAMES.keys()))
def test_kind_is_kept(kind):
    original = KINDS[kind]()
    prepared = make_displayable(original)
    assert prepared.conversions == []
    shown = prepared.frame.set_axis(original.columns, axis="columns")
    pd.testing.assert_frame_equal(shown, original)


@pytest.mark.parametrize("kind", CONVERTED)
def test_kind_is_converted_with_a_note(kind):
    dtype, expected = CONVERTED[kind]
    prepared = make_displayable(KINDS[kind]())
    assert str(prepared.frame["kind"].dtype) == dtype
    shown = prepared.frame["kind"].tolist()
    assert [None if is_missing(each) else each for each in shown] == expected
    (note,) = prepared.conversions
    assert note.startswith("Column kind: ") and note.endswith(".")


@pytest.mark.parametrize("kind", NAMES)
def test_names_and_index_are_converted(kind):
    names, index = NAMES[kind]
    original = KINDS[kind]()
    prepared = make_displayable(original)
    assert (list(prepared.frame.columns), prepared.index) == (names, index)
    assert len(prepared.frame) == len(original)
    columns = values(prepared.frame)[len(index) :]
    assert columns == values(original)


@pytest.mark.parametrize("kind", KINDS)
def test_input_is_not_modified(kind):
    original, same = KINDS[kind](), KINDS[kind]()
    prepared = make_displayable(original)
    assert original.columns.equals(same.columns) and original.index.equals(same.index)
    assert list(original.dtypes) == list(same.dtypes)
    if PLAIN in prepared.frame and len(same):
        prepared.frame.loc[0, PLAIN] = 99
        pd.testing.assert_series_equal(original[PLAIN], same[PLAIN])


def test_one_note_names_all_columns_of_a_conversion():
    frame = pd.DataFrame({f"c{number}": [[number]] for number in range(7)})
    (note,) = make_displayable(frame).conversions
    assert note.startswith("Columns c0, c1, c2, c3, c4 and 2 more: lists")


def test_renamed_columns_are_noted():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "dtale_index"])
    notes = make_displayable(frame).conversions
    assert [
        re.match("The column '(.*)' was renamed to (.*), because ", note).groups()
        for note in notes
    ] == [
        ("a", "a_2"),
        ("dtale_index", "dtale_index_2"),
    ]


def test_value_whose_str_fails_is_refused_with_the_reason():
    class Mute:
        __hash__ = None

        def __str__(self):
            raise RuntimeError("no words")

    with pytest.raises(
        UnsupportedDtype, match="Column a contains values of type object .*: no words"
    ):
        make_displayable(pd.DataFrame({"a": [Mute()]}))


# In D-Tale ----------------------------------------------------------------------------


def is_shown(value, cell):
    """Return whether a cell of the grid shows a value."""
    if is_missing(value):
        return cell == "nan"
    if isinstance(cell, float):
        return cell == pytest.approx(float(value), abs=1e-6)  # D-Tale rounds floats.
    return str(cell) in (str(value), str(value).removesuffix(" 00:00:00"))


@pytest.mark.parametrize("kind", KINDS)
def test_dtale_shows_all_values_of_a_kind(dtale, kind):
    frame = make_displayable(KINDS[kind]()).frame
    names = list(frame.columns)
    data_id = dtale.open(KINDS[kind]())
    assert f'id="data_id" value="{data_id}"' in dtale.get(f"main/{data_id}")
    assert [column["name"] for column in dtale.dtypes(data_id)] == names

    def check(frame):
        rows = dtale.rows(data_id)
        for name in names:
            for row, value in zip(rows, frame[name], strict=True):
                assert is_shown(value, row[name]), (name, value, row[name])

    check(frame)
    for name in names[:5]:
        described = dtale.get(f"describe/{data_id}", col=name)["describe"]
        assert described["missing_ct"] == str(frame[name].isna().sum())
        dtale.get(f"column-filter-data/{data_id}", col=name)
        dtale.rows(data_id, sort=json.dumps([[name, "DESC"]]))
        dtale.rows(data_id)
    if PLAIN in names and len(frame):
        dtale.get(f"edit-cell/{data_id}", col=PLAIN, rowIndex=0, updated="77")
        frame.loc[0, PLAIN] = 77
        check(frame)


@pytest.mark.parametrize(
    "kind, chosen, query",
    [
        ("Decimal", "1.10", "`kind`.astype('str') == '1.10'"),
        ("UUID", "00000000-0000-0000-0000-000000000005", None),
        ("periods", "2026-01", "`kind`.astype('str') == '2026-01'"),
        ("integer categories", "3", None),
        ("interval categories", "(0.992, 3.667]", None),
        ("Arrow times", "01:02:00", None),
        ("dates as objects", "2026-03-28", None),
        ("str", "a", "`kind` == 'a'"),
    ],
)
def test_filter_choice_finds_the_shown_value(dtale, kind, chosen, query):
    data_id = dtale.open(KINDS[kind]())
    uniques = dtale.get(f"column-filter-data/{data_id}", col="kind")["uniques"]
    assert chosen in map(str, uniques)
    config = {"type": "string", "operand": "=", "action": "equals", "value": [chosen]}
    config["caseSensitive"] = True
    saved = dtale.get(
        f"save-column-filter/{data_id}", col="kind", cfg=json.dumps(config)
    )
    if query:
        assert saved["currFilters"]["kind"]["query"] == query
    rows = dtale.rows(data_id)
    assert rows and {str(row["kind"]) for row in rows} == {chosen}


@pytest.mark.parametrize(
    "kind", ["datetimes with zone", "Arrow timestamps with zone", "datetimes"]
)
def test_day_in_a_filter_uses_the_columns_time_zone(dtale, kind):
    data_id = dtale.open(KINDS[kind]())
    config = {"type": "date", "start": "20260101", "end": "20261231"}
    dtale.get(f"save-column-filter/{data_id}", col="kind", cfg=json.dumps(config))
    assert {row["kind"][:4] for row in dtale.rows(data_id)} == {"2026"}
    config["start"] = "20260329"
    dtale.get(f"save-column-filter/{data_id}", col="kind", cfg=json.dumps(config))
    assert {row["kind"][:10] for row in dtale.rows(data_id)} <= {"2026-03-29"}


@pytest.mark.parametrize(
    "kind, typed, shown",
    [
        ("Decimal", "7.70", "7.70"),
        ("Arrow decimals", "7.70", "7.70"),
        ("UUID", "00000000-0000-0000-0000-000000000007", None),
        ("dates as objects", "2027-01-02", "2027-01-02"),
        ("datetimes with zone", "2027-07-02 10:00", "2027-07-02 10:00:00+02:00"),
        (
            "datetimes with zone",
            "2027-07-02 10:00:00+00:00",
            "2027-07-02 12:00:00+02:00",
        ),
        ("periods", "2027-07", "2027-07"),
        ("integers", "4611686018427387905", "4611686018427387905"),
    ],
)
def test_edited_value_keeps_the_dtype_of_the_column(dtale, kind, typed, shown):
    data_id = dtale.open(KINDS[kind]())
    before = [column["dtype"] for column in dtale.dtypes(data_id)]
    dtale.get(f"edit-cell/{data_id}", col="kind", rowIndex=0, updated=typed)
    assert dtale.rows(data_id)[0]["kind"] == (shown or typed)
    dtale.rows(data_id, sort='[["kind", "ASC"]]')
    dtale.get(f"describe/{data_id}", col="kind")
    assert [column["dtype"] for column in dtale.dtypes(data_id)] == before


def test_invalid_value_is_refused(dtale):
    data_id = dtale.open(KINDS["Decimal"]())
    query = urlencode({"col": "kind", "rowIndex": 0, "updated": "seven"})
    answer = dtale.client.get(f"/dtale/edit-cell/{data_id}?{query}").json
    assert answer["error"] == "'seven' is not a valid Decimal."
    assert dtale.rows(data_id)[0]["kind"] == "1.10"
