"""The table of steps for a random walk: requests for the actions of users."""

from dtale_walk import NotHere

WORDS = ["red", "Green", "blue", "dark red", "pale Blue", "  ", ""]


# Functions of the walk that fill in the parts of a template ---------------------------


def one_of(*options):
    return lambda walk: walk.rng.choice(options)


def column(kinds):
    return lambda walk: walk.column(kinds)


def columns(kinds, count):
    return lambda walk: list({walk.column(kinds): None for _ in range(count)})


def new_name(walk):
    walk.new_names += 1
    return f"c{walk.new_names}"


def row(walk):
    # A filter may leave only a few rows.
    return walk.rng.randrange(max(min(walk.frame.rows, 5), 1))


def rows(walk):
    first = row(walk)
    return f"{first}-{first + walk.rng.randrange(1, 30)}"


def visibility(walk):
    return {name: walk.rng.random() < 0.9 for name in walk.frame.columns}


def sorting(walk):
    """Return the current sort order of the grid, or sometimes a new one.

    The grid sends the sort order with each request.
    """
    frame = walk.frame
    if walk.rng.random() < 0.3:
        # The order of rows with equal values is undefined, so sort by the unique column
        # last.
        unique = ["key"] if "key" in frame.columns else []
        by = [[name, walk.rng.choice(["ASC", "DESC"])] for name in [ANY(walk), *unique]]
        frame.sort = walk.rng.choice([by, None])
    return frame.sort


def common_key(walk):
    """Return the unique column as the key for merging two small frames."""
    frames = walk.frame, walk.other
    if any("key" not in each.columns or each.rows > 200 for each in frames):
        raise NotHere
    return ["key"]


def same_kinds(walk):
    """Return True if the two frames can be stacked.

    Columns of mixed types are excluded: the site shows them as text, and D-Tale does
    not.
    """
    common_key(walk)
    columns, others = walk.frame.columns, walk.other.columns
    if any(others.get(name, kind) != kind for name, kind in columns.items()):
        raise NotHere
    return True


def column_filter(walk):
    name, kind, config = walk.filled(list(walk.rng.choice(FILTERS)))
    return {"col": name, "cfg": {"type": kind, "value": [], **config}}


def own_filter(walk):
    """Return a filter expression as a user might write it."""
    name, number = walk.column("IF"), walk.rng.randrange(3)
    return f"`{name}` > {number} and not (`{name}` * 2 + 1 < {number})"


def texts_without_gaps(walk):
    """Return text columns without missing values.

    D-Tale, unlike the site, cannot join texts with missing values.
    """
    names = [name for name in "gd" if walk.frame.columns.get(name) == "S"]
    if not names:
        raise NotHere
    return names


def wide(names):
    """Skip the step for narrow frames, to keep enough columns for other steps."""

    def some(walk):
        if len(walk.frame.columns) < 8:
            raise NotHere
        return names

    return some


def seldom(route):
    """Skip the step most of the time, to keep enough rows for other steps."""

    def sometimes(walk):
        if walk.rng.random() < 0.6:
            raise NotHere
        return route

    return sometimes


MONTHS = "January March May July August October December".split()


def csv(walk):
    """Return a CSV with numbers, text, dates, gaps, duplicates and outliers."""
    rng = walk.rng
    lines = ["key,i,j,f,w,s,t,g,d,b"]
    for number in rng.sample(range(1000), 60):
        f = "" if rng.random() < 0.1 else round(rng.gauss(0, 10), 3)
        w = 500 + number if rng.random() < 0.05 else round(rng.gauss(5, 1), 2)
        s, t = rng.choice(WORDS), rng.choice(WORDS).strip()
        # The site and D-Tale read dates in this form as text. Of other forms, such as
        # 2026-03-01, only the site makes dates.
        month, year = rng.choice(MONTHS), 2010 + rng.randrange(20)
        d = f"{year} {month} {number % 28 + 1}"
        i, j, b = rng.randrange(9), rng.randrange(-50, 50), rng.random() < 0.5
        g = rng.choice("xyz")
        lines.append(f"{number},{i},{j},{f},{w},{s},{t},{g},{d},{b}")
    return "\n".join(lines) + "\n"


