"""Filters are evaluated once per frame, and the grid's pages equal D-Tale's own."""

import functools
import re

import numpy as np
import pandas as pd
import pytest
from cachetools import LRUCache
from dtale import predefined_filters

from django_dtale.compat.dtypes import make_displayable
from django_dtale.dtale import store
from django_dtale.dtale.patches.registry import resolve
from django_dtale.dtale.patches.rows import ENTRY_OVERHEAD, LazyPage, SortedLabelSet
from django_dtale.dtale.patches.sorting import row_order
from django_dtale.filters.compiler import Filter
from django_dtale.storage import blobs

from .kinds import KINDS

pytestmark = pytest.mark.django_db

ROWS = 1_000
DOWN = [["a", "DESC"], ["s", "ASC"]]
PAGES = [["0-59"], ["60-119", "3", "999"], ["990-1100"], ["2000-2060"], ["7-7", "9-5"]]


@pytest.fixture
def large(publish, ann, bob):
    """A frame of a thousand rows, owned by Ann and shared with Bob."""
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
    """The texts of all filters that were evaluated, in order."""
    texts, rows = [], Filter.rows

    def count(self, frame, values):
        texts.append(self.text)
        return rows(self, frame, values)

    monkeypatch.setattr(Filter, "rows", count)
    return texts


@pytest.fixture
def cache(monkeypatch, stored):
    """A function that installs an empty cache with a size in bytes: ``cache(1000)``."""

    def cache(size):
        cache = LRUCache(size, getsizeof=lambda entry: entry[1])
        monkeypatch.setattr(blobs, "_cache", cache)
        monkeypatch.setattr(blobs, "_max_bytes", lambda: size)
        return cache

    return cache


@pytest.fixture
def as_dtale_does(monkeypatch):
    """A function that returns plain D-Tale's response, from a sorted copy."""
    views = resolve("dtale.views")

    def ask(get, *args, **query):
        with monkeypatch.context() as patch:
            patch.setattr(views, "run_query", views.run_query.__wrapped__)
            sort = views.sort_df_for_grid.__wrapped__
            patch.setattr(views, "sort_df_for_grid", sort)
            patch.setattr(store, "needs_sorted_rows", lambda: True)
            return text(get(*args, **query))

    return ask


def text(answer):
    """Return the text of a response without what D-Tale's responses do not have.

    These are the request id, and the labels of rows.
    """
    return re.sub(r'\(request \w+\)|"__row":\d+,|,"__row":\d+', "", answer.text)


# The same responses -------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_page_has_the_same_rows_as_the_frame(kind):
    frame = make_displayable(KINDS[kind]()).frame
    for page in (slice(0, 2), slice(1, None), slice(9, 12)):
        expected = [tuple(row) for row in frame.iloc[page].itertuples()]
        assert repr([*LazyPage(frame).iloc[page].itertuples()]) == repr(expected)
        positions = np.arange(len(frame))
        assert repr([*LazyPage(frame, positions).iloc[page].itertuples()]) == repr(
            expected
        )


def test_sorted_label_set_contains_only_its_labels():
    labels = SortedLabelSet(np.array([2, 3, 7]))
    assert [each for each in range(-1, 10) if each in labels] == [2, 3, 7]
    assert 1 not in SortedLabelSet(np.array([], dtype="int64"))


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
    "not a condition": [settings(query="a + 1")],
    "does not fit": [settings(query="s > 1")],
    "no text": [settings(query="a.str.len() > 1", highlightFilter=True)],
}


REFUSED = "not a condition", "does not fit", "no text"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("person", ["ann", "bob"])
def test_responses_match_dtale(request, visitor, large, look, person, as_dtale_does):
    someone = visitor(request.getfixturevalue(person))
    for step in LOOKS[look]:
        assert step(someone, large.pk).json["success"]
    for sort in (None, DOWN, None):
        query = {"sort": sort} if sort else {}
        someone.get(f"data/{large.pk}", ids=["0-1"], **query)  # Sort the frame.
        for ids in PAGES:
            ask = functools.partial(someone.get, f"data/{large.pk}", ids=ids, **query)
            expected = as_dtale_does(ask)
            assert text(ask()) == expected
            assert text(ask()) == expected
            if look in REFUSED or ids == PAGES[0]:
                assert ("The filter cannot contain" in expected) == (look in REFUSED)


