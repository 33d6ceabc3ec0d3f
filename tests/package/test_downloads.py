"""Any frame can be downloaded in each format, exported by D-Tale, and read in code."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

import django_dtale
from django_dtale.compat.export import WRITERS
from django_dtale.exceptions import Conflict, FrameNotFound
from django_dtale.models import Frame
from django_dtale.models.tokens import Scope, Token
from django_dtale.storage import blobs

from .kinds import KINDS

pytestmark = pytest.mark.django_db


@pytest.fixture
def saved(owner, ann):
    """Return a function that publishes a DataFrame and downloads it in each format."""

    def saved(data):
        pk = django_dtale.publish(data, owner=ann).pk
        answers = {
            "site.csv": owner.browser.get(f"/frames/{pk}/csv/"),
            "site.parquet": owner.browser.get(f"/frames/{pk}/parquet/"),
            "html": owner.get(f"data/{pk}", export="true"),
        }
        for kind in ("csv", "tsv", "parquet"):
            answers[f"dtale.{kind}"] = owner.get(f"data-export/{pk}", type=kind)
        for kind, answer in answers.items():
            assert answer.status_code == 200, kind
            assert "attachment" in answer.headers["Content-Disposition"], answer.text
        return {kind: answer.data for kind, answer in answers.items()}

    return saved


MANY = "1,000 columns"  # This kind is slow and adds no other data type.


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {MANY}))
def test_download_of_every_kind_matches_the_export_of_dtale(saved, kind):
    files = saved(KINDS[kind]())
    # D-Tale's file has the index as columns. The site's file has it as the index, but
    # only for pandas.
    read, expected = (
        parquet.read_table(BytesIO(files[name])).to_pandas(ignore_metadata=True)
        for name in ("site.parquet", "dtale.parquet")
    )
    pd.testing.assert_frame_equal(read, expected)
    assert files["site.csv"] == files["dtale.csv"]
    assert len(read.columns) == len(files["site.csv"].splitlines()[0].split(b","))


INTERVALS = {
    "pd.cut": pd.cut([1, 5, np.nan, 9], 3),
    "closed on the left": pd.cut([1, 5, np.nan, 9], [0, 5, 10], right=False),
    "integers": pd.interval_range(0, 4),
    "times": pd.interval_range(pd.Timestamp("2026", tz="Europe/Berlin"), periods=4),
    "durations": pd.interval_range(pd.Timedelta(0), periods=4, freq="h"),
    "all missing": pd.cut([np.nan] * 4, [0, 1]),
}


def can_be_in_parquet(column):
    """Return whether pandas can write the column: not all intervals are supported."""
    try:
        column.to_frame().to_parquet(BytesIO())
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("kind", INTERVALS)
def test_parquet_keeps_intervals_where_possible(saved, kind):
    column = pd.Series(INTERVALS[kind], name="i")
    files = saved(column.to_frame())
    expected = pd.Series(pd.arrays.IntervalArray(column), name="i")
    for name in ("site.parquet", "dtale.parquet"):
        read = pd.read_parquet(BytesIO(files[name]))["i"]
        if not can_be_in_parquet(expected):
            assert read.tolist() == [str(each) for each in column]
            continue
        assert isinstance(read.dtype, pd.IntervalDtype)
        pd.testing.assert_series_equal(
            read, expected, check_dtype=kind != "all missing"
        )


def test_intervals_mixed_with_text_become_text(owner, publish, ann):
    pk = publish(ann, i=pd.cut([1, 9, np.nan], 2)).pk
    assert owner.edit(pk, "none", column="i").json == {"success": True}
    read = pd.read_parquet(BytesIO(owner.browser.get(f"/frames/{pk}/parquet/").data))
    assert read["i"].tolist()[:2] == ["none", "(5.0, 9.0]"]


def test_intervals_are_text_in_csv(saved):
    files = saved(pd.DataFrame({"i": pd.cut([1, 9, np.nan], 2)}))
    assert files["site.csv"] == b'i\n"(0.992, 5.0]"\n"(5.0, 9.0]"\n""\n'


@pytest.mark.parametrize("kind", [each for each in WRITERS if each != "xlsx"])
def test_lone_surrogates_are_escaped(kind):
    frame = pd.DataFrame({"a": pd.Series(["x\ud800", 1], dtype=object)})
    with WRITERS[kind](frame) as file:
        assert b"x\\ud800" in file.read()


def test_column_named_self_becomes_text(saved):
    """``assign(self=...)`` would clash with the method's own parameter ``self``."""
    files = saved(pd.DataFrame({"self": [1j, 2]}))
    for name in ("site.parquet", "dtale.parquet"):
        assert pd.read_parquet(BytesIO(files[name]))["self"].tolist() == [
            "1j",
            "(2+0j)",
        ]


