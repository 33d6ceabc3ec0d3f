"""The options of ``View`` as D-Tale's settings, after a comparison with the data."""

import dataclasses
import difflib
import json
from collections.abc import Mapping
from typing import Any

import pandas as pd
from dtale import predefined_filters

from ..compat.dtypes import DisplayableFrame
from ..exceptions import FilterRefused
from ..filters.compiler import Filter
from ..filters.site import NAMED, site_filters
from ..view import Chart, Format, View, to_rgb
from .patches.dtypes import classify_type
from .patches.filters import PREDEFINED

SAMPLE = 100  # Rows with which filters are tried.
BACKGROUNDS = {"heatmap": "heatmap-col-all", "low-variance": "lowVariance"}
MODES = {"equal": "equals", "above": "greaterThan", "below": "lessThan"}
# The keys of a format for each kind of column.
NUMBER_KEYS = "format", "red_negatives"
DATE_KEYS = ("format",)
TEXT_KEYS = "truncate", "link"


def check(view: View, data: DisplayableFrame) -> None:
    """Check that the options fit the data.

    Raises:
        ValueError: The message names the option and the column.
    """
    names = data.frame.columns.tolist()
    known = set(names)
    for option, column in view.named_columns():
        if column not in known:
            raise ValueError(_unknown(option, column, names))
    shown, hidden = set(view.columns or ()), set(view.hide)
    if both := shown & hidden:
        raise ValueError(f"columns and hide both contain {min(both)}.")
    if known == hidden or (view.columns is not None and not shown):
        raise ValueError("At least one column has to be shown.")
    for column, given in view.formats.items():
        _check_format(column, given, _kind(data, column))
    for column in _numbers_needed(view):
        if _kind(data, column) not in "IF":
            raise ValueError(
                f"The column {column} contains no numbers, so it cannot have a "
                "highlight or a heatmap."
            )
    _check_filters(view, data)


def arranged(view: View, data: DisplayableFrame) -> DisplayableFrame:
    """Return the data with their columns in the order of the view."""
    first = [*data.index, *view.locked, *(view.columns or ())]
    order = list(dict.fromkeys([*first, *data.frame.columns.tolist()]))
    return dataclasses.replace(data, frame=data.frame[order])


def startup_options(view: View, data: DisplayableFrame) -> dict[str, Any]:
    """Return the arguments of D-Tale's ``startup`` that change the data."""
    locked = list(dict.fromkeys([*data.index, *view.locked]))
    return {"locked": locked or None}


def apply(view: View, data: DisplayableFrame, instance: Any) -> None:
    """Give a new frame the settings of its view, and hide its other columns."""
    instance.settings = with_settings(instance.settings, view, data)
    instance.dtypes = [
        {**column, "visible": is_shown(column["name"], view, data, column["visible"])}
        for column in instance.dtypes
    ]


def with_settings(
    given: dict[str, Any], view: View, data: DisplayableFrame
) -> dict[str, Any]:
    """Return D-Tale's settings together with those of a view."""
    states = {name: {"active": True} for name in view.active_filters}
    return {
        **given,
        **settings(view, data),
        PREDEFINED: {**(given.get(PREDEFINED) or {}), **states},
    }


def is_shown(column: str, view: View, data: DisplayableFrame, default: bool) -> bool:
    """Return whether a view shows a column.

    Args:
        default: whether D-Tale shows the column if the view does not mention it.
    """
    if column in view.hide:
        return False
    if view.columns is None:
        return default
    return column in view.columns or column in data.index


def settings(view: View, data: DisplayableFrame) -> dict[str, Any]:
    """Return D-Tale's settings of the view, except those that are stored elsewhere."""
    formats = {
        name: _format(given, _kind(data, name)) for name, given in view.formats.items()
    }
    highlights = {name: _highlight(rules) for name, rules in view.highlight.items()}
    found = {
        # After JSON, D-Tale compares lists. With tuples, it would sort the data again.
        "sortInfo": [list(each) for each in view.sort] or None,
        "columnFormats": formats or None,
        "backgroundMode": "range" if highlights else _background(view.background),
        "rangeHighlight": highlights or None,
        "precision": view.precision,
        "nanDisplay": view.nan_display,
        "widths": dict(view.widths) or None,
        "query": view.query or None,
        NAMED: dict(view.filters) or None,
        **renewed_settings(view),
    }
    return {name: value for name, value in found.items() if value is not None}


def renewed_settings(view: View) -> dict[str, Any]:
    """Return the settings that take effect when data are replaced, too."""
    return {"main_title": view.title or None, "chart": chart_parameters(view.chart)}