ANY, NUMBER, INT, FLOAT = column("IFSDB"), column("IF"), column("I"), column("F")
TEXT, DATE, FLAG = column("S"), column("D"), one_of(True, False)
NUMBERS, KEYS = columns("IF", 2), columns("SIB", 3)
HOW = one_of("mean", "sum", "count", "max")
SMALL = one_of(*range(-5, 10))


# The tables ---------------------------------------------------------------------------

# Each row for build-column has a type and its configuration.
BUILDERS = [
    ("numeric", dict(left={"col": NUMBER}, right={"val": 2}, operation="multiply")),
    ("numeric", dict(left={"col": NUMBER}, right={"col": INT}, operation="divide")),
    ("string", dict(cols=texts_without_gaps, joinChar="-")),
    ("concatenate", dict(left={"col": TEXT}, right={"val": "!"})),
    (
        "replace",
        dict(col=TEXT, search="re", replacement="x", caseSensitive=False, regex=False),
    ),
    ("datetime", dict(col=DATE, property=one_of("month", "weekday_name"))),
    ("datetime", dict(col=DATE, conversion="month_start")),
    ("bins", dict(col=NUMBER, operation="cut", bins=3, labels="a,b,c")),
    ("bins", dict(col=FLOAT, operation="qcut", bins=4)),
    ("type_conversion", {"col": INT, "from": "int64", "to": one_of("float", "str")}),
    ("transform", dict(group=["g"], col=NUMBER, agg=HOW)),
    ("winsorize", dict(col=INT, limits=[0.1, 0.1])),
    ("zscore_normalize", dict(col=NUMBER)),
    ("diff", dict(col=NUMBER, periods=1)),
    ("data_slope", dict(col=INT)),
    ("rolling", dict(col=NUMBER, comp="mean", window=4, min_periods=1)),
    ("exponential_smoothing", dict(col=NUMBER, alpha=0.3)),
    ("cumsum", dict(cols=NUMBERS)),
    ("shift", dict(col=NUMBER, periods=2)),
    ("expanding", dict(col=NUMBER, periods=2, agg="max")),
    ("substring", dict(col=TEXT, start=1, end=3)),
    ("standardize", dict(col=FLOAT, algo="robust")),
    ("encoder", dict(col=TEXT, algo="ordinal")),
]
# Each row for the conversion of an existing column also has a type and its
# configuration.
CONVERSIONS = [
    ("type_conversion", {"col": "d", "from": "str", "to": "date"}),
    ("type_conversion", {"col": INT, "from": "int64", "to": "float"}),
    ("type_conversion", {"col": TEXT, "from": "str", "to": "category"}),
]
# Each row for build-replacement has a column, a type and its configuration.
REPLACEMENTS = [
    (TEXT, "spaces", dict(value=one_of("none", "nan"))),
    (TEXT, "strings", dict(value="re", ignoreCase=True, isChar=False, replace="r")),
    (NUMBER, "value", [dict(value=3, type="raw", replace=4)]),
    (NUMBER, "value", [dict(value="nan", type="agg", replace="median")]),
    (NUMBER, "imputer", dict(type="simple")),
]
# Each row for save-column-filter has a column, a type and its configuration.
FILTERS = [
    (INT, "int", dict(operand=one_of("=", "ne"), value=[SMALL, 2])),
    (INT, "int", dict(operand=one_of("<", ">="), value=SMALL)),
    (INT, "int", dict(operand="[]", min=SMALL, max=40)),
    (FLOAT, "float", dict(operand=one_of("<", ">"), value=one_of(-2.5, 0.0, 4.75))),
    (FLOAT, "float", dict(operand="()", min=SMALL, max=None)),
    (FLOAT, "float", dict(populated=True)),
    (TEXT, "string", dict(operand=one_of("=", "ne"), value=["red", "blue"])),
    (TEXT, "string", dict(action="startswith", raw="R", caseSensitive=FLAG)),
    (TEXT, "string", dict(operand="ne", action="endswith", raw="e")),
    (TEXT, "string", dict(action="contains", raw="b", caseSensitive=FLAG)),
    (TEXT, "string", dict(action="length", raw="3,5")),
    (TEXT, "string", dict(missing=True)),
    (DATE, "date", dict(start="20150101", end="20250101")),
    (DATE, "date", dict(start=None, end="20200101")),
]
# Each row for reshape has a type and its configuration.
SHAPES = [
    (
        "aggregate",
        lambda walk: dict(
            index=[TEXT],
            agg=dict(type="col", cols={name: [HOW] for name in NUMBERS(walk)}),
        ),
    ),
    ("aggregate", dict(index=[TEXT], agg=dict(type="func", func=HOW, cols=NUMBERS))),
    ("pivot", dict(index=[TEXT], columns=["g"], values=NUMBERS, aggfunc=HOW)),
    ("transpose", dict(index=["key"], columns=NUMBERS)),
]
# Each row for duplicates has a type and its configuration.
DUPLICATES = [
    ("columns", dict(keep=one_of("first", "last"))),
    ("column_names", dict(keep="first")),
    ("rows", dict(subset=KEYS, keep="first")),
    ("show", dict(group=KEYS)),
]
# Each row for edit-cell has a column and the typed text.
EDITS = [
    (INT, one_of("7", "-12", "3", "not a number")),
    (FLOAT, one_of("1.5", "-3.25", "nan", "inf")),
    (TEXT, one_of(*WORDS, "nan")),
    (DATE, "20250704"),
    (column("B"), one_of("True", "False")),
]
SETTINGS = [
    dict(verticalHeaders=FLAG),
    dict(hide_row_expanders=FLAG),
    dict(hide_header_editor=FLAG),
    dict(highlightFilter=FLAG),
    dict(invertFilter=FLAG),
]


