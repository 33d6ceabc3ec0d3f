"""How a table opens in D-Tale, from code: the options of ``explore`` and ``publish``.

This module needs neither pandas nor D-Tale, so importing it is fast. ``dtale.opening``
compares the options with the data, and translates them to D-Tale's settings.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypedDict, get_args

Direction = Literal["ASC", "DESC"]
Background = Literal["heatmap", "missing", "outliers", "dtypes", "low-variance"]
Rule = Literal["above", "below", "equal"]
Page = Literal["grid", "charts", "describe", "correlations"]
ChartKind = Literal[
    "line", "bar", "scatter", "pie", "wordcloud", "heatmap", "3d_scatter", "surface"
]
Aggregation = Literal[
    "count", "nunique", "sum", "mean", "median", "min", "max", "std", "first", "last"
]

# The text of cells stays readable on these backgrounds.
COLORS = {
    "red": "#ffb3b3",
    "orange": "#ffd9a8",
    "yellow": "#fff59d",
    "green": "#c5e8b7",
    "blue": "#bbdefb",
    "purple": "#e1bee7",
    "grey": "#d9d9d9",
}
MAX_PRECISION = 15  # A float has no more decimal digits.
MAX_TITLE = 100  # Characters.
WIDTHS = range(10, 5_001)  # Pixels.


class Format(TypedDict, total=False):
    """The format of a column.

    Attributes:
        format: for numbers, a format of Numeral.js, such as "0,0.00", "0.0%" or "$0a".
            For dates, a format of Moment.js, such as "DD.MM.YYYY".
        red_negatives: whether negative numbers are red.
        truncate: the number of characters after which text is cut off.
        link: whether text is shown as a link to the URL that it contains.
    """

    format: str
    red_negatives: bool
    truncate: int
    link: bool


@dataclass(frozen=True)
class Chart:
    """The chart with which D-Tale's page of charts opens.

    Attributes:
        kind: one of D-Tale's types of charts.
        x, y: the columns of the axes.
        z: the column of the colors of a heatmap, or of the third axis.
        group: the columns whose values get a line, bar or color each.
        aggregation: how rows with the same x are combined.
    """

    kind: ChartKind
    x: str
    y: Sequence[str] = ()
    z: str | None = None
    group: Sequence[str] = ()
    aggregation: Aggregation | None = None

    def __post_init__(self) -> None:
        _check_choice("kind", self.kind, get_args(ChartKind))
        if self.aggregation is not None:
            _check_choice("aggregation", self.aggregation, get_args(Aggregation))
        _check_list("y", self.y)
        _check_list("group", self.group)

    @property
    def columns(self) -> list[str]:
        return [self.x, *self.y, *filter(None, [self.z]), *self.group]


@dataclass(frozen=True, kw_only=True)
class View:
    """How a table opens: what people see before they change anything.

    The options are one object, and not keyword arguments of their own, so that
    ``explore``, ``publish``, sources and the site's own functions pass them on as one
    argument, and so that a view can be a constant that several tables share. Use
    ``dataclasses.replace`` to derive one view from another.

    Everyone can change their own view afterwards. Only ``editable`` is a rule: it
    applies to everyone, including the owner, and the server enforces it. Code is not
    bound by it, and neither are copies, because a copy belongs to the person who made
    it.

    If a table is replaced, people keep their views. Then only ``editable``, ``title``,
    ``page`` and ``chart`` take effect.

    Attributes:
        sort: pairs of a column and "ASC" or "DESC".
        columns: the columns to show, in this order. The index is shown before them.
        hide: columns to hide. People can show them again.
        locked: columns that stay on the left when people scroll. They come first.
        formats: maps columns to a ``Format``, or to the text of its ``format``.
        precision: the number of decimals of floats without a format of their own.
        nan_display: the text for missing values.
        widths: maps columns to their widths in pixels.
        highlight: maps columns of numbers to rules: ``{"above": (100, "red")}``. The
            rules are "above", "below" and "equal". A color is one of ``COLORS``, or a
            hexadecimal color such as "#ffcc00".
        background: the meaning of the cells' backgrounds. The tuple ``("heatmap",
            column)`` colors a single column.
        filters: maps names to filters that the menu Predefined Filters offers.
        active_filters: the names of the filters that are switched on.
        query: a filter that is switched on, and that people can change.
        editable: whether people can change the data. A mapping allows them to change
            only the cells of some columns: it maps each column to its choices, or to
            None for any value.
        title: the heading of D-Tale's menu and of the page, instead of "D-Tale".
        page: the page on which the table opens.
        chart: the chart on the page of charts.

    Raises:
        ValueError: an option is not valid. When a table is stored, the same error names
            options that do not fit the data, and the columns that the data have.
    """

    sort: Sequence[tuple[str, Direction]] = ()
    columns: Sequence[str] | None = None
    hide: Collection[str] = ()
    locked: Sequence[str] = ()
    formats: Mapping[str, str | Format] = field(default_factory=dict)
    precision: int | None = None
    nan_display: str | None = None
    widths: Mapping[str, int] = field(default_factory=dict)
    highlight: Mapping[str, Mapping[Rule, tuple[float, str]]] = field(
        default_factory=dict
    )
    background: Background | tuple[Literal["heatmap"], str] | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    active_filters: Collection[str] = ()
    query: str = ""
    editable: bool | Mapping[str, Sequence[object] | None] = True
    title: str = ""
    page: Page = "grid"
    chart: Chart | None = None

    def __post_init__(self) -> None:
        for option in ("sort", "hide", "locked", "active_filters"):
            _check_list(option, getattr(self, option))
        if self.columns is not None:
            _check_list("columns", self.columns)
        for option in ("formats", "widths", "highlight", "filters"):
            _check(option, isinstance(getattr(self, option), Mapping), "a dict")
        for each in self.sort:
            is_pair = isinstance(each, tuple | list) and len(each) == 2
            _check("sort", is_pair, 'a list of pairs such as ("price", "DESC")')
            _check_choice("sort", each[1], get_args(Direction))
        self._check_numbers()
        for option in ("query", "title"):
            _check(option, isinstance(getattr(self, option), str), "a text")
        _check("title", len(self.title) <= MAX_TITLE, f"at most {MAX_TITLE} characters")
        _check_choice("page", self.page, get_args(Page))
        _check("chart", isinstance(self.chart, Chart | None), "a Chart")
        self._check_highlights()
        for name in self.active_filters:
            _check_choice("active_filters", name, tuple(self.filters))
        self._check_editable()

    def named_columns(self) -> Iterator[tuple[str, str]]:
        """Yield an option and a column for each column that an option names."""
        yield from (("sort", column) for column, _ in self.sort)
        for option in ("columns", "hide", "locked", "formats", "widths", "highlight"):
            yield from ((option, column) for column in getattr(self, option) or ())
        if isinstance(self.background, tuple):
            yield "background", self.background[1]
        yield from (("editable", column) for column in self.can_edit or ())
        yield from (
            ("chart", column) for column in (self.chart and self.chart.columns) or ()
        )

    @property
    def can_edit(self) -> dict[str, list[str] | None] | None:
        """The value of ``Frame.can_edit``: None if all data can be edited."""
        if isinstance(self.editable, bool):
            return None if self.editable else {}
        return {
            column: None if choices is None else [str(each) for each in choices]
            for column, choices in self.editable.items()
        }

    def _check_numbers(self) -> None:
        if self.precision is not None:
            is_valid = _is_int(self.precision) and 0 <= self.precision <= MAX_PRECISION
            _check("precision", is_valid, f"a number from 0 to {MAX_PRECISION}")
        for column, width in self.widths.items():
            is_valid = _is_int(width) and width in WIDTHS
            _check(f"widths of {column}", is_valid, "a number of pixels, 10 or more")

    def _check_highlights(self) -> None:
        if isinstance(self.background, tuple):
            is_valid = len(self.background) == 2 and self.background[0] == "heatmap"
            _check("background", is_valid, 'a pair such as ("heatmap", "price")')
        elif self.background is not None:
            _check_choice("background", self.background, get_args(Background))
        if self.background and self.highlight:
            raise ValueError(
                "background and highlight cannot be combined: D-Tale shows only one of "
                "them at a time."
            )
        for column, rules in self.highlight.items():
            option = f"highlight of {column}"
            _check(option, isinstance(rules, Mapping), 'such as {"above": (9, "red")}')
            for rule, value in rules.items():
                _check_choice(option, rule, get_args(Rule))
                is_pair = isinstance(value, tuple | list) and len(value) == 2
                _check(option, is_pair, 'a number and a color, such as (9, "red")')
                is_number = isinstance(value[0], int | float)
                _check(option, is_number, 'a number and a color, such as (9, "red")')
                to_rgb(value[1])

    def _check_editable(self) -> None:
        if isinstance(self.editable, bool):
            return
        text = 'True, False, or a dict such as {"status": ["open", "closed"]}'
        _check("editable", isinstance(self.editable, Mapping), text)
        for column, choices in self.editable.items():
            if choices is not None:
                _check_list(f"editable: {column}", choices)
                _check(f"editable: {column}", bool(choices), "a list with choices")


def to_rgb(color: str) -> tuple[int, int, int]:
    """Return the red, green and blue of a color of ``View.highlight``.

    Raises:
        ValueError: this is not a color.
    """
    text = COLORS.get(color, color)
    try:
        red, green, blue = bytes.fromhex(text.removeprefix("#"))
    except (AttributeError, ValueError):
        raise ValueError(
            f"highlight: {color!r} is not a color. Use #rrggbb, or one of: "
            f"{', '.join(COLORS)}."
        ) from None
    return red, green, blue


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check(option: str, is_valid: bool, expected: str) -> None:
    if not is_valid:
        raise ValueError(f"{option} has to be {expected}.")


def _check_list(option: str, values: object) -> None:
    is_list = isinstance(values, Collection) and not isinstance(values, str | Mapping)
    _check(option, is_list, "a list")


def _check_choice(option: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(
            f"{option}: {value!r} is not known. Use one of: {', '.join(choices)}."
        )