def renewed_fields(view: View) -> dict[str, Any]:
    """Return the fields of the frame's row that the view sets."""
    return {"can_edit": view.can_edit, "page": view.page}


def _unknown(option: str, column: object, names: list[str]) -> str:
    close = difflib.get_close_matches(str(column), names, 1)
    question = f" Did you mean {close[0]}?" if close else ""
    more = ", ..." if len(names) > 20 else ""
    return (
        f"{option}: there is no column {column!r}.{question} The columns are: "
        f"{', '.join(names[:20])}{more}."
    )


def _kind(data: DisplayableFrame, column: str) -> str:
    """Return D-Tale's letter for the dtype of a column, such as "I" for integers."""
    return classify_type(str(data.frame[column].dtype))


def _numbers_needed(view: View) -> list[str]:
    heatmap = [view.background[1]] if isinstance(view.background, tuple) else []
    return [*view.highlight, *heatmap]


def _keys(kind: str) -> tuple[str, ...]:
    return NUMBER_KEYS if kind in "IF" else DATE_KEYS if kind == "D" else TEXT_KEYS


def _check_format(column: str, given: str | Format, kind: str) -> None:
    keys = {"format": given} if isinstance(given, str) else given
    if not isinstance(keys, Mapping):
        raise ValueError(f"The format of {column} has to be a text or a dict.")
    allowed = _keys(kind)
    for key, value in keys.items():
        if key not in allowed:
            raise ValueError(
                f"The format of {column} cannot contain {key!r}. The column's values "
                f"are {_described(kind)}, so it can contain: "
                f"{', '.join(allowed)}."
            )
        expected = {"format": str, "truncate": int}.get(key, bool)
        if type(value) is not expected:
            raise ValueError(f"The {key} of {column} has to be {expected.__name__}.")


def _described(kind: str) -> str:
    return {"I": "numbers", "F": "numbers", "D": "dates"}.get(kind, "shown as text")


def _format(given: str | Format, kind: str) -> dict[str, Any]:
    """Return a format as D-Tale stores it."""
    keys: Any = {"format": given} if isinstance(given, str) else given
    if _keys(kind) is TEXT_KEYS:
        return {"fmt": {"link": False, **keys}}
    found = {"fmt": keys["format"]} if "format" in keys else {}
    style = {"redNegs": True} if keys.get("red_negatives") else {}
    return {**found, "style": style}


def _background(given: str | tuple[str, str] | None) -> str | None:
    if isinstance(given, tuple):
        return f"heatmap-col-{given[1]}"
    return BACKGROUNDS.get(given, given) if given else None


def _highlight(rules: Mapping[Any, tuple[float, str]]) -> dict[str, Any]:
    """Return the highlights of a column. D-Tale needs all modes, also unused ones."""
    modes: dict[str, Any] = {"active": True}
    for rule, mode in MODES.items():
        value, color = rules.get(rule, (None, "yellow"))
        rgba = dict(zip("rgba", (*to_rgb(color), 1), strict=True))
        modes[mode] = {"active": rule in rules, "value": value, "color": rgba}
    return modes


def _check_filters(view: View, data: DisplayableFrame) -> None:
    sample = data.frame.head(SAMPLE)
    if view.query:
        _check_filter("query", view.query, sample)
    for name, text in view.filters.items():
        _check_filter(f"filters: {name}", text, sample)
    of_dtale = predefined_filters.PREDEFINED_FILTERS
    known = {*site_filters(), *(each.name for each in of_dtale)}
    if taken := known.intersection(view.filters):
        raise ValueError(f"filters: this site already has a filter {min(taken)}.")


def _check_filter(option: str, text: str, sample: pd.DataFrame) -> None:
    if not isinstance(text, str):
        raise ValueError(f"{option} has to be a text.")
    try:
        compiled = Filter(text)
        if unknown := compiled.columns.difference(sample.columns):
            names = sample.columns.tolist()
            raise ValueError(_unknown(option, min(unknown), names))
        # Values of the site may differ between the users who see the data.
        if not compiled.names:
            compiled.rows(sample)
    except FilterRefused as error:
        raise ValueError(f"{option}: {error}") from None


def chart_parameters(chart: Chart | None) -> dict[str, str] | None:
    """Return the parameters with which D-Tale's page of charts draws a chart."""
    if chart is None:
        return None
    parts: dict[str, Any] = {
        "chart_type": chart.kind,
        "x": chart.x,
        "y": json.dumps(list(chart.y)) if chart.y else None,
        "z": chart.z,
        "group": json.dumps(list(chart.group)) if chart.group else None,
        "agg": chart.aggregation,
    }
    return {name: value for name, value in parts.items() if value is not None}
