"""The library's faster replacements of D-Tale's functions return the same results."""

import pytest


@pytest.mark.django_db
@pytest.mark.parametrize(
    "values",
    [
        [f"{each % 977} é" for each in range(2_000)] + [None],
        [each * 7 % 1_999 for each in range(2_000)],
    ],
    ids=["texts", "integers"],
)
def test_filter_offers_the_first_values_in_order(owner, publish, ann, values):
    pk = publish(ann, a=values).pk
    answer = owner.get(f"column-filter-data/{pk}", col="a").json
    assert (
        answer["uniques"] == sorted({each for each in values if each is not None})[:5]
    )


@pytest.mark.django_db
def test_columns_are_joined_as_text(owner, publish, ann):
    pk = publish(ann, a=["x", None, "z"], n=[1, 2, 3]).pk
    cfg = {"cols": ["a", "n"], "joinChar": "-"}
    answer = owner.get(f"build-column/{pk}", type="string", name="new", cfg=cfg)
    assert answer.json["success"]
    assert owner.column(pk, "new")[::2] == ["x-1", "z-3"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "algo, expected", [("levenshtein", [3, 0, 2]), ("jaccard", [1.0, 0.0, 1.0])]
)
def test_similarity_is_computed_for_each_row(owner, publish, ann, algo, expected):
    pk = publish(ann, a=["kitten", "same", None], b=["sitting", "same", "xy"]).pk
    cfg = {"left": "a", "right": "b", "algo": algo, "k": 3}
    answer = owner.get(f"build-column/{pk}", type="similarity", name="new", cfg=cfg)
    assert answer.json["success"], answer.json
    new = owner.column(pk, "new")
    assert new[1:] == expected[1:] and (algo == "jaccard" or new == expected)
