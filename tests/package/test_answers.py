"""Responses that only read are calculated once, and again after each change."""

import json
import threading

import pandas as pd
import pytest
from dtale import predefined_filters

from django_dtale.dtale import answers
from django_dtale.dtale.endpoints import OPEN, PURE
from django_dtale.models import Action, AuditEntry
from django_dtale.storage import blobs

pytestmark = pytest.mark.django_db

PAIR = {"cols": ["f", "g"]}
# A request to each of the endpoints, with the column that a change affects.
REQUESTS = {
    "dtale.build_missingno_chart": ("missingno/matrix/PK", {}),
    "dtale.chart_export": (
        "chart-export/PK",
        {"chart_type": "bar", "x": "s", "y": ["f"], "agg": "mean"},
    ),
    "dtale.describe": ("describe/PK", {"col": "f"}),
    "dtale.get_async_column_filter_data": (
        "async-column-filter-data/PK",
        {"col": "f", "input": "9"},
    ),
    "dtale.get_chart_data": ("chart-data/PK", {"x": "s", "y": ["f"], "agg": "mean"}),
    "dtale.get_column_analysis": (
        "column-analysis/PK",
        {"col": "f", "type": "histogram"},
    ),
    "dtale.get_column_filter_data": ("column-filter-data/PK", {"col": "f"}),
    "dtale.get_corr_analysis": ("corr-analysis/PK", {}),
    "dtale.get_correlations": ("correlations/PK", {}),
    "dtale.get_correlations_ts": ("correlations-ts/PK", {**PAIR, "dateCol": "d"}),
    "dtale.get_data": ("data/PK", {"ids": ["0-5"]}),
    "dtale.get_duplicates": (
        "duplicates/PK",
        {"type": "show", "action": "test", "cfg": {"group": ["f"]}},
    ),
    "dtale.get_scatter": ("scatter/PK", PAIR),
    "dtale.get_sorted_sequential_diffs": (
        "sorted-sequential-diffs/PK",
        {"col": "f", "sort": "ASC"},
    ),
    "dtale.get_timeseries_analysis": (
        "timeseries-analysis/PK",
        {
            "type": "hpfilter",
            "cfg": {"index": "d", "col": "f", "agg": "mean", "lamb": 9},
        },
    ),
    "dtale.load_aggregations": ("aggregations/PK/f", {}),
    "dtale.load_filtered_ranges": ("load-filtered-ranges/PK", {}),
    "dtale.load_weighted_average": ("weighted-average/PK/f/g", {}),
    "dtale.network_analysis": ("network-analysis/PK", {"to": "s", "from": "t"}),
    "dtale.network_data": ("network-data/PK", {"to": "s", "from": "t"}),
    "dtale.outliers": ("outliers/PK", {"col": "f"}),
    "dtale.raw_pandas": ("raw-pandas/PK", {"func_type": "describe"}),
    "dtale.shortest_path": (
        "shortest-path/PK",
        {"to": "s", "from": "t", "start": "u", "end": "w"},
    ),
    "dtale.variance": ("variance/PK", {"col": "f"}),
}


@pytest.fixture
def frame(publish, ann, bob):
    return publish(
        ann,
        shared_with=[bob],
        f=[1.5, 2.25, 0.5, 7.0, 4.0, 3.0, 2.0, 8.5] * 3,
        g=range(1, 25),
        s=["u", "v"] * 12,
        t=["w", "x", "y", "w"] * 6,
        d=pd.date_range("2026-01-01", periods=24),
    )


@pytest.fixture
def runs(monkeypatch):
    """The paths of all requests that D-Tale has answered."""
    runs, run = [], answers.answer

    def count(request, endpoint, data_id, calculate):
        def counted():
            runs.append(request.path)
            return calculate()

        return run(request, endpoint, data_id, counted)

    monkeypatch.setattr(answers, "answer", count)
    return runs


@pytest.fixture
def ask(owner, frame):
    def ask(path, someone=owner, **query):
        return someone.get(path.replace("PK", str(frame.pk)), **query)

    return ask


def test_each_endpoint_is_open_and_has_a_request():
    assert set(OPEN) >= PURE
    assert set(REQUESTS) == PURE


@pytest.mark.parametrize("endpoint", sorted(REQUESTS))
def test_second_response_is_the_first_until_a_change(ask, runs, frame, endpoint):
    path, query = REQUESTS[endpoint]
    first = ask(path, **query)
    assert first.status_code == 200
    assert b'"success":false' not in first.data
    if endpoint == "dtale.load_filtered_ranges":  # It stores the ranges in the view.
        ask(path, **query)
    runs.clear()
    again = ask(path, **query)
    assert runs == []
    assert again.data == first.data
    assert dict(again.headers) == dict(first.headers)
    edit = {"col": "f", "rowIndex": 0, "updated": "99.5"}
    assert ask("edit-cell/PK", **edit).json["success"]
    runs.clear()
    changed = ask(path, **query)
    assert len(runs) == 1
    # These do not show the column.
    constant = "dtale.network_", "dtale.shortest_path", "dtale.load_filtered_ranges"
    if not endpoint.startswith((*constant, "dtale.build_missingno_chart")):
        assert changed.data != first.data


