"""Each operation of D-Tale has a bound or a documented reason for having none."""

import ast
import importlib
import inspect
import textwrap

import pytest

from django_dtale.dtale.application import build_dtale
from django_dtale.dtale.endpoints import OPEN


@pytest.fixture(scope="module")
def endpoint_bounds():
    build_dtale()
    from django_dtale.dtale.bounds import endpoint_bounds

    return endpoint_bounds


def kinds_of(function, name):
    """Return the strings that a function compares with the variable of this name."""
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
        f"D-Tale has {sorted(missing)}, and dtale/bounds/endpoint_bounds.py says "
        f"nothing of it: add a check to {where}, or the reason why it needs none"
    )
    assert not gone, f"D-Tale has no {sorted(gone)} any more: remove it from {where}"


def test_every_open_route_has_an_entry(endpoint_bounds):
    compare(endpoint_bounds.OPERATIONS, set(OPEN), "OPERATIONS")


def test_entries_are_callables_or_sentences(endpoint_bounds):
    def entries(table):
        for entry in table.values():
            for each in entry if isinstance(entry, list) else [entry]:
                if isinstance(each, endpoint_bounds.ByKind):
                    yield from entries(each.table)
                else:
                    yield each

    for each in [
        *entries(endpoint_bounds.OPERATIONS),
        *entries(endpoint_bounds.CHARTS),
    ]:
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
def test_every_kind_has_an_entry(endpoint_bounds, table, source, name):
    module, _, attribute = source.partition(".")
    made = getattr(importlib.import_module(f"dtale.{module}"), attribute)
    made = getattr(made, "__init__", made) if inspect.isclass(made) else made
    compare(
        getattr(endpoint_bounds, table), kinds_of(inspect.unwrap(made), name), table
    )


def test_every_chart_type_has_an_entry(endpoint_bounds):
    from dtale.dash_application.layout.layout import CHARTS

    # D-Tale offers a clustergram only if an optional package is installed.
    known = {each["value"] for each in CHARTS} | {"clustergram"}
    compare(endpoint_bounds.CHARTS, known, "CHARTS")


@pytest.mark.django_db
def test_every_callback_has_an_entry(endpoint_bounds, owner, frame):
    known = owner.get("charts/_dash-dependencies").json
    outputs = {endpoint_bounds.callback(each["output"]) for each in known}
    compare(endpoint_bounds.CALLBACKS, outputs, "CALLBACKS")


def test_unexpected_operation_is_named_in_the_error(endpoint_bounds):
    with pytest.raises(AssertionError, match=r"has \['new'\].*add a check to SHAPES"):
        compare(endpoint_bounds.SHAPES, {*endpoint_bounds.SHAPES, "new"}, "SHAPES")


@pytest.mark.django_db
def test_operation_without_an_entry_is_refused(
    endpoint_bounds, owner, frame, monkeypatch
):
    assert owner.get(f"dtypes/{frame.pk}").status_code == 200
    monkeypatch.delitem(endpoint_bounds.OPERATIONS, "dtale.dtypes")
    assert owner.get(f"dtypes/{frame.pk}").status_code == 400
