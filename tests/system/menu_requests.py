"""The requests that D-Tale's dialogs send when the user confirms them."""

# These cleaners work on the columns of the file that test_menus.py uploads.
CLEANERS = (
    "drop_multispace drop_punctuation stopwords drop_numbers keep_alpha "
    "normalize_accents drop_all_space drop_repeated_words add_word_number_space "
    "drop_repeated_chars update_case space_vals_to_empty hidden_chars "
    "replace_hyphen_w_space"
).split()


def aggregated(**more):
    return {"x": "number", "y": ["amount"], "agg": "mean", **more}


def built(kind, save="new", **cfg):
    # Column names must be unique, so the name contains the configuration.
    name = f"{kind} {'-'.join(map(str, cfg.values()))}"[:60]
    return "build-column/{}", dict(type=kind, saveAs=save, name=name, cfg=cfg)


def reshaped(kind, **cfg):
    return "reshape/{}", dict(type=kind, cfg=cfg, output="new")


# The buttons of "Dataframe Functions", each with the request of its form.
BUILDERS = {
    "Random": built("random", type="float"),
    "Numeric": built(
        "numeric", left={"col": "number"}, right={"col": "amount"}, operation="sum"
    ),
    "String": built("string", cols=["text", "place"], joinChar="-"),
    "Bins": built("bins", col="amount", operation="cut", bins="3", labels="a,b,c"),
    "Datetime": built("datetime", col="day", property="weekday_name"),
    "Row Difference": built("diff", col="number", periods="1"),
    "Cumulative Sum": built("cumsum", cols=["number"]),
    "Type Conversion": built(
        "type_conversion", **{"col": "number", "from": "int64", "to": "float"}
    ),
    "Transform": built("transform", group=["text"], col="amount", agg="mean"),
    "Winsorize": built("winsorize", col="amount", limits=[0.1, 0.1]),
    "Encoder": built("encoder", col="text", algo="ordinal"),
    "Z-Score Normalize": built("zscore_normalize", col="amount"),
    "Standardize": built("standardize", col="amount", algo="robust"),
    "Rolling": built("rolling", col="amount", comp="mean", window="4", min_periods=1),
    "Exponential Smoothing": built("exponential_smoothing", col="amount", alpha=0.3),
    "Data Slope": built("data_slope", col="amount"),
    "Shifting": built("shift", col="amount", periods=2),
    "Expanding": built("expanding", col="amount", periods=2, agg="max"),
    "Resample": reshaped(
        "resample", index="day", columns=["amount"], freq="W", agg="mean"
    ),
    "Similarity": built("similarity", left="text", right="place", algo="levenshtein"),
    "Cleaning": built("cleaning", col="text", cleaners=CLEANERS, caseType="upper"),
    "Substring": built("substring", col="text", start=1, end=3),
    "Split By Character": built("split", col="text", delimiter="e"),
    "Concatenate": built("concatenate", left={"col": "text"}, right={"val": "!"}),
    "Replace": built(
        "replace",
        **dict(col="text", search="re", replacement="x"),
        **dict(caseSensitive=False, regex=False),
    ),
}

CONVERSIONS = {
    f"Type Conversion: {kind}": built(
        "type_conversion", **{"col": column, "from": was, "to": kind}
    )
    for column, was, kind in (
        ("amount", "int64", "float"),
        ("amount", "int64", "str"),
        ("amount", "int64", "hex"),
        ("number", "int64", "bool"),
        ("text", "str", "category"),
        ("dated", "str", "date"),
        ("flag", "bool", "int"),
    )
}


def replaced(label, column, kind, cfg):
    query = dict(col=column, type=kind, cfg=cfg, name=f"replaced {label}")
    return "build-replacement/{}", query


REPLACEMENTS = {
    f"Replacements: {label}": replaced(label, *what)
    for label, what in {
        "Value(s)": ("number", "value", [dict(value=3, type="raw", replace=4)]),
        "an aggregation": (
            *("height", "value"),
            [dict(value="nan", type="agg", replace="median")],
        ),
        "Imputer, simple": ("height", "imputer", dict(type="simple")),
        "Imputer, iterative": ("height", "imputer", dict(type="iterative")),
        "Imputer, nearest": ("height", "imputer", dict(type="knn", n_neighbors=2)),
        "Spaces": ("text", "spaces", dict(value="nan")),
        "Strings": (
            *("text", "strings"),
            dict(value="re", ignoreCase=True, isChar=False, replace="r"),
        ),
    }.items()
}

SHAPES = {
    "Summarize Data: GroupBy": reshaped(
        "aggregate", index=["text"], agg=dict(type="func", func="mean", cols=["amount"])
    ),
    "Summarize Data: Pivot": reshaped(
        "pivot",
        **dict(index=["text"], columns=["flag"], values=["amount"], aggfunc="mean"),
    ),
    "Summarize Data: Transpose": reshaped(
        "transpose", index=["spare"], columns=["amount"]
    ),
}

DUPLICATES = {
    f"Duplicates: {label}": ("duplicates/{}", dict(type=kind, cfg=cfg, action="test"))
    for label, kind, cfg in (
        ("Remove Duplicate Columns", "columns", dict(keep="first")),
        ("Remove Duplicate Column Names", "column_names", dict(keep="first")),
        ("Remove Duplicate Rows", "rows", dict(subset=["text"], keep="first")),
        ("Show Duplicates", "show", dict(group=["text", "flag"])),
    )
}

