"""A filter looks at a frame once, and pages of the grid are those that D-Tale makes."""

import functools
import re

import numpy as np
import pandas as pd
import pytest
from cachetools import LRUCache
from dtale import predefined_filters

from frames import frame_storage
from frames.dtale_replaced import find
from frames.dtale_rows import OBJECTS, Labels, Rows
from frames.filters import Filter
from frames.kinds import prepare

from .kinds import KINDS

pytestmark = pytest.mark.django_db

ROWS = 1_000
DOWN = [["a", "DESC"], ["s", "ASC"]]
PAGES = [["0-59"], ["60-119", "3", "999"], ["990-1100"], ["2000-2060"], ["7-7", "9-5"]]


@pytest.fixture
def large(publish, ann, bob):
    """A frame of Ann's with a thousand rows, which Bob may read."""
    rng = np.random.default_rng(5)
    return publish(
        ann,
        shared_with=[bob],
        a=rng.integers(0, 50, ROWS),
        f=np.where(rng.random(ROWS) < 0.1, np.nan, rng.normal(size=ROWS)),
        s=rng.choice(["x", "y z", "é"], ROWS),
        c=pd.Categorical(rng.choice(list("pq"), ROWS)),
        d=pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 99, ROWS), "D"),
    )


@pytest.fixture
def evaluated(monkeypatch):
    """The texts (list) of the filters that have looked at a frame."""
    texts, rows = [], Filter.rows

    def count(self, frame):
        texts.append(self.text)
        return rows(self, frame)

    monkeypatch.setattr(Filter, "rows", count)
    return texts


@pytest.fixture
def cache(monkeypatch, stored):
    """An empty cache of this process's, of so many bytes: cache(1000)."""

    def cache(size):
        cache = LRUCache(size, getsizeof=lambda entry: entry[1])
        monkeypatch.setattr(frame_storage, "_cache", cache)
        return cache

    return cache


@pytest.fixture
def as_dtale_does(monkeypatch):
    """Return what is answered if each page filters the whole frame."""
    views = find("dtale.views")

    def ask(get, *args, **query):
        with monkeypatch.context() as patch:
            patch.setattr(views, "run_query", views.run_query.__wrapped__)
            return text(get(*args, **query))

    return ask


def text(answer):
    """What is answered (str), without the number that each failure has in the log."""
    return re.sub(r"\(request \w+\)", "", answer.text)


# The same answers ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_each_kind(kind):
    frame = prepare(KINDS[kind]()).frame
    for page in (slice(0, 2), slice(1, None), slice(9, 12)):
        expected = [tuple(row) for row in frame.iloc[page].itertuples()]
        assert repr([*Rows(frame).iloc[page].itertuples()]) == repr(expected)
        positions = np.arange(len(frame))
        assert repr([*Rows(frame, positions).iloc[page].itertuples()]) == repr(expected)


def test_labels():
    labels = Labels(np.array([2, 3, 7]))
    assert [each for each in range(-1, 10) if each in labels] == [2, 3, 7]
    assert 1 not in Labels(np.array([], dtype="int64"))


def chosen(col, **config):
    return lambda owner, pk: owner.get(f"save-column-filter/{pk}", col=col, cfg=config)


def settings(**settings):
    return lambda owner, pk: owner.get(f"update-settings/{pk}", settings=settings)


def outliers(owner, pk):
    return owner.get(f"toggle-outlier-filter/{pk}", col="f")


def more_than_40(owner, pk):
    return chosen(col="a", type="int", operand=">", value=40)(owner, pk)


def texts(owner, pk):
    return chosen(col="s", type="string", action="equals", value=["x", "é"])(owner, pk)


LOOKS = {
    "no filter": [],
    "column": [more_than_40],
    "two columns": [more_than_40, texts],
    "outliers": [outliers],
    "own": [settings(query="f > 0 and s.str.contains('z') or c == 'p'")],
    "all rows": [settings(query="a >= 0")],
    "no row": [settings(query="a > 1000")],
    "one row": [settings(query="index == 5")],
    "or": [more_than_40, settings(query="a == 1 or a == 2")],
    "inverted": [more_than_40, settings(invertFilter=True)],
    "all at once": [more_than_40, outliers, texts, settings(query="c == 'p'")],
    "highlighted": [more_than_40, settings(highlightFilter=True)],
    "none to highlight": [settings(query="a > 1000", highlightFilter=True)],
    "highlighted without a filter": [settings(highlightFilter=True)],
    "no such column": [settings(query="gone > 1")],
    "no condition": [settings(query="a + 1")],
    "does not fit": [settings(query="s > 1")],
    "no text": [settings(query="a.str.len() > 1", highlightFilter=True)],
}


REFUSED = "no such column", "no condition", "does not fit", "no text"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("person", ["ann", "bob"])
def test_answers_are_those_of_dtale(
    request, visitor, large, look, person, as_dtale_does
):
    someone = visitor(request.getfixturevalue(person))
    for step in LOOKS[look]:
        assert step(someone, large.pk).json["success"]
    for sort in (None, DOWN, None):
        query = {"sort": sort} if sort else {}
        someone.get(f"data/{large.pk}", ids=["0-1"], **query)  # It sorts.
        for ids in PAGES:
            ask = functools.partial(someone.get, f"data/{large.pk}", ids=ids, **query)
            expected = as_dtale_does(ask)
            assert text(ask()) == expected
            assert text(ask()) == expected
            if look in REFUSED or ids == PAGES[0]:
                assert ("The filter cannot have" in expected) == (look in REFUSED)


