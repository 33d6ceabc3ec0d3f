"""D-Tale's operations have bounds. Requests beyond them are refused immediately."""

import json
import time

import numpy as np
import pandas as pd
import pytest
from flask import Flask

from django_dtale.dtale.bounds.operation import groups
from django_dtale.models import Frame

pytestmark = pytest.mark.django_db

ROWS = 30_000


def memory(name):
    """Return a memory value of this process in MB, or 0 on systems without /proc."""
    try:
        with open("/proc/self/status") as status:
            lines = dict(line.split(":", 1) for line in status)
    except FileNotFoundError:
        return 0
    return int(lines[name].split()[0]) / 1024


@pytest.fixture
def in_no_time():
    """Fail the test if it takes long or uses much memory."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # Writing 5 resets the peak memory in VmHWM.
    except OSError:
        pass
    start, before = time.process_time(), memory("VmRSS")
    yield
    assert time.process_time() - start < 10
    assert memory("VmHWM") - before < 200


@pytest.fixture
def large(publish, ann):
    """A frame of 30,000 rows. All columns but ``i`` and ``s`` have unique values."""
    row = np.arange(ROWS)
    return publish(
        ann,
        k=row,
        i=row % 10,
        x=row / 7,
        s=[f"s{each}" for each in row % 10],
        u=[f"u{each}" for each in row],
        d=pd.date_range("2020-01-01", periods=ROWS, freq="min"),
    ).pk


@pytest.fixture
def wide(publish, ann):
    return publish(ann, **{f"c{each}": [1.5, 2.5, each] for each in range(500)}).pk


@pytest.fixture
def texts(publish, ann):
    """A frame with one row: two long texts and two numbers."""
    return publish(ann, a=["ab" * 15_000], b=["ba" * 15_000], n=[1], m=[10**6]).pk


def is_refused(answer, reason):
    """Check that a response explains a refusal and is not a server error."""
    assert answer.status_code in (200, 400, 413), answer.status_code
    text = answer.json["error"] if answer.is_json else answer.text
    assert reason in text, text[:500]
    assert not answer.is_json or not answer.json.get("success")
    return True


def build(visitor, pk, kind, **cfg):
    return visitor.get(f"build-column/{pk}", type=kind, name="new", cfg=cfg)


def replace(visitor, pk, kind, col, cfg):
    return visitor.get(f"build-replacement/{pk}", type=kind, col=col, cfg=cfg)


def reshape(visitor, pk, kind, **cfg):
    return visitor.get(f"reshape/{pk}", type=kind, cfg=cfg, output="new")


def chart(visitor, pk, kind, **inputs):
    return visitor.get(f"chart-export/{pk}", chart_type=kind, **inputs)


# Requests beyond the bounds -----------------------------------------------------------

ANALYSIS = "column-analysis/{}"
OF_LARGE = [
    # Rows
    ("data/{}", dict(ids=["0-5000"] * 20), "700,140 cells"),
    ("data/{}", dict(ids=["7"] * 1_001), "1,001 ranges"),
    # Bins
    (ANALYSIS, dict(col="x", type="histogram", bins=10**8), "100,000,000 bins"),
    (ANALYSIS, dict(col="x", bins=10**8), "100,000,000 bins"),
    (
        "bins-tester/{}",
        dict(type="bins", cfg=dict(col="x", operation="cut", bins=20_000_000)),
        "20,000,000 bins",
    ),
    # Values and groups
    (ANALYSIS, dict(col="u", type="value_counts", top=10**9), "values"),
    (ANALYSIS, dict(col="u", type="value_counts", top=-(10**9)), "values"),
    (ANALYSIS, dict(col="x", type="histogram", target="k"), "distinct values"),
    ("correlations-ts/{}", dict(cols=["x", "i"], dateCol="d"), "groups"),
    (
        "correlations-ts/{}",
        dict(cols=["x", "i"], dateCol="d", rolling="true", rollingWindow=9),
        "points in time",
    ),
    ("scatter/{}", dict(cols=["x", "i"], dummyCols=["u"]), "cells"),
    (
        "timeseries-analysis/{}",
        dict(type="cffilter", cfg=dict(index="d", col="x", agg="mean")),
        "30,000 points in time",
    ),
    # Networks
    ("network-data/{}", {"to": "u", "from": "s"}, "30,000 edges"),
    ("network-analysis/{}", {"to": "u", "from": "s"}, "30,000 edges"),
    ("shortest-path/{}", {"to": "u", "from": "s", "start": "s1"}, "30,000 edges"),
    # Charts
    ("chart-data/{}", dict(x="k", y=["x"], group=["u"]), "distinct values"),
    (
        "chart-csv-export/{}",
        dict(chart_type="heatmap", x="k", y=["u"], z="x", agg="mean"),
        "900,000,000 cells",
    ),
]


@pytest.mark.parametrize("path, query, reason", OF_LARGE)
def test_expensive_request_on_a_large_frame_is_refused(
    owner, large, in_no_time, path, query, reason
):
    frames = Frame.objects.count()
    assert is_refused(owner.get(path.format(large), **query), reason)
    assert Frame.objects.count() == frames


OF_LARGER = [
    ("data/{}", dict(ids=["0-300000"]), "1,050,000 cells"),
    ("data/{}", dict(export="true"), "1,050,000 cells"),
    (ANALYSIS, dict(col="x", type="histogram", bins=1_000), "Choose fewer bins"),
    (ANALYSIS, dict(col="k", type="frequency"), "630,000 cells"),
    ("duplicates/{}", dict(type="show", cfg=dict(group=["k"]), action="x"), "groups"),
    (ANALYSIS, dict(col="x", type="histogram", target="c"), "labeled bins"),
    ("chart-export/{}", dict(chart_type="line", x="k", y=["x", "k"]), "values"),
    (
        "chart-export/{}",
        dict(chart_type="line", x="k", y=["k"], group=["x"], agg="mean", bins_val="4"),
        "labeled bins",
    ),
]


@pytest.mark.parametrize("path, query, reason", OF_LARGER)
def test_expensive_request_on_a_larger_frame_is_refused(
    owner, publish, ann, in_no_time, path, query, reason
):
    row = np.arange(210_000)
    categories = pd.Categorical(row % 3)
    pk = publish(ann, k=row, x=row / 7, i=row % 3, c=categories).pk
    assert is_refused(owner.get(path.format(pk), **query), reason)


COLUMNS = [
    ("encoder", dict(col="u", algo="one_hot"), "30,006 columns"),
    ("encoder", dict(col="u", algo="feature_hasher", n=1_000), "30,000,000 cells"),
    ("bins", dict(col="x", operation="qcut", bins=10**8), "100,000,000 bins"),
    ("random", dict(type="string", length=10**5), "random characters"),
    ("winsorize", dict(col="x", group=["k"], limits=[0.1, 0.1]), "30,000 groups"),
    ("transform", dict(col="u", group=["i"], agg="sum"), "has no sum"),
    ("cumsum", dict(cols=["x"] * 1_000), "A column is selected twice"),
    (
        "rolling",
        dict(col="x", comp="mean", window=10**6, win_type="triang"),
        "multiplications",
    ),
    ("string", dict(cols=["s", "u"], joinChar="-" * 10_000), "characters"),
    ("concatenate", dict(left={"col": "u"}, right={"val": "x" * 10_000}), "characters"),
    ("cleaning", dict(col="u", cleaners=["keep_alpha"] * 99), "selected twice"),
    (
        "cleaning",
        dict(col="u", cleaners=["stopwords"], stopwords=["a"] * 9_999),
        "stop words",
    ),
    (
        "replace",
        dict(col="u", search="", replacement="x" * 5_000, regex=False),
        "characters",
    ),
    (
        "replace",
        dict(col="u", search="u", replacement="x" * 5_000, regex=True),
        "characters",
    ),
    (
        "numeric",
        dict(left={"col": "u"}, right={"col": "k"}, operation="multiply"),
        "no",
    ),
]


@pytest.mark.parametrize("kind, cfg, reason", COLUMNS)
def test_too_large_column_is_refused(owner, large, in_no_time, kind, cfg, reason):
    assert is_refused(build(owner, large, kind, **cfg), reason)
    assert Frame.objects.get(pk=large).columns == 6


SHAPES = [
    ("transpose", dict(index=["k"]), "30,000 columns"),
    (
        "pivot",
        dict(index=["i"], columns=["u"], values=["x"], aggfunc="mean"),
        "columns",
    ),
    (
        "pivot",
        dict(index=["k"], columns=["c"], values=["x"], aggfunc="mean"),
        "30,000,000 cells",
    ),
    (
        "aggregate",
        dict(index=["k"], agg=dict(type="func", func="gmean", cols=["x"])),
        "30,000 groups",
    ),
    (
        "aggregate",
        dict(index=["i"], agg=dict(type="col", cols={"x": ["mean"] * 6_000})),
        "6,000 columns",
    ),
    (
        "aggregate",
        dict(index=["one"], agg=dict(type="func", func="str_joiner", cols=["long"])),
        "characters",
    ),
    ("resample", dict(index="d", columns=["x"], freq="1us", agg="mean"), "cells"),
]


@pytest.mark.parametrize("kind, cfg, reason", SHAPES)
def test_too_large_reshape_is_refused(
    owner, publish, ann, in_no_time, kind, cfg, reason
):
    row = np.arange(ROWS)
    frame = publish(
        ann,
        **{"k": row, "i": row % 10, "c": row % 1_000, "x": row / 7, "one": row * 0},
        u=[f"u{each}" for each in row],
        long=["word " * 10] * ROWS,
        d=pd.date_range("2020-01-01", periods=ROWS, freq="min"),
    )
    assert is_refused(reshape(owner, frame.pk, kind, **cfg), reason)
    assert Frame.objects.count() == 1


@pytest.mark.parametrize(
    "kind, col, cfg, reason",
    [
        ("value", "u", [dict(value="u1", type="agg", replace="sum")], "has no sum"),
        ("value", "u", [dict(value="u1", type="raw", replace="x" * 9_999)], "charac"),
        ("value", "k", [dict(value=each, replace=1) for each in range(101)], "101"),
        ("strings", "u", dict(value="u", replace="x" * 9_999), "characters"),
        ("spaces", "u", dict(value="x" * 9_999), "characters"),
        (
            "partial",
            "u",
            dict(search="u", replacement="x" * 5_000, regex=False),
            "characters",
        ),
        ("imputer", "x", dict(type="knn"), "pairs of rows"),
    ],
)
def test_too_large_replacement_is_refused(
    owner, publish, ann, in_no_time, kind, col, cfg, reason
):
    row = np.arange(ROWS)
    pk = publish(
        ann,
        u=[f"u{each}" for each in row],
        k=row,
        x=np.where(row % 2, np.nan, row),
    ).pk
    assert is_refused(replace(owner, pk, kind, col, cfg), reason)


CHARTS = [
    ("heatmap", dict(x="k", y=["u"], z="x", agg="mean"), "900,000,000 cells"),
    ("surface", dict(x="k", y=["u"], z="x", agg="mean"), "900,000,000 cells"),
    ("line", dict(x="k", y=["x", "i"], group=["u"]), "distinct values"),
    ("line", dict(x="k", y=["x"], agg="first"), "30,000 groups"),
    ("bar", dict(x="k", y=["x"], agg="mean", animate_by="u"), "values"),
    ("scatter", dict(x="k", y=["x"], trendline="lowess"), "30,000 points"),
    ("histogram", dict(histogram_col="x", histogram_bins=str(10**8)), "bins"),
]


@pytest.mark.parametrize("kind, inputs, reason", CHARTS)
def test_too_large_chart_is_refused(
    owner, publish, ann, in_no_time, kind, inputs, reason
):
    row = np.arange(ROWS)
    frame = publish(
        ann,
        **{"k": row, "i": row % 10, "x": row / 7, "k2": row, "k3": row, "k4": row},
        u=[f"u{each}" for each in row],
    )
    assert is_refused(chart(owner, frame.pk, kind, **inputs), reason)


@pytest.mark.parametrize(
    "algo", ["levenshtein", "damerau-leveneshtein", "jaro-winkler"]
)
def test_similarity_of_long_texts_is_refused(owner, texts, in_no_time, algo):
    answer = build(owner, texts, "similarity", left="a", right="b", algo=algo)
    assert is_refused(answer, "900,000,020 pairs of characters")


@pytest.mark.parametrize(
    "kind, cfg, reason",
    [
        ("similarity", dict(left="a", right="b", algo="jaccard", k=15_000), "pairs"),
        ("concatenate", dict(left={"col": "a"}, right={"val": "x" * 10**6}), "longest"),
        ("string", dict(cols=["a", "b"], joinChar="x" * 10**6), "longest"),
        (
            "numeric",
            dict(left={"col": "a"}, right={"col": "m"}, operation="multiply"),
            "",
        ),
        (
            "replace",
            dict(col="a", search="(.*)", replacement=r"\1" * 400, regex=True),
            "longest",
        ),
        ("random", dict(type="string", length=10**7), "longest"),
    ],
)
def test_too_expensive_operation_on_long_texts_is_refused(
    owner, texts, in_no_time, kind, cfg, reason
):
    assert is_refused(build(owner, texts, kind, **cfg), reason)
    assert Frame.objects.get(pk=texts).columns == 4


@pytest.mark.parametrize(
    "path, query, reason",
    [
        ("correlations/{}", {}, "250,000 pairs of columns"),
        ("correlations/{}", dict(pps="true"), "pairs of columns"),
        ("corr-analysis/{}", {}, "250,000 pairs of columns"),
        ("duplicates/{}", dict(type="columns", cfg={}, action="test"), "pairs"),
        ("missingno/bar/{}", {}, "500 columns"),
        ("missingno/matrix/{}", {}, "500 columns"),
        ("missingno/heatmap/{}", {}, "500 columns"),
        ("missingno/dendrogram/{}", {}, "500 columns"),
        ("data/{}", dict(ids=["0-2"] * 300), "cells"),
    ],
)
def test_expensive_request_on_a_wide_frame_is_refused(
    owner, wide, in_no_time, path, query, reason
):
    assert is_refused(owner.get(path.format(wide), **query), reason)


def test_predictive_power_scores_of_many_columns_are_refused(
    owner, publish, ann, in_no_time
):
    pk = publish(ann, **{f"c{each}": [1, 2, 3] for each in range(12)}).pk
    assert is_refused(owner.get(f"correlations/{pk}", pps="true"), "132 scores")


def test_too_large_many_to_many_merge_is_refused(owner, publish, ann, in_no_time):
    pks = [publish(ann, k=[1] * 20_000, x=range(20_000)).pk for _ in range(2)]
    sides = [dict(dataId=str(pk), index=["k"], columns=None, suffix="") for pk in pks]
    body = dict(action="merge", config="{}", datasets=json.dumps(sides))
    assert is_refused(owner.post("merge", json=body), "400,000,000 rows")


@pytest.mark.parametrize(
    "route, body",
    [
        ("build-column-copy", dict(columns=json.dumps(["x"] * 200))),
        (
            "build-row-copy",
            dict(columns='["x"]', rows=json.dumps([0] * 5_000_001), start=1, end=1),
        ),
    ],
)
def test_copy_of_too_many_cells_is_refused(
    owner, large, in_no_time, settings, route, body
):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1 << 30
    assert is_refused(owner.post(f"{route}/{large}", json=body), "copy")


def test_conversion_of_many_unparsable_dates_is_refused(
    owner, publish, ann, in_no_time
):
    texts = [f"{each} of never" for each in range(60_000)]
    pk = publish(ann, a=texts).pk
    cfg = {"col": "a", "from": "str", "to": "date"}
    assert is_refused(build(owner, pk, "type_conversion", **cfg), "60,000 distinct")


def test_column_beyond_the_limit_is_refused(owner, frame, dtale_settings):
    dtale_settings.MAX_COLUMNS = 2
    numeric = dict(left={"col": "a"}, right={"col": "b"}, operation="sum")
    assert is_refused(build(owner, frame.pk, "numeric", **numeric), "3 columns")
    assert is_refused(owner.get(f"duplicate-col/{frame.pk}", col="a"), "3 columns")
    conversion = {"col": "a", "from": "int64", "to": "float"}
    answer = owner.get(
        f"build-column/{frame.pk}",
        type="type_conversion",
        saveAs="inplace",
        cfg=conversion,
    )
    assert answer.json["success"]


# Filtered frames ----------------------------------------------------------------------


def test_bounds_apply_to_filtered_rows(owner, large):
    assert owner.get(f"test-filter/{large}", query="k < 20", save="true").json[
        "success"
    ]
    answer = reshape(owner, large, "transpose", index=["k"], columns=["x"])
    assert Frame.objects.get(pk=answer.json["data_id"]).columns == 21
    assert owner.get(f"data/{large}", export="true").status_code == 200
    words = dict(col="x", type="qq", filtered="true")
    assert len(owner.get(f"column-analysis/{large}", **words).json["x"]) == 20
    line = dict(x="k", y=["i"], group=["u"], query="k < 20")
    assert "plotly" in chart(owner, large, "line", **line).text


# Usual requests -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path, query",
    [
        ("data/{}", dict(ids=["0-59", "1000-1099"])),
        (ANALYSIS, dict(col="x", type="histogram", bins=50)),
        (ANALYSIS, dict(col="u", type="value_counts")),
        (ANALYSIS, dict(col="x", type="categories", categoryCol="u")),
        ("correlations/{}", {}),
        ("chart-data/{}", dict(x="i", y=["x"], agg="mean")),
        ("duplicates/{}", dict(type="show", cfg=dict(group=["k"]), action="test")),
        ("column-filter-data/{}", dict(col="u")),
        ("missingno/bar/{}", {}),
        ("missingno/matrix/{}", {}),
    ],
)
def test_usual_requests_are_allowed(owner, large, path, query):
    answer = owner.get(path.format(large), **query)
    assert answer.status_code == 200
    assert not answer.is_json or not answer.json.get("error"), answer.json


@pytest.mark.parametrize(
    "kind, cfg",
    [
        ("encoder", dict(col="s", algo="one_hot")),
        ("encoder", dict(col="s", algo="feature_hasher", n=3)),
        ("bins", dict(col="x", operation="cut", bins=20)),
        ("random", dict(type="string", length=5)),
        ("winsorize", dict(col="x", group=["i"], limits=[0.1, 0.1])),
        ("transform", dict(col="x", group=["u"], agg="sum")),
        ("similarity", dict(left="s", right="s", algo="levenshtein")),
        ("string", dict(cols=["s", "u"], joinChar="-")),
        ("concatenate", dict(left={"col": "u"}, right={"val": "!"})),
        ("cleaning", dict(col="u", cleaners=["drop_numbers", "keep_alpha"])),
        ("split", dict(col="u", delimiter="u")),
        ("rolling", dict(col="x", comp="mean", window=100, win_type="triang")),
        ("cumsum", dict(cols=["x", "i"])),
        ("numeric", dict(left={"col": "x"}, right={"val": 2}, operation="multiply")),
    ],
)
def test_usual_columns_are_allowed(owner, large, kind, cfg):
    answer = build(owner, large, kind, **cfg)
    assert answer.json["success"], answer.json
    assert owner.get(f"data/{large}", ids=["0-9"]).json["total"] == ROWS


@pytest.mark.parametrize(
    "kind, inputs",
    [
        ("line", dict(x="k", y=["v"])),
        ("line", dict(x="i", y=["v"], agg="mean", group=["s"])),
        ("heatmap", dict(x="i", y=["s"], z="v", agg="mean")),
        ("surface", dict(x="i", y=["i2"], z="v", agg="mean")),
        ("pie", dict(x="s", y=["v"], agg="sum")),
        ("scatter", dict(x="k", y=["v"], trendline="ols")),
        ("histogram", dict(histogram_col="v", histogram_type="bins")),
    ],
)
def test_usual_charts_are_allowed(owner, publish, ann, kind, inputs):
    row = np.arange(1_000)
    pk = publish(
        ann,
        **{"k": row, "i": row % 10, "i2": row % 7, "v": row / 7},
        s=[f"s{each}" for each in row % 10],
    ).pk
    answer = chart(owner, pk, kind, histogram_bins="20", **inputs)
    assert "plotly" in answer.text and not answer.is_json


# The charts page ----------------------------------------------------------------------


def test_chart_without_a_selection_is_not_an_error(owner, large):
    """When the charts page opens, nothing is selected."""
    charts = pytest.importorskip("dtale.dash_application.charts")
    owner.get(f"data/{large}", ids=["0-1"])
    with Flask(__name__).app_context():
        assert charts.build_figure_data(large, chart_type="line") == (None, None)


# Histograms ---------------------------------------------------------------------------


@pytest.mark.parametrize("density", ["false", "true"])
@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e-9, 1, 1e16, 1e100])
def test_histogram_labels_are_distinct_at_any_scale(
    owner, publish, ann, in_no_time, scale, density
):
    """Plain D-Tale never returns if labels differ only in the tenth decimal."""
    pk = publish(ann, a=[scale * each for each in (1, 2, 3, 5)]).pk
    query = dict(col="a", type="histogram", bins=5, density=density)
    answer = owner.get(f"column-analysis/{pk}", **query).json
    assert len(set(answer["labels"])) == len(answer["data"])


@pytest.mark.parametrize("few, found", [(0, 30), (899, 30), (900, 900)])
def test_related_columns_form_fewer_groups_than_their_product(few, found):
    frame = pd.DataFrame({"x": range(30), "y": range(30)})
    assert groups(frame, ["x", "y"], few) == found
    assert groups(frame, "x", few) == groups(frame, ["x"], few) == 30
