"""Charts and images that fail in plain D-Tale."""

import gzip
import inspect
import json
import time

import brotli
import missingno
import numpy as np
import pandas as pd
import pytest
from dtale.charts import utils
from dtale.dash_application import charts as dash_charts
from dtale.dash_application.layout import layout
from matplotlib import pyplot
from matplotlib.backends.backend_agg import FigureCanvasAgg
from plotly.io import to_html
from plotly.offline import get_plotlyjs
from scipy.spatial.distance import pdist

from django_dtale.dtale import responses
from django_dtale.dtale.loader import load_dtale
from django_dtale.dtale.patches import charts, timestamps
from django_dtale.dtale.patches.fast.missing import (
    ROWS,
    null_correlations,
    null_distances,
    rows_of_picture,
)
from django_dtale.exceptions import InputRefused

pytestmark = pytest.mark.django_db

DATES = pd.date_range("2024-01-31 22:30", periods=30, freq="17h")


@pytest.fixture
def pk(publish, ann):
    columns = {
        "g": ["u", "v"] * 15,
        "x": range(30),
        "y": [None, *range(29)],
        "z": range(0, 60, 2),
    }
    return publish(ann, **columns, t=DATES[::-1]).pk


@pytest.fixture
def chart(owner, pk):
    return lambda **query: owner.get(f"chart-data/{pk}", **query).json


@pytest.mark.parametrize("frequency", ["H", "D", "W", "M", "Q", "Y"])
def test_dates_on_the_x_axis_lie_in_their_periods(chart, frequency):
    """Plain D-Tale draws the last nanosecond, which charts label as the next period."""
    built = chart(x=f"t||{frequency}", y=["z"], agg="sum")
    [data] = built["data"].values()
    shown = pd.DatetimeIndex(data["x"])
    known = frequency.replace("H", "h")
    sums = (
        pd.Series(range(0, 60, 2), DATES[::-1].to_period(known)).groupby(level=0).sum()
    )
    assert (shown.to_period(known) == sums.index).all()
    last_day = sums.index.end_time.normalize()
    first = sums.index.start_time
    assert (shown == (last_day if frequency == "W" else first)).all()
    assert data["z||sum"] == sums.tolist()


@pytest.mark.parametrize("frequency", timestamps.PERIODS)
@pytest.mark.parametrize("unit", ["s", "ns"])
def test_dates_of_early_missing_and_local_times(frequency, unit):
    times = pd.Series(
        ["1901-12-13 20:45:52", None, "1969-12-31 23:59:59", "2026-03-29 03:30"]
    )
    times = times.astype(f"datetime64[{unit}]").dt.tz_localize("Europe/Berlin")
    found = timestamps.dates_of(times, *timestamps.PERIODS[frequency])
    local = times.dt.tz_localize(None).dt.to_period(frequency.replace("H", "h"))
    is_week = frequency == "W"
    expected = local.dt.end_time.dt.normalize() if is_week else local.dt.start_time
    assert pd.isna(found[1])
    assert (pd.Series(found).dropna() == expected.dropna()).all()


@pytest.mark.parametrize(
    "frequency, dates",
    [
        (
            "H",
            "to_period('h').to_timestamp(how='start').values, index=df.index, name='t||H'",
        ),
        ("W", "to_period('W').to_timestamp(how='end').normalize().values"),
        ("M", "to_period('M').to_timestamp(how='start').values"),
    ],
)
def test_code_export_has_the_dates_of_the_chart(frequency, dates):
    handler = timestamps.dates_of_periods(inspect.unwrap(utils.date_freq_handler))
    _, code = handler(pd.DataFrame({"t": DATES}))(f"t||{frequency}")
    assert dates in code


def test_menus_name_aggregated_columns_as_the_chart_does(pk):
    """Plain D-Tale offers ``z||sum``."""
    inputs = {"data_id": str(pk), "chart_type": "bar", "agg": "sum"}
    frame = pd.DataFrame({"g": ["u"], "z": [1], "t": DATES[:1]})
    x, y = "t||M", ["z"]
    options = layout.build_input_options(
        frame, x=x, y=y, extended_aggregation=[], **inputs
    )
    [labels] = [
        [each["label"] for each in group]
        for group in options
        if [each["value"] for each in group] == [x, "z||sum"]
    ]
    assert labels == ["t (Monthly)", "Sum of z"]


def test_long_labels_of_the_x_axis_have_room():
    """Plain D-Tale cuts them off."""
    assert dash_charts.build_layout({"xaxis": {"title": "x"}}).xaxis.automargin
    assert dash_charts.build_layout({}).xaxis.automargin is None


def test_column_named_x_is_aggregated(chart):
    """Plain D-Tale renames the column on the x-axis to ``x``, so the names clash."""
    built = chart(x="g", y=["x", "z"], agg="mean")
    assert built["data"]["all"] == {
        "x": ["u", "v"],
        "x||mean": [14, 15],
        "z||mean": [28, 30],
    }
    assert built["max"]["x||mean"] == 15


