"""Each operation of D-Tale has a bound, or a reason why it needs none."""

import ast
import importlib
import inspect
import textwrap

import pytest

from frames.dtale_app import build_dtale
from frames.endpoints import OPEN


@pytest.fixture(scope="module")
def bounds():
    build_dtale()
    from frames import bounds

    return bounds


def kinds_of(function, name):
    """Return what a function of D-Tale's compares a name with (set of str)."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            left = node.left
            compared = getattr(left, "id", None) or getattr(left, "attr", None)
            for each in node.comparators if compared == name else ():
                found.update(
                    part.value
                    for part in ast.walk(each)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
    assert found, f"{function.__qualname__} chooses by another name than {name}"
    return found


def compare(table, known, where):
    missing, gone = known - table.keys(), table.keys() - known
    assert not missing, (
        f"D-Tale has {sorted(missing)}, and frames/bounds.py says nothing of it: "
        f"add a measure to {where}, or the reason why it needs none"
    )
    assert not gone, f"D-Tale has no {sorted(gone)} any more: remove it from {where}"


def test_routes(bounds):
    compare(bounds.OPERATIONS, set(OPEN), "OPERATIONS")


def test_entries(bounds):
    def entries(table):
        for entry in table.values():
            for each in entry if isinstance(entry, list) else [entry]:
                if isinstance(each, bounds.ByKind):
                    yield from entries(each.table)
                else:
                    yield each

    for each in [*entries(bounds.OPERATIONS), *entries(bounds.CHARTS)]:
        assert callable(each) or (isinstance(each, str) and each.endswith("."))


@pytest.mark.parametrize(
    "table, source, name",
    [
        ("BUILDERS", "column_builders.ColumnBuilder", "column_type"),
        ("REPLACEMENTS", "column_replacements.ColumnReplacement", "replacement_type"),
        ("SHAPES", "data_reshapers.DataReshaper", "shape_type"),
        ("DUPLICATES", "duplicate_checks.DuplicateCheck", "check_type"),
        ("TIME_SERIES", "timeseries_analysis.TimeseriesAnalysis", "report_type"),
        ("ANALYSES", "column_analysis.ColumnAnalysis", "analysis_type"),
        ("PICTURES", "views.build_missingno_chart", "chart_type"),
    ],
)
def test_kinds(bounds, table, source, name):
    module, _, attribute = source.partition(".")
    made = getattr(importlib.import_module(f"dtale.{module}"), attribute)
    made = getattr(made, "__init__", made) if inspect.isclass(made) else made
    compare(getattr(bounds, table), kinds_of(inspect.unwrap(made), name), table)


def test_charts(bounds):
    from dtale.dash_application.layout.layout import CHARTS

    known = {each["value"] for each in CHARTS} | {"clustergram"}  # If it is installed.
    compare(bounds.CHARTS, known, "CHARTS")


@pytest.mark.django_db
def test_callbacks(bounds, owner, frame):
    known = owner.get("charts/_dash-dependencies").json
    outputs = {bounds.callback(each["output"]) for each in known}
    compare(bounds.CALLBACKS, outputs, "CALLBACKS")


def test_a_new_operation_is_named(bounds):
    with pytest.raises(AssertionError, match=r"has \['new'\].*add a measure to SHAPES"):
        compare(bounds.SHAPES, {*bounds.SHAPES, "new"}, "SHAPES")
