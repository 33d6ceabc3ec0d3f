"""Predictive power scores that are calculated without trees are those of scikit-learn."""

import inspect

import numpy as np
import pandas as pd
import pytest
from dtale import ppscore
from dtale.ppscore import calculation
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from django_dtale.dtale.loader import load_dtale


@pytest.fixture(autouse=True)
def _patched():
    load_dtale()


def columns_of(rows):
    """Return columns for each of which a tree decides in another way."""
    rng = np.random.default_rng(rows)
    normal, numbers = rng.normal(size=rows), np.arange(rows)
    few = rng.integers(-5, 5, rows)
    return {
        "normal": normal,
        "square": normal**2,
        "steps": normal.round(),
        "float32": normal.astype("float32"),
        "id": numbers,
        "wave": np.sin(numbers / 50),
        "few": few,
        "unsigned": rng.integers(0, 999, rows).astype("uint16"),
        "price": rng.gamma(2, 10, rows).round(2),
        "skewed": np.exp(3 * normal),
        "large": rng.integers(0, 10**6, rows),
        "offset": normal + 1e6,
        "nearly equal": few + normal * 1e-8,
        "tiny": normal * 1e-7,
        "huge": normal * 1e200,
        "constant": np.full(rows, 0.1),
        "late": np.where(numbers > rows // 2, normal, 0),
    }


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # scikit-learn sums huge values.
@pytest.mark.parametrize("rows", [3, 9, 50, 1_001])
def test_scores_are_those_of_trees(rows):
    quickly = calculation.cross_val_score
    originally = inspect.unwrap(quickly)
    assert quickly is not originally
    columns = columns_of(rows)

    def scores(function, feature, target):
        model, features = DecisionTreeRegressor(), feature.reshape(-1, 1)
        try:
            return function(
                model, features, target, cv=4, scoring="neg_mean_absolute_error"
            )
        except ValueError as error:
            return str(error)

    for name, feature in columns.items():
        for target_name, target in columns.items():
            theirs = scores(originally, feature, target)
            ours = scores(quickly, feature, target)
            if isinstance(theirs, str):
                assert ours == theirs
                continue
            # The score divides the error by this deviation.
            deviation = np.abs(target - np.median(target)).mean()
            np.testing.assert_allclose(
                ours, theirs, 1e-9, 1e-9 * deviation, err_msg=f"{name} {target_name}"
            )


def test_scores_of_numbers_grow_no_tree(monkeypatch):
    monkeypatch.setattr(DecisionTreeRegressor, "fit", None)
    columns = columns_of(500)
    frame = pd.DataFrame({name: columns[name] for name in ("normal", "square", "few")})
    assert ppscore.score(frame, "normal", "square")["ppscore"] > 0.9
    assert ppscore.score(frame, "square", "normal")["ppscore"] < 0.5
    assert ppscore.score(frame, "few", "normal")["is_valid_score"]


def test_scores_of_texts_grow_trees(monkeypatch):
    fitted = []
    for model in (DecisionTreeRegressor, DecisionTreeClassifier):
        monkeypatch.setattr(
            model,
            "fit",
            lambda self, *args, _fit=model.fit, **more: (
                fitted.append(type(self)) or _fit(self, *args, **more)
            ),
        )
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"text": rng.choice([*"abc"], 99), "number": range(99)})
    ppscore.score(frame, "number", "text")
    ppscore.score(frame, "text", "number")
    assert fitted == [DecisionTreeClassifier] * 4 + [DecisionTreeRegressor] * 4
