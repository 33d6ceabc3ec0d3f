"""What is replaced in D-Tale, so that filters are those of ``filters``.

All that people write as a filter ends in D-Tale's ``run_query``: what its dialogs make of
their choices, their own filter, ``query=`` in an address, a group of a chart. There it
meets the grammar, so they may write their own.
"""

import functools
import logging
import re
import sys

import pandas as pd
from dtale.query import build_col_key

from .exceptions import FilterRefused, FrameError
from .filters import Filter
from .substitutions import DtaleChanged

# Those of outliers have their brackets: ((x < 1) or (x > 9)).
OR = re.compile(r"(?!\(\([^()]*\) or \([^()]*\)\)$).*(\bor\b|\|)", re.DOTALL)


class NothingFound(FrameError):
    """A filter keeps no row, where D-Tale needs one."""


def by_grammar(run_query):
    """D-Tale has pandas evaluate a filter as Python, with an engine of its settings."""

    @functools.wraps(run_query)
    def applied(
        df,
        query,
        context_vars=None,
        *,
        ignore_empty=False,
        highlight_filter=False,
        **sample,
    ):
        if not query:
            return run_query(df, "", highlight_filter=highlight_filter, **sample)
        rows = Filter(query).rows(df)
        if not (rows.any() or ignore_empty):
            raise NothingFound(f"No row is left by the filter {query:.200}")
        found = run_query(df if highlight_filter else df[rows], "", **sample)
        return (found, set(df.index[rows])) if highlight_filter else found

    return applied


def never(validate_query_safety):
    """D-Tale asks this before pandas evaluates a filter: that must not happen."""

    def refuse(query):
        raise DtaleChanged("filters get past this site's grammar", "dtale.query")

    return refuse


def in_brackets(inner_build_query):
    """D-Tale joins filters by "and", also if one has "or" in it."""

    @functools.wraps(inner_build_query)
    def joined(settings, query=None):
        parts = [*texts(settings), *([query] if query else [])]
        if len(parts) > 1:
            parts = [f"({part})" if OR.match(part) else part for part in parts]
        text = " and ".join(parts)
        return f"~({text})" if text and settings.get("invertFilter") else text

    return joined


def with_quotes(group_filter_handler):
    """D-Tale writes a group's text between quotes, also if it has one in it."""

    @functools.wraps(group_filter_handler)
    def handled(col_def, group_val, group_classifier):
        query, label = group_filter_handler(col_def, group_val, group_classifier)
        key = build_col_key(col_def)
        if query == f"{key} == '{group_val}'":
            query = f"{key} == {str(group_val)!r}"
        return query, label

    return handled


def no_words(patterns):
    """D-Tale refuses to look for texts such as ann@example.org or "open (all day)"."""
    return re.compile("(?!)")


def texts(settings):
    """Return what dialogs have made, of a frame's settings (dict): a list of str."""
    return [
        each["query"]
        for kind in ("columnFilters", "outlierFilters")
        for each in (settings.get(kind) or {}).values()
    ]


def check_settings(settings):
    """Refuse settings (dict) with a text that is no filter: no page could use them.

    Raises:
        FilterRefused
    """
    for text in [*texts(settings), settings.get("query")]:
        if text:
            check_text(text)


@functools.lru_cache(100)  # At most 10 million characters.
def check_text(text):
    """Refuse a text that is no filter. D-Tale sets its settings with each page of the
    grid, and to read a list of thousands of values takes longer than the page.

    Raises:
        FilterRefused
    """
    Filter(text)


def log_no_warning():
    """D-Tale warns that filters of one's own are code: here they are none."""
    logging.getLogger("dtale.views").addFilter(
        lambda record: not str(record.msg).startswith("Custom filtering enabled.")
    )


def verify():
    """Try whether every way to ``run_query`` meets the grammar.

    Raises:
        DtaleChanged: one does not.
    """
    frame = pd.DataFrame({"x": [1, 2]})
    for name, module in list(sys.modules.items()):
        run_query = name.startswith("dtale.") and getattr(module, "run_query", None)
        if not run_query:
            continue
        try:
            run_query(frame, "x.cumsum() > 2")
        except FilterRefused:
            if run_query(frame, "x > 1").equals(frame[1:]):
                continue
        except Exception:
            pass
        raise DtaleChanged("filters get past this site's grammar", name)


REPLACED = [
    *(
        (f"dtale.{module}:run_query", by_grammar)
        for module in (
            *("query", "views", "duplicate_checks", "data_reshapers"),
            *("timeseries_analysis", "charts.utils", "dash_application.views"),
            *("dash_application.charts", "dash_application.drilldown_modal"),
            "dash_application.layout.layout",
        )
    ),
    ("dtale.query:validate_query_safety", never),
    ("dtale.query:inner_build_query", in_brackets),
    ("dtale.dash_application.layout.layout:inner_build_query", in_brackets),
    ("dtale.charts.utils:group_filter_handler", with_quotes),
    ("dtale.column_filters:_DANGEROUS_PATTERNS", no_words),
]