# In code ------------------------------------------------------------------------------

SALES = pd.DataFrame(
    {"city": ["Rome", "Berlin", "Paris"], "sales": [2, 3, 1], "year": 2026},
    index=pd.Index(["a", "b", "c"], name="key"),
)


@pytest.fixture
def table(stored, ann, bob):
    """A table of Ann's that Bob can read."""
    return django_dtale.publish(SALES, owner=ann, name="Sales", shared_with=[bob])


@pytest.fixture
def reader(visitor, bob):
    return visitor(bob)


def change_view(visitor, pk, city, *sort):
    """Filter and sort the table in D-Tale."""
    config = {"type": "string", "value": city}
    answer = visitor.get(f"save-column-filter/{pk}", col="city", cfg=config)
    assert answer.json["success"], answer.json
    visitor.column(pk, "city", sort=[list(sort)])


@pytest.mark.parametrize(
    "index",
    [
        None,
        pd.Index(["a", "b", "c"], name="key"),
        pd.Index([7, 7, 9]),
        pd.date_range("2026", periods=3, freq="D", name="day"),
        pd.MultiIndex.from_product([["x"], [3, 1, 2]], names=["k", None]),
    ],
    ids=["none", "named", "unnamed", "dates", "levels"],
)
def test_dataframe_comes_back_as_it_was_published(owner, ann, index):
    data = SALES.reset_index(drop=True)
    if index is not None:
        data.index = index
    frame = django_dtale.publish(data, owner=ann)
    owner.column(frame.pk, "city", sort=[["sales", "ASC"]])
    assert owner.column(frame.pk, "sales", sort=[["sales", "ASC"]]) == [1, 2, 3]
    file = BytesIO(owner.browser.get(f"/frames/{frame.pk}/parquet/").data)
    for back in frame.to_dataframe(), pd.read_parquet(file):
        pd.testing.assert_frame_equal(back, data, check_freq=False)
    csv = owner.browser.get(f"/frames/{frame.pk}/csv/").text
    assert [line.split(",")[-2] for line in csv.splitlines()[1:]] == ["2", "3", "1"]


def test_changes_of_the_caller_do_not_reach_the_table(table):
    back = table.to_dataframe()
    back.loc["a", "sales"] = 0
    back["more"] = 1
    pd.testing.assert_frame_equal(table.to_dataframe(), SALES)


def test_edits_and_new_data_are_read(owner, table):
    owner.edit(table.pk, "20", column="sales")
    assert table.to_dataframe()["sales"].tolist() == [20, 3, 1]
    table.append(SALES)
    assert table.to_dataframe().index.tolist() == ["a", "b", "c"] * 2
    table.replace(SALES.reset_index(drop=True))
    assert table.to_dataframe().index.equals(pd.RangeIndex(3))


def test_appended_rows_keep_the_order_and_the_index_of_the_table(owner, table):
    owner.column(table.pk, "city", sort=[["sales", "ASC"]])
    table.append(SALES.reset_index())
    expected = pd.concat([SALES, SALES])
    pd.testing.assert_frame_equal(table.to_dataframe(), expected)


def test_view_is_what_each_person_sees(owner, reader, table, ann, bob):
    change_view(owner, table.pk, ["Rome", "Paris"], "sales", "ASC")
    change_view(reader, table.pk, ["Berlin", "Paris"], "city", "DESC")
    owner.post(f"update-visibility/{table.pk}", json={"toggle": "year"})
    owner.get(f"update-locked/{table.pk}", col="sales", action="lock")
    mine = table.to_dataframe(view=True)
    assert mine.to_dict("split", index=False) == {
        "columns": ["key", "sales", "city"],
        "data": [["c", 1, "Paris"], ["a", 2, "Rome"]],
    }
    assert mine.index.equals(pd.RangeIndex(2))
    theirs = table.to_dataframe(view=True, user=bob)
    assert theirs["city"].tolist() == ["Paris", "Berlin"]
    assert owner.column(table.pk, "city", sort=[["sales", "ASC"]]) == ["Paris", "Rome"]


