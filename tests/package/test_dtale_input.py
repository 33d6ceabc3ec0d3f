"""Invalid input for D-Tale, and requests whose results would be too large."""

import json

import pandas as pd
import pytest

from django_dtale.models import Frame

pytestmark = pytest.mark.django_db


# New columns and shapes ---------------------------------------------------------------


@pytest.fixture
def times(publish, ann):
    """A frame with the first day of each month and two columns of 12 numbers."""
    months = pd.date_range("2026-01-01", periods=12, freq="MS")
    return publish(ann, t=months, x=range(12), y=range(12)).pk


def reshape(visitor, pk, kind, **cfg):
    return visitor.get(f"reshape/{pk}", type=kind, cfg=cfg, output="new")


@pytest.mark.parametrize(
    "freq, rows", [("D", 335), ("12h", 669), ("MS", 12), ("QS", 4), ("W", 49)]
)
def test_resampling_returns_the_expected_rows(owner, times, freq, rows):
    cfg = dict(index="t", columns=["x"], freq=freq, agg="mean")
    answer = reshape(owner, times, "resample", **cfg)
    assert Frame.objects.get(pk=answer.json["data_id"]).rows == rows


def test_resampling_to_too_many_rows_is_refused(owner, times):
    cfg = dict(index="t", columns=["x"], freq="1us", agg="mean")
    answer = reshape(owner, times, "resample", **cfg)
    assert answer.status_code == 413 and "cells, " in answer.json["error"]


def test_unknown_offset_is_refused_with_examples(owner, times):
    cfg = dict(index="t", columns=["x"], freq="M", agg="mean")
    answer = reshape(owner, times, "resample", **cfg)
    assert answer.json["error"].startswith("'M' is not an offset of pandas.")


def test_pivot_of_too_many_cells_is_refused(owner, times, dtale_settings):
    cfg = dict(index=["x"], columns=["t"], values=["y"], aggfunc="mean")
    dtale_settings.MAX_CELLS = 12 * 13
    assert reshape(owner, times, "pivot", **cfg).json["success"]
    dtale_settings.MAX_CELLS = 12 * 12 - 1
    assert reshape(owner, times, "pivot", **cfg).status_code == 413


# Merge and stack ----------------------------------------------------------------------


def merge(visitor, *pks, how="inner", action="merge", index="k"):
    sides = [
        {"dataId": str(pk), "index": [index], "columns": None, "suffix": f"_{number}"}
        for number, pk in enumerate(pks)
    ]
    if action == "stack":
        sides = [{**side, "index": []} for side in sides]
    body = {
        "action": action,
        "config": json.dumps({"how": how, "ignoreIndex": True}),
        "datasets": json.dumps(sides),
    }
    return visitor.post("merge", json=body)


@pytest.fixture
def sides(publish, ann):
    """Two frames with the key 1, which occurs 30 times in one and 40 in the other."""
    keys = [1.0] * 29 + [2.0, None]
    left = publish(ann, k=[1.0, *keys], x=range(32))
    right = publish(ann, k=[1.0] * 10 + [1.0, *keys], y=range(42))
    return left.pk, right.pk


@pytest.mark.parametrize("how", ["inner", "left", "right", "outer"])
def test_merge_up_to_the_cell_limit_is_allowed(owner, sides, dtale_settings, how):
    dtale_settings.MAX_CELLS = (30 * 40 + 1 + 1) * 3
    answer = merge(owner, *sides, how=how)
    assert answer.json["success"], answer.json
    assert Frame.objects.get(pk=answer.json["data_id"]).rows == 30 * 40 + 2


def test_merge_beyond_the_cell_limit_is_refused_before_merging(
    owner, sides, dtale_settings, monkeypatch
):
    dtale_settings.MAX_CELLS = (30 * 40 + 1 + 1) * 3 - 1
    monkeypatch.setattr(pd.DataFrame, "merge", None)
    answer = merge(owner, *sides)
    assert answer.status_code == 413
    assert "1,202 rows x 3 columns" in answer.json["error"]


def test_too_large_merge_of_three_frames_is_refused(owner, sides, dtale_settings):
    dtale_settings.MAX_CELLS = 100_000
    assert merge(owner, *sides, sides[0]).status_code == 413


def test_too_large_stack_is_refused(owner, sides, dtale_settings):
    assert merge(owner, *sides, action="stack").json["success"]
    dtale_settings.MAX_CELLS = 74 * 3 - 1
    answer = merge(owner, *sides, action="stack")
    assert answer.status_code == 413
    assert "74 rows x 3 columns" in answer.json["error"]


@pytest.mark.parametrize(
    "path, options",
    [
        ("merge", dict(json={"action": "merge", "datasets": "no JSON"})),
        ("merge", dict(json=[])),
        ("merge", dict(data=b"x")),
    ],
)
def test_malformed_request_is_an_error(owner, path, options):
    answer = owner.post(path, **options)
    assert not answer.json["success"] and answer.json["error"]


# Columns and charts -------------------------------------------------------------------