def test_page_contains_only_filtered_rows(owner, large):
    """A comparison with D-Tale cannot detect a mistake that is also in D-Tale."""
    frame = blobs.load(large.payload)
    more_than_40(owner, large.pk)
    left = frame["a"][frame["a"] > 40]
    for _ in range(2):
        answer = owner.get(f"data/{large.pk}", ids=["10-19"]).json
        assert answer["total"] == len(left)
        shown = {int(key): row["a"] for key, row in answer["results"].items()}
        assert shown == dict(zip(range(10, 20), left.iloc[10:20], strict=True))


@pytest.mark.parametrize("person", ["ann", "bob"])
def test_filtered_rows_can_be_sorted(request, visitor, large, person):
    someone = visitor(request.getfixturevalue(person))
    more_than_40(someone, large.pk)
    # The result of the filter is now cached.
    assert min(someone.column(large.pk)) == 41
    frame = blobs.load(large.payload)
    down = frame["a"][frame["a"] > 40].sort_values(ascending=False)[:100]
    for _ in range(3):
        assert someone.column(large.pk, sort=[["a", "DESC"]]) == [*down]


@pytest.mark.parametrize("kind", KINDS)
def test_row_order_is_the_order_of_pandas(kind):
    frame = make_displayable(KINDS[kind]()).frame
    frame["ties"] = np.arange(len(frame)) % 3
    for name in frame.columns:
        for sort in (
            [[name, "ASC"]],
            [[name, "DESC"]],
            [["ties", "DESC"], [name, "ASC"]],
            [[name, "DESC"], ["ties", "ASC"], [name, "ASC"]],
        ):
            names = [each for each, _ in sort]
            ascending = [direction == "ASC" for _, direction in sort]
            try:
                expected = frame.sort_values(
                    names, ascending=ascending, kind="stable"
                ).index
            except (TypeError, ValueError) as error:  # For example, mixed types.
                with pytest.raises(type(error)):
                    row_order(frame, sort, None)
            else:
                assert [*row_order(frame, sort, None)] == [*expected]


def beside_the_frame(cache):
    """Return the cached entries, except the frame itself and responses."""
    return [
        entry for key, entry in cache.items() if len(key) > 1 and "answer" not in key
    ]


@pytest.mark.parametrize("distinct", [3, 40_000])
@pytest.mark.parametrize("missing", [0, 0.2, 1])
def test_order_of_many_texts_is_the_order_of_pandas(distinct, missing):
    rng = np.random.default_rng(distinct)
    texts = np.array([f"wört {n}" for n in range(distinct)] + ["", "é", "Z"], object)
    values = rng.choice(texts, 50_000)
    values[rng.random(len(values)) < missing] = None
    frame = pd.DataFrame({"a": pd.Series(values, dtype="str")})
    for direction in "ASC", "DESC":
        expected = frame.sort_values("a", ascending=direction == "ASC").index
        assert [*row_order(frame, [["a", direction]], None)] == [*expected]


def test_sorted_grid_and_edits_make_no_sorted_copy(owner, large, cache):
    cache, sort = cache(10_000_000), {"sort": DOWN}
    shown = owner.get(f"data/{large.pk}", ids=["0-59"], **sort).json["results"]
    more_than_40(owner, large.pk)
    owner.get(f"data/{large.pk}", ids=["0-59"], **sort)
    more = beside_the_frame(cache)
    label = shown["0"]["__row"]
    edited = owner.browser.get(
        f"/flask/dtale/edit-cell/{large.pk}",
        query_string={"col": "a", "rowIndex": 0, "updated": "7"},
        headers={"X-Row": str(label)},
    )
    assert edited.json["success"]
    more += beside_the_frame(cache)
    assert more  # The order, and the rows that the filter finds.
    assert all(isinstance(value, pd.Series) for value, _ in more)
    large.refresh_from_db()
    assert blobs.load(large.payload)["a"][label] == 7


def test_results_of_predefined_filters_are_not_cached(owner, large):
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
        for limit in (10, 20, 30):  # The results of predefined filters are not cached.
            assert set(owner.column(large.pk)) == set(range(6, limit))
    finally:
        predefined_filters.set_filters([])


def test_export_of_filtered_rows_matches_dtale(owner, large, as_dtale_does):
    more_than_40(owner, large.pk)
    owner.column(large.pk)
    for query in ({}, {"export_rows": 7}):
        export = functools.partial(
            owner.get, f"data/{large.pk}", export="true", **query
        )
        assert len(export().text) > 10_000
        assert text(export()) == as_dtale_does(export)


