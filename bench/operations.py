"""The read operations of D-Tale's menus that `make bench ONLY=analysis` measures.

The paths belong to the columns of `answer.mixed`. ID stands for the ID of the frame.
"""

import json
from dataclasses import dataclass
from urllib.parse import urlencode


@dataclass(frozen=True)
class Operation:
    """An operation with several sets of arguments.

    Attributes:
        what: The name of the operation.
        paths: One path for each set of arguments, so that no response is kept the first
            time.
        before: A path that is requested before each measured path, or an empty string.
        after: A path that is requested after all of them, or an empty string.
        is_export: Whether the response is a file, which a browser requests with its
            own encodings.
        is_large: Whether the file is too large for the cache of responses.
        changes_view: Whether the site saves a sort or a filter, each time.
        ratio: The goal for the ratio to D-Tale alone.
    """

    what: str
    paths: tuple[str, ...]
    before: str = ""
    after: str = ""
    is_export: bool = False
    is_large: bool = False
    changes_view: bool = False
    ratio: float = 0.35

    @property
    def is_kept(self):
        """Return whether the site keeps the response and sends it again."""
        return not (self.is_large or self.changes_view)


def path(route, **query):
    """Return the path of a route. Lists and dicts are written as JSON."""
    values = {
        name: json.dumps(value) if isinstance(value, list | dict) else value
        for name, value in query.items()
    }
    return f"{route}?{urlencode(values)}" if values else route


def grid(*order, rows="0-60"):
    """Return the path of a page of the grid, sorted by pairs of a column and ASC or DESC."""
    query = {"ids": [rows]} | ({"sort": order} if order else {})
    return path("data/ID", **{k: list(v) for k, v in query.items()})


def each(route, name, values, **query):
    """Return one path for each value of the argument `name`."""
    return tuple(path(route, **{name: value}, **query) for value in values)


def analysis(kind, columns, **query):
    return each("column-analysis/ID", "col", columns, type=kind, **query)


def chart(what, kind, **query):
    paths = (
        path("chart-export/ID", export_type="html", chart_type=kind, agg=agg, **query)
        for agg in ("mean", "sum", "max")
    )
    return Operation(what, tuple(paths), is_export=True)


def filtered(column, *conditions):
    """Return paths that set a filter of a column."""
    return each("save-column-filter/ID", "cfg", conditions, col=column)


def number(operand, value):
    return {"type": "int", "operand": operand, "value": value}


FLOATS = "float", "price", "gap"
TEXTS = "text", "city", "kind"
SORTED = "float", "ASC"
NO_FILTER = path("save-column-filter/ID", col="int", cfg={"type": "int"})
NO_TEXT_FILTER = path("save-column-filter/ID", col="text", cfg={"type": "string"})


def sorted_by(what, *orders):
    paths = tuple(grid(*order) for order in orders)
    return Operation(what, paths, grid(), grid(), changes_view=True, ratio=0.5)


def series(kind, **more):
    cfgs = [dict(index="day", col=col, agg="mean", **more) for col in FLOATS]
    return each("timeseries-analysis/ID", "cfg", cfgs, type=kind)


