"""Text searches return correct results, and no pattern makes them slow."""

import time

import pandas as pd
import pytest
from dtale.column_replacements import StringReplacement

from django_dtale.dtale.patches import regex

pytestmark = pytest.mark.django_db

# Matching TEXT takes minutes with Python's ``re`` but almost no time with RE2.
SLOW = "^(a+)+$"
TEXT = "a" * 30 + "!"
MIXED = pd.Series([TEXT, 1, None], dtype=object)


@pytest.fixture(autouse=True)
def in_no_time():
    start = time.process_time()
    yield
    assert time.process_time() - start < 10


def build(visitor, pk, kind, **cfg):
    answer = visitor.get(
        f"build-column/{pk}", type=kind, name="new", cfg={"col": "a", **cfg}
    )
    return answer.json


def replace(visitor, pk, kind, **cfg):
    return visitor.get(
        f"build-replacement/{pk}", type=kind, col="a", name="new", cfg=cfg
    ).json


def search(search, replacement, regex=True, case=True):
    return dict(search=search, replacement=replacement, regex=regex, caseSensitive=case)


WAYS = {
    "build column": lambda *args, **cfg: build(*args, "replace", **cfg),
    "replacements": lambda *args, **cfg: replace(*args, "partial", **cfg),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("values", [[TEXT, None, "x"], MIXED], ids=["texts", "mixed"])
@pytest.mark.parametrize("case", [True, False])
def test_slow_pattern_finishes_quickly(owner, publish, ann, way, values, case):
    pk = publish(ann, a=values).pk
    assert WAYS[way](owner, pk, **search(SLOW, "b", case=case))["success"]
    new, old = owner.column(pk, "new"), owner.column(pk)
    assert new[0] == TEXT and new[2] == old[2]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "cfg, expected",
    [
        (search("[ab]+", "x"), ["x!", "B.x", ""]),
        (search("[ab]+", "x", case=False), ["x!", "x.x", ""]),
        (search("(a)(b)", r"\2\1"), ["ba!", "B.ba", ""]),
        (search("b.a", "x", regex=False), ["ab!", "B.ab", ""]),
        (search("b.a", "x", regex=False, case=False), ["ab!", "xb", ""]),
        (search(".", "x", regex=False), ["ab!", "Bxab", ""]),
        (search("$", "x"), ["ab!x", "B.abx", "x"]),
    ],
)
def test_patterns_and_literals_are_replaced(owner, publish, ann, way, cfg, expected):
    pk = publish(ann, a=["ab!", "B.ab", ""]).pk
    assert WAYS[way](owner, pk, **cfg)["success"]
    assert owner.column(pk, "new") == expected


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "pattern, replacement, why",
    [
        ("(a", "b", "missing )"),
        ("a(?=b)", "b", "RE2"),
        ("(a)", r"\2", "only has 1"),
        ("a" * 1001, "b", "1,000 characters"),
    ],
)
def test_invalid_pattern_is_refused(
    owner, publish, ann, way, pattern, replacement, why
):
    pk = publish(ann, a=["ab!"]).pk
    answer = WAYS[way](owner, pk, **search(pattern, replacement))
    assert not answer["success"] and why in answer["error"]
    assert "traceback" not in answer


# Split --------------------------------------------------------------------------------


def test_text_is_split_at_a_literal_delimiter(owner, publish, ann):
    pk = publish(ann, a=["a||b||c", "d", None]).pk
    assert build(owner, pk, "split", delimiter="||")["success"]
    assert owner.column(pk, "new_0")[:2] == ["a", "d"]
    assert owner.column(pk, "new_2")[0] == "c"


def test_split_at_a_slow_pattern_finishes_quickly(owner, publish, ann):
    pk = publish(ann, a=[TEXT]).pk
    assert build(owner, pk, "split", delimiter=SLOW)["success"]
    assert owner.column(pk, "new_0") == [TEXT]


def test_too_many_parts_are_refused(owner, publish, ann, dtale_settings):
    pk = publish(ann, a=["a b " * 50, *"xyz"], b=[1, 2, 3, 4]).pk
    dtale_settings.MAX_CELLS = 4 * 99
    assert "cells, " in build(owner, pk, "split", delimiter=" ")["error"]
    words = dict(col="a", type="word_value_counts")
    assert owner.get(f"column-analysis/{pk}", **words).json["data"][:2] == [50, 50]
    words["ordinalCol"] = "b"
    assert "cells, " in owner.get(f"column-analysis/{pk}", **words).text
    dtale_settings.MAX_CELLS = 4 * 102
    answer = owner.get(f"column-analysis/{pk}", **words).json
    assert dict(zip(answer["labels"], answer["ordinal"], strict=True))["x"] == 2


# Strings ------------------------------------------------------------------------------

VALUES = ["a.b", "A.B", "x", "", "[b]", "a.", "日本 a"]


@pytest.mark.parametrize("value", ["a", "A", ".", "a.", "]", "^", "-", "本", "ab\\"])
@pytest.mark.parametrize("is_char", [True, False])
@pytest.mark.parametrize("ignore_case", [True, False])
def test_string_replacement_matches_dtale(value, is_char, ignore_case):
    cfg = dict(value=value, isChar=is_char, ignoreCase=ignore_case, replace="new")
    made, data = StringReplacement("a", cfg, "new"), pd.DataFrame({"a": VALUES})
    original = StringReplacement.build_column
    original = getattr(original, "__wrapped__", original)
    ours = regex.replace_containing(original)
    assert list(ours(made, data)) == list(original(made, data))


def test_string_replacement_works_in_multiline_text(owner, publish, ann):
    pk = publish(ann, a=["a" * 5_000 + "\nb\nc", "b"]).pk
    cfg = dict(value="a", isChar=True, ignoreCase=False, replace="nan")
    assert replace(owner, pk, "strings", **cfg)["success"]
    assert owner.column(pk, "new")[1] == "b"
    assert owner.column(pk, "new")[0] in ("", "nan", None)