def from_table(table, *names, **more):
    """Return a function that maps these names to the values of a random row."""

    def parameters(walk):
        return dict(zip(names, walk.rng.choice(table), strict=True), **more)

    return parameters


def combining(action, config, index, suffixes):
    sides = [
        {"dataId": id, "index": index, "columns": None, "suffix": suffix}
        for id, suffix in zip(("{id}", "{other}"), suffixes, strict=True)
    ]
    return {"action": action, "config": config, "datasets": sides, "name": None}


# Each step has a name, a route, parameters and a body.
STEPS = {
    "upload": ("upload", {}, {"csv": csv}),
    "merge": (
        "merge",
        {},
        combining("merge", {"how": "inner", "sort": True}, common_key, ("_l", "_r")),
    ),
    "stack": (
        "merge",
        {},
        combining("stack", {"ignoreIndex": same_kinds}, [], ("", "")),
    ),
    "cleanup": ("cleanup-datasets", {"dataIds": "{id}"}),
    "reshape": ("reshape/{id}", from_table(SHAPES, "type", "cfg", output="new")),
    "reshape here": (
        seldom("reshape/{id}"),
        from_table(SHAPES, "type", "cfg", output="override"),
    ),
    "duplicates": (
        "duplicates/{id}",
        from_table(DUPLICATES, "type", "cfg", action=one_of("test", "execute")),
    ),
    "processes": ("processes", {"dtypes": FLAG}),
    "process keys": ("process-keys",),
    # These steps show pages and rows of the grid.
    "grid": ("main/{id}",),
    "data": ("data/{id}", {"ids": [rows], "sort": sorting}),
    "more data": ("data/{id}", {"ids": [rows, rows], "sort": sorting}),
    "dtypes": ("dtypes/{id}",),
    "edit": ("edit-cell/{id}", from_table(EDITS, "col", "updated", rowIndex=row)),
    "rename": ("rename-col/{id}", {"col": ANY, "rename": one_of(new_name, ANY)}),
    "delete": ("delete-col/{id}", {"cols": wide(columns("IFSDB", 2))}),
    "duplicate column": ("duplicate-col/{id}", {"col": ANY}),
    "hide": ("update-visibility/{id}", {}, {"toggle": ANY}),
    "hide many": ("update-visibility/{id}", {}, {"visibility": visibility}),
    "lock": ("update-locked/{id}", {"action": one_of("lock", "unlock"), "col": ANY}),
    "move": (
        "update-column-position/{id}",
        {"action": one_of("front", "back", "left", "right"), "col": ANY},
    ),
    "formats": (
        "update-formats/{id}",
        {
            "all": FLAG,
            "col": NUMBER,
            "format": {"fmt": one_of("0.0", "0,000.00"), "style": {}},
            "nanDisplay": one_of("nan", "-"),
        },
    ),
    "highlights": (
        "save-range-highlights/{id}",
        {},
        {"ranges": lambda walk: {walk.column("IF"): {"greaterThan": {"value": SMALL}}}},
    ),
    "settings": ("update-settings/{id}", {"settings": one_of(*SETTINGS)}),
    # These steps add or replace columns.
    "build": (
        "build-column/{id}",
        from_table(BUILDERS, "type", "cfg", name=new_name, saveAs="new"),
    ),
    "convert": (
        "build-column/{id}",
        from_table(CONVERSIONS, "type", "cfg", saveAs="inplace"),
    ),
    "replace": (
        "build-replacement/{id}",
        from_table(REPLACEMENTS, "col", "type", "cfg"),
    ),
    "replace anew": (
        "build-replacement/{id}",
        from_table(REPLACEMENTS, "col", "type", "cfg", name=new_name),
    ),
    "try bins": (
        "bins-tester/{id}",
        {"type": "bins", "cfg": {"col": NUMBER, "operation": "cut", "bins": 4}},
    ),
    # These steps filter rows.
    "filter": ("save-column-filter/{id}", column_filter),
    "no filters": (
        "update-settings/{id}",
        {"settings": dict(columnFilters={}, outlierFilters={}, invertFilter=False)},
    ),
    "outliers": ("outliers/{id}", {"col": NUMBER}),
    "outlier filter": ("toggle-outlier-filter/{id}", {"col": NUMBER}),
    "filter data": ("column-filter-data/{id}", {"col": ANY}),
    "filter as typed": (
        "async-column-filter-data/{id}",
        {"col": column("SI"), "input": one_of("r", "1")},
    ),
    "filtered ranges": ("load-filtered-ranges/{id}",),
    "filter info": ("filter-info/{id}",),
    "custom filter": ("test-filter/{id}", {"query": own_filter, "save": FLAG}),
    "drop filtered": (seldom("drop-filtered-rows/{id}"),),
    # These steps show calculated results.
    "describe": ("describe/{id}", {"col": ANY, "filtered": True}),
    "analysis": (
        "column-analysis/{id}",
        {
            "col": ANY,
            "type": one_of("histogram", "value_counts", "qq"),
            "filtered": True,
        },
    ),
    "categories": (
        "column-analysis/{id}",
        dict(col=NUMBER, type="categories", categoryCol=TEXT, categoryAgg="mean"),
    ),
    "correlations": ("correlations/{id}", {"encodeStrings": FLAG}),
    "correlation analysis": ("corr-analysis/{id}",),
    "variance": ("variance/{id}", {"col": NUMBER}),
    "aggregations": (lambda walk: f"aggregations/{{id}}/{walk.column('IF')}",),
    "raw pandas": ("raw-pandas/{id}", {"func_type": one_of("nunique", "describe")}),
    "chart": (
        "chart-data/{id}",
        {"x": column("SDI"), "y": NUMBERS, "agg": HOW, "group": one_of(None, [TEXT])},
    ),
    "code": ("code-export/{id}",),
    "export": ("data-export/{id}", {"type": one_of("csv", "tsv")}),
    "copy columns": ("build-column-copy/{id}", {}, {"columns": columns("IFSDB", 2)}),
    "copy rows": (
        "build-row-copy/{id}",
        {},
        {"start": 1, "end": 5, "rows": None, "columns": columns("IFSDB", 3)},
    ),
}
# These actions are frequent, or have many variants.
OFTEN = ["data", "edit", "build", "filter"] * 3
