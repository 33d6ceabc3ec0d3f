"""Validate the input of D-Tale's endpoints before D-Tale sees it.

`CHECKS` maps endpoints to checks. D-Tale itself accepts any setting. The limits on the
size of operations are in ``endpoint_bounds``.
"""

import functools
import json
from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _
from dtale import global_state, predefined_filters
from dtale.dash_application.layout import layout
from dtale.utils import make_list
from flask import Flask
from werkzeug import Request

from ...exceptions import FrameError, InputRefused
from ..endpoints import CALLBACK, DEPENDENCIES, GRID
from . import endpoint_bounds

# Settings -----------------------------------------------------------------------------


def check_settings(request: Request, data_id: str) -> None:
    """Refuse changes of settings that D-Tale's pages do not offer.

    Raises:
        InputRefused
    """
    sent = json.loads(request.args.get("settings") or "{}")
    current = global_state.get_settings(data_id) or {}
    for name, value in sent.items():
        if name not in SETTINGS or not SETTINGS[name](value, current.get(name)):
            raise InputRefused(
                f"The setting {name[:50]} cannot be changed in this way. Either the "
                "site controls it, or it is a filter that has to be added in a dialog."
            )


def _is_bool(value, current):
    return type(value) is bool


def _is_subset(value, current):
    """Return whether filters are only removed: other endpoints add them."""
    return isinstance(value, dict) and value.items() <= (current or {}).items()


def _is_predefined(value, current):
    known = {each.name for each in predefined_filters.get_filters()}
    known.update(current or ())  # These include the filters of the frame.
    return (
        isinstance(value, dict)
        and value.keys() <= known
        and all(
            isinstance(each, dict) and _is_bool(each.get("active", True), None)
            for each in value.values()
        )
    )


SETTINGS = {
    "query": lambda value, current: isinstance(value, str),
    "columnFilters": _is_subset,
    "outlierFilters": _is_subset,
    "predefinedFilters": _is_predefined,
    "invertFilter": _is_bool,
    "highlightFilter": _is_bool,
    "hide_header_editor": _is_bool,
    "hide_row_expanders": _is_bool,
    "verticalHeaders": _is_bool,
}

# Columns ------------------------------------------------------------------------------

FILTERS = {"string", "int", "float", "date", "outliers", "bool", "category", "unknown"}


def check_name(data_id: str, name: str) -> None:
    """Refuse the name of a column that the frame does not have.

    Raises:
        InputRefused
    """
    columns = global_state.get_dtypes(data_id)
    if columns and name not in {column["name"] for column in columns}:
        raise InputRefused(
            f"This table has no column {name[:50]}. It may have been renamed or "
            "deleted in another window. Load the page again."
        )


def check_column(request: Request, data_id: str) -> None:
    check_name(data_id, request.args["col"])


def check_columns(request: Request, data_id: str) -> None:
    for name in json.loads(request.args["cols"]):
        check_name(data_id, name)


def check_weights(request: Request, data_id: str, col: str, weights: str) -> None:
    check_name(data_id, col)
    check_name(data_id, weights)


def check_cfg(request: Request, endpoint: str) -> None:
    """Require a JSON object as the configuration, or a list for replacements."""
    kinds = (dict, list) if endpoint == "dtale.build_replacement" else dict
    cfg = json.loads(request.args["cfg"])
    if not isinstance(cfg, kinds):
        raise TypeError("This is not a configuration.")
    # JSON can contain lone surrogates. Files cannot, so downloads would fail.
    json.dumps(cfg, ensure_ascii=False).encode()


def check_filter(request: Request, data_id: str) -> None:
    check_column(request, data_id)
    if json.loads(request.args["cfg"])["type"] not in FILTERS:
        raise ValueError("This type of filter does not exist.")


def check_sort(request: Request, data_id: str) -> None:
    """Require a list of columns of the frame, each with its direction.

    Raises:
        InputRefused
    """
    for name, direction in json.loads(request.args.get("sort") or "[]"):
        if not isinstance(direction, str):
            raise TypeError("A direction has to be a text.")
        check_name(data_id, name)


# The parameters that must be text, for each type of patched builder.
TEXTS = {"replace": ("search", "replacement"), "split": ("delimiter",)}


