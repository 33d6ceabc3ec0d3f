"""What people send to D-Tale, looked at before it is read: `CHECKS`, by endpoint.

D-Tale takes any setting. How much an operation may take is in ``bounds``.
"""

import functools
import json

from django.utils.translation import gettext as _
from dtale import global_state, predefined_filters
from dtale.dash_application.layout import layout
from dtale.utils import make_list
from flask import current_app, request

from . import bounds
from .endpoints import CALLBACK, DEPENDENCIES
from .exceptions import FrameError, InputRefused

# Settings -----------------------------------------------------------------------------


def check_settings(data_id):
    """Let people set what D-Tale's pages let them set.

    Raises:
        InputRefused
    """
    sent = json.loads(request.args.get("settings") or "{}")
    current = global_state.get_settings(data_id) or {}
    for name, value in sent.items():
        if name not in SETTINGS or not SETTINGS[name](value, current.get(name)):
            raise InputRefused(
                f"The setting {name[:50]} cannot be changed in this way. It may be one "
                "of the site's, or a filter: those are made by the pages for them."
            )


def _is_bool(value, current):
    return type(value) is bool


def _is_taken_away(value, current):
    """Filters are made, and looked at, elsewhere: here some are left out."""
    return isinstance(value, dict) and value.items() <= (current or {}).items()


def _is_predefined(value, current):
    known = predefined_filters.get_filters()
    return isinstance(value, dict) and all(
        name in {each.name for each in known} and isinstance(each, dict)
        for name, each in value.items()
    )


SETTINGS = {
    "query": lambda value, current: isinstance(value, str),
    "columnFilters": _is_taken_away,
    "outlierFilters": _is_taken_away,
    "predefinedFilters": _is_predefined,
    "invertFilter": _is_bool,
    "highlightFilter": _is_bool,
    "hide_header_editor": _is_bool,
    "hide_row_expanders": _is_bool,
    "verticalHeaders": _is_bool,
}

# Columns ------------------------------------------------------------------------------

FILTERS = {"string", "int", "float", "date", "outliers", "bool", "category", "unknown"}


def check_name(data_id, name):
    """Tell who names a column (str) that the frame has not.

    Raises:
        InputRefused
    """
    columns = global_state.get_dtypes(data_id)
    if columns and name not in {column["name"] for column in columns}:
        raise InputRefused(
            f"This frame has no column {name[:50]}. It may have been renamed or deleted "
            "in another window: load the page again."
        )


def check_its_column(data_id):
    check_name(data_id, request.args["col"])


def check_cfg(endpoint):
    """Its parts are D-Tale's business, but it is an object, or of replacements a list."""
    kinds = (dict, list) if endpoint == "dtale.build_replacement" else dict
    cfg = json.loads(request.args["cfg"])
    if not isinstance(cfg, kinds):
        raise TypeError("This is no configuration.")
    # JSON can have half characters: no file can, and the downloads would fail for them.
    json.dumps(cfg, ensure_ascii=False).encode()


def check_filter(data_id):
    check_its_column(data_id)
    if json.loads(request.args["cfg"])["type"] not in FILTERS:
        raise ValueError("There is no such kind of filter.")


# What the builders need that this site has replaced, by their type.
TEXTS = {"replace": ("search", "replacement"), "split": ("delimiter",)}


def check_builder(data_id):
    kind, cfg = request.args["type"], json.loads(request.args["cfg"])
    if not all(isinstance(cfg[name], str) for name in TEXTS.get(kind, ())):
        raise TypeError("This is to be a text.")
    if kind in TEXTS:
        check_name(data_id, cfg["col"])


# Charts -------------------------------------------------------------------------------


@functools.cache
def callbacks():
    """Return what each callback of the charts page is sent: {output: [parts, parts]}.

    The parts, those that start it and the others, are pairs of an id and a property.
    """
    known = current_app.view_functions[DEPENDENCIES]().json
    return {
        each["output"]: [
            [(part["id"], part["property"]) for part in each[side]]
            for side in ("inputs", "state")
        ]
        for each in known
    }


def check_callback():
    """Dash takes it for granted that a callback is sent what it is for."""
    sent = request.get_json()
    output, outputs = sent["output"], sent["outputs"]
    sides = [sent["inputs"], sent.get("state", [])]
    if [[(part["id"], part["property"]) for part in side] for side in sides] != (
        callbacks()[output]
    ):
        raise ValueError("The callback is for other parts of the page.")
    names = [f"{part['id']}.{part['property']}" for part in make_list(outputs)]
    if output != (
        f"..{'...'.join(names)}.." if isinstance(outputs, list) else names[0]
    ):
        raise ValueError("The callback changes other parts of the page.")
    if not all(isinstance(name, str) for name in sent.get("changedPropIds", [])):
        raise TypeError("A part of the page has a name.")


def check_chart(data_id):
    """Refuse to export a kind of chart that D-Tale does not draw.

    Raises:
        InputRefused
    """
    kinds = [each["value"] for each in layout.CHARTS]
    kind = request.args.get("chart_type", "")
    if kind not in kinds:
        raise InputRefused(
            _(
                "There is no chart of the kind %(kind)s. These can be exported: %(kinds)s."
            )
            % {"kind": repr(kind[:50]), "kinds": ", ".join(kinds)}
        )


# Pages --------------------------------------------------------------------------------


def check_calculation(calc_type):
    """Its pages are files, and these two explain what D-Tale calculates.

    Raises:
        InputRefused
    """
    if calc_type not in ("skew", "kurtosis"):
        raise InputRefused("There are pages on skew and kurtosis.")


def check(endpoint, **args):
    """Look at what was sent to an endpoint; ``args`` are those of its URL.

    Raises:
        InputRefused, LimitExceeded: the text says why.
        FrameMissing: it names a frame that is not there.
    """
    try:
        if "data_id" in args and request.args.get("col"):
            check_name(args["data_id"], request.args["col"])
        if "cfg" in request.args:
            check_cfg(endpoint)
        CHECKS.get(endpoint, lambda **args: None)(**args)
        bounds.check(endpoint, args)
    except FrameError:
        raise
    except Exception as error:
        text = "This is not what D-Tale's pages send here, so it was not done."
        raise InputRefused(text) from error


CHECKS = {
    **dict.fromkeys(
        ("dtale.chart_export", "dtale.chart_export_all", "dtale.chart_csv_export"),
        check_chart,
    ),
    "dtale.build_column": check_builder,
    "dtale.build_replacement": check_its_column,
    "dtale.edit_cell": check_its_column,
    # Without one, D-Tale keeps settings of no column, and no page opens any more.
    "dtale.toggle_outlier_filter": check_its_column,
    "dtale.update_formats": check_its_column,
    "dtale.update_settings": check_settings,
    "dtale.save_column_filter": check_filter,
    "dtale.view_calculation": check_calculation,
    CALLBACK: check_callback,
}