def test_filter_that_finds_less_is_shown_less(owner, large):
    """What the comparison above compares is not twice the same mistake."""
    frame = frame_storage.load(large.payload)
    more_than_40(owner, large.pk)
    left = frame["a"][frame["a"] > 40]
    for _ in range(2):
        answer = owner.get(f"data/{large.pk}", ids=["10-19"]).json
        assert answer["total"] == len(left)
        shown = {int(key): row["a"] for key, row in answer["results"].items()}
        assert shown == dict(zip(range(10, 20), left.iloc[10:20], strict=True))


@pytest.mark.parametrize("person", ["ann", "bob"])
def test_sorting_at_once_with_a_filter(request, visitor, large, person):
    someone = visitor(request.getfixturevalue(person))
    more_than_40(someone, large.pk)
    assert min(someone.column(large.pk)) == 41  # Now it is known what the filter finds.
    frame = frame_storage.load(large.payload)
    down = frame["a"][frame["a"] > 40].sort_values(ascending=False)[:100]
    for _ in range(3):
        assert someone.column(large.pk, sort=[["a", "DESC"]]) == [*down]


def test_filters_of_the_sites_own(owner, large):
    limits = iter(range(10, 40, 10))

    def less(df, value):
        return df[df["a"] < value * next(limits)]

    spec = {"name": "less", "column": "a", "handler": less, "input_type": "input"}
    predefined_filters.set_filters([spec])
    try:
        active = {"less": {"value": 1, "active": True}}
        answer = owner.get(
            f"update-settings/{large.pk}", settings={"predefinedFilters": active}
        )
        assert answer.json["success"]
        settings(query="a > 5")(owner, large.pk)
        for limit in (10, 20, 30):  # What they find is not kept.
            assert set(owner.column(large.pk)) == set(range(6, limit))
    finally:
        predefined_filters.set_filters([])


def test_file_of_the_rows_that_are_left(owner, large, as_dtale_does):
    more_than_40(owner, large.pk)
    owner.column(large.pk)
    for query in ({}, {"export_rows": 7}):
        export = functools.partial(
            owner.get, f"data/{large.pk}", export="true", **query
        )
        assert len(export().text) > 10_000
        assert text(export()) == as_dtale_does(export)


# Once ---------------------------------------------------------------------------------


def test_filter_is_read_once(owner, large, monkeypatch):
    settings(query="a > 40")(owner, large.pk)
    owner.column(large.pk)
    monkeypatch.delattr(Filter, "__init__")
    assert min(owner.column(large.pk)) == 41


@pytest.mark.parametrize("highlight", [False, True])
def test_filter_looks_once(owner, large, evaluated, highlight):
    settings(query="a > 40", highlightFilter=highlight)(owner, large.pk)
    for start in range(0, 600, 60):
        owner.get(f"data/{large.pk}", ids=[f"{start}-{start + 59}"])
    assert evaluated == ["a > 40"]


def test_changed_filter_looks_again(owner, large, evaluated):
    for query in ("a > 40", "a > 41", "a > 40"):
        settings(query=query)(owner, large.pk)
        for _ in range(2):
            assert min(owner.column(large.pk)) == int(query[-2:]) + 1
    assert evaluated == ["a > 40", "a > 41"]


def test_new_data_are_looked_at_again(owner, frame, evaluated):
    settings(query="a > 1")(owner, frame.pk)
    assert [owner.column(frame.pk) for _ in range(2)] == [[2, 3]] * 2
    owner.edit(frame.pk, "9")
    evaluated.clear()  # Of the rows that are left, the first was changed.
    assert [owner.column(frame.pk) for _ in range(2)] == [[9, 3]] * 2
    assert evaluated == ["a > 1"]


def test_each_person_has_their_own(owner, visitor, bob, large, evaluated):
    reader = visitor(bob)
    settings(query="a > 40")(owner, large.pk)
    settings(query="a < 10")(reader, large.pk)
    reader.get(f"data/{large.pk}", ids=["0-1"], sort=DOWN)
    for _ in range(2):
        assert min(owner.column(large.pk)) == 41
        assert reader.column(large.pk, sort=DOWN)[0] == 9
    settings(query="a < 10")(owner, large.pk)
    frame = frame_storage.load(large.payload)
    for _ in range(2):
        assert owner.column(large.pk) == [*frame["a"][frame["a"] < 10][:100]]
        assert reader.column(large.pk, sort=DOWN)[0] == 9


# Bounded ------------------------------------------------------------------------------


def test_memory_is_bounded(owner, large, cache):
    held = cache(40_000 + large.nbytes * 2)
    for limit in range(60):
        settings(query=f"a > {limit}")(owner, large.pk)
        owner.column(large.pk)
        assert held.currsize <= held.maxsize
    kept = [size for key, (_, size) in held.items() if len(key) > 1]
    assert min(kept) > OBJECTS  # Also of a filter that finds nothing.
    assert 2 <= len(kept) <= held.maxsize // OBJECTS


def test_what_a_deleted_frame_has_found_goes(owner, large, cache):
    held = cache(1 << 20)
    more_than_40(owner, large.pk)
    owner.column(large.pk)
    assert len(held) == 2
    frame_storage.remove(large.payload)
    assert len(held) == 0


def test_no_room_at_all(owner, large, cache, evaluated):
    cache(0)
    settings(query="a > 40")(owner, large.pk)
    assert [min(owner.column(large.pk)) for _ in range(2)] == [41, 41]
    assert len(evaluated) == 2
