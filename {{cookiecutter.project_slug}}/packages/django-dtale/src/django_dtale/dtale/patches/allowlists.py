"""Allow-lists of the pandas methods, properties and types that users may choose.

D-Tale's dialogs offer only a few names, but D-Tale looks up any name that it receives
in pandas, and calls the result. ``patches.registry`` applies the patches.
"""

import functools
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from dtale.charts.utils import AGGS

from ...exceptions import InputRefused

AGGREGATIONS = (
    "count nunique sum mean first last median min max std var mad prod".split()
)
AGGREGATE = *AGGREGATIONS, "gmean", "str_joiner", "count_pct"
ANALYSIS = *AGGREGATIONS, "pctsum"
RESAMPLE = *AGGREGATIONS, "ohlc"
CHART = tuple(AGGS)
ROLLING = "corr count cov kurt max mean median min skew std sum var".split()
WINDOWS = "triang", "gaussian"
TIMES = "minute hour time date weekday weekday_name month quarter year".split()
CASES = "upper", "lower", "title"
TYPES = "date", "int", "float", "bool", "category", "str", "hex"
# If NLTK is installed, it uses the language as the name of a file.
LANGUAGES = (
    "arabic azerbaijani danish dutch english finnish french german greek hungarian "
    "indonesian italian kazakh nepali norwegian portuguese romanian russian slovene "
    "spanish swedish tajik turkish"
).split()


def check_choices(chosen: Iterable, offered: Sequence[str]) -> None:
    """Refuse a choice that the dialog does not offer.

    Args:
        chosen: The chosen names, or None where nothing was chosen.
        offered: The names that the dialog offers.

    Raises:
        InputRefused
    """
    for name in chosen:
        if name is not None and name not in offered:
            raise InputRefused(
                f"{str(name)[:50]!r} is not allowed here. Choose one of these: "
                f"{', '.join(offered)}."
            )


def allow_only(read: Callable[[Any], Iterable], offered: Sequence[str]) -> Callable:
    """Return a wrapper of ``__init__`` that refuses choices not offered by the dialog.

    Args:
        read: A function that returns the names chosen for an instance.
        offered: The names that the dialog offers.
    """

    def wrap(init):
        @functools.wraps(init)
        def checked(self, *args, **kwargs):
            init(self, *args, **kwargs)
            try:
                chosen = list(read(self))
            except (AttributeError, KeyError, TypeError) as error:
                raise InputRefused("The request contains no valid choice.") from error
            check_choices(chosen, offered)

        return checked

    return wrap


def option(name: str) -> Callable[[Any], list]:
    return lambda made: [made.cfg.get(name)]


def aggregation_functions(made: Any) -> Iterable:
    """Return the functions that were chosen in the dialog Aggregate."""
    agg = made.cfg["agg"]
    if agg.get("type") == "func":
        return [agg.get("func")]
    return itertools.chain(*agg["cols"].values())


def replacement_functions(made: Any) -> list:
    """Return the aggregations that were chosen in the dialog Replacements."""
    return [each["replace"] for each in made.cfg or [] if each.get("type") == "agg"]


def check_timeseries(build_data: Callable) -> Callable:
    @functools.wraps(build_data)
    def checked(data, cfg):
        check_choices([cfg.get("agg")], RESAMPLE)
        return build_data(data, cfg)

    return checked


def check_charts(build_agg_data: Callable) -> Callable:
    """Check the choices for charts in the grid's dialogs and on the charts page."""

    @functools.wraps(build_agg_data)
    def checked(df, x, y, inputs, agg, *args, extended_aggregation=(), **kwargs):
        extended = extended_aggregation or []
        check_choices([agg, *(each["agg"] for each in extended)], CHART)
        check_choices([inputs.get("rolling_comp")], ROLLING)
        return build_agg_data(
            df, x, y, inputs, agg, *args, extended_aggregation=extended, **kwargs
        )

    return checked


# Each entry consists of one of D-Tale's classes, a function that reads the chosen
# names, and the names that are offered.
CHOICES = [
    ("column_builders:CleaningColumnBuilder", option("caseType"), CASES),
    ("column_builders:CleaningColumnBuilder", option("language"), LANGUAGES),
    ("column_builders:DatetimeColumnBuilder", option("property"), TIMES),
    ("column_builders:ExpandingBuilder", option("agg"), AGGREGATIONS),
    ("column_builders:RollingBuilder", option("comp"), ROLLING),
    ("column_builders:RollingBuilder", option("win_type"), WINDOWS),
    ("column_builders:TransformColumnBuilder", option("agg"), AGGREGATIONS),
    ("column_builders:TypeConversionColumnBuilder", option("to"), TYPES),
    ("column_replacements:ValueReplacement", replacement_functions, AGGREGATIONS),
    ("data_reshapers:AggregateBuilder", aggregation_functions, AGGREGATE),
    ("data_reshapers:PivotBuilder", option("aggfunc"), AGGREGATIONS),
    ("data_reshapers:ResampleBuilder", option("agg"), RESAMPLE),
    ("column_analysis:CategoryAnalysis", lambda made: [made.category_agg], ANALYSIS),
    ("column_analysis:ValueCountAnalysis", lambda made: [made.ordinal_agg], ANALYSIS),
]
PATCHES = [
    *(
        (f"dtale.{made}.__init__", allow_only(read, offered))
        for made, read, offered in CHOICES
    ),
    ("dtale.timeseries_analysis:build_data", check_timeseries),
    ("dtale.charts.utils:build_agg_data", check_charts),
    ("dtale.dash_application.charts:build_agg_data", check_charts),
]
