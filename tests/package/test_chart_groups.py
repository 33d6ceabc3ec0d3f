"""Long frames are grouped by codes, with the same result as D-Tale's own grouping."""

import gc
import inspect
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from dtale.charts import utils
from dtale.dash_application import charts as dash_charts
from pandas.testing import assert_frame_equal

from django_dtale.dtale.loader import load_dtale
from django_dtale.dtale.patches.fast import charts, codes, networks

ROWS = charts.FEW + 2_000
rng = np.random.default_rng(1)
some = rng.random(ROWS)
KEYS = {
    "text": rng.choice(["b", "a", "é", "Z", ""], ROWS),
    "text with gaps": pd.Series(rng.choice([*"xyz"], ROWS)).where(some < 0.9),
    "no text": pd.Series([None] * ROWS, dtype="str"),
    "many texts": [f"text {each}" for each in rng.permutation(ROWS)],
    "category": pd.Categorical(rng.choice([*"pq"], ROWS), [*"qpr"]),
    "category with gaps": pd.Categorical(
        pd.Series(rng.choice([*"pq"], ROWS)).where(some < 0.9), [*"qpr"]
    ),
    "integer": rng.integers(-3, 20, ROWS),
    "Int64": pd.Series(rng.integers(0, 9, ROWS)).where(some < 0.9).astype("Int64"),
    "float": rng.choice([-np.inf, -0.0, 0.0, 1.5, np.nan, np.inf], ROWS),
    "bool": some < 0.5,
    "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 20, ROWS), "D"),
    "time": pd.Series(pd.date_range("2026-01-01", periods=ROWS)).where(some < 0.9),
}
VALUES = {
    "v": rng.normal(size=ROWS),
    "w": np.where(some < 0.3, np.nan, rng.normal(size=ROWS)),
    "n": rng.integers(0, 9, ROWS),
}
FRAME = pd.DataFrame({**KEYS, **VALUES})


@pytest.fixture(scope="module", autouse=True)
def patched():
    load_dtale()


def compare(frame, x, y, **options):
    agg = options.pop("agg", None)
    ours, theirs = (
        build(frame, x, y, {}, agg, **options)
        for build in (utils.build_agg_data, inspect.unwrap(utils.build_agg_data))
    )
    assert_frame_equal(ours[0], theirs[0], rtol=1e-9)
    assert ours[1:] == theirs[1:]


@pytest.mark.parametrize("agg", [*sorted(charts.ANY_ORDER), "first", "pctsum"])
@pytest.mark.parametrize("key", KEYS)
def test_groups_are_those_of_dtale(agg, key):
    if key == "no text" and agg == "first":
        pytest.skip("D-Tale fails if there are no groups.")
    compare(FRAME, key, ["v"], agg=agg)
    if key not in ("many texts", "time"):
        other = "text" if key == "day" else "day"
        compare(FRAME, key, ["v", "w"], agg=agg, group_col=[other])
        compare(FRAME, "text" if key != "text" else "bool", [key], z="n", agg=agg)


def test_groups_of_several_aggregations_are_those_of_dtale():
    several = [
        {"col": "v", "agg": "mean"},
        {"col": "w", "agg": "mean"},
        {"col": "n", "agg": "max"},
    ]
    for group in None, ["text with gaps"], ["category", "day"]:
        options = {"group_col": group, "extended_aggregation": several}
        compare(FRAME, "text", ["v"], agg="mean", **options)


@pytest.mark.parametrize("options", [{"dropna": False}, {"animate_by": "day"}])
def test_groups_with_missing_keys_and_frames_are_those_of_dtale(options):
    compare(FRAME, "text with gaps", ["v"], agg="sum", group_col=["bool"], **options)


def test_filtered_rows_have_their_own_groups():
    for kept in FRAME["text"] != "a", FRAME["text"] == "b", some < 0.95:
        compare(FRAME[kept], "text", ["v"], agg="max", group_col=["category"])


@pytest.mark.parametrize("key", KEYS)
def test_distinct_values_are_counted_as_by_pandas(key):
    for dropna in True, False:
        ours = codes.count_distinct(FRAME[key], dropna)
        assert ours == FRAME[key].nunique(dropna=dropna)


def test_codes_are_dropped_with_their_texts():
    texts = pd.Series(["a", "b", None] * 5, dtype="str")
    if not codes.has_arrow_texts(texts):
        pytest.skip("This version of pandas does not store these texts with Arrow.")
    gc.collect()
    before = len(codes._known)
    first, again = codes.codes_of(texts), codes.codes_of(texts)
    assert first[0] is again[0]
    assert first[0].tolist() == [0, 1, -1] * 5
    del texts
    gc.collect()
    assert len(codes._known) == before


@pytest.mark.django_db
@pytest.mark.parametrize("agg", ["count", "max", "median", "first"])
@pytest.mark.parametrize("pair", [("text", "category"), ("day", "text with gaps")])
def test_heatmaps_are_those_of_dtale(owner, publish, ann, monkeypatch, agg, pair):
    pk = publish(ann, **FRAME[[*pair, "v"]]).pk
    query = {"chart_type": "heatmap", "x": pair[0], "y": [pair[1]], "z": "v"}

    def page():
        text = owner.get(f"chart-export/{pk}", **query, agg=agg).text
        assert "Plotly.newPlot" in text
        return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "", text)

    ours = page()
    monkeypatch.setattr("django_dtale.dtale.answers.PURE", set())
    for name in "heatmap_builder", "build_agg_data":
        monkeypatch.setattr(
            dash_charts, name, inspect.unwrap(getattr(dash_charts, name))
        )
    assert page() == ours


@pytest.mark.parametrize("to", [key for key in KEYS if key != "text"])
def test_edges_are_the_last_distinct_rows(monkeypatch, to):
    frame = pd.concat([FRAME] * 3, ignore_index=True)
    args = {"from": "text", "to": to, "weight": "n"}
    monkeypatch.setattr(networks.global_state, "get_data", lambda data_id: frame)
    monkeypatch.setattr(networks, "request", SimpleNamespace(args=args))
    assert len(frame) > networks.EDGES.most
    expected = frame.drop_duplicates(["text", to, "n"], keep="last")
    assert_frame_equal(networks.distinct_edges("1"), expected)
