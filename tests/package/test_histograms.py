"""Histograms, density curves and Q-Q plots equal D-Tale's own."""

import inspect

import numpy as np
import pandas as pd
import pytest
from dtale import column_analysis
from dtale.column_analysis import HistogramAnalysis, QQAnalysis

from django_dtale.dtale.patches import histograms

pytestmark = pytest.mark.django_db

ROWS = 30_000
rng = np.random.default_rng(21)
WITH_GAPS = rng.normal(10, 3, ROWS)
WITH_GAPS[::7] = np.nan
VALUES = {
    "normal": rng.normal(size=ROWS),
    "skewed": rng.lognormal(sigma=2, size=ROWS),
    "two peaks": np.concatenate(
        [rng.normal(0, 1, ROWS // 2), rng.normal(9, 0.1, ROWS // 2)]
    ),
    "an outlier": np.append(rng.normal(size=ROWS - 1), 1e6),
    "integers": rng.integers(-5, 50, ROWS),
    "large integers": rng.integers(2**60, 2**62, ROWS),
    "missing": WITH_GAPS,
    "nullable": pd.Series(WITH_GAPS).astype("Float64"),
    "few": rng.normal(size=100),
    "constant": np.full(ROWS, 3.5),
    "infinite": np.append(rng.normal(size=ROWS - 1), np.inf),
    "dates": pd.Timestamp("2026-01-01")
    + pd.to_timedelta(rng.integers(0, 10**6, ROWS), "s"),
}
GROUPS = {
    "text": rng.choice(["b", "a", "é"], ROWS),
    "missing text": rng.choice(["b", "a", None], ROWS),
    "integers": rng.integers(0, 5, ROWS),
    "floats": rng.choice([0.5, np.nan, 2.0], ROWS),
    "booleans": rng.random(ROWS) < 0.5,
    "categories": pd.Categorical(rng.choice([*"xy"], ROWS), categories=[*"zyx"]),
    "dates": rng.choice(pd.date_range("2026-01-01", periods=3), ROWS),
}


@pytest.fixture
def both(owner, publish, ann, monkeypatch):
    """A function that returns the patched and the original response to an analysis."""

    def ask(pk, query):
        answer = owner.get(f"column-analysis/{pk}", col="v", **query).json
        answer.pop("timestamp", None)
        # The request ids of failures differ.
        if "error" in answer:
            return answer["error"].partition(" (request")[0]
        return answer

    def both(columns, **query):
        pk = publish(ann, **columns).pk
        ours = ask(pk, query)
        monkeypatch.setattr("django_dtale.dtale.answers.PURE", set())
        with monkeypatch.context() as context:
            for name in ("load_filterable_data", "build_kde"):
                original = inspect.unwrap(getattr(column_analysis, name))
                context.setattr(column_analysis, name, original)
            for analysis in (HistogramAnalysis, QQAnalysis):
                context.setattr(analysis, "build", inspect.unwrap(analysis.build))
            return ours, ask(pk, query)

    return both


@pytest.mark.parametrize("name", VALUES)
def test_histogram_matches_dtale(both, name):
    values = VALUES[name]
    ours, theirs = both({"v": values, "other": range(len(values))}, type="histogram")
    if "kde" in theirs:
        curve, expected = (np.array(each.pop("kde")) for each in (ours, theirs))
        # The goal is a thousandth of the height.
        assert np.abs(curve - expected).max() <= 1e-3 * expected.max()
    assert ours == theirs


def test_density_of_many_values_is_calculated_from_counts(both, monkeypatch):
    used, density_at = [], histograms.density_at
    monkeypatch.setattr(
        histograms, "density_at", lambda *args: used.append(1) or density_at(*args)
    )
    both({"v": VALUES["normal"]}, type="histogram")
    assert used == [1]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("name", ["normal", "integers", "missing", "dates"])
def test_grouped_histogram_matches_dtale(both, name, group):
    columns = {"v": VALUES[name], "g": GROUPS[group], "other": 1}
    ours, theirs = both(columns, type="histogram", target="g", bins=8)
    assert ours == theirs
    assert "targets" in ours


@pytest.mark.parametrize("name", ["missing", "large integers", "dates", "few"])
def test_qq_plot_has_points_of_dtales(both, name):
    ours, theirs = both({"v": VALUES[name]}, type="qq")
    assert ours["code"] == theirs["code"]
    assert len(ours["x"]) == min(len(theirs["x"]), histograms.MAX_POINTS)
    everything = pd.DataFrame({name: theirs[name] for name in ("x", "y")})
    shown = pd.DataFrame({name: ours[name] for name in ("x", "y")})
    merged = shown.merge(everything.drop_duplicates(), how="left", indicator=True)
    assert set(merged["_merge"]) == {"both"}
    for end in (0, -1):  # The line of D-Tale begins and ends at the same points.
        assert ours["x2"][end] == pytest.approx(theirs["x2"][end], rel=1e-9)
        assert ours["y2"][end] == pytest.approx(theirs["y2"][end], rel=1e-6)


def test_categories_and_frequencies_have_all_their_columns(both):
    columns = {"v": VALUES["integers"], "g": GROUPS["text"], "h": GROUPS["booleans"]}
    for query in (
        {"type": "categories", "categoryCol": "g", "categoryAgg": "mean"},
        {"type": "frequency", "splits": "g,h"},
        {"type": "value_counts"},
    ):
        ours, theirs = both(columns, **query)
        assert ours == theirs
        assert "code" in ours