MISSING = {
    f"Missing Analysis: {kind}": (f"missingno/{kind}/{{}}", {})
    for kind in ("heatmap", "bar", "dendrogram", "matrix")
} | {
    f"Missing Analysis: matrix by {frequency} of a date": (
        "missingno/matrix/{}",
        dict(date_index="day", freq=frequency),
    )
    for frequency in ("BQ", "M", "D", "H")
}

ANALYSES = {
    f"Column Analysis: {label}": ("column-analysis/{}", query)
    for label, query in {
        "Histogram": dict(col="amount", type="histogram", bins="20"),
        "Histogram of dates": dict(col="day", type="histogram"),
        "Value Counts": dict(col="text", type="value_counts", top="100"),
        "Word Value Counts": dict(col="place", type="word_value_counts"),
        "Categories": dict(
            col="amount", type="categories", categoryCol="text", categoryAgg="mean"
        ),
        "Q-Q Plot": dict(col="amount", type="qq"),
        "Frequency": dict(
            col="text",
            type="frequency",
            splits="flag",
        ),
    }.items()
}

SERIES = {
    f"Time Series Analysis: {kind}": (
        "timeseries-analysis/{}",
        dict(type=kind, cfg=dict(index="day", col="amount", agg="mean", **more)),
    )
    for kind, more in {
        "hpfilter": dict(lamb=1600),
        "bkfilter": dict(low=6, high=32, K=12),
        "cffilter": dict(low=6, high=32, drift=True),
        "seasonal_decompose": dict(model="additive"),
        "stl": {},
    }.items()
}

DATES = {
    f"Charts: dates by {frequency}": (
        "chart-data/{}",
        aggregated(x=f"day||{frequency}"),
    )
    for frequency in ("WD", "H2", "H", "D", "W", "M", "Q", "Y")
} | {
    "Charts: a column named x as Y": ("chart-data/{}", aggregated(y=["x"])),
}

EXPORTS = {
    f"Export: {kind}": ("data-export/{}", dict(type=kind))
    for kind in ("csv", "tsv", "parquet")
} | {
    "Export: html": ("data/{}", dict(export="true")),
    "Charts: Export HTML": (
        "chart-export/{}",
        dict(chart_type="bar", export_type="html", **aggregated()),
    ),
    "Charts: Export CSV": (
        "chart-csv-export/{}",
        dict(chart_type="bar", **aggregated()),
    ),
    "Charts: Export PNG": (
        "chart-export/{}",
        dict(chart_type="bar", export_type="png", **aggregated()),
    ),
}

FILTERS = {
    f"Filter of a column: {label}": ("save-column-filter/{}", dict(col=col, cfg=cfg))
    for label, col, cfg in (
        ("integers", "number", dict(type="int", operand="=", value=[1, 2])),
        ("integers in a range", "number", dict(type="int", operand="[]", min=1, max=3)),
        ("floats", "height", dict(type="float", operand=">", value=2.5)),
        ("missing values", "height", dict(type="float", missing=True)),
        ("text", "text", dict(type="string", operand="=", value=["red"])),
        (
            "text with a prefix",
            *("text", dict(type="string", action="startswith", raw="r")),
        ),
        ("dates", "day", dict(type="date", start="20240105", end="20240120")),
        ("booleans", "flag", dict(type="string", operand="=", value=["True"])),
    )
}
FILTERS["Filter of a column: outliers"] = "toggle-outlier-filter/{}", dict(col="amount")
NO_FILTERS = (
    "update-settings/{}",
    dict(settings=dict(columnFilters={}, outlierFilters={}, query="")),
)

REQUESTS = {
    **{f"Dataframe Functions: {label}": what for label, what in BUILDERS.items()},
    **CONVERSIONS,
    **REPLACEMENTS,
    **SHAPES,
    **DUPLICATES,
    **MISSING,
    **ANALYSES,
    **SERIES,
    **DATES,
    **EXPORTS,
    "Feature Analysis": ("corr-analysis/{}", {}),
    "Correlations": ("correlations/{}", {}),
    "Correlations: Encode Strings": ("correlations/{}", dict(encodeStrings=True)),
    "Correlations: Export Image": ("correlations/{}", dict(image=True)),
    "Correlations: one pair of columns": (
        "scatter/{}",
        dict(cols=["number", "amount"]),
    ),
    "Correlations: over time": (
        "correlations-ts/{}",
        dict(cols=["number", "amount"], dateCol="day"),
    ),
    "Gage R & R": ("gage-rnr/{}", dict(operator=["text"], measurements=["amount"])),
    "Raw Pandas Output: info": ("raw-pandas/{}", dict(func_type="info")),
    "Raw Pandas Output: nunique": ("raw-pandas/{}", dict(func_type="nunique")),
    "Raw Pandas Output: describe": ("raw-pandas/{}", dict(func_type="describe")),
    "Code Export": ("code-export/{}", {}),
    "Network Viewer: Analysis": (
        "network-analysis/{}",
        {"to": "text", "from": "place"},
    ),
    "Network Viewer: Shortest Path": (
        "shortest-path/{}",
        {"to": "text", "from": "place", "start": "red", "end": "red"},
    ),
    "Variance Report": ("variance/{}", dict(col="number")),
    "Aggregations": ("aggregations/{}/amount", {}),
    "Aggregations: weighted": ("weighted-average/{}/amount/number", {}),
    "Formats": (
        "update-formats/{}",
        dict(
            col="amount",
            all=False,
            format={"fmt": "0,000.00", "style": {}},
            nanDisplay="-",
        ),
    ),
    "Custom Filter": ("test-filter/{}", dict(query="`number` > 1", save=True)),
    "Drop Filtered Rows": ("drop-filtered-rows/{}", {}),
}
