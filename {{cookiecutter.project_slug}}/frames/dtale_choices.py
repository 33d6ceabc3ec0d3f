"""Which of D-Tale's methods, properties and types people may choose by name.

Its dialogs offer a few. But whatever text comes in their place is looked up among all
that pandas has, and called. In the form of ``dtale_replaced.REPLACED``.
"""

import functools
import itertools

from dtale.charts.utils import AGGS

from .exceptions import InputRefused

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
# NLTK, if it is installed, takes it for the name of a file.
LANGUAGES = (
    "arabic azerbaijani danish dutch english finnish french german greek hungarian "
    "indonesian italian kazakh nepali norwegian portuguese romanian russian slovene "
    "spanish swedish tajik turkish"
).split()


def check(chosen, offered):
    """Refuse what a dialog does not offer.

    Args:
        chosen: iterable of str; None is nothing chosen.
        offered: sequence of str.

    Raises:
        InputRefused
    """
    for name in chosen:
        if name is not None and name not in offered:
            raise InputRefused(
                f"{str(name)[:50]!r} cannot be chosen here. Choose one of these: "
                f"{', '.join(offered)}."
            )


def choosing(read, offered):
    """Return what lets a class of D-Tale's be made only with what its dialog offers.

    Args:
        read: from what was made to what was chosen, an iterable of str.
        offered: sequence of str.
    """

    def wrap(init):
        @functools.wraps(init)
        def checked(self, *args, **kwargs):
            init(self, *args, **kwargs)
            try:
                chosen = list(read(self))
            except (AttributeError, KeyError, TypeError) as error:
                raise InputRefused("Nothing that can be chosen was sent.") from error
            check(chosen, offered)

        return checked

    return wrap


def option(name):
    return lambda made: [made.cfg.get(name)]


def of_each_column(made):
    """In Aggregate, one function is chosen for all columns, or some for each."""
    agg = made.cfg["agg"]
    if agg.get("type") == "func":
        return [agg.get("func")]
    return itertools.chain(*agg["cols"].values())


def of_each_value(made):
    """In Replacements, a value is replaced by another one, or by an aggregation."""
    return [each["replace"] for each in made.cfg or [] if each.get("type") == "agg"]


def for_timeseries(build_data):
    @functools.wraps(build_data)
    def checked(data, cfg):
        check([cfg.get("agg")], RESAMPLE)
        return build_data(data, cfg)

    return checked


def for_charts(build_agg_data):
    """Both kinds of charts end here: those of the grid's dialogs, and Dash's."""

    @functools.wraps(build_agg_data)
    def checked(df, x, y, inputs, agg, *args, extended_aggregation=(), **kwargs):
        extended = extended_aggregation or []
        check([agg, *(each["agg"] for each in extended)], CHART)
        check([inputs.get("rolling_comp")], ROLLING)
        return build_agg_data(
            df, x, y, inputs, agg, *args, extended_aggregation=extended, **kwargs
        )

    return checked


CHOICES = [  # Classes of D-Tale's, what is chosen there, and what is offered.
    ("column_builders:CleaningColumnBuilder", option("caseType"), CASES),
    ("column_builders:CleaningColumnBuilder", option("language"), LANGUAGES),
    ("column_builders:DatetimeColumnBuilder", option("property"), TIMES),
    ("column_builders:ExpandingBuilder", option("agg"), AGGREGATIONS),
    ("column_builders:RollingBuilder", option("comp"), ROLLING),
    ("column_builders:RollingBuilder", option("win_type"), WINDOWS),
    ("column_builders:TransformColumnBuilder", option("agg"), AGGREGATIONS),
    ("column_builders:TypeConversionColumnBuilder", option("to"), TYPES),
    ("column_replacements:ValueReplacement", of_each_value, AGGREGATIONS),
    ("data_reshapers:AggregateBuilder", of_each_column, AGGREGATE),
    ("data_reshapers:PivotBuilder", option("aggfunc"), AGGREGATIONS),
    ("data_reshapers:ResampleBuilder", option("agg"), RESAMPLE),
    ("column_analysis:CategoryAnalysis", lambda made: [made.category_agg], ANALYSIS),
    ("column_analysis:ValueCountAnalysis", lambda made: [made.ordinal_agg], ANALYSIS),
]
REPLACED = [
    *(
        (f"dtale.{made}.__init__", choosing(read, offered))
        for made, read, offered in CHOICES
    ),
    ("dtale.timeseries_analysis:build_data", for_timeseries),
    ("dtale.charts.utils:build_agg_data", for_charts),
    ("dtale.dash_application.charts:build_agg_data", for_charts),
]
