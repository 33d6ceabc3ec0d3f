"""Analyses that the library calculates faster return the same results as D-Tale's own.

Each test asks for the analyses of a random frame twice: as the site answers, and as
D-Tale itself does. FRAMES is the number of frames, which is 6 by default.
"""

import inspect
import json
import math
import os

import numpy as np
import pandas as pd
import pytest
from dtale import column_analysis, views
from dtale import correlations as dtale_correlations
from dtale.charts import utils
from dtale.ppscore import calculation
from pandas.testing import assert_frame_equal
from scipy import stats

from django_dtale.dtale import store
from django_dtale.dtale.loader import load_dtale
from django_dtale.dtale.patches import describe
from django_dtale.dtale.patches.fast import (
    charts,
    columns,
    correlations,
    matrices,
    networks,
    raw_pandas,
)

pytestmark = pytest.mark.django_db

FRAMES = int(os.environ.get("FRAMES", "6"))
# With more values than this, the library sorts numbers instead of counting them.
LONG = columns.FEW + 2_000


def random_frame(seed):
    """Return a frame with a random selection of columns, and a column of each role."""
    rng = np.random.default_rng(seed)
    rows = [50, LONG][seed % 2]

    def missing(values):
        return pd.Series(values).where(rng.random(rows) < 0.9)

    def day(count, unit):
        steps = rng.integers(0, count, rows)
        return pd.Timestamp("2026-01-01") + pd.to_timedelta(steps, unit)

    choices = {
        "float": lambda: rng.normal(10, 3, rows),
        "float with gaps": lambda: missing(rng.normal(size=rows)),
        "rounded": lambda: rng.gamma(2, 10, rows).round(1),
        # A few values occur twice.
        "repeated": lambda: rng.choice(rng.normal(size=rows * 200), rows),
        "constant": lambda: np.full(rows, 0.1),
        "integer": lambda: rng.integers(-3, 20, rows),
        "id": lambda: rng.permutation(rows),
        "Int64": lambda: missing(rng.integers(0, 9, rows)).astype("Int64"),
        "Float64": lambda: missing(rng.normal(size=rows)).astype("Float64"),
        "bool": lambda: rng.random(rows) < 0.5,
        "text": lambda: rng.choice([*"bca"], rows),
        "text with gaps": lambda: missing(rng.choice([*"zxy"], rows)),
        "texts": lambda: [f"item {each:05}" for each in rng.integers(0, 2_000, rows)],
        "category": lambda: pd.Categorical(rng.choice([*"pq"], rows), [*"qpr"]),
        "day": lambda: day(20, "D"),
        "time": lambda: missing(day(10**6, "s")),
    }
    names = ["float", "integer", "text", "day"]
    rest = sorted(choices.keys() - {*names})
    names += [*rng.choice(rest, 4, replace=False)]
    return pd.DataFrame({name: choices[name]() for name in rng.permutation(names)})


def requests_of(frame, rng):
    """Yield paths and queries of analyses that the library calculates itself."""
    numbers = [n for n in frame if frame[n].dtype.kind in "if"]
    floats = [n for n in numbers if frame[n].dtype.kind == "f"]
    keys = [n for n in frame if n not in floats]
    for name in frame:
        yield "describe/PK", {"col": name}
        yield "column-filter-data/PK", {"col": name}
        frequency = {"col": name, "type": "frequency", "top": 100}
        yield "column-analysis/PK", frequency
        yield "column-analysis/PK", frequency | {"splits": "text"}
    for kind in ("describe", "nunique"):
        yield "raw-pandas/PK", {"func_type": kind}
    for name in numbers:
        if not frame[name].isna().any():
            yield "variance/PK", {"col": name}
        for sort in ("ASC", "DESC"):
            yield "sorted-sequential-diffs/PK", {"col": name, "sort": sort}
    if "constant" not in frame:  # Because of rounding, NumPy has results for it.
        yield "correlations/PK", {}
        yield "correlations/PK", {"encodeStrings": "true"}
        yield "corr-analysis/PK", {}
    for _ in range(3):
        pair = [*rng.choice(numbers, 2, replace=False)]
        if "constant" not in pair:  # The same is true for pandas.
            yield "scatter/PK", {"cols": pair}
        yield "correlations-ts/PK", {"cols": pair, "dateCol": "day"}
        value, weight = pair
        if not frame[pair].isna().any(axis=None) and abs(frame[weight].sum()) > 1:
            yield f"weighted-average/PK/{value}/{weight}", {}
    for agg in [*sorted(charts.ANY_ORDER), "first", "raw"]:
        x, group = (*rng.choice(keys, 2, replace=False),)
        ys = [*rng.choice([n for n in numbers if n not in (x, group)], 2)]
        chart = {"x": x, "y": [*dict.fromkeys(ys)], "agg": agg}
        yield "chart-data/PK", chart
        yield "chart-data/PK", chart | {"group": [group]}


