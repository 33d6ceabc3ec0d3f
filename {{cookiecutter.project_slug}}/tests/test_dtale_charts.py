"""Charts and pictures that D-Tale alone does not draw: by HTTP, as its pages ask."""

import json
import time

import pandas as pd
import pytest
from matplotlib import pyplot

from frames import dtale_charts
from frames.exceptions import InputRefused

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


def test_hours_on_the_x_axis(chart):
    built = chart(x="t||H", y=["z"], agg="sum")
    hours = built["data"]["all"]["x"]
    assert len(hours) == 30
    assert hours[0].startswith("2024-01-31 22:59:59")


def test_column_named_x_is_aggregated(chart):
    """It is drawn as the same column of another name is."""
    built = chart(x="g", y=["x", "z"], agg="mean")
    assert built["data"]["all"] == {
        "x": ["u", "v"],
        "x||mean": [14, 15],
        "z||mean": [28, 30],
    }
    assert built["max"]["x||mean"] == 15


def test_column_named_x_that_cannot_be_drawn_is_explained(chart):
    assert "Choose an aggregation of it" in chart(x="z", y=["x"])["error"]
    assert chart(x="x", y=["z"])["success"]


@pytest.mark.parametrize("freq", sorted(dtale_charts.OFFERED))
def test_dates_beside_the_rows(freq):
    dates = dtale_charts.ticks(DATES, freq)
    assert len(dates) <= dtale_charts.MAX_TICKS
    if "Y" not in freq and "Q" not in freq:  # There are 21 days.
        assert len(dates)
    assert all(DATES[0] <= date <= DATES[-1] for date in dates)


def test_nanoseconds_of_centuries_take_no_time():
    begun = time.monotonic()
    dates = pd.DatetimeIndex(["1700-01-01", "2200-01-01"])
    assert len(dtale_charts.ticks(dates, "N")) <= dtale_charts.MAX_TICKS
    assert time.monotonic() - begun < 5


def test_unknown_frequency_is_refused():
    with pytest.raises(InputRefused, match="'ns' is no frequency that is known here"):
        dtale_charts.ticks(DATES, "ns")


@pytest.mark.parametrize("query", [{}, {"date_index": "t", "freq": "H"}])
def test_matrix_of_what_is_missing(owner, pk, query):
    response = owner.get(f"missingno/matrix/{pk}", **query)
    assert response.data.startswith(b"\x89PNG")
    assert pyplot.get_fignums() == []  # Each would stay in the memory.


def test_correlations_beside_texts_where_values_are_missing(owner, pk):
    assert owner.get(f"corr-analysis/{pk}").json["column_name"] in "xyz"
    assert owner.get(f"correlations/{pk}", encodeStrings="true").json["data"]


def test_chart_of_a_link_is_saved_with_what_was_chosen():
    config = {"chart_type": "bar", "data_id": "1", "x": "g", "y": ["z"], "agg": "mean"}
    from dtale.dash_application import saved_charts

    with pytest.raises(KeyError):
        saved_charts.build_saved_header.__wrapped__(config)
    assert saved_charts.build_saved_header(config)
    json.dumps(config)  # It is as it was.