def test_each_view_has_its_own_responses(ask, visitor, bob, runs):
    histogram = REQUESTS["dtale.get_column_analysis"]
    bobs = visitor(bob)
    first = ask(histogram[0], **histogram[1])
    assert ask(histogram[0], bobs, **histogram[1]).data == first.data
    assert ask("test-filter/PK", bobs, query="f > 2", save="true").json["success"]
    runs.clear()
    filtered = ask(histogram[0], bobs, **histogram[1])
    assert len(runs) == 1
    assert filtered.data != first.data
    assert ask(histogram[0], **histogram[1]).data == first.data
    assert len(runs) == 1


def test_rights_are_checked_before_the_cache(ask, frame, visitor, bob, user):
    path, query = REQUESTS["dtale.describe"]
    bobs = visitor(bob)
    assert ask(path, bobs, **query).json["success"]
    frame.unshare(bob)
    for someone in (bobs, visitor(user("carl"))):
        assert "describe" not in ask(path, someone, **query).text


def test_errors_are_not_cached(ask, runs):
    for _ in range(2):
        runs.clear()
        assert "error" in ask("describe/PK", col="gone").json
        assert len(runs) == 1


def test_values_and_predefined_filters_of_the_site_are_not_cached(
    ask, runs, dtale_settings
):
    limits = iter([1, 5])
    dtale_settings.FILTER_VALUES = lambda user: {"limit": next(limits)}
    query = {"x": "s", "y": ["f"], "agg": "sum", "query": "f > @limit"}
    first, second = (ask("chart-data/PK", **query).json["data"] for _ in range(2))
    assert first != second


def test_predefined_filters_are_not_cached(ask, runs):
    rows = iter([1, 2, 3])
    spec = {
        "name": "first",
        "column": "f",
        "handler": lambda df, value: df.head(4 * next(rows)),
        "input_type": "input",
        "default": 1,
        "active": True,
    }
    predefined_filters.set_filters([spec])
    try:
        path, query = REQUESTS["dtale.get_column_analysis"]
        for _ in range(2):
            runs.clear()
            ask(path, **query, filtered="true")
            assert len(runs) == 1
    finally:
        predefined_filters.set_filters([])


FILES = {
    "PNG": ("missingno/matrix/PK", {"file": "true"}),
    "HTML": REQUESTS["dtale.chart_export"],
}


@pytest.mark.parametrize("file_format", FILES)
def test_each_export_is_recorded_and_small_files_are_cached(
    ask, frame, visitor, bob, runs, monkeypatch, file_format
):
    path, query = FILES[file_format]
    files = {
        ask(path, someone, **query).data for someone in (visitor(bob), visitor(bob))
    }
    assert len(runs) == len(files) == 1
    monkeypatch.setattr(answers, "MAX_FILE", 100)
    edit = {"col": "f", "rowIndex": 0, "updated": "99.5"}
    assert ask("edit-cell/PK", **edit).json["success"]
    runs.clear()
    for _ in range(2):
        ask(path, **query)
    assert len(runs) == 2
    recorded = AuditEntry.objects.filter(frame_pk=frame.pk, action=Action.EXPORTED)
    assert sorted(recorded.values_list("username", "detail")) == [
        *[("ann", file_format)] * 2,
        *[("bob", file_format)] * 2,
    ]


def test_exported_grids_are_not_cached(ask, runs):
    for _ in range(2):
        ask("data/PK", export="true")
    assert len(runs) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"load": 50, "load_type": "random"},
        {"chart_type": "maps", "map_type": "scattergeo", "lat": "f", "lon": "g"},
    ],
)
def test_charts_that_can_differ_each_time_are_not_cached(ask, runs, options):
    path, query = REQUESTS["dtale.chart_export"]
    for _ in range(2):
        ask(path, **{**query, **options})
    assert len(runs) == 2


def test_people_who_ask_at_once_wait_for_one_calculation(rf, frame, ann, monkeypatch):
    """Ten threads ask `answers` itself: threads would need a database of their own."""
    started, calculated = threading.Barrier(10), []
    monkeypatch.setattr(answers, "_key", lambda *args: ("a", "b"))
    monkeypatch.setattr(answers, "_is_lasting", lambda *args: True)
    monkeypatch.setattr(answers, "current", lambda: {"1": None})
    monkeypatch.setattr(
        blobs, "_cache", type(blobs._cache)(10**6, blobs._cache.getsizeof)
    )
    request = answers.Request({"REQUEST_METHOD": "GET"})

    def run():
        calculated.append(1)
        return answers.HttpResponse(json.dumps({"a": 1}))

    def ask():
        started.wait(10)
        answers.answer(request, "dtale.describe", "1", run)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(calculated) == 1


def test_browsers_get_encodings_that_they_know(visitor, ann, frame):
    """People with different browsers share a table, and one does not know zstd."""
    browser = visitor(ann).browser
    for accepted in "zstd, br, gzip", "gzip", "identity":
        answer = browser.get(
            f"/flask/dtale/correlations/{frame.pk}",
            headers={"Accept-Encoding": accepted},
        )
        assert answer.headers.get("Content-Encoding", "identity") in accepted
    assert json.loads(answer.data)["data"]


def test_table_of_duplicates_is_made_each_time(ask, runs):
    query = {"type": "show", "action": "execute", "cfg": {"group": ["f"]}}
    ids = [ask("duplicates/PK", **query).json["data_id"] for _ in range(2)]
    assert len(set(map(str, ids))) == len(runs) == 2
