"""Any frame can be downloaded in each format, and exported by D-Tale."""

from io import BytesIO

import numpy as np
import pandas as pd
import pytest

import django_dtale
from django_dtale.compat.export import WRITERS

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
    read = pd.read_parquet(BytesIO(files["site.parquet"]))
    pd.testing.assert_frame_equal(
        pd.read_parquet(BytesIO(files["dtale.parquet"])), read
    )
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


@pytest.mark.parametrize("kind", WRITERS)
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
