"""The library's faster column descriptions equal D-Tale's own."""

import datetime
import inspect
import json
from decimal import Decimal
from importlib import import_module

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .kinds import KINDS

rng = np.random.default_rng(5)
HALF = [None, *"abcde"] * 40
TEXTS = {
    "few": ["a", "B c", "a", "é", "a"],
    "one": ["a"],
    "empty": ["", "", "x"],
    "only empty": ["", ""],
    "spaces": [" ", "  ", "a ", " a", "a  b", "\t", "a\u00a0b", "a\u2003 b", "a b c"],
    "lines": ["a \n", "a\n", "\n", " \n ", "a\r\nb", "\x0b\x0b", "\x1c\x1d", "\x85"],
    "accents": ["É", "e\u0301", "ß", "Ø×÷", "ÿ", "Ž", "ſ", "ỿ", "Ḁ", "ƀ"],
    "emoji": ["👍🏽", "a 👩\u200d👩\u200d👧", "❤️", ""],
    "digits": ["1", "٣", "५", "²", "Ⅷ", "1,000.5"],
    "punctuation": [*"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "«»؛،ـ", "–—…"],
    "hidden": ["\x00", "a\x07", "\u200b", "\ufeff", "\u202e", "日本"],
    "a pattern": [r"[\s]+", r"a[\s]+b [\s]+[\s]+", r"[\s]"],
    "missing": HALF,
    "numbers as text": ["10", "9", "9", "1e3"],
    "many": [f"Word {number}" for number in rng.permutation(300)],
    "many, as frequent": [f"{number}x" for number in rng.permutation(400) % 150],
    "many, from one": [f"w{number}" for number in range(120) for _ in range(number)],
}
DTYPES = {
    "str": "str",
    "str in Python": pd.StringDtype("python", na_value=np.nan),
    "string": "string",
    "object": object,
    "category": "category",
    "Arrow": pd.ArrowDtype(pa.string()),
}
DAYS = pd.date_range("2026", periods=300, freq="7h")
OTHERS = {
    "days": DAYS[:4].repeat([1, 3, 3, 2]),
    "times": DAYS[rng.permutation(300)],
    "times as frequent": DAYS[rng.permutation(400) % 150],
    "times with a zone": DAYS.tz_localize("UTC").tz_convert("Asia/Tokyo"),
    "times and missing": pd.Series(DAYS).where(pd.Series(DAYS).dt.day % 2 == 0),
    "dates": [day.date() for day in DAYS],
    "Arrow dates": pd.Series(DAYS.date, dtype=pd.ArrowDtype(pa.date32())),
    "times of day": [datetime.time(hour % 24, 5) for hour in range(50)],
    "durations": pd.to_timedelta(rng.permutation(200), unit="h"),
    "periods": DAYS.to_period("D"),
    "integers": rng.permutation(500) % 170 - 50,
    "small integers": (rng.permutation(500) % 170 - 50).astype("int16"),
    "unsigned": (rng.permutation(500) % 170).astype("uint8"),
    "Int64": pd.Series([3, None, 3, 1], dtype="Int64"),
    "floats": [1.5, 2.5, None],
    "booleans": [True, False, True],
    "boolean": pd.Series([True, None, True], dtype="boolean"),
    "Decimals": [Decimal("1.0"), Decimal("1.00"), Decimal("2"), None],
    "unused categories": pd.Categorical([*"bab"], categories=[*"xbya"]),
    "ordered categories": pd.Categorical([*"bab"], [*"ba"], ordered=True),
    "categories of integers": pd.Categorical(rng.permutation(300)),
    "categories of times": pd.Categorical(DAYS[:5]),
}
CASES = {
    **{
        f"{name}, {dtype}": pd.Series(values, dtype=DTYPES[dtype])
        for name, values in TEXTS.items()
        for dtype in DTYPES
    },
    **{name: pd.Series(values) for name, values in OTHERS.items()},
}


@pytest.fixture
def both(dtale, monkeypatch):
    """A function that returns the patched and the original response to a request."""
    # These tests have only a few values. Without this patch, all of them would be
    # sorted.
    monkeypatch.setattr(
        import_module("django_dtale.dtale.patches.describe"), "SORT_ALL_LIMIT", 0
    )

    def ask(path, **query):
        answer = dtale.client.get(path, query_string=query).json
        answer.pop("timestamp", None)
        answer.pop("traceback", None)
        return answer

    def both(path, **query):
        ours = ask(f"/dtale/{path}", **query)
        with monkeypatch.context() as context:
            views = dtale.app.view_functions
            context.setitem(views, "dtale.describe", dtale.views.describe)
            analysis = import_module("dtale.column_analysis")
            for name in ("ValueCountAnalysis", "WordValueCountAnalysis"):
                count = getattr(analysis, name)
                context.setattr(count, "build_hist", inspect.unwrap(count.build_hist))
            theirs = ask(f"/dtale/{path}", **query)
        return ours, theirs

    return both


def open_column(dtale, values):
    return dtale.open(pd.DataFrame({"other": range(len(values)), "it's": values}))


@pytest.mark.parametrize("case", CASES)
def test_description_matches_dtale(dtale, both, case):
    pk = open_column(dtale, CASES[case])
    ours, theirs = both(f"describe/{pk}", col="it's")
    assert ours == theirs
    assert ours["success"] and ours["code"]


@pytest.mark.parametrize("kind", KINDS)
def test_description_of_every_kind_matches_dtale(dtale, both, kind):
    frame = KINDS[kind]()
    pk = dtale.open(frame)
    for name in [column["name"] for column in dtale.dtypes(pk)][:5]:
        ours, theirs = both(f"describe/{pk}", col=name)
        if not theirs["success"]:
            assert ours["describe"]["count"] == "0"
            continue
        # For the counts of complex values, D-Tale writes (1+0j).
        for count in ("count", "unique"):
            if "j" in theirs["describe"].get(count, ""):
                number = complex(theirs["describe"][count]).real
                theirs["describe"][count] = f"{number:.0f}"
        assert ours == theirs


@pytest.mark.parametrize("dtype", ["str", object, "float64", "Int64", "datetime64[ns]"])
@pytest.mark.parametrize("rows", [0, 3])
def test_column_without_values_is_described(dtale, dtype, rows):
    pk = open_column(dtale, pd.Series([None] * rows, dtype=dtype))
    described = dtale.get(f"describe/{pk}", col="it's")["describe"]
    assert described["count"] == "0"
    assert described["missing_ct"] == str(rows)


def test_description_of_filtered_rows_matches_dtale(dtale, both):
    pk = open_column(dtale, pd.Series(["a b", "c", "c"]))
    config = json.dumps({"type": "int", "operand": "<", "value": "2"})
    dtale.get(f"save-column-filter/{pk}", col="other", cfg=config)
    for filtered in ("true", "false"):
        ours, theirs = both(f"describe/{pk}", col="it's", filtered=filtered)
        assert ours == theirs
        assert ours["describe"]["count"] == ("2" if filtered == "true" else "3")


KINDS_OF_BARS = [
    {},
    {"top": 2},
    {"top": 150},
    {"top": -3},
    {"ordinalCol": "other", "ordinalAgg": "mean"},
    {"ordinalCol": "other", "ordinalAgg": "pctsum", "top": 5},
    {"cleaner": "drop_punctuation"},
]


@pytest.mark.parametrize("query", KINDS_OF_BARS, ids=str)
@pytest.mark.parametrize("type", ["value_counts", "word_value_counts"])
@pytest.mark.parametrize("case", [name for name in CASES if name.endswith(", str")])
def test_value_counts_of_text_match_dtale(dtale, both, case, type, query):
    pk = open_column(dtale, CASES[case])
    ours, theirs = both(f"column-analysis/{pk}", col="it's", type=type, **query)
    if theirs.get("success", True):
        assert ours == theirs
    else:  # Plain D-Tale fails if there are no words.
        assert ours["data"] == ours["labels"] == [] or ours == theirs


@pytest.mark.parametrize(
    "case", [*OTHERS, "many, category", "many, Arrow", "few, object"]
)
def test_value_counts_match_dtale(dtale, both, case):
    pk = open_column(dtale, CASES[case])
    ours, theirs = both(f"column-analysis/{pk}", col="it's", type="value_counts")
    assert ours == theirs


@pytest.mark.parametrize("case", [name for name in CASES if "many" in name])
def test_word_counts_of_every_dtype_match_dtale(dtale, both, case):
    pk = open_column(dtale, CASES[case])
    query = dict(col="it's", type="word_value_counts")
    ours, theirs = both(f"column-analysis/{pk}", **query)
    assert ours == theirs


@pytest.mark.parametrize("dtype", ["str", "str in Python", "object", "Arrow"])
@settings(deadline=None)
@given(texts=st.lists(st.text() | st.text("a é1_\t\n\x0b[]\\s+"), min_size=1))
def test_string_metrics_match_dtale(dtale, dtype, texts):
    """The metrics do not depend on the size of the chunks."""
    text_metrics = import_module("django_dtale.dtale.patches.text_metrics")
    series = pd.Series(texts, dtype=DTYPES[dtype])
    theirs, _ = dtale.views.build_string_metrics(series.str, "a")
    for characters in (1, 7, 1 << 20):
        text_metrics.CHUNK = characters
        ours = text_metrics.string_metrics(series.value_counts())
        assert ours.keys() == theirs.keys()
        for name, figure in theirs.items():
            same = figure if isinstance(figure, str) else pytest.approx(figure)
            assert ours[name] == same, name