OPERATIONS = [
    # The grid
    Operation(
        "grid: another page", tuple(grid(rows=f"{n}00-{n}60") for n in (2, 4, 6))
    ),
    sorted_by(
        "sort by a float",
        [("float", "ASC")],
        [("price", "DESC")],
        [("gap", "ASC")],
    ),
    sorted_by(
        "sort by a text", [("text", "ASC")], [("text", "DESC")], [("city", "ASC")]
    ),
    sorted_by("sort by a date", [("day", "ASC")], [("day", "DESC")]),
    sorted_by(
        "sort by two columns",
        [("city", "ASC"), ("price", "DESC")],
        [("text", "ASC"), ("int", "ASC")],
    ),
    Operation(
        "scroll in a sorted grid",
        tuple(grid(SORTED, rows=f"{n}00-{n}60") for n in (2, 4, 6)),
        grid(SORTED),
        grid(),
    ),
    Operation("take the sort away", (grid(),) * 3, grid(SORTED), changes_view=True),
    # Filters
    Operation(
        "filter menu: distinct values", each("column-filter-data/ID", "col", TEXTS)
    ),
    Operation("filter menu: a float", each("column-filter-data/ID", "col", FLOATS)),
    Operation(
        "filter menu: search",
        each("async-column-filter-data/ID", "input", ["1", "2", "3"], col="id"),
    ),
    Operation(
        "filter a number",
        filtered("int", number(">", 500), number("<", 300), number("=", 7)),
        NO_FILTER,
        NO_FILTER,
        changes_view=True,
    ),
    *(
        Operation(
            f"{what} of filtered rows",
            paths,
            filtered("int", number(">", 600))[0],
            NO_FILTER,
        )
        for what, paths in {
            "grid page": (grid(),) * 3,
            "describe a float": each("describe/ID", "col", FLOATS),
            "histogram": analysis("histogram", FLOATS, bins=20, filtered="true"),
        }.items()
    ),
    Operation(
        "filter a text",
        filtered(
            "text",
            *(
                {"type": "string", "action": "contains", "operand": "=", "raw": raw}
                for raw in ("word 1", "9", "word 33")
            ),
        ),
        NO_TEXT_FILTER,
        NO_TEXT_FILTER,
        changes_view=True,
    ),
    Operation("outliers", each("outliers/ID", "col", FLOATS)),
    # Columns
    Operation("describe a float", each("describe/ID", "col", FLOATS)),
    Operation("describe an integer", each("describe/ID", "col", ["int", "id"])),
    Operation("describe a text", each("describe/ID", "col", TEXTS)),
    Operation("describe a date", (path("describe/ID", col="day"),)),
    Operation("histogram", analysis("histogram", FLOATS, bins=20)),
    Operation(
        "histogram by a group",
        analysis("histogram", FLOATS, bins=20, target="city"),
    ),
    Operation(
        "histogram with its density", analysis("histogram", FLOATS, density="true")
    ),
    Operation("histogram of dates", analysis("histogram", ["day"], bins=20)),
    Operation("Q-Q plot", analysis("qq", FLOATS)),
    Operation("value counts", analysis("value_counts", TEXTS, top=100)),
    Operation("word value counts", analysis("word_value_counts", ["text", "city"])),
    Operation(
        "categories",
        analysis("categories", FLOATS, categoryCol="city", categoryAgg="mean"),
    ),
    Operation("variance report", each("variance/ID", "col", FLOATS)),
    Operation(
        "sequential differences",
        each("sorted-sequential-diffs/ID", "col", FLOATS, sort="ASC"),
    ),
    Operation("aggregations", tuple(f"aggregations/ID/{col}" for col in FLOATS)),
    # The frame
    Operation("correlations", (path("correlations/ID"),)),
    Operation(
        "correlations, encoded strings",
        (path("correlations/ID", encodeStrings="true"),),
    ),
    Operation("predictive power score", (path("correlations/ID", pps="true"),)),
    Operation(
        "correlations over time",
        each(
            "correlations-ts/ID",
            "cols",
            [["float", "price"], ["int", "price"], ["float", "gap"]],
            dateCol="day",
        ),
    ),
    Operation(
        "scatter of two columns",
        each(
            "scatter/ID", "cols", [["float", "price"], ["int", "price"], ["id", "gap"]]
        ),
    ),
    Operation("feature analysis", (path("corr-analysis/ID"),)),
    Operation(
        "duplicate rows",
        each(
            "duplicates/ID",
            "cfg",
            [dict(subset=[col], keep="first") for col in ("text", "id", "price")],
            type="rows",
            action="test",
        ),
    ),
    Operation(
        "duplicate columns",
        (path("duplicates/ID", type="columns", action="test", cfg={"keep": "first"}),),
    ),
    Operation(
        "show duplicates",
        each(
            "duplicates/ID",
            "cfg",
            [dict(group=["text"]), dict(group=["city", "int"]), dict(group=["day"])],
            type="show",
            action="test",
        ),
    ),
    *(
        Operation(f"missing values: {kind}", (f"missingno/{kind}/ID",))
        for kind in ("matrix", "bar", "heatmap", "dendrogram")
    ),
    Operation(
        "network",
        each("network-data/ID", "to", ["city", "text"], **{"from": "kind"}),
    ),
    Operation(
        "network analysis",
        each("network-analysis/ID", "to", ["city", "text"], **{"from": "kind"}),
    ),
    Operation("time series: HP filter", series("hpfilter", lamb=1600)),
    Operation("time series: STL", series("stl")),
    *(
        Operation(f"raw pandas: {kind}", (path("raw-pandas/ID", func_type=kind),))
        for kind in ("info", "nunique", "describe")
    ),
    # Charts
    Operation(
        "chart data by a group",
        tuple(
            path("chart-data/ID", x="day", y=["price"], group=["city"], agg=agg)
            for agg in ("mean", "sum", "max")
        ),
    ),
    chart("line chart", "line", x="day", y=["price"]),
    chart("bar chart by a group", "bar", x="city", y=["price"], group=["kind"]),
    chart("pie chart", "pie", x="city", y=["price"]),
    chart("heatmap", "heatmap", x="city", y=["kind"], z="price"),
    # Exports
    *(
        Operation(
            f"export {kind.upper()}",
            (path("data-export/ID", type=kind),),
            is_export=True,
            is_large=True,
        )
        for kind in ("csv", "tsv", "parquet")
    ),
]