@pytest.fixture
def originally(monkeypatch):
    """A function that calls a function while D-Tale's own functions are in place."""
    dtale = load_dtale()
    app = dtale.app(dtale.usual_root)
    originals = {
        name: inspect.unwrap(app.view_functions[name])
        for module in (columns, correlations, describe, networks, raw_pandas)
        for name, _ in module.VIEWS
    }
    build = inspect.unwrap(column_analysis.FrequencyAnalysis.build)

    def call(function, *args):
        with monkeypatch.context() as context:
            for name, view in originals.items():
                view = views.exception_decorator(view)
                context.setitem(app.view_functions, name, view)
            for name in (
                *("build_sequential_diffs", "build_base_chart", "load_describe"),
                *("build_filter_vals", "build_correlations_matrix"),
            ):
                context.setattr(views, name, inspect.unwrap(getattr(views, name)))
            group = inspect.unwrap(utils.build_agg_data)
            context.setattr(utils, "build_agg_data", group)
            matrix = inspect.unwrap(dtale_correlations.build_matrix)
            context.setattr(dtale_correlations, "build_matrix", matrix)
            context.setattr(column_analysis.FrequencyAnalysis, "build", build)
            return function(*args)

    return call


def assert_same(ours, theirs, where):
    """Compare parsed JSON. Numbers may differ by 1e-9 of their value."""
    if isinstance(theirs, dict):
        assert [*ours] == [*theirs], where
        different = {"timestamp"}
        if "jarqueBera" in theirs:  # The library's code leaves missing values out.
            different.add("code")
        for key in theirs.keys() - different:
            assert_same(ours[key], theirs[key], (*where, key))
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), where
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, (*where, number))
    elif isinstance(theirs, float):
        assert math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12), where
    else:
        assert ours == theirs, where


@pytest.fixture(autouse=True)
def calculated(monkeypatch):
    """Calculate each response, but without the slow score, which is D-Tale's own."""
    monkeypatch.setattr("django_dtale.dtale.answers.PURE", set())
    monkeypatch.setattr(views, "get_ppscore", lambda *args: None)


@pytest.mark.parametrize("seed", range(FRAMES))
def test_analyses_of_random_frame_match_dtale(owner, publish, ann, originally, seed):
    frame = random_frame(seed)
    pk = publish(ann, **frame).pk

    def ask(path, query):
        return json.loads(owner.get(path.replace("PK", str(pk)), **query).text)

    compared = 0
    for path, query in requests_of(frame, np.random.default_rng(seed)):
        theirs = originally(ask, path, query)
        if theirs.get("success") is False or "error" in theirs:
            continue
        assert_same(ask(path, query), theirs, (path, query))
        compared += 1
    assert compared > 40


def test_average_ignores_rows_without_a_value_or_a_weight(owner, publish, ann):
    pk = publish(ann, v=[1.0, None, 3.0, 5.0], w=[1, 2, None, 3], zero=0).pk
    assert owner.get(f"weighted-average/{pk}/v/w").json["result"] == 4.0
    answer = owner.get(f"weighted-average/{pk}/v/zero").json
    assert answer == {"success": True, "result": None}


@pytest.mark.parametrize("rows", [5, LONG])
def test_variance_report_ignores_missing_values(owner, publish, ann, rows):
    values = np.random.default_rng(1).normal(size=rows)
    values[1] = np.nan
    pk = publish(ann, a=values).pk
    report = owner.get(f"variance/{pk}", col="a").json
    present = values[~np.isnan(values)]
    for name, test in ("jarqueBera", stats.jarque_bera), ("shapiroWilk", stats.shapiro):
        found = test(present)
        assert report[name]["statistic"] == pytest.approx(float(found[0]), rel=1e-9)
        assert report[name]["pvalue"] == pytest.approx(float(found[1]), rel=1e-9)
    assert report["missingCt"] == 1
    assert "sts.shapiro(s.dropna())" in report["code"]


