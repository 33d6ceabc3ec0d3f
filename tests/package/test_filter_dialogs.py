"""Filters from D-Tale's dialogs find the values that the user chose."""

import json
import re

import pandas as pd
import pytest

from django_dtale.compat.dtypes import make_displayable

from .kinds import KINDS, NAMES

pytestmark = pytest.mark.django_db


class Dialog:
    """The filter dialog of one column. It sends the same requests as the front end."""

    def __init__(self, owner, pk, column):
        self.owner, self.pk, self.column = owner, pk, column
        dtypes = owner.get(f"dtypes/{pk}").json["dtypes"]
        self.dtype = next(each for each in dtypes if each["name"] == column)["dtype"]
        self.data = owner.get(f"column-filter-data/{pk}", col=column).json

    @property
    def kind(self):
        """Return the front end's name for the column's type."""
        for kind, begin in {
            "string": ("string", "object", "unicode"),
            "int": ("int", "uint"),
            "float": ("float",),
            "date": ("timestamp", "datetime"),
            "bool": ("bool",),
            "category": ("category",),
        }.items():
            if self.dtype.lower().startswith(begin):
                return kind
        return "unknown"

    def total(self, **config):
        """Return the number of rows that match a filter."""
        answer = self.owner.get(
            f"save-column-filter/{self.pk}", col=self.column, cfg=json.dumps(config)
        )
        assert answer.json["success"] is True, answer.json
        return total(self.owner, self.pk)


def total(owner, pk):
    answer = owner.get(f"data/{pk}", ids=["0-9"]).json
    assert "error" not in answer, answer["error"]
    return answer["total"]


KINDS_OF_VALUES = sorted(
    kind for kind in KINDS.keys() - NAMES.keys() if "kind" in KINDS[kind]()
)


@pytest.mark.parametrize("kind", KINDS_OF_VALUES)
def test_chosen_values_are_found(owner, publish, ann, kind):
    frame = make_displayable(KINDS[kind]()).frame
    column = frame["kind"]
    pk = publish(ann, **frame).pk
    dialog = Dialog(owner, pk, "kind")
    missing = int(column.isna().sum())
    if dialog.data["hasMissing"]:
        assert dialog.total(type=dialog.kind, missing=True) == missing
        assert dialog.total(type=dialog.kind, populated=True) == len(column) - missing
    if dialog.kind in ("int", "float"):
        check_numbers(dialog, column)
    elif dialog.kind == "date":
        check_days(dialog, column)
    elif not dialog.dtype.startswith("timedelta"):
        check_texts(dialog, column)


def check_numbers(dialog, column):
    for value in list(column.dropna().unique())[:1]:
        typed = str(value)
        for operand, expected in {
            "=": column == value,
            "ne": column != value,
            "<": column < value,
            ">": column > value,
            "<=": column <= value,
            ">=": column >= value,
        }.items():
            sent = [typed] if operand in ("=", "ne") else typed
            found = dialog.total(type=dialog.kind, operand=operand, value=sent)
            assert found == expected.sum(), (operand, value)
        found = dialog.total(type=dialog.kind, operand="[]", min=typed, max=typed)
        assert found == (column == value).sum()
    chosen = list(column.dropna().unique())[:2]
    if len(chosen) == 2:
        sent = [str(each) for each in chosen]
        found = dialog.total(type=dialog.kind, operand="=", value=sent)
        assert found == column.isin(chosen).sum()
        sent = {"min": str(min(chosen)), "max": str(max(chosen))}
        found = dialog.total(type=dialog.kind, operand="()", **sent)
        assert found == ((column > min(chosen)) & (column < max(chosen))).sum()


def check_days(dialog, column):
    local = column.dropna().map(lambda time: time.isoformat()[:19]).astype("str")
    for day in local.str[:10].unique():
        begin, picked = f"{day}T00:00:00", day.replace("-", "")
        assert dialog.total(type="date", start=picked) == (local >= begin).sum()
        assert dialog.total(type="date", end=picked) == (local <= begin).sum()
        both = dialog.total(type="date", start=picked, end=picked)
        assert both == (local == begin).sum()


def check_texts(dialog, column):
    shown = column.astype(object).dropna().map(str)
    lower = shown.str.lower()
    chosen = [str(each) for each in dialog.data["uniques"]][:2]
    assert set(chosen) <= {*shown, *shown.str.strip()} or not chosen
    for text in chosen[:1]:
        for action, raw, expected in [
            ("equals", None, shown == text),
            (
                "startswith",
                text[:2],
                lower.str.startswith(text[:2].lower()),
            ),
            ("endswith", text[-2:], lower.str.endswith(text[-2:].lower())),
            ("contains", text[1:], lower.str.contains(text[1:].lower(), regex=False)),
            ("regex", f"^{re.escape(text)}$", shown == text),
            ("length", str(len(text)), shown.str.len() == len(text)),
            ("length", f"1,{len(text)}", shown.str.len().between(1, len(text))),
        ]:
            if action != "equals" and not raw:
                continue
            left = {"=": expected.sum(), "ne": len(column) - expected.sum()}
            is_nullable = getattr(column.dtype, "na_value", None) is pd.NA
            if is_nullable and (action == "length" or dialog.kind == "bool"):
                # For nullable dtypes, pandas never matches missing values.
                del left["ne"]
            for operand, rows in left.items():
                config = {"type": "string", "action": action, "operand": operand}
                config |= {
                    "value": [text],
                    "raw": raw,
                    "caseSensitive": action == "regex",
                }
                assert dialog.total(**config) == rows, config
    if len(chosen) == 2:
        config = {"type": "string", "action": "equals", "value": chosen}
        assert dialog.total(**config, operand="=") == shown.isin(chosen).sum()
        rest = len(column) - shown.isin(chosen).sum()
        assert dialog.total(**config, operand="ne") == rest