def check_builder(request: Request, data_id: str) -> None:
    kind, cfg = request.args["type"], json.loads(request.args["cfg"])
    if not all(isinstance(cfg[name], str) for name in TEXTS.get(kind, ())):
        raise TypeError("This has to be a text.")
    if kind == "string" and not isinstance(cfg.get("joinChar") or "", str):
        raise TypeError("The separator has to be a text.")
    if kind == "split" and not cfg["delimiter"]:
        raise ValueError("A delimiter has at least one character.")
    if kind in TEXTS:
        check_name(data_id, cfg["col"])


# Charts -------------------------------------------------------------------------------


@functools.cache
def callbacks(app: Flask) -> dict[str, list[list[tuple[str, str]]]]:
    """Return the inputs and states of the charts page's callbacks, keyed by output.

    Both are lists of pairs of an id and a property. A change of an input starts the
    callback.
    """
    response: Any = app.view_functions[DEPENDENCIES]()
    known = response.json
    return {
        each["output"]: [
            [(part["id"], part["property"]) for part in each[side]]
            for side in ("inputs", "state")
        ]
        for each in known
    }


def check_callback(app: Flask, request: Request) -> None:
    """Refuse inputs and outputs that a callback does not have. Dash accepts any."""
    sent = request.get_json()
    output, outputs = sent["output"], sent["outputs"]
    sides = [sent["inputs"], sent.get("state", [])]
    if [[(part["id"], part["property"]) for part in side] for side in sides] != (
        callbacks(app)[output]
    ):
        raise ValueError("The callback has inputs that the page does not have.")
    names = [f"{part['id']}.{part['property']}" for part in make_list(outputs)]
    if output != (
        f"..{'...'.join(names)}.." if isinstance(outputs, list) else names[0]
    ):
        raise ValueError("The callback has outputs that the page does not have.")
    if not all(isinstance(name, str) for name in sent.get("changedPropIds", [])):
        raise TypeError("The name of a part of the page has to be a text.")


def check_chart(request: Request, data_id: str) -> None:
    """Refuse to export a chart type that D-Tale does not have.

    Raises:
        InputRefused
    """
    kinds = [each["value"] for each in layout.CHARTS]
    kind = request.args.get("chart_type", "")
    if kind not in kinds:
        raise InputRefused(
            _(
                "There is no chart type %(kind)s. These types can be exported: "
                "%(kinds)s."
            )
            % {"kind": repr(kind[:50]), "kinds": ", ".join(kinds)}
        )


# Pages --------------------------------------------------------------------------------


def check_calculation(request: Request, calc_type: str) -> None:
    """Refuse all calculation pages but the two that explain skew and kurtosis.

    D-Tale uses the type as the name of a template.

    Raises:
        InputRefused
    """
    if calc_type not in ("skew", "kurtosis"):
        raise InputRefused("Pages exist only for skew and kurtosis.")


def check(app: Flask, request: Request, endpoint: str, args: dict[str, str]) -> None:
    """Validate the input of an endpoint; ``args`` are the variable parts of its path.

    Raises:
        InputRefused, LimitExceeded: The message gives the reason.
        FrameNotFound: The input names a frame that does not exist.
    """
    try:
        if "data_id" in args and request.args.get("col"):
            check_name(args["data_id"], request.args["col"])
        if "cfg" in request.args:
            check_cfg(request, endpoint)
        if endpoint == CALLBACK:
            check_callback(app, request)
        elif endpoint in CHECKS:
            CHECKS[endpoint](request, **args)
        endpoint_bounds.check(request, endpoint, args)
    except FrameError:
        raise
    except Exception as error:
        text = "The request was refused, because D-Tale's pages never send such input."
        raise InputRefused(text) from error


CHECKS: dict[str, Callable[..., object]] = {
    **dict.fromkeys(
        ("dtale.chart_export", "dtale.chart_export_all", "dtale.chart_csv_export"),
        check_chart,
    ),
    "dtale.build_column": check_builder,
    "dtale.build_replacement": check_column,
    "dtale.edit_cell": check_column,
    "dtale.get_correlations_ts": check_columns,
    GRID: check_sort,
    "dtale.load_weighted_average": check_weights,
    # Without this check, D-Tale would save settings for a column that does not exist,
    # and the grid could no longer be opened.
    "dtale.toggle_outlier_filter": check_column,
    "dtale.update_formats": check_column,
    "dtale.update_settings": check_settings,
    "dtale.save_column_filter": check_filter,
    "dtale.variance": check_column,
    "dtale.view_calculation": check_calculation,
}
