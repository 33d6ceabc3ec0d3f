"""D-Tale handles infinite and unsigned numbers and intervals correctly."""

import sys

import numpy as np
import pandas as pd
import pytest

from django_dtale.dtale.patches import dtypes

pytestmark = pytest.mark.django_db

INF = float("inf")


@pytest.fixture
def pk(publish, ann):
    """The id of a frame with infinities, unsigned integers and intervals."""
    return publish(
        ann,
        f=[1.5, -INF, INF, None, 2.5],
        u=np.array([1, 200, 3, 3, 5], "uint8"),
        n=pd.array([1, None, 3, 3, 5], "UInt16"),
        g=[-INF, -INF, INF, INF, INF],
        i=pd.cut([1, 5, 9, 9, np.nan], 3),
    ).pk


def describe(owner, pk, column):
    return owner.get(f"describe/{pk}", col=column).json


def test_grid_shows_minus_infinity(owner, pk):
    assert owner.column(pk, "f") == [1.5, "-inf", "inf", "nan", 2.5]


def test_description_shows_minus_infinity(owner, pk):
    described = describe(owner, pk, "f")["describe"]
    assert (described["min"], described["max"]) == ("-inf", "inf")


def test_filter_range_starts_at_minus_infinity(owner, pk):
    offered = owner.get(f"column-filter-data/{pk}", col="f").json
    assert (offered["min"], offered["max"]) == ("-inf", "inf")


def test_chart_shows_minus_infinity(owner, pk):
    drawn = owner.get(f"chart-data/{pk}", x="u", y=["g"], agg="min").json
    assert drawn["data"]["all"]["g||min"] == ["-inf", "inf", "inf", "-inf"]
    assert (drawn["min"]["g||min"], drawn["max"]["g||min"]) == ("-inf", "inf")


def test_minus_infinity_is_found_by_a_filter(owner, pk):
    config = {"type": "float", "operand": "=", "value": "-inf"}
    owner.get(f"save-column-filter/{pk}", col="f", cfg=config)
    assert owner.column(pk, "f") == ["-inf"]


def test_minus_infinity_can_be_entered(owner, pk):
    assert owner.edit(pk, "-inf", column="f").json == {"success": True}
    assert owner.column(pk, "f")[0] == "-inf"


@pytest.mark.parametrize("column, greatest", [("u", "200"), ("n", "5")])
def test_unsigned_integers_are_described_as_numbers(owner, pk, column, greatest):
    answer = describe(owner, pk, column)
    assert "string_metrics" not in answer
    assert answer["describe"]["max"] == greatest
    assert answer["describe"]["sum"] == ("212" if column == "u" else "12")
    assert answer["sequential_diffs"]["diffs"]["data"]


def test_unsigned_integers_are_numbers_in_the_grid(owner, pk):
    assert owner.column(pk, "u") == [1, 200, 3, 3, 5]
    assert owner.column(pk, "n") == [1, "nan", 3, 3, 5]


def test_unsigned_integers_have_a_range_and_outliers(owner, pk):
    dtypes = {each["name"]: each for each in owner.get(f"dtypes/{pk}").json["dtypes"]}
    assert (dtypes["u"]["min"], dtypes["u"]["max"]) == (1, 200)
    assert dtypes["u"]["hasOutliers"] == 1


def test_unsigned_integers_are_found_by_filters(owner, pk):
    config = {"type": "int", "operand": "=", "value": [3]}
    saved = owner.get(f"save-column-filter/{pk}", col="u", cfg=config).json
    assert saved["currFilters"]["u"]["query"] == "`u` == 3"
    assert owner.column(pk, "u") == [3, 3]


def test_unsigned_integers_are_edited_as_numbers(owner, pk):
    assert owner.edit(pk, "7", column="u").json == {"success": True}
    assert owner.column(pk, "u")[0] == 7
    for text in ("-1", "300", "x"):
        assert "error" in owner.edit(pk, text, column="u").json
    assert owner.column(pk, "u")[0] == 7


def test_unsigned_integers_are_analyzed_as_numbers(owner, pk):
    bars = owner.get(f"column-analysis/{pk}", col="u", type="histogram", bins=2).json
    assert bars["data"] == [4, 1]
    assert owner.get(f"correlations/{pk}").json["data"][0]["column"] == "f"


def test_description_names_each_interval(owner, pk):
    answer = describe(owner, pk, "i")
    [values] = answer["uniques"].values()
    assert [each["value"] for each in values["data"]] == [
        "(6.333, 9.0]",
        "(0.992, 3.667]",
        "(3.667, 6.333]",
    ]
    assert answer["describe"]["top"].startswith("(6.333, 9.0] (")


@pytest.mark.parametrize("name", ["classify_type", "json_float"])
def test_every_module_of_dtale_is_patched(owner, pk, name):
    describe(owner, pk, "u")
    value = {"classify_type": "uint8", "json_float": -INF}[name]
    patched = {"classify_type": "I", "json_float": "-inf"}[name]
    modules = [
        module
        for path, module in sys.modules.items()
        if path.startswith("dtale.") and hasattr(module, name)
    ]
    assert len(modules) >= len(dtypes.MODULES_WITH_JSON_FLOAT)
    for module in modules:
        assert getattr(module, name)(value) == patched, module
