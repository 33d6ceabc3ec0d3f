"""What is quicker than D-Tale's own answers as D-Tale does."""

import importlib.util
import math

import numpy as np
import pandas as pd
import pytest

from frames import dtale_kinds, dtale_quick
from frames.dtale_loader import load_dtale
from frames.kinds import prepare

from .kinds import KINDS


def pristine(name):
    """Return a module of D-Tale's in which nothing is replaced."""
    spec = importlib.util.find_spec(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", autouse=True)
def mended():
    """D-Tale's own functions, which the quick ones call, are those of the site."""
    load_dtale()


@pytest.fixture(scope="module")
def utils():
    """Return a pristine ``dtale.utils``, in which only its two bugs are mended."""
    utils = pristine("dtale.utils")
    utils.classify_type = dtale_kinds.classify_type
    utils.json_float = dtale_kinds.with_its_sign(utils.json_float)
    return utils


@pytest.fixture(scope="module")
def describe(utils):
    module = pristine("dtale.describe")
    for name in ("grid_columns", "grid_formatter", "json_int", "json_float"):
        setattr(module, name, getattr(utils, name))
    return module.load_describe


def answer(function, *args, **kwargs):
    """Return what a function answers, or what it fails with, so that it compares."""
    try:
        return repr(function(*args, **kwargs))
    except Exception as error:
        return type(error)


VALUES = [
    *("", "a", "nan", None, True, False, pd.NaT, pd.NA, [1], {}, b"x", 1j),
    *(0, 1, -1, 2**40, 0.0, -0.0, 1.5, 1e300, 1 / 3, 12345.678901),
    *(math.nan, math.inf, -math.inf),
    *(
        np.float64(1.005),
        np.float32(1.1),
        np.int8(3),
        np.nan,
        np.str_("s"),
        np.bool_(1),
    ),
]


@pytest.mark.parametrize("name", ["json_string", "json_int", "json_float"])
@pytest.mark.parametrize("more", [{}, {"as_string": True}, {"nan_display": "none"}])
def test_values(utils, name, more):
    theirs = getattr(utils, name)
    quick = dict(dtale_quick.REPLACED)[f"dtale.utils:{name}"](theirs)
    for value in VALUES:
        assert answer(quick, value, **more) == answer(theirs, value, **more), value
        if name == "json_float":
            for digits in (0, 4):
                ours = answer(quick, value, digits, **more)
                assert ours == answer(theirs, value, digits, **more), value


def test_integer_beyond_64_bits():
    """D-Tale shows nothing in its place."""
    quick = dict(dtale_quick.REPLACED)["dtale.utils:json_int"](None)
    assert quick(2**70) == 2**70


@pytest.mark.parametrize("kind", KINDS)
def test_dtypes(utils, kind):
    frame = prepare(KINDS[kind]()).frame
    quick = dtale_quick.quick_dtypes(utils.get_dtypes)
    assert quick(frame) == utils.get_dtypes(frame)
    assert list(quick(frame)) == list(frame.columns)


AGGS = None, ["sum", "median", "mode", "var", "sem"], ["sum", "median", "var", "sem"]
NUMBERS = {
    "int64": [3, 1, 2, 2, -(2**60)],
    "int8": [1, -128, 127],
    "uint64": [2**64 - 1, 1, 2],
    "uint8": [255, 1],
    "float64": [0.1, 1e-9, 1e18, -0.0, 1234.56789, math.nan],
    "float32": [0.1, 3.3, math.nan, 16777217.0],
    "float16": [0.1, 3.3],
}
SERIES = {
    **NUMBERS,
    **{f"{dtype}, one": values[:1] for dtype, values in NUMBERS.items()},
    **{f"{dtype}, none": [] for dtype in NUMBERS},
    "float64, missing": [math.nan, math.nan],
    "float64, infinite": [math.inf, 1.0, -math.inf],
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("aggs", AGGS, ids=["-", "integer", "float"])
@pytest.mark.parametrize("kind", SERIES)
def test_description(describe, kind, aggs):
    series = pd.Series(SERIES[kind], dtype=kind.partition(",")[0], name="it's")
    quick = dtale_quick.quick_describe(describe)
    assert answer(quick, series, aggs) == answer(describe, series, aggs)
    assert answer(quick, series, aggs) == answer(describe, series, aggs)


OTHERS = "str", "categories", "datetimes", "booleans"


@pytest.mark.parametrize("kind", OTHERS)
def test_description_of_what_is_no_number(describe, kind):
    series = KINDS[kind]()["kind"]
    quick = dtale_quick.quick_describe(describe)
    assert answer(quick, series) == answer(describe, series)


# What takes long with many rows -------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        [f"{each % 977} é" for each in range(2_000)] + [None],
        [each * 7 % 1_999 for each in range(2_000)],
    ],
    ids=["texts", "integers"],
)
def test_first_choices_of_many(owner, publish, ann, values):
    pk = publish(ann, a=values).pk
    answer = owner.get(f"column-filter-data/{pk}", col="a").json
    assert (
        answer["uniques"] == sorted({each for each in values if each is not None})[:5]
    )


@pytest.mark.django_db
def test_texts_that_are_joined(owner, publish, ann):
    pk = publish(ann, a=["x", None, "z"], n=[1, 2, 3]).pk
    cfg = {"cols": ["a", "n"], "joinChar": "-"}
    answer = owner.get(f"build-column/{pk}", type="string", name="new", cfg=cfg)
    assert answer.json["success"]
    assert owner.column(pk, "new")[::2] == ["x-1", "z-3"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "algo, expected", [("levenshtein", [3, 0, 2]), ("jaccard", [1.0, 0.0, 1.0])]
)
def test_similarity_row_by_row(owner, publish, ann, algo, expected):
    pk = publish(ann, a=["kitten", "same", None], b=["sitting", "same", "xy"]).pk
    cfg = {"left": "a", "right": "b", "algo": algo, "k": 3}
    answer = owner.get(f"build-column/{pk}", type="similarity", name="new", cfg=cfg)
    assert answer.json["success"], answer.json
    new = owner.column(pk, "new")
    assert new[1:] == expected[1:] and (algo == "jaccard" or new == expected)