@pytest.mark.parametrize(
    "route, query",
    [
        ("edit-cell", dict(rowIndex=0, updated=1)),
        ("describe", {}),
        ("build-replacement", dict(type="strings", cfg={"value": "x"})),
        ("save-column-filter", dict(cfg={"type": "int"})),
    ],
)
def test_unknown_column_is_refused(owner, frame, caplog, route, query):
    answer = owner.get(f"{route}/{frame.pk}", col="none", **query)
    assert answer.status_code == 400
    assert "no column none" in answer.json["error"] and "again" in answer.json["error"]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "path, query",
    [
        ("variance/{}", {}),
        ("weighted-average/{}/a/none", {}),
        ("correlations-ts/{}", dict(cols=["a", "none"], dateCol="a")),
        ("correlations-ts/{}", dict(cols=["a", 2**31], dateCol="a")),
        ("correlations-ts/{}", dict(dateCol="a")),
    ],
)
def test_request_without_its_columns_is_refused(owner, frame, caplog, path, query):
    answer = owner.get(path.format(frame.pk), **query)
    assert answer.status_code == 400 and answer.json["error"]
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "cfg", ["", "no JSON", "[1]", "null", '{"type": "none"}', "[" * 3000]
)
def test_invalid_filter_is_refused(owner, frame, caplog, cfg):
    answer = owner.get(f"save-column-filter/{frame.pk}", col="a", cfg=cfg)
    assert answer.status_code == 400 and answer.json["error"]
    assert owner.column(frame.pk) == [1, 2, 3] and "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "route, query",
    [
        ("edit-cell", dict(rowIndex=0, updated=1)),
        ("build-replacement", dict(type="strings", cfg={"value": "x"})),
        (
            "build-column",
            dict(type="replace", name="z", cfg={"col": "a", "regex": True}),
        ),
        (
            "build-column",
            dict(type="split", name="z", cfg={"col": "none", "delimiter": "-"}),
        ),
        ("reshape", dict(type="aggregate", cfg="a", output="new")),
        (
            "reshape",
            dict(type="aggregate", cfg={"index": ["a"], "agg": "a"}, output="new"),
        ),
        ("build-replacement", dict(col="a", type="value", cfg=[{"type": "agg"}])),
        (
            "build-replacement",
            dict(
                col="a",
                type="value",
                name="half a character",
                cfg=[{"value": 1, "type": "raw", "replace": "\ud800"}],
            ),
        ),
        ("timeseries-analysis", dict(type="stl", cfg=["a"])),
        ("update-formats", dict(all="false", format={})),
        ("toggle-outlier-filter", {}),
        ("save-column-filter", dict(cfg={"type": "int", "missing": True})),
    ],
)
def test_invalid_configuration_is_refused(owner, frame, caplog, route, query):
    answer = owner.get(f"{route}/{frame.pk}", **query)
    assert answer.json["success"] is False and answer.json["error"]
    assert owner.column(frame.pk) == [1, 2, 3] and "Traceback" not in caplog.text


def test_invalid_time_is_refused(owner, publish, ann, caplog):
    times = pd.date_range("2026-01-01", periods=3, tz="Europe/Oslo")
    answer = owner.edit(publish(ann, a=times).pk, "no time")
    assert (
        "is not a valid time" in answer.json["error"] and "Traceback" not in caplog.text
    )


def test_word_counts_of_a_number_column_are_refused(owner, frame, caplog):
    answer = owner.get(f"column-analysis/{frame.pk}", col="a", type="word_value_counts")
    assert (
        "only in text columns" in answer.json["error"]
        and "Traceback" not in caplog.text
    )


STYLES = (
    "..query-data.data...query-input.style...query-input.title...load-input.marks.."
)
OUTPUTS = [
    dict(zip(("id", "property"), name.split("."), strict=True))
    for name in STYLES.strip(".").split("...")
]
CALLBACK = {
    "output": STYLES,
    "outputs": OUTPUTS,
    "inputs": [{"id": "query-input", "property": "value", "value": "a > 1"}],
    "state": [
        {"id": "query-data", "property": "data"},
        {"id": "load-input", "property": "marks"},
        {"id": "data-tabs", "property": "value"},
    ],
    "changedPropIds": ["query-input.value"],
}


@pytest.mark.parametrize(
    "change",
    [
        {"output": "none.data"},
        {"output": ["query-data"]},
        {"outputs": OUTPUTS[:1]},
        {"outputs": "x"},
        {"inputs": []},
        {"inputs": [1]},
        {"state": None},
        {"state": CALLBACK["state"][:1]},
        {"changedPropIds": [[]]},
        {"changedPropIds": 1},
        [],
    ],
)
def test_malformed_callback_is_refused(owner, frame, caplog, change):
    path = "charts/_dash-update-component"
    state = [*CALLBACK["state"][:2], {**CALLBACK["state"][2], "value": str(frame.pk)}]
    sent = {**CALLBACK, "state": state}
    assert owner.post(path, json=sent).status_code == 200
    answer = owner.post(path, json=change and {**sent, **change})
    assert answer.status_code == 400 and answer.json["error"]
    assert "Traceback" not in caplog.text


def test_path_of_the_charts_page_must_be_a_string(owner, frame, caplog):
    known = owner.get("charts/_dash-dependencies").json
    [[output, inputs]] = [
        (
            each["output"],
            {f"{part['id']}.{part['property']}": "" for part in each["inputs"]},
        )
        for each in known
        if "pathname" in {part["property"] for part in each["inputs"]}
    ]
    inputs |= {name: ["x"] for name in inputs if name.endswith(".pathname")}
    answer = owner.call_back(output, inputs, {})
    assert answer.status_code == 400 and "has to be a text" in answer.json["error"]
    assert "Traceback" not in caplog.text