def test_view_with_a_highlighted_filter_has_all_rows(owner, table):
    change_view(owner, table.pk, ["Rome"], "sales", "ASC")
    owner.get(f"update-settings/{table.pk}", settings={"highlightFilter": True})
    assert table.to_dataframe(view=True)["sales"].tolist() == [1, 2, 3]


def test_view_without_matching_rows_is_empty(owner, table):
    change_view(owner, table.pk, ["Rome"], "sales", "ASC")
    owner.get(f"test-filter/{table.pk}", query="sales > 5", save=True)
    assert list(table.to_dataframe(view=True)) == ["key", "city", "sales", "year"]


def test_view_of_a_user_who_cannot_see_the_table_is_refused(table, user):
    eve = user("eve")
    for view in True, False:
        with pytest.raises(FrameNotFound):
            table.to_dataframe(view=view, user=eve)


def test_table_of_a_visitor_is_read(visitor, dtale_settings):
    dtale_settings.LOGIN_REQUIRED = False
    pk = visitor().upload()
    assert Frame.objects.get(pk=pk).to_dataframe()["a"].tolist() == [1, 2, 3]


# Programs -----------------------------------------------------------------------------


@pytest.fixture
def read(visitor, bob):
    """Return a function that downloads a table with a token of Bob's."""
    token = Token.objects.create_token(bob, "job", Scope.READ)

    def read(frame, query="", kind="csv", **headers):
        headers = {name.replace("_", "-"): text for name, text in headers.items()}
        headers["authorization"] = f"Bearer {token}"
        path = f"/frames/{frame.pk}/{kind}/?{query}"
        return visitor().browser.get(path, headers=headers)

    return read


def test_programs_read_the_view_of_their_user(owner, reader, table, read):
    change_view(owner, table.pk, ["Rome", "Paris"], "sales", "ASC")
    change_view(reader, table.pk, ["Berlin", "Paris"], "city", "DESC")
    lines = read(table, "view=1").data.decode().splitlines()
    assert lines == ["key,city,sales,year", "c,Paris,1,2026", "b,Berlin,3,2026"]
    assert len(read(table, "view=0").data.splitlines()) == 4
    assert len(read(table).data.splitlines()) == 4
    seen = pd.read_parquet(BytesIO(read(table, "view=1", "parquet").data))
    assert seen["city"].tolist() == ["Paris", "Berlin"]
    assert read(table, "view=x").status_code == 422


@pytest.mark.parametrize("query", ["", "view=1"])
def test_unchanged_file_is_not_sent_again(owner, table, read, query):
    change_view(owner, table.pk, ["Rome", "Paris"], "sales", "ASC")
    first = read(table, query)
    assert first.headers["As-Of"] == table.data_at.isoformat()
    same = read(table, query, if_none_match=first.headers["ETag"])
    assert (same.status_code, same.data) == (304, b"")
    for name in "ETag", "As-Of", "Cache-Control":
        assert same.headers[name] == first.headers[name]
    assert read(table, query, "parquet").headers["ETag"] != first.headers["ETag"]
    owner.edit(table.pk, "20", column="sales")
    edited = read(table, query, if_none_match=first.headers["ETag"])
    assert edited.status_code == 200 and b"20" in edited.data
    table.replace(SALES)
    again = read(table, query, if_none_match=edited.headers["ETag"])
    assert again.status_code == 200
    assert again.headers["As-Of"] == table.data_at.isoformat() != first.headers["As-Of"]


def test_other_view_has_another_tag(owner, table, read):
    change_view(owner, table.pk, ["Rome", "Paris"], "sales", "ASC")
    first, whole = read(table, "view=1"), read(table)
    change_view(owner, table.pk, ["Rome"], "sales", "ASC")
    tag = first.headers["ETag"]
    assert read(table, "view=1", if_none_match=tag).status_code == 200
    # The filter changes the view, but not the data.
    tag = whole.headers["ETag"]
    assert read(table, if_none_match=tag).status_code == 304


@pytest.mark.parametrize("query", ["", "view=1"])
def test_data_that_are_replaced_meanwhile_are_read_again(
    table, read, monkeypatch, query
):
    load, calls = blobs.load, []

    def replaced(*args):
        if not calls:
            calls.append(True)
            Frame.objects.get().replace(SALES[:1])
            raise FileNotFoundError
        return load(*args)

    table.to_dataframe()
    monkeypatch.setattr(blobs, "load", replaced)
    assert len(read(table, query).data.splitlines()) == 2
    monkeypatch.setattr(blobs, "load", lambda *args: (calls.clear(), replaced())[1])
    with pytest.raises(Conflict):
        table.to_dataframe()