def test_results_that_are_no_numbers_are_valid_json(owner, publish, ann):
    """RFC 8259 has no NaN, so browsers cannot read it."""
    pk = publish(ann, a=[7.0] * 5).pk
    text = owner.get(f"variance/{pk}", col="a").text
    report = json.loads(text, parse_constant=pytest.fail)
    assert report["jarqueBera"] == {"pvalue": None, "statistic": None}


def test_shortest_path_in_a_network_with_missing_values_has_a_result(
    owner, publish, ann
):
    pk = publish(ann, a=["x", "y", None], b=["y", "z", "x"]).pk
    query = {"to": "b", "from": "a", "start": "x", "end": "z"}
    assert owner.get(f"shortest-path/{pk}", **query).json["data"]


def test_equal_edges_of_a_long_table_count_once(owner, publish, ann, originally):
    """D-Tale's network of the last distinct rows is the same."""
    rows = 30_000
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "from": rng.choice(["a", "b", "c"], rows),
            "to": rng.choice(["c", "d", "e"], rows),
            "weight": rng.integers(0, 9, rows),
            "kind": rng.choice(["x", "y"], rows),
        }
    )
    names = ["from", "to", "weight"]
    few = publish(ann, **frame.drop_duplicates(names, keep="last")).pk
    pk = publish(ann, **frame).pk
    query = {"from": "from", "to": "to", "weight": "weight"}

    def ask(route, pk, **more):
        return json.loads(owner.get(f"{route}/{pk}", **query, **more).text)

    network = ask("network-data", pk, group="kind")
    assert len(network["edges"]) == 9 * 9
    theirs = originally(lambda: ask("network-data", few, group="kind"))
    assert_same(network, theirs, "network")
    figures = ask("network-analysis", pk)["data"]
    theirs = originally(lambda: ask("network-analysis", few))["data"]
    average = pytest.approx(frame["weight"].mean(), abs=0.01)
    assert float(figures.pop("avg_weight")) == average
    del theirs["avg_weight"]
    assert_same(figures, theirs, "figures")
    assert ask("shortest-path", pk, start="a", end="d")["data"] == ["a", "d"]


@pytest.mark.parametrize("rows", [2, 5, LONG])
def test_constant_column_has_no_correlation(owner, publish, ann, rows):
    pk = publish(ann, a=np.full(rows, 0.1), b=range(rows)).pk
    stats = owner.get(f"scatter/{pk}", cols=["a", "b"]).json["stats"]
    assert (stats["pearson"], stats["spearman"]) == ("N/A", "N/A")
    assert owner.get(f"correlations/{pk}").json["data"][0]["b"] is None