def test_column_named_x_that_cannot_be_drawn_is_explained(chart):
    assert "Choose an aggregation for the column" in chart(x="z", y=["x"])["error"]
    assert chart(x="x", y=["z"])["success"]


@pytest.mark.parametrize("freq", sorted(charts.FREQUENCIES))
def test_ticks_lie_between_the_first_and_last_date(freq):
    dates = charts.ticks(DATES, freq)
    assert len(dates) <= charts.MAX_TICKS
    # DATES span only 21 days, so no quarter or year has to begin in them.
    if "Y" not in freq and "Q" not in freq:
        assert len(dates)
    assert all(DATES[0] <= date <= DATES[-1] for date in dates)


def test_nanosecond_ticks_over_centuries_are_fast():
    begun = time.monotonic()
    dates = pd.DatetimeIndex(["1700-01-01", "2200-01-01"])
    assert len(charts.ticks(dates, "N")) <= charts.MAX_TICKS
    assert time.monotonic() - begun < 5


def test_unknown_frequency_is_refused():
    with pytest.raises(InputRefused, match="'ns' is not a known frequency"):
        charts.ticks(DATES, "ns")


@pytest.mark.parametrize("query", [{}, {"date_index": "t", "freq": "H"}])
def test_matrix_of_missing_values_is_drawn(owner, pk, query):
    response = owner.get(f"missingno/matrix/{pk}", **query)
    assert response.data.startswith(b"\x89PNG")
    assert pyplot.get_fignums() == []  # Figures that stay open use memory.


@pytest.mark.parametrize("freq", [None, "D"])
def test_matrix_shows_even_rows_of_a_large_frame_and_the_emptiest(freq):
    rows = 30 * ROWS
    dates = pd.date_range("2026-01-01", periods=rows, freq="min")
    frame = pd.DataFrame({"a": 1.0, "b": np.arange(rows), "c": "x"}, index=dates)
    frame.iloc[12_345] = None
    frame.iloc[777, 0] = None
    shown = rows_of_picture(frame)
    assert ROWS <= len(shown) <= ROWS + 2
    assert shown.isna().all(axis=1).sum() == 1
    places = frame.index.get_indexer(shown.index)
    assert np.diff(places).max() <= 31 and places[-1] == rows - 1
    axes = missingno.matrix(frame, freq=freq)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    if freq is None:
        assert labels == ["1", str(rows)]
    else:
        assert labels[0] == "2026-01-01" and 1 < len(labels) <= charts.MAX_TICKS
        assert max(axes.get_yticks()) < len(shown)
    pyplot.close("all")


@pytest.fixture
def incomplete():
    """A frame whose columns lack values in several ways."""
    rng = np.random.default_rng(1)
    values = pd.DataFrame({name: range(500) for name in "abcdef"}, dtype="Int64")
    frame = values.mask(rng.random(values.shape) < [0, 0.1, 0.5, 0.9, 1, 0.002])
    frame["like b"] = frame["b"].astype(float)
    frame["not b"] = np.where(frame["b"].isna(), "text", None)
    frame["day"] = pd.Series(pd.Timestamp("2026-01-01"), frame.index[::3])
    return frame


def test_missing_values_correlate_as_in_pandas(incomplete):
    nulls = incomplete.isna()
    expected = nulls.loc[:, nulls.nunique() > 1].corr()
    pd.testing.assert_frame_equal(null_correlations(incomplete), expected)
    assert null_correlations(incomplete[["a", "e"]]).shape == (0, 0)


def test_distances_of_missing_values_are_those_of_scipy(incomplete):
    expected = pdist(incomplete.isna().to_numpy().T.astype(int))
    np.testing.assert_array_equal(null_distances(incomplete), expected)


@pytest.mark.parametrize("kind", ["heatmap", "dendrogram"])
def test_pictures_of_missing_values_are_those_of_missingno(incomplete, kind):
    load_dtale()
    quickly = getattr(missingno, kind)
    pictures = []
    for draw in (quickly, inspect.unwrap(quickly)):
        canvas = FigureCanvasAgg(draw(incomplete).get_figure())
        canvas.draw()
        pictures.append(np.asarray(canvas.buffer_rgba()).copy())
        pyplot.close("all")
    np.testing.assert_array_equal(*pictures)


def test_correlations_support_text_columns_and_missing_values(owner, pk):
    assert owner.get(f"corr-analysis/{pk}").json["column_name"] in "xyz"
    assert owner.get(f"correlations/{pk}", encodeStrings="true").json["data"]


def test_saved_chart_from_a_link_has_a_header():
    load_dtale()
    config = {"chart_type": "bar", "data_id": "1", "x": "g", "y": ["z"], "agg": "mean"}
    from dtale.dash_application import saved_charts

    with pytest.raises(KeyError):
        saved_charts.build_saved_header.__wrapped__(config)
    assert saved_charts.build_saved_header(config)
    json.dumps(config)  # The configuration must still be serializable.


