"""Every kind of frame in D-Tale: it opens, and shows all that was in it."""

import json
import re
from urllib.parse import urlencode

import pandas as pd
import pytest

from frames.kinds import KindError, prepare

from .kinds import CONVERTED, KINDS, NAMES, PLAIN

# Conversions -------------------------------------------------------------------------


def values(frame):
    """Return a frame's values as lists of Python's objects, None if missing."""
    return [
        [None if is_missing(value) else value for value in frame.iloc[:, at].tolist()]
        for at in range(frame.shape[1])
    ]


def is_missing(value):
    return pd.api.types.is_scalar(value) and pd.isna(value)


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - CONVERTED.keys() - NAMES.keys()))
def test_kind_is_kept(kind):
    original = KINDS[kind]()
    prepared = prepare(original)
    assert prepared.conversions == []
    shown = prepared.frame.set_axis(original.columns, axis="columns")
    pd.testing.assert_frame_equal(shown, original)


@pytest.mark.parametrize("kind", CONVERTED)
def test_kind_is_converted_with_a_note(kind):
    dtype, expected = CONVERTED[kind]
    prepared = prepare(KINDS[kind]())
    assert str(prepared.frame["kind"].dtype) == dtype
    shown = prepared.frame["kind"].tolist()
    assert [None if is_missing(each) else each for each in shown] == expected
    (note,) = prepared.conversions
    assert note.startswith("Column kind: ") and note.endswith(".")


@pytest.mark.parametrize("kind", NAMES)
def test_names_and_index(kind):
    names, index = NAMES[kind]
    original = KINDS[kind]()
    prepared = prepare(original)
    assert (list(prepared.frame.columns), prepared.index) == (names, index)
    assert len(prepared.frame) == len(original)
    columns = values(prepared.frame)[len(index) :]
    assert columns == values(original)


@pytest.mark.parametrize("kind", KINDS)
def test_input_stays_as_it_was(kind):
    original, same = KINDS[kind](), KINDS[kind]()
    prepared = prepare(original)
    assert original.columns.equals(same.columns) and original.index.equals(same.index)
    assert list(original.dtypes) == list(same.dtypes)
    if PLAIN in prepared.frame and len(same):
        prepared.frame.loc[0, PLAIN] = 99
        pd.testing.assert_series_equal(original[PLAIN], same[PLAIN])


def test_notes_name_the_columns_of_a_conversion_together():
    frame = pd.DataFrame({f"c{number}": [[number]] for number in range(7)})
    (note,) = prepare(frame).conversions
    assert note.startswith("Columns c0, c1, c2, c3, c4 and 2 more: lists")


def test_names_that_are_changed_are_noted():
    frame = pd.DataFrame([[1, 2, 3]], columns=["a", "a", "dtale_index"])
    notes = prepare(frame).conversions
    assert [
        re.match("The name '(.*)' became (.*): ", note).groups() for note in notes
    ] == [
        ("a", "a_2"),
        ("dtale_index", "dtale_index_2"),
    ]


def test_value_without_text_is_refused_with_the_reason():
    class Mute:
        __hash__ = None

        def __str__(self):
            raise RuntimeError("no words")

    with pytest.raises(KindError, match="Column a holds object .*: no words"):
        prepare(pd.DataFrame({"a": [Mute()]}))


# In D-Tale ----------------------------------------------------------------------------


def is_shown(value, cell):
    """Say whether a cell of the grid (str, int or float) stands for a value."""
    if is_missing(value):
        return cell == "nan"
    if isinstance(cell, float):
        return cell == pytest.approx(float(value), abs=1e-6)  # D-Tale rounds them.
    return str(cell) in (str(value), str(value).removesuffix(" 00:00:00"))


@pytest.mark.parametrize("kind", KINDS)
def test_kind_in_dtale(dtale, kind):
    frame = prepare(KINDS[kind]()).frame
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
def test_choice_in_a_filter_finds_what_is_shown(dtale, kind, chosen, query):
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
def test_day_in_a_filter_begins_in_the_columns_zone(dtale, kind):
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
def test_what_is_typed_keeps_the_columns_kind(dtale, kind, typed, shown):
    data_id = dtale.open(KINDS[kind]())
    before = [column["dtype"] for column in dtale.dtypes(data_id)]
    dtale.get(f"edit-cell/{data_id}", col="kind", rowIndex=0, updated=typed)
    assert dtale.rows(data_id)[0]["kind"] == (shown or typed)
    dtale.rows(data_id, sort='[["kind", "ASC"]]')
    dtale.get(f"describe/{data_id}", col="kind")
    assert [column["dtype"] for column in dtale.dtypes(data_id)] == before


def test_what_is_typed_and_means_nothing_is_refused(dtale):
    data_id = dtale.open(KINDS["Decimal"]())
    query = urlencode({"col": "kind", "rowIndex": 0, "updated": "seven"})
    answer = dtale.client.get(f"/dtale/edit-cell/{data_id}?{query}").json
    assert answer["error"] == "'seven' is no Decimal."
    assert dtale.rows(data_id)[0]["kind"] == "1.10"