def numbers_of_all_kinds(rows):
    """Return columns of numbers that are difficult to correlate."""
    rng = np.random.default_rng(rows)
    normal = rng.normal(size=rows)
    late = np.arange(rows) >= rows // 2
    return pd.DataFrame(
        {
            "normal": normal,
            "related": normal + rng.normal(size=rows) / 9,
            "opposite": -3 * normal,
            "gaps": np.where(rng.random(rows) < 0.3, np.nan, normal),
            # These two are far from the center of the rows that both of them have.
            "late": np.where(late, rng.normal(size=rows), np.nan),
            "higher when late": rng.normal(size=rows) + late * 1e4,
            "constant when late": np.where(late, 0.1, rng.normal(size=rows)),
            "early": np.where(late, np.nan, rng.normal(size=rows)),
            "offset": rng.normal(size=rows) + 1e5,
            "infinite": np.where(rng.random(rows) < 0.1, -np.inf, normal),
            "constant": np.full(rows, 0.1),
            "missing": np.full(rows, np.nan),
            "one": np.where(np.arange(rows) == 1, 1.5, np.nan),
            "outlier": np.where(np.arange(rows) == rows // 2 + 1, 1e9, normal),
            "large": normal * 1e200,
            "small": normal * 1e-200,
            "float32": normal.astype("float32"),
            "integer": rng.integers(-9, 9, rows),
            "unsigned": rng.integers(0, 9, rows).astype("uint64"),
            "id": np.arange(rows),
            "bool": normal > 0,
            "Int64": pd.array(rng.integers(0, 9, rows), "Int64"),
            "Float64": pd.Series(normal, dtype="Float64").where(normal > 0),
        }
    )


@pytest.mark.parametrize("rows", [0, 1, 2, 50, LONG, 2 * matrices.CHUNK])
def test_correlations_of_all_kinds_of_numbers_are_those_of_pandas(rows):
    frame = numbers_of_all_kinds(rows)
    frame["small"] *= 1e190  # pandas itself returns NaN for squares that vanish.
    assert_frame_equal(
        matrices.correlation_matrix(frame), frame.corr(), rtol=1e-9, atol=1e-9
    )


def test_correlations_of_complete_columns_are_those_of_numpy():
    frame = numbers_of_all_kinds(LONG).drop(columns=["constant", "large", "small"])
    frame = frame.loc[:, ~frame.isna().any()].astype(float)
    assert np.isinf(frame["infinite"]).any()
    with np.errstate(all="ignore"):
        expected = np.corrcoef(frame, rowvar=False)
    ours = matrices.correlation_matrix(frame, is_complete=True)
    np.testing.assert_allclose(ours, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("values", [["b", None, "a"], [1, "1", 2.5], [None] * 2, []])
@pytest.mark.parametrize("dtype", [None, "category", "object"])
def test_dummy_columns_are_those_of_pandas(values, dtype):
    frame = pd.DataFrame({"a b": pd.Series(values, dtype=dtype)}).set_index(
        pd.Index(range(5, len(values) + 5))
    )
    try:
        expected = pd.get_dummies(frame, columns=["a b"], dtype="int")
    except TypeError:
        pytest.skip("pandas cannot order these values.")
    ours = matrices.dummy_columns(frame)
    assert_frame_equal(ours.astype("int"), expected)


# Sorted views -------------------------------------------------------------------------


SORTED = {
    "describe/PK": {"col": "float"},
    "variance/PK": {"col": "integer"},
    "column-analysis/PK": {"col": "texts é", "type": "value_counts"},
    "chart-data/PK": {"x": "text", "y": ["float"], "agg": "last"},
    "scatter/PK": {"cols": ["float", "integer"]},
    "correlations-ts/PK": {"cols": ["float", "integer"], "dateCol": "day"},
    "sorted-sequential-diffs/PK": {"col": "float", "sort": "ASC"},
    "timeseries-analysis/PK": {
        "type": "hpfilter",
        "cfg": {"index": "day", "col": "float", "agg": "mean", "lamb": 9},
    },
    "network-data/PK": {"to": "text", "from": "texts é"},
    # These do not depend on the order of the rows.
    "column-filter-data/PK": {"col": "texts é"},
    "corr-analysis/PK": {},
    "correlations/PK": {},
    "outliers/PK": {"col": "float"},
    "aggregations/PK/float": {},
    "weighted-average/PK/float/integer": {},
    "raw-pandas/PK": {"func_type": "describe"},
    "network-analysis/PK": {"to": "text", "from": "texts é"},
    "duplicates/PK": {
        "type": "rows",
        "action": "test",
        "cfg": {"subset": ["text"], "keep": "first"},
    },
}


@pytest.fixture
def sorted_frame(owner, publish, ann):
    frame = random_frame(0)[["float", "integer", "text", "day"]]
    frame["texts é"] = [f"t{each % 7}" for each in range(len(frame))]
    pk = publish(ann, **frame).pk
    sort = [["float", "DESC"]]
    assert owner.get(f"data/{pk}", ids=["0-9"], sort=sort).json["results"]
    owner.get(f"test-filter/{pk}", query="integer > 0", save="true")
    return pk


@pytest.mark.parametrize("path", SORTED)
def test_sorted_view_is_not_copied_as_a_whole(owner, sorted_frame, monkeypatch, path):
    def ask():
        answer = owner.get(path.replace("PK", str(sorted_frame)), **SORTED[path])
        return json.loads(answer.text)

    copies, copy = [], store._sorted

    def count(frame, order):
        copies.append(frame.shape[1])
        return copy(frame, order)

    monkeypatch.setattr(store, "_sorted", count)
    ours = ask()
    assert ours.get("success") is not False and "error" not in ours
    assert all(columns < 4 for columns in copies)
    copies.clear()
    monkeypatch.setattr(store, "needs_sorted_rows", lambda: True)
    monkeypatch.setattr(store, "needed_columns", lambda *args: None)
    theirs = ask()
    assert copies == [5]
    assert_same(ours, theirs, (path,))


@pytest.mark.parametrize("rows", [100, LONG, LONG + 1])
def test_scores_are_calculated_from_the_rows_that_pandas_samples(rows):
    frame = pd.DataFrame({"a": np.arange(rows), "b": 1.5}, index=range(5, rows + 5))
    ours = calculation._maybe_sample
    theirs = inspect.unwrap(ours)
    for _ in range(2):
        expected = theirs(frame, 5_000, random_seed=123)
        assert_frame_equal(ours(frame, 5_000, random_seed=123), expected)
