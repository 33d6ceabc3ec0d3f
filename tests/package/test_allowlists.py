"""Requests can use only the function names that D-Tale's dialogs offer."""

import ast
import datetime
import importlib.util
from pathlib import Path

import pytest
from dtale.charts.utils import AGGS

from django_dtale.dtale.patches import allowlists

pytestmark = pytest.mark.django_db

TIMES = [datetime.datetime(2026, 1, day, 12) for day in (1, 1, 2, 3)]


@pytest.fixture
def pk(publish, ann):
    columns = {"g": ["u", "u", "v", "v"], "x": [1, 2, 3, 4], "t": TIMES}
    return publish(ann, **columns, y=[1.5, 2.5, 3.5, 5.5]).pk


def builds(kind, **cfg):
    return "build-column/{}", dict(type=kind, name="new", cfg=cfg)


def reshapes(kind, **cfg):
    return "reshape/{}", dict(type=kind, cfg=cfg, output="new")


def aggregates(index=("g",), **agg):
    return reshapes("aggregate", index=list(index) or None, agg=agg)


def charts(**query):
    return "chart-data/{}", dict(x="x", y=["y"], **query)


def exports(**query):
    return "chart-csv-export/{}", dict(chart_type="line", x="x", y=["y"], **query)


# Each dialog has a function that returns the dialog's request for a chosen name, and
# some of the names that the dialog offers.
WAYS = {
    "cleaning": (
        lambda name: builds(
            "cleaning", col="g", cleaners=["update_case"], caseType=name
        ),
        ["upper", "lower", "title"],
    ),
    "stop words": (
        lambda name: builds("cleaning", col="g", cleaners=[], language=name),
        ["english", "turkish"],
    ),
    "datetime": (
        lambda name: builds("datetime", col="t", property=name),
        "minute hour time date weekday weekday_name month quarter year".split(),
    ),
    "expanding": (
        lambda name: builds("expanding", col="x", periods=2, agg=name),
        "count nunique sum mean first last median min max std var".split(),
    ),
    "rolling": (
        lambda name: builds("rolling", col="x", window="2", comp=name),
        "corr count cov kurt max mean median min skew std sum var".split(),
    ),
    "rolling window": (
        lambda name: builds("rolling", col="x", window="2", comp="mean", win_type=name),
        ["triang"],
    ),
    "transform": (
        lambda name: builds("transform", group=["g"], col="x", agg=name),
        "count nunique sum mean first last median min max std var prod".split(),
    ),
    "type conversion": (
        lambda name: builds("type_conversion", col="x", to=name, **{"from": "int64"}),
        ["date", "float", "category", "str", "hex"],
    ),
    "replacements": (
        lambda name: (
            "build-replacement/{}",
            dict(
                col="x",
                type="value",
                cfg=[dict(value=1, type="agg", replace=name)],
                name="new",
            ),
        ),
        "count nunique sum mean median min max std var prod".split(),
    ),
    "aggregate": (
        lambda name: aggregates(type="func", func=name, cols=["x", "y"]),
        "count nunique sum mean first last median min max std var prod".split()
        + ["gmean", "count_pct"],
    ),
    "aggregate all": (
        lambda name: aggregates([], type="func", func=name, cols=["x", "y"]),
        ["mean", "gmean"],
    ),
    "aggregate columns": (
        lambda name: aggregates(type="col", cols={"x": ["sum", name]}),
        "count nunique mean first last median min max std var prod gmean".split(),
    ),
    "aggregate columns of all": (
        lambda name: aggregates([], type="col", cols={"x": [name]}),
        [],  # This dialog fails even in plain D-Tale.
    ),
    "pivot": (
        lambda name: reshapes(
            "pivot", index=["g"], columns=["x"], values=["y"], aggfunc=name
        ),
        "count nunique sum mean first last median min max std var prod".split(),
    ),
    "resample": (
        lambda name: reshapes("resample", index="t", columns=["x"], freq="D", agg=name),
        "count nunique sum mean first last median min max std var prod".split(),
    ),
    "categories": (
        lambda name: (
            "column-analysis/{}",
            dict(col="x", type="categories", categoryCol="g", categoryAgg=name),
        ),
        "nunique sum mean first last median min max std var prod pctsum".split(),
    ),
    "value counts": (
        lambda name: (
            "column-analysis/{}",
            dict(col="g", type="value_counts", ordinalCol="x", ordinalAgg=name),
        ),
        "count nunique sum mean first last median min max std var prod pctsum".split(),
    ),
    "words": (
        lambda name: (
            "column-analysis/{}",
            dict(col="g", type="word_value_counts", ordinalCol="x", ordinalAgg=name),
        ),
        ["mean", "pctsum"],
    ),
    "time series": (
        lambda name: (
            "timeseries-analysis/{}",
            dict(type="hpfilter", cfg=dict(index="t", col="y", agg=name)),
        ),
        "count nunique sum mean first last median min max prod".split(),
    ),
    "chart": (
        lambda name: charts(agg=name),
        "raw count nunique sum mean first last median min max prod pctsum pctct".split()
        + ["drop_duplicates"],
    ),
    "rolling chart": (
        lambda name: charts(agg="rolling", rollingWin=2, rollingComp=name),
        "count max mean median min std sum var".split(),
    ),
    "chart of Dash": (
        lambda name: exports(agg=name),
        "raw count nunique sum mean first last median min max prod pctsum pctct".split(),
    ),
    "rolling chart of Dash": (
        lambda name: exports(agg="rolling", window=2, rolling_comp=name),
        "count max mean median min std sum var".split(),
    ),
    "extended aggregation": (
        lambda name: exports(extended_aggregation=[dict(col="y", agg=name)]),
        "count nunique sum mean first last median min max prod".split(),
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_functions_that_the_dialog_offers_are_allowed(owner, pk, way):
    sends, offered = WAYS[way]
    for name in offered:
        path, query = sends(name)
        if "name" in query:
            query["name"] = f"new_{name}"
        answer = owner.get(path.format(pk), **query)
        if way.endswith("Dash") or way.startswith("extended"):
            assert answer.mimetype == "text/csv", (name, answer.text[:500])
        else:
            assert answer.json.get("error") is None, (name, answer.json["error"])


@pytest.mark.parametrize("way", WAYS)
def test_other_functions_are_refused(owner, pk, way):
    frames = owner.frames()
    for name in ("cumsum", "head", "describe", "to_numpy", "__len__", "Mean"):
        path, query = WAYS[way][0](name)
        answer = owner.get(path.format(pk), **query)
        error = f"{name!r} is not allowed here. Choose one of these:"
        assert error in answer.text, answer.text[:500]
    assert owner.frames() == frames
    assert "new" not in owner.get(f"data-export/{pk}", type="csv").text


def test_function_name_must_be_a_string(owner, pk):
    for name in (["mean"], {"x": "mean"}, 1, True):
        path, query = builds("transform", group=["g"], col="x", agg=name)
        answer = owner.get(path.format(pk), **query)
        assert "is not allowed here" in answer.json["error"]


# Later releases of D-Tale -------------------------------------------------------------

# These functions of D-Tale look up an attribute or run code by a variable name.
KNOWN = """
charts/utils.py:build_agg_data charts/utils.py:compute_aggs
charts/utils.py:_build_first_last
column_analysis.py:setup_ordinal_data column_builders.py:build_column
column_builders.py:clean column_replacements.py:build_column
data_reshapers.py:reshape timeseries_analysis.py:build_data

app.py:_override_routes config.py:get_config_val describe.py:load_describe pandas_util.py:run_function
views.py:dataset_upload views.py:edit_cell
""".split()  # Allow-lists cover the first group. The second group has fixed names.


def lookups():
    [root] = importlib.util.find_spec("dtale").submodule_search_locations
    for path in Path(root).rglob("*.py"):
        name = path.relative_to(root).as_posix()
        if name.startswith(("cli/", "global_state")):
            continue
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for call in ast.walk(function):
                called = isinstance(call, ast.Call) and getattr(call.func, "id", "")
                if called in ("eval", "exec", "__import__") or (
                    called == "getattr" and not isinstance(call.args[1], ast.Constant)
                ):
                    yield f"{name}:{function.name}"


def test_every_name_lookup_in_dtale_is_known():
    """If a new release of D-Tale adds a lookup, check whether users choose the name."""
    assert set(lookups()) == set(KNOWN)


def test_aggregations_are_a_subset_of_those_of_charts():
    assert set(allowlists.AGGREGATIONS) < set(AGGS)