# Refusals -----------------------------------------------------------------------------


@pytest.fixture
def failures(caplog):
    """A function that returns the messages logged at ERROR. Refusals do not log any."""
    return lambda: [
        each.message for each in caplog.records if each.levelname == "ERROR"
    ]


@pytest.fixture
def groups(publish, ann):
    def groups(number):
        names = [f"g{at}" for at in range(number)]
        return publish(ann, a=range(number), b=range(number), g=names).pk

    return groups


@pytest.mark.parametrize("path", ["chart-data", "chart-export", "chart-csv-export"])
def test_too_many_groups_are_listed(owner, groups, failures, path):
    query = dict(chart_type="line", x="a", y=["b"], group=["g"])
    answer = owner.get(f"{path}/{groups(60)}", **query).json
    assert not answer["success"]
    assert answer["error"].startswith("Group (g) contains more than 30 unique values")
    listed = answer["error"].partition("\n\n")[2].split()
    assert listed == ["g", *sorted(f"g{at}" for at in range(60))]
    assert failures() == []


def test_long_list_of_groups_is_truncated(owner, groups):
    query = dict(x="a", y=["b"], group=["g"])
    error = owner.get(f"chart-data/{groups(900)}", **query).json["error"]
    assert len(error.splitlines()) == responses.MAX_LINES + 1
    assert error.endswith("\n... and 803 more")


@pytest.mark.parametrize("kind", ["invalid", "", "<b>", "LINE"])
@pytest.mark.parametrize(
    "path", ["chart-export", "chart-export-all", "chart-csv-export"]
)
def test_unknown_kind_of_chart_is_refused_with_a_reason(
    owner, groups, failures, path, kind
):
    for query in ({}, {"x": "a", "y": ["b"]}):
        answer = owner.get(f"{path}/{groups(3)}", chart_type=kind, **query)
        assert answer.status_code == 400
        assert repr(kind) in answer.json["error"]
        assert "line, bar, scatter, pie" in answer.json["error"]
    assert failures() == []


CHARTS = "line bar scatter pie wordcloud heatmap 3d_scatter surface maps candlestick"
CHARTS = [*CHARTS.split(), "treemap", "funnel", "pareto", "histogram"]


@pytest.mark.parametrize("path", ["chart-export", "chart-export-all"])
@pytest.mark.parametrize("kind", CHARTS)
def test_chart_without_its_columns_is_refused_with_a_reason(
    owner, groups, failures, path, kind
):
    answer = owner.get(f"{path}/{groups(3)}", chart_type=kind)
    assert answer.json["error"].startswith("The chart is empty")
    assert failures() == []


@pytest.mark.parametrize("y", [[[]], [["b"]], [{}], {"b": 1}, 5, [1.5], [None]])
@pytest.mark.parametrize("path", ["chart-data", "chart-export", "chart-csv-export"])
def test_columns_that_are_not_strings_are_refused(owner, groups, failures, path, y):
    for query in ({"y": y}, {"y": ["b"], "group": y}):
        answer = owner.get(f"{path}/{groups(3)}", chart_type="line", x="a", **query)
        assert "columns have to be text" in answer.json["error"]
    assert failures() == []


def test_failed_chart_export_explains_the_error(owner, groups):
    """Plain D-Tale exports the text of the error in place of the chart."""
    query = dict(chart_type="heatmap", x="a", y=["b"], z="g", agg="mean")
    answer = owner.get(f"chart-export/{groups(3)}", **query)
    assert "does not support operation 'mean'" in answer.json["error"]


def test_chart_can_be_exported(owner, groups):
    for path in ("chart-export", "chart-export-all"):
        answer = owner.get(f"{path}/{groups(3)}", chart_type="bar", x="a", y=["b"])
        assert "attachment" in answer.headers["Content-Disposition"]


DECODE = {"gzip": gzip.decompress, "br": brotli.decompress, None: bytes}


@pytest.mark.parametrize(
    "encodings, expected",
    [
        ("gzip, deflate, br, zstd", "gzip"),
        ("gzip;q=0, br", "br"),
        ("", None),
    ],
)
def test_exported_page_contains_all_of_plotly(owner, groups, encodings, expected):
    """The script is compressed once, and the page is the same as Plotly's own."""
    path = f"/flask/dtale/chart-export/{groups(3)}"
    query = {"chart_type": "bar", "x": "a", "y": '["b"]', "agg": "sum"}
    headers = {"Accept-Encoding": encodings}
    answers = [
        owner.browser.get(path, query_string={**query, "title": title}, headers=headers)
        for title in ("First", "Second")
    ]
    opening, script, _ = to_html({}, include_plotlyjs=True).partition(get_plotlyjs())
    for answer, title in zip(answers, ("First", "Second"), strict=True):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert answer.headers.get("Content-Encoding") == expected
        text = DECODE[expected](answer.data).decode()
        assert text.startswith(f"{opening}{script}</script>")
        assert f'"text":"{title}"' in text
        assert text.rstrip().endswith("</html>")