# Evaluation ---------------------------------------------------------------------------


def test_filter_is_parsed_once(owner, large, monkeypatch):
    settings(query="a > 40")(owner, large.pk)
    owner.column(large.pk)
    monkeypatch.delattr(Filter, "__init__")
    assert min(owner.column(large.pk)) == 41


@pytest.mark.parametrize("highlight", [False, True])
def test_filter_is_evaluated_once(owner, large, evaluated, highlight):
    settings(query="a > 40", highlightFilter=highlight)(owner, large.pk)
    for start in range(0, 600, 60):
        owner.get(f"data/{large.pk}", ids=[f"{start}-{start + 59}"])
    assert evaluated == ["a > 40"]


def test_changed_filter_is_evaluated_again(owner, large, evaluated):
    for query in ("a > 40", "a > 41", "a > 40"):
        settings(query=query)(owner, large.pk)
        for _ in range(2):
            assert min(owner.column(large.pk)) == int(query[-2:]) + 1
    assert evaluated == ["a > 40", "a > 41"]


def test_filter_is_evaluated_again_on_new_data(owner, frame, evaluated):
    settings(query="a > 1")(owner, frame.pk)
    assert [owner.column(frame.pk) for _ in range(2)] == [[2, 3]] * 2
    owner.edit(frame.pk, "9")
    evaluated.clear()  # The edit changed the first of the filtered rows.
    assert [owner.column(frame.pk) for _ in range(2)] == [[9, 3]] * 2
    assert evaluated == ["a > 1"]


def test_each_person_has_their_own_filters_and_order(
    owner, visitor, bob, large, evaluated
):
    reader = visitor(bob)
    settings(query="a > 40")(owner, large.pk)
    settings(query="a < 10")(reader, large.pk)
    reader.get(f"data/{large.pk}", ids=["0-1"], sort=DOWN)
    for _ in range(2):
        assert min(owner.column(large.pk)) == 41
        assert reader.column(large.pk, sort=DOWN)[0] == 9
    settings(query="a < 10")(owner, large.pk)
    frame = blobs.load(large.payload)
    for _ in range(2):
        assert owner.column(large.pk) == [*frame["a"][frame["a"] < 10][:100]]
        assert reader.column(large.pk, sort=DOWN)[0] == 9


# Memory -------------------------------------------------------------------------------


def test_new_columns_of_a_sorted_grid_add_no_index(owner, publish, ann):
    """D-Tale describes a cumulative sum only when the grid shows it."""
    frame = publish(ann, x=[2, 3, 1])
    sort = '[["x", "DESC"]]'
    rows = owner.get(f"data/{frame.pk}", ids='["0-9"]', sort=sort).json["results"]
    cfg = '{"cols": ["x"]}'
    owner.get(f"build-column/{frame.pk}", type="cumsum", name="sum", cfg=cfg)
    shown = owner.get(f"data/{frame.pk}", ids='["0-9"]', sort=sort).json
    names = [column["name"] for column in shown["columns"]]
    assert names[0] == "dtale_index"
    assert "index" not in names
    assert [row["__row"] for row in rows.values()] == [1, 0, 2]
    assert [row["__row"] for row in shown["results"].values()] == [1, 0, 2]
    assert "error" not in owner.get(f"correlations/{frame.pk}").json


def test_memory_of_filter_results_is_bounded(owner, large, cache):
    held = cache(40_000 + large.nbytes * 2)
    for limit in range(60):
        settings(query=f"a > {limit}")(owner, large.pk)
        owner.column(large.pk)
        assert held.currsize <= held.maxsize
    kept = [size for _, size in beside_the_frame(held)]
    # Filters without matches also have this overhead.
    assert min(kept) > ENTRY_OVERHEAD
    assert 2 <= len(kept) <= held.maxsize // ENTRY_OVERHEAD


def test_removing_a_payload_evicts_its_filter_results(owner, large, cache):
    held = cache(1 << 20)
    more_than_40(owner, large.pk)
    owner.column(large.pk)
    assert len(beside_the_frame(held)) == 1
    blobs.remove(large.payload)
    assert len(held) == 0


def test_filters_work_without_a_cache(owner, large, cache, evaluated):
    cache(0)
    settings(query="a > 40")(owner, large.pk)
    assert [min(owner.column(large.pk)) for _ in range(2)] == [41, 41]
    assert len(evaluated) == 2
