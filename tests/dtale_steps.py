"""What people do in D-Tale, as requests: the table of steps of a random walk."""

from dtale_walk import NotHere

WORDS = ["red", "Green", "blue", "dark red", "pale Blue", "  ", ""]


# The parts of a template: functions of the walk ---------------------------------------


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
    return walk.rng.randrange(max(min(walk.frame.rows, 5), 1))  # Filters leave some.


def rows(walk):
    first = row(walk)
    return f"{first}-{first + walk.rng.randrange(1, 30)}"


def visibility(walk):
    return {name: walk.rng.random() < 0.9 for name in walk.frame.columns}


def sorting(walk):
    """The grid asks for the order that it shows; sometimes the person changes it."""
    frame = walk.frame
    if walk.rng.random() < 0.3:
        # A unique column comes last: rows that are equal could lie in any order.
        unique = ["key"] if "key" in frame.columns else []
        by = [[name, walk.rng.choice(["ASC", "DESC"])] for name in [ANY(walk), *unique]]
        frame.sort = walk.rng.choice([by, None])
    return frame.sort


def common_key(walk):
    """The unique column, by which two frames are merged; they have to stay small."""
    frames = walk.frame, walk.other
    if any("key" not in each.columns or each.rows > 200 for each in frames):
        raise NotHere
    return ["key"]


def same_kinds(walk):
    """Stacking: the site shows as text what is mixed in one column."""
    common_key(walk)
    columns, others = walk.frame.columns, walk.other.columns
    if any(others.get(name, kind) != kind for name, kind in columns.items()):
        raise NotHere
    return True


def column_filter(walk):
    name, kind, config = walk.filled(list(walk.rng.choice(FILTERS)))
    return {"col": name, "cfg": {"type": kind, "value": [], **config}}


def own_filter(walk):
    """As somebody writes it."""
    name, number = walk.column("IF"), walk.rng.randrange(3)
    return f"`{name}` > {number} and not (`{name}` * 2 + 1 < {number})"


def texts_without_gaps(walk):
    """D-Tale cannot join texts of which one is missing; the site can."""
    names = [name for name in "gd" if walk.frame.columns.get(name) == "S"]
    if not names:
        raise NotHere
    return names


def wide(names):
    """Leave enough columns for the other steps."""

    def some(walk):
        if len(walk.frame.columns) < 8:
            raise NotHere
        return names

    return some


def seldom(route):
    """Leave enough rows for the other steps."""

    def sometimes(walk):
        if walk.rng.random() < 0.6:
            raise NotHere
        return route

    return sometimes


MONTHS = "January March May July August October December".split()


def csv(walk):
    """Numbers, texts, dates, gaps, duplicates and outliers (str)."""
    rng = walk.rng
    lines = ["key,i,j,f,w,s,t,g,d,b"]
    for number in rng.sample(range(1000), 60):
        f = "" if rng.random() < 0.1 else round(rng.gauss(0, 10), 3)
        w = 500 + number if rng.random() < 0.05 else round(rng.gauss(5, 1), 2)
        s, t = rng.choice(WORDS), rng.choice(WORDS).strip()
        # The site would read 2026-03-01 as a date, where D-Tale leaves it a text.
        d = f"{rng.choice(MONTHS)} {number % 28 + 1} 20{rng.randrange(10, 30)}"
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

# build-column: a type, and its configuration.
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
# The same, of a column that is there.
CONVERSIONS = [
    ("type_conversion", {"col": "d", "from": "str", "to": "date"}),
    ("type_conversion", {"col": INT, "from": "int64", "to": "float"}),
    ("type_conversion", {"col": TEXT, "from": "str", "to": "category"}),
]
# build-replacement: a column, a type, and its configuration.
REPLACEMENTS = [
    (TEXT, "spaces", dict(value=one_of("none", "nan"))),
    (TEXT, "strings", dict(value="re", ignoreCase=True, isChar=False, replace="r")),
    (NUMBER, "value", [dict(value=3, type="raw", replace=4)]),
    (NUMBER, "value", [dict(value="nan", type="agg", replace="median")]),
    (NUMBER, "imputer", dict(type="simple")),
]
# save-column-filter: a column, a type, and its configuration.
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
# reshape: a type, and its configuration.
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
# duplicates: a type, and its configuration.
DUPLICATES = [
    ("columns", dict(keep=one_of("first", "last"))),
    ("column_names", dict(keep="first")),
    ("rows", dict(subset=KEYS, keep="first")),
    ("show", dict(group=KEYS)),
]
# edit-cell: a column, and what is typed.
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
    """A row of the table, as the parameters of these names."""

    def parameters(walk):
        return dict(zip(names, walk.rng.choice(table), strict=True), **more)

    return parameters


def combining(action, config, index, suffixes):
    sides = [
        {"dataId": id, "index": index, "columns": None, "suffix": suffix}
        for id, suffix in zip(("{id}", "{other}"), suffixes, strict=True)
    ]
    return {"action": action, "config": config, "datasets": sides, "name": None}


# What is done: its name, the route, its parameters, and what is posted.
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
    # The grid.
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
    # Columns.
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
    # Filters.
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
    # What D-Tale works out.
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
# What people do most, or what there are most kinds of.
OFTEN = ["data", "edit", "build", "filter"] * 3
